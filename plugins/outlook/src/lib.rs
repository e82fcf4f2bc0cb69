//! Outlook calendars by Microsoft Graph, v1.0: bookings are events, kept in step by change notifications and delta queries.
//!
//! `api` knows the requests, `map` the JSON, `cursor` the incremental sync, `settings` what the tenant can set; the rest is one file
//! per interface.

mod api;
mod availability;
mod booking_edits;
mod bookings;
mod catalog;
mod cursor;
mod map;
mod settings;
mod webhooks;

use berth_sdk::{
    Connection, Result,
    types::{Account, ProviderError},
};

use crate::{api::Api, settings::Settings};

/// Calendars of a Microsoft account.
pub struct Outlook {
    api: Api,
    settings: Settings,
}

impl Outlook {
    /// How events are read.
    fn reading(&self) -> map::Reading {
        map::Reading { tentative: self.settings.tentative_is_busy, zone: map::zone(&self.settings.time_zone) }
    }
}

impl Connection for Outlook {
    fn open() -> Result<Self> {
        let settings: Settings = berth_sdk::settings::get()?;
        Ok(Self { api: Api::new(&settings.base_url), settings })
    }

    /// The account, and whether each calendar of the settings is there and can be written.
    fn validate(&self) -> Result<Account> {
        if !self.settings.time_zone.is_empty() && map::zone(&self.settings.time_zone).is_none() {
            let message = "must be the name of a zone, such as Europe/Lisbon".to_owned();
            return Err(ProviderError::invalid("settings.time_zone", message));
        }
        let account = map::account(&self.api.me()?)?;
        for id in &self.settings.calendars {
            let bad = |why: &str| ProviderError::invalid("settings.calendars", format!("{id}: {why}"));
            let calendar = match self.api.calendar(id) {
                Err(ProviderError::NotFound) => return Err(bad("the account has no such calendar")),
                other => map::event_type(&other?, &self.settings.calendars)?,
            };
            if !calendar.active {
                return Err(bad("the account cannot write to this calendar"));
            }
        }
        Ok(account)
    }
}

berth_sdk::export!(Outlook: catalog, availability, bookings, webhooks, booking_edits; manifest = "plugin.toml");

#[cfg(test)]
mod tests;
