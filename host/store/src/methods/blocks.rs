//! Times that are closed in calendars.

use berth_model::{
    calendar::{CalendarBlock, CalendarRecord},
    id::{CalendarBlockId, CalendarId, ConnectionId, TenantId},
    time::{Instant, Interval},
};

use crate::{Store, StoreError};

impl Store {
    /// Times to come that shall be closed in a calendar: whatever takes its member's time, but for bookings over its own connection. By
    /// their start, at most `CALENDAR_BLOCKS_MAX`.
    pub async fn times_to_close(
        &self,
        calendar: CalendarRecord,
        now: Instant,
    ) -> Result<Vec<Interval>, StoreError> {
        ask!(self, |q, conn| q::blocks::wanted(conn, &calendar, now))
    }

    /// Blocks to come of a calendar, by their start, at most `CALENDAR_BLOCKS_MAX`.
    pub async fn calendar_blocks(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
        now: Instant,
    ) -> Result<Vec<CalendarBlock>, StoreError> {
        ask!(self, |q, conn| q::blocks::there(conn, tenant, calendar, now))
    }

    /// Write how far a block is. A calendar has one of each time.
    pub async fn put_calendar_block(&self, block: CalendarBlock) -> Result<(), StoreError> {
        change!(self, [block], |q, conn| q::blocks::put(conn, &block))
    }

    /// Forget a block that was opened.
    pub async fn forget_calendar_block(
        &self,
        tenant: TenantId,
        block: CalendarBlockId,
    ) -> Result<(), StoreError> {
        change!(self, [], |q, conn| q::blocks::forget(conn, tenant, block))
    }

    /// The provider's ids of our blocks over a connection within a stretch of time: so our own are recognised in busy times.
    pub async fn block_sources(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        within: Interval,
    ) -> Result<Vec<String>, StoreError> {
        ask!(self, |q, conn| q::blocks::sources(conn, tenant, connection, within))
    }

    /// Calendars, of any tenant, in which a time is to be closed or opened.
    pub async fn calendars_behind(
        &self,
        now: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, CalendarId)>, StoreError> {
        ask!(self, |q, conn| q::blocks::behind(conn, now, limit))
    }
}
