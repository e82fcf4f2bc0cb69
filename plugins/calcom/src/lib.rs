//! Cal.com, API v2: bookings of its event types, kept in step by webhooks and a cursor over `updatedAt`.
//!
//! `api` knows the requests, `map` the JSON, `cursor` the incremental sync; the rest is one file per interface.

mod api;
mod availability;
mod bookings;
mod catalog;
mod cursor;
mod map;
mod webhooks;

use berth_sdk::{
    Connection, Links, Result,
    types::{Account, BookingLink, LinkRequest},
};
use serde::Deserialize;

use crate::api::Api;

/// A Cal.com account.
pub struct CalCom {
    api: Api,
}

/// What the tenant can set; described in `plugin.toml`.
#[derive(Debug, Deserialize)]
struct Settings {
    base_url: String,
    version_bookings: String,
    version_slots: String,
    version_event_types: String,
}

impl Connection for CalCom {
    fn open() -> Result<Self> {
        Ok(Self { api: Api::new(&berth_sdk::settings::get()?) })
    }

    fn validate(&self) -> Result<Account> {
        map::account(&self.api.me()?)
    }
}

impl Links for CalCom {
    fn create_booking_link(&self, request: LinkRequest) -> Result<BookingLink> {
        let event_type = map::event_type_id(&request.event_type)?;
        map::private_link(&self.api.create_private_link(event_type, request.max_bookings)?)
    }
}

berth_sdk::export!(
    CalCom: catalog, availability, bookings, links, webhooks;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
