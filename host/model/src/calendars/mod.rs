//! Calendars of members, and iCalendar.

pub mod calendar;
pub mod ics;
