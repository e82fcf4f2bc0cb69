//! Bookings in people's calendars.

mod feeds;
