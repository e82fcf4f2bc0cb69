//! Listings, event types and members.

pub(crate) mod event_types;
pub(crate) mod listings;
pub(crate) mod members;
pub(crate) mod private_links;
pub(crate) mod public;
pub(crate) mod schemas;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(listings::create: ListingsWrite, listings::list: ListingsRead))
        .routes(routes!(listings::get: ListingsRead, listings::update: ListingsWrite, listings::delete: ListingsWrite))
        .routes(routes!(members::create: ListingsWrite, members::list: ListingsRead))
        .routes(routes!(members::get: ListingsRead, members::update: ListingsWrite, members::delete: ListingsWrite))
        .routes(routes!(event_types::create: ListingsWrite, event_types::list: ListingsRead))
        .routes(routes!(event_types::get: ListingsRead, event_types::update: ListingsWrite, event_types::delete: ListingsWrite))
        .routes(routes!(event_types::duplicate: ListingsWrite))
        .routes(routes!(private_links::create: ListingsWrite, private_links::list: ListingsWrite))
        .routes(routes!(private_links::create_there: ListingsWrite))
        .routes(routes!(private_links::get: ListingsWrite, private_links::delete: ListingsWrite))
}
