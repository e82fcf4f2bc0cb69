//! HighLevel (GoHighLevel), API v2: one sub-account ("location") per connection. Its calendars are event types; an
//! appointment belongs to a contact, which is made first.
//!
//! `api` knows the requests, `map` the JSON, `cursor` the sync, `settings` what the tenant can set; the rest is one file per
//! interface.

#![expect(clippy::doc_markdown, reason = "HighLevel is a name, not an item")]

mod api;
mod availability;
mod blocks;
mod booking_edits;
mod bookings;
mod calendars;
mod clients;
mod cursor;
mod map;
mod settings;
mod webhooks;

use berth_sdk::{
    Connection, Result, log,
    types::{Account, ProviderError},
};

use crate::{api::Api, settings::Settings};

/// A HighLevel sub-account.
pub struct HighLevel {
    api: Api,
    settings: Settings,
}

impl Connection for HighLevel {
    fn open() -> Result<Self> {
        let settings: Settings = berth_sdk::settings::get()?;
        Ok(Self { api: Api::new(&settings), settings })
    }

    fn validate(&self) -> Result<Account> {
        self.calendars_in_use()?;
        // Its name and zone need one more permission, without which everything else works.
        let location = match self.api.location() {
            Ok(location) => Some(location),
            Err(ProviderError::Unauthorised | ProviderError::Forbidden(_) | ProviderError::NotFound) => {
                log::info("the sub-account's name and time zone cannot be read");
                None
            }
            Err(other) => return Err(other),
        };
        Ok(map::account(&self.settings.location_id, location.as_ref()))
    }
}

berth_sdk::export!(
    HighLevel: catalog, availability, bookings, clients, webhooks, blocks, booking_edits;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
