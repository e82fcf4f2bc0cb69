//! Whom bookings are for.

mod identity;
