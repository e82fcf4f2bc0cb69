//! What the tenant can set; described in `plugin.toml`.

use serde::Deserialize;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) calendar: String,
    pub(crate) busy_calendars: Vec<String>,
    pub(crate) refuse_conflicts: bool,
    pub(crate) title: String,
    pub(crate) send_updates: String,
    pub(crate) meet: bool,
}

impl Settings {
    /// The calendar that is written to and those that are only read, each once.
    pub(crate) fn all_calendars(&self) -> Vec<String> {
        let further = self.busy_calendars.iter().filter(|id| **id != self.calendar);
        std::iter::once(&self.calendar).chain(further).cloned().collect()
    }
}
