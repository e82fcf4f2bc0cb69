//! Bookings over their whole life.

mod clock_changes;
mod manage;
