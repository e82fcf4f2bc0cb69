//! What is told of bookings' times.

use berth_model::{
    bookings::clocks::Clocks,
    id::{BookingId, TenantId},
    time::Instant,
};

/// What is told of a booking's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingClocks {
    /// Whose.
    pub tenant: TenantId,
    /// Of which booking.
    pub booking: BookingId,
    /// When it starts.
    pub start: Instant,
    /// What clocks showed when it was made or moved.
    pub told: Option<Clocks>,
    /// The last showing that was noted to be another.
    pub noted: Option<Clocks>,
    /// The listing's zone.
    pub listing_zone: String,
    /// The customer's.
    pub customer_zone: String,
}
