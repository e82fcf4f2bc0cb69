//! Bookings as they are.

use berth_model::{bookings::booking::Booking, id::BookingId, limits};
use berth_store::records::BookingFilter;

use crate::{Caller, Outcome, bookings::Bookings};

impl Bookings {
    /// A booking.
    pub async fn booking(&self, caller: &Caller, id: BookingId) -> Outcome<Booking> {
        Ok(self.base.store().booking(caller.tenant, id).await?)
    }

    /// Bookings in the order of (start, id).
    pub async fn list_bookings(
        &self,
        caller: &Caller,
        filter: BookingFilter,
        limit: u32,
    ) -> Outcome<Vec<Booking>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_bookings(caller.tenant, filter, limit).await?)
    }
}
