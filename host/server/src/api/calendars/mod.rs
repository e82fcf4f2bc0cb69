//! Calendars of members, invitations and feeds.

pub(crate) mod connected;
pub(crate) mod feeds;
