//! Messages from providers, and what became of them.

pub(crate) mod log;
pub(crate) mod receive;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(log::list: ProvidersRead))
        .routes(routes!(log::get: ProvidersRead))
        .routes(routes!(log::reprocess: ProvidersWrite))
        .routes(routes!(log::refusals: ProvidersRead))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new()
        .routes(routes!(receive::receive, receive::receive_get))
        .routes(routes!(receive::receive_for_account))
}
