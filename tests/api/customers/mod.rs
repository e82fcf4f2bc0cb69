//! Whom bookings are for.

mod identity;
mod masked;
mod profile;
mod same;
mod walk;
