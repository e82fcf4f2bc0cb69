//! Listings, event types and members, and what providers have of them.

pub(crate) mod at_provider;
pub(crate) mod event_types;
pub(crate) mod listings;
pub(crate) mod members;
pub(crate) mod private_links;
