//! Whom bookings are for.

mod files;
mod identity;
mod masked;
mod profile;
mod same;
mod walk;
