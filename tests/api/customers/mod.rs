//! Whom bookings are for.

mod identity;
mod walk;
