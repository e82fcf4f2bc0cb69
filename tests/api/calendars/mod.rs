//! Bookings in people's calendars.

mod feeds;
mod integrations;
mod walk;
