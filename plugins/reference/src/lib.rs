//! The reference provider: every interface of the contract, no network. Bookings live in the connection's state, and
//! settings make any operation fail in any way (see `plugin.toml`), so that a host can be tested against all of it.
//!
//! Ids are made from idempotency keys, so a repeated `create` finds its own booking. Two calls of one connection at the
//! same time may lose a write, since the state has no transactions: tests that race use connections of their own.

mod availability;
mod blocks;
mod booking_edits;
mod bookings;
mod catalog;
mod clients;
mod failure;
mod settings;
mod store;
mod webhooks;

use berth_sdk::{
    Connection, Links, Result,
    types::{Account, BookingLink, LinkRequest},
};
use settings::Settings;

/// The provider.
#[derive(Debug)]
pub struct Reference {
    settings: Settings,
}

impl Connection for Reference {
    fn open() -> Result<Self> {
        Ok(Self { settings: berth_sdk::settings::get()? })
    }

    fn validate(&self) -> Result<Account> {
        self.run("validate", || {
            Ok(Account {
                id: "reference-account".to_owned(),
                name: "Reference account".to_owned(),
                email: Some("owner@reference.example".to_owned()),
                time_zone: Some("Europe/Warsaw".to_owned()),
                raw: r#"{"id":"reference-account"}"#.to_owned(),
            })
        })
    }
}

impl Links for Reference {
    fn create_booking_link(&self, request: LinkRequest) -> Result<BookingLink> {
        self.run("create_booking_link", || {
            let event_type = catalog::find(&request.event_type)?;
            let link = store::id_of("link", &request.idempotency_key);
            let url = format!("{}/{link}?uses={}", catalog::url_of(&event_type.id), request.max_bookings);
            Ok(BookingLink { url, expires_at: None })
        })
    }
}

berth_sdk::export!(
    Reference: catalog, availability, bookings, links, webhooks, clients, blocks, booking_edits;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
