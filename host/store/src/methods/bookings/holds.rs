//! Holds: places that are kept for a while.

use berth_model::{
    bookings::hold::HoldRecord,
    id::{HoldId, TenantId},
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{Audit, NewHold},
};

impl Store {
    /// Takes the places and inserts the hold in one transaction; `Overlap` if one is taken. Holds in the way that are over by
    /// `audit.at` are removed.
    pub async fn create_hold(&self, new: NewHold, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [new, audit], |q, conn| q::bookings::holds::create(conn, &new, &audit))
    }

    /// A hold that is not over by `now`.
    pub async fn hold(&self, tenant: TenantId, hold: HoldId, now: Instant) -> Result<HoldRecord, StoreError> {
        read!(self, |q, conn| q::bookings::holds::get(conn, tenant, hold, now))
    }

    /// Keep a hold until then; `NotFound` if it is over by `audit.at`.
    pub async fn extend_hold(
        &self,
        tenant: TenantId,
        hold: HoldId,
        expires_at: Instant,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::bookings::holds::extend(conn, tenant, hold, expires_at, &audit))
    }

    /// Give its places back; `NotFound` if it is over by `audit.at`.
    pub async fn release_hold(&self, tenant: TenantId, hold: HoldId, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::bookings::holds::release(conn, tenant, hold, &audit))
    }
}
