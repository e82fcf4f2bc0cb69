//! Calendars of members: those they connected, what is written into them, what is closed there, and feeds.

pub(crate) mod blocks;
pub(crate) mod clashes;
pub(crate) mod connected;
pub(crate) mod entries;
pub(crate) mod feeds;
pub(crate) mod looks;
