//! From XML and iCalendar to the contract's types and back. Pure: no request, no clock.

pub(crate) mod busy;
pub(crate) mod calendars;
pub(crate) mod event;
pub(crate) mod href;
pub(crate) mod ical;
mod mailbox;
pub(crate) mod query;
pub(crate) mod reading;
pub(crate) mod write;
pub(crate) mod xml;
