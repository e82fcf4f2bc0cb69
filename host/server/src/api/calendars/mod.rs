//! Calendars of members, invitations and feeds.

pub(crate) mod connected;
pub(crate) mod feeds;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(feeds::invitation: BookingsRead))
        .routes(routes!(feeds::rotate_member: BookingsWrite, feeds::end_member: BookingsWrite))
        .routes(routes!(feeds::rotate_listing: BookingsWrite, feeds::end_listing: BookingsWrite))
        .routes(routes!(connected::create: ProvidersWrite, connected::list: ProvidersRead))
        .routes(routes!(connected::get: ProvidersRead, connected::update: ProvidersWrite, connected::delete: ProvidersWrite))
        .routes(routes!(connected::sync: ProvidersWrite))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new().routes(routes!(feeds::own_invitation)).routes(routes!(feeds::feed))
}
