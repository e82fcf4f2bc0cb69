//! What can be set; described in `plugin.toml`.

use std::collections::BTreeMap;

use berth_sdk::{Result, types::ProviderError, zone::Zone};
use serde::Deserialize;

/// The settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) needs_confirmation: bool,
    pub(crate) reschedule_keeps_id: bool,
    pub(crate) page_size: Option<u32>,
    pub(crate) webhook_expires_seconds: u32,
    pub(crate) time_zone: Option<String>,
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
    /// Where it is open.
    pub(crate) fn zone(&self) -> Result<Zone> {
        let Some(name) = &self.time_zone else { return Ok(Zone::UTC) };
        Zone::named(name).ok_or_else(|| ProviderError::invalid("settings.time_zone", "must be an IANA zone"))
    }

    /// Items per page: what is asked for, within what the settings allow.
    pub(crate) fn page_items(&self, asked: u32) -> usize {
        let items = asked.min(self.page_size.unwrap_or(100)).max(1);
        usize::try_from(items).unwrap_or(usize::MAX)
    }
}
