//! What people agreed to.

pub(crate) mod consents;
pub(crate) mod schemas;
pub(crate) mod texts;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(texts::publish: PrivacyWrite, texts::list: PrivacyRead))
        .routes(routes!(consents::give: PrivacyWrite, consents::list: PrivacyRead))
        .routes(routes!(consents::withdraw: PrivacyWrite))
}
