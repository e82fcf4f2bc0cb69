//! Conflicts about events in members' calendars.

use berth_model::{
    id::{BookingId, ConnectionId, TenantId},
    mirror::sync::Conflict,
};

use crate::{Store, StoreError};

impl Store {
    /// Conflicts that are open about events of calendars over a connection, at most `LIST_ROWS_MAX`.
    pub async fn open_clashes(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Vec<Conflict>, StoreError> {
        read!(self, |q, conn| q::calendars::clashes::open(conn, tenant, connection))
    }

    /// Conflicts that are open about events of calendars over a booking, at most `LIST_ROWS_MAX`.
    pub async fn open_clashes_of(
        &self,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Vec<Conflict>, StoreError> {
        read!(self, |q, conn| q::calendars::clashes::of_booking(conn, tenant, booking))
    }

    /// The latest conflict about the same as this one, open or not.
    pub async fn last_conflict_like(&self, conflict: &Conflict) -> Result<Option<Conflict>, StoreError> {
        let (tenant, connection, key) = (conflict.tenant, conflict.connection, conflict.dedup_key());
        read!(self, |q, conn| q::calendars::clashes::last(conn, tenant, connection, &key))
    }
}
