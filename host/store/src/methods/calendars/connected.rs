//! Members' calendars, and the entries of bookings in them.

use berth_model::{
    calendars::calendar::{CalendarEntry, CalendarRecord},
    id::{BookingId, CalendarId, ConnectionId, MemberId, TenantId},
    time::Instant,
};

use crate::{Store, StoreError, records::Audit};

impl Store {
    /// Connect a calendar. `Duplicate` if the member has it already.
    pub async fn create_calendar(&self, calendar: CalendarRecord, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [calendar, audit], |q, conn| q::calendars::connected::insert(conn, &calendar, &audit))
    }

    /// One calendar.
    pub async fn calendar(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
    ) -> Result<CalendarRecord, StoreError> {
        read!(self, |q, conn| q::calendars::connected::get(conn, tenant, calendar))
    }

    /// A page of calendars in the order of their ids, after this one.
    pub async fn list_calendars(
        &self,
        tenant: TenantId,
        after: Option<CalendarId>,
        limit: u32,
    ) -> Result<Vec<CalendarRecord>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::list(conn, tenant, after, limit))
    }

    /// The calendars of these members.
    pub async fn calendars_of(
        &self,
        tenant: TenantId,
        members: Vec<MemberId>,
    ) -> Result<Vec<CalendarRecord>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::of_members(conn, tenant, &members))
    }

    /// The calendars that have an entry of a booking, whoever takes part in it by now.
    pub async fn calendars_showing(
        &self,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Vec<CalendarRecord>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::showing(conn, tenant, booking))
    }

    /// Replace what is read and written.
    pub async fn update_calendar(&self, calendar: CalendarRecord, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [calendar, audit], |q, conn| q::calendars::connected::update(conn, &calendar, &audit))
    }

    /// Note what is wrong with a calendar at its provider, or that nothing is.
    pub async fn set_calendar_trouble(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
        trouble: Option<String>,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [trouble], |q, conn| q::calendars::connected::put_look(
            conn,
            tenant,
            calendar,
            now,
            trouble.as_deref()
        ))
    }

    /// Calendars, of any tenant, whose member has a booking before `ahead` and that were looked at last by `before`: they are taken to be
    /// looked at `now`, by this asker alone. At most `limit`, the longest not looked at first.
    pub async fn claim_calendar_looks(
        &self,
        now: Instant,
        before: Instant,
        ahead: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, CalendarId)>, StoreError> {
        write_tx!(self, [], |q, conn| q::calendars::connected::claim_looks(conn, now, before, ahead, limit))
    }

    /// Something changed over a connection: its calendars are looked at with the next turn.
    pub async fn look_at_calendars_again(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::calendars::connected::look_again(conn, tenant, connection))
    }

    /// Disconnect a calendar, and forget its entries.
    pub async fn delete_calendar(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::calendars::connected::delete(conn, tenant, calendar, &audit))
    }

    /// The entry of a booking in a calendar.
    pub async fn calendar_entry(
        &self,
        tenant: TenantId,
        booking: BookingId,
        calendar: CalendarId,
    ) -> Result<Option<CalendarEntry>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::entry(conn, tenant, booking, calendar))
    }

    /// The entry that has this id at the provider: so our own are recognised.
    pub async fn calendar_entry_by_external(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<Option<CalendarEntry>, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, |q, conn| q::calendars::connected::entry_by_external(
            conn,
            tenant,
            connection,
            &external_id
        ))
    }

    /// The entries that are in a calendar (at most `LIST_ROWS_MAX`).
    pub async fn calendar_entries(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
    ) -> Result<Vec<CalendarEntry>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::entries_of(conn, tenant, calendar))
    }

    /// What shows a booking in calendars.
    pub async fn calendar_entries_of_booking(
        &self,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Vec<CalendarEntry>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::entries_of_booking(conn, tenant, booking))
    }

    /// Write what a calendar shows of a booking.
    pub async fn put_calendar_entry(&self, entry: CalendarEntry) -> Result<(), StoreError> {
        write_tx!(self, [entry], |q, conn| q::calendars::connected::put_entry(conn, &entry))
    }

    /// Bookings to come, of any tenant, that a calendar shows in another version or not at all.
    pub async fn bookings_behind_in_calendars(
        &self,
        now: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, BookingId)>, StoreError> {
        read!(self, |q, conn| q::calendars::connected::behind(conn, now, limit))
    }
}
