//! Listings, event types and members.

pub(crate) mod event_types;
pub(crate) mod listings;
pub(crate) mod members;
pub(crate) mod schemas;
