//! What people agreed to.

pub(crate) mod consents;
pub(crate) mod schemas;
pub(crate) mod texts;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(texts::publish, texts::list))
        .routes(routes!(consents::give, consents::list))
        .routes(routes!(consents::withdraw))
}
