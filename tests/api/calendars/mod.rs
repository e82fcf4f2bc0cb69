//! Bookings in people's calendars.

mod feeds;
mod walk;
