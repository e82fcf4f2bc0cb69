//! Calendars of members, invitations and feeds.

pub(crate) mod connected;
pub(crate) mod feeds;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(feeds::invitation))
        .routes(routes!(feeds::rotate_member, feeds::end_member))
        .routes(routes!(feeds::rotate_listing, feeds::end_listing))
        .routes(routes!(connected::create, connected::list))
        .routes(routes!(connected::get, connected::update, connected::delete))
        .routes(routes!(connected::sync))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new().routes(routes!(feeds::own_invitation)).routes(routes!(feeds::feed))
}
