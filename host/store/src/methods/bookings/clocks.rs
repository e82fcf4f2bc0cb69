//! What clocks showed when bookings were made, and whether somebody was told that they show something else now.

use berth_model::{
    bookings::clocks::Clocks,
    id::{BookingId, TenantId},
    time::Instant,
};
use serde_json::Value;

use crate::{
    Store, StoreError,
    records::{Audit, BookingClocks},
};

impl Store {
    /// Bookings of all tenants that take their time and begin after this one, by start.
    pub async fn clocks_to_come(
        &self,
        after: (Instant, BookingId),
        limit: i64,
    ) -> Result<Vec<BookingClocks>, StoreError> {
        read!(self, |q, conn| q::bookings::clocks::to_come(conn, after, limit))
    }

    /// What people are told of a booking's start from now on, with a line in its timeline if somebody decided it. `Stale` if it was moved.
    pub async fn set_clocks(
        &self,
        of: (TenantId, BookingId, Instant),
        clocks: Clocks,
        audit: Option<Audit>,
    ) -> Result<(), StoreError> {
        write_tx!(self, [clocks, audit], |q, conn| q::bookings::clocks::set(
            conn,
            of,
            &clocks,
            audit.as_ref()
        ))
    }

    /// Note in a booking's timeline that clocks show something else than was told. `Stale` if it was moved.
    pub async fn note_clocks(
        &self,
        of: (TenantId, BookingId, Instant),
        now: Clocks,
        data: Value,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [now, data, audit], |q, conn| q::bookings::clocks::note(
            conn, of, &now, &data, &audit
        ))
    }
}
