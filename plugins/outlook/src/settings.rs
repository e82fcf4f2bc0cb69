//! What the tenant can set; described in `plugin.toml`.

use serde::Deserialize;

/// The settings.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) calendars: Vec<String>,
    pub(crate) also_busy: Vec<String>,
    pub(crate) tentative_is_busy: bool,
    /// Empty: that in which each event was entered.
    pub(crate) time_zone: String,
    pub(crate) invite: bool,
    pub(crate) online_meeting: bool,
    pub(crate) subject: String,
}
