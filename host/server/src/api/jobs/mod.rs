//! Work that waits or was given up.

pub(crate) mod operations;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(operations::operations: ProvidersRead))
        .routes(routes!(operations::requeue: ProvidersWrite))
}
