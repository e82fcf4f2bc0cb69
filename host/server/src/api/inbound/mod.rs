//! Messages from providers, and what became of them.

pub(crate) mod log;
pub(crate) mod receive;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(log::list))
        .routes(routes!(log::get))
        .routes(routes!(log::reprocess))
        .routes(routes!(log::refusals))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new()
        .routes(routes!(receive::receive, receive::receive_get))
        .routes(routes!(receive::receive_for_account))
}
