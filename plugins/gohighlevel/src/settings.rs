//! What the tenant can set; described in `plugin.toml`.

use serde::Deserialize;

/// The settings.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) location_id: String,
    pub(crate) calendar_ids: Vec<String>,
    pub(crate) notify: bool,
}
