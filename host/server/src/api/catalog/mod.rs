//! Listings, event types and members.

pub(crate) mod event_types;
pub(crate) mod listings;
pub(crate) mod members;
pub(crate) mod schemas;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(listings::create, listings::list))
        .routes(routes!(listings::get, listings::update, listings::delete))
        .routes(routes!(members::create, members::list))
        .routes(routes!(members::get, members::update, members::delete))
        .routes(routes!(event_types::create, event_types::list))
        .routes(routes!(event_types::get, event_types::update, event_types::delete))
        .routes(routes!(event_types::duplicate))
}
