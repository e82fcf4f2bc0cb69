//! Calendars of members.

pub(crate) mod blocks;
pub(crate) mod clashes;
pub(crate) mod connected;
pub(crate) mod feeds;
