//! Google Calendar, API v3: busy times of several calendars, and bookings as events of one of them.
//!
//! `api` knows the requests, `errors` the refusals, `map` the JSON, `cursor` the incremental sync, `settings` what the tenant can
//! set; the rest is one file per interface.

mod api;
mod availability;
mod booking_edits;
mod bookings;
mod catalog;
mod cursor;
mod errors;
mod map;
mod settings;
mod webhooks;

use berth_sdk::{Connection, Result, types::Account};

use crate::{api::Api, settings::Settings};

/// Calendars on a page: the most that Google gives.
const CALENDARS_PER_PAGE: u32 = 250;

/// A Google account, and the calendar of it that bookings are written to.
pub struct GoogleCalendar {
    api: Api,
    settings: Settings,
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
    GoogleCalendar: catalog, availability, bookings, webhooks, booking_edits;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
