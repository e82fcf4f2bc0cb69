//! Times that are closed in calendars.

use berth_model::{
    calendars::calendar::{BlockMarks, CalendarBlock, CalendarRecord},
    id::{CalendarId, ConnectionId, TenantId},
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
        read!(self, |q, conn| q::calendars::blocks::wanted(conn, &calendar, now))
    }

    /// Blocks to come of a calendar, by their start, at most `CALENDAR_BLOCKS_MAX`.
    pub async fn calendar_blocks(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
        now: Instant,
    ) -> Result<Vec<CalendarBlock>, StoreError> {
        read!(self, |q, conn| q::calendars::blocks::there(conn, tenant, calendar, now))
    }

    /// Write how far a block is. A calendar has one of each time.
    pub async fn put_calendar_block(&self, block: CalendarBlock) -> Result<(), StoreError> {
        write_tx!(self, [block], |q, conn| q::calendars::blocks::put(conn, &block))
    }

    /// Forget a block that was opened at `now`; by its id at the provider, if it had one, it is recognised for a while.
    pub async fn forget_calendar_block(
        &self,
        block: CalendarBlock,
        opened: Option<String>,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [block, opened], |q, conn| q::calendars::blocks::forget(
            conn,
            &block,
            opened.as_deref(),
            now
        ))
    }

    /// What of the busy times over a connection is our own closing, also right after it was made, moved or opened, and our own entries that
    /// show a time which their booking does not have any more.
    pub async fn block_marks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        within: Interval,
    ) -> Result<BlockMarks, StoreError> {
        read!(self, |q, conn| q::calendars::blocks::marks(conn, tenant, connection, within))
    }

    /// Calendars, of any tenant, in which a time is to be closed or opened.
    pub async fn calendars_behind(
        &self,
        now: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, CalendarId)>, StoreError> {
        read!(self, |q, conn| q::calendars::blocks::behind(conn, now, limit))
    }
}
