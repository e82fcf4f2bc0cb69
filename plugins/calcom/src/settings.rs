//! What the tenant can set; described in `plugin.toml`.

use serde::Deserialize;

/// The settings.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) version_bookings: String,
    pub(crate) version_slots: String,
    pub(crate) version_event_types: String,
}
