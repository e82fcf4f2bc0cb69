//! `CalDAV` (RFC 4791): busy times of an account's calendars, and bookings as events of one of them.
//!
//! `server` knows addresses, `dav` the requests, `errors` the refusals, `discovery` the way to the calendars, `objects` the events in them, `map` XML and iCalendar, `cursor` the
//! incremental sync; the rest is one file per interface.

mod availability;
mod booking_edits;
mod bookings;
mod catalog;
mod cursor;
mod dav;
mod discovery;
mod errors;
mod map;
mod objects;
mod server;

use berth_sdk::{Connection, Result, types::Account};
use serde::Deserialize;

use crate::server::Server;

/// An account on a `CalDAV` server, and the calendar of it that bookings are written to.
pub struct CalDav {
    server: Server,
    settings: Settings,
}

/// What the tenant can set; described in `plugin.toml`.
#[derive(Debug, Clone, Deserialize)]
struct Settings {
    base_url: String,
    /// Empty for the account's default.
    calendar: String,
    cancelled_events: CancelledEvents,
    title: String,
    /// For calendars that name no zone, where nobody says whose time it is; empty for UTC.
    #[serde(default)]
    time_zone: String,
    /// Connections of an older version do not say.
    #[serde(default = "yes")]
    tentative_is_busy: bool,
}

const fn yes() -> bool {
    true
}

/// What becomes of the event of a cancelled booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CancelledEvents {
    Delete,
    Keep,
}

impl Connection for CalDav {
    fn open() -> Result<Self> {
        let settings: Settings = berth_sdk::settings::get()?;
        Ok(Self { server: Server::new(&settings.base_url), settings })
    }

    fn validate(&self) -> Result<Account> {
        self.account()
    }
}

berth_sdk::export!(
    CalDav: catalog, availability, bookings, booking_edits;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
