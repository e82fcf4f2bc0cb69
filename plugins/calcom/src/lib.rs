//! Cal.com, API v2: bookings of its event types, kept in step by webhooks and a cursor over `updatedAt`.
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
    Connection, Links, Result,
    types::{Account, BookingLink, LinkRequest},
};

use crate::api::Api;

/// A Cal.com account.
pub struct CalCom {
    api: Api,
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
    CalCom: catalog, availability, bookings, links, webhooks, booking_edits;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
