//! What can be set; described in `plugin.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) needs_confirmation: bool,
    pub(crate) reschedule_keeps_id: bool,
    pub(crate) page_size: Option<u32>,
    pub(crate) webhook_expires_seconds: u32,
    pub(crate) fail_times: u32,
    /// `fail_<operation>` to the failure.
    #[serde(flatten)]
    pub(crate) failures: BTreeMap<String, Failure>,
}

/// The ways to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    Unauthorised,
    Forbidden,
    NotFound,
    SlotTaken,
    WrongState,
    Changed,
    RateLimited,
    Invalid,
    Unsupported,
    CursorExpired,
    Unavailable,
    UnavailableAfter,
    Vendor,
    Trap,
}

impl Settings {
    /// Items per page: what is asked for, within what the settings allow.
    pub(crate) fn page_items(&self, asked: u32) -> usize {
        let items = asked.min(self.page_size.unwrap_or(100)).max(1);
        usize::try_from(items).unwrap_or(usize::MAX)
    }
}
