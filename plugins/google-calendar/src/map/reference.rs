//! Where an event holds Berth's reference.

/// The private property of it.
pub(crate) const REFERENCE: &str = "berth_booking_id";
