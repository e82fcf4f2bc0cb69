//! Google Calendar, API v3: busy times of several calendars, and bookings as events of one of them.
//!
//! `api` knows the requests, `errors` the refusals, `map` the JSON, `cursor` the incremental sync; the rest is one file per interface.

mod api;
mod availability;
mod bookings;
mod catalog;
mod cursor;
mod errors;
mod map;
mod webhooks;

use berth_sdk::{Connection, Result, types::Account};
use serde::Deserialize;

use crate::api::Api;

/// Calendars on a page: the most that Google gives.
const CALENDARS_PER_PAGE: u32 = 250;

/// A Google account, and the calendar of it that bookings are written to.
pub struct GoogleCalendar {
    api: Api,
    settings: Settings,
}

/// What the tenant can set; described in `plugin.toml`.
#[derive(Debug, Clone, Deserialize)]
struct Settings {
    base_url: String,
    calendar: String,
    busy_calendars: Vec<String>,
    refuse_conflicts: bool,
    title: String,
    send_updates: String,
    meet: bool,
}

impl Settings {
    /// The calendar that is written to and those that are only read, each once.
    fn all_calendars(&self) -> Vec<String> {
        let further = self.busy_calendars.iter().filter(|id| **id != self.calendar);
        std::iter::once(&self.calendar).chain(further).cloned().collect()
    }
}

impl Connection for GoogleCalendar {
    fn open() -> Result<Self> {
        let settings: Settings = berth_sdk::settings::get()?;
        Ok(Self { api: Api::new(&settings), settings })
    }

    fn validate(&self) -> Result<Account> {
        map::account(&self.api.calendars(CALENDARS_PER_PAGE, None)?, &self.settings.calendar)
    }
}

berth_sdk::export!(
    GoogleCalendar: catalog, availability, bookings, webhooks;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
