//! Calendly, API v2: bookings of its event types, kept in step by webhooks and by reading the calendar again.
//!
//! A booking is one invitee of one event: its id is `event/invitee`, the last parts of their addresses. `api` knows the
//! requests, `refusal` the errors, `map` the JSON, `cursor` where a sync stands, `known` what is kept between calls, `owner`
//! whose the account is; the rest is one file per interface.

mod api;
mod availability;
mod bookings;
mod catalog;
mod changes;
mod cursor;
mod known;
mod map;
mod owner;
mod refusal;
mod webhooks;

use berth_sdk::{
    Connection, Links, Result,
    types::{Account, BookingLink, LinkRequest, ProviderError},
};
use serde::Deserialize;

use crate::{
    api::{Api, EventFilter},
    owner::{Owner, Scope},
};

/// A Calendly account.
pub struct Calendly {
    api: Api,
    scope: Scope,
}

/// What the tenant can set; described in `plugin.toml`.
#[derive(Debug, Deserialize)]
struct Settings {
    base_url: String,
    scope: Scope,
}

impl Connection for Calendly {
    fn open() -> Result<Self> {
        let settings: Settings = berth_sdk::settings::get()?;
        Ok(Self { api: Api::new(&settings.base_url), scope: settings.scope })
    }

    fn validate(&self) -> Result<Account> {
        let me = self.api.me()?;
        let owner = map::owner(&me)?;
        // The credential may be another account's than the last one.
        known::remember_owner(&owner);
        if self.scope == Scope::Organization {
            self.sees_everybody(&owner)?;
        }
        map::account(&me)
    }
}

impl Calendly {
    /// Only some may see the events of all members: said when the account is connected, and not by every sync from then on.
    fn sees_everybody(&self, owner: &Owner) -> Result<()> {
        let now = self.api.now();
        let filter = EventFilter { after: Some(now), before: Some(now), ..EventFilter::default() };
        match self.api.events(owner, self.scope, &filter, None) {
            Err(ProviderError::Forbidden(why)) => Err(ProviderError::Forbidden(format!(
                "This account may not see its organization's events: connect an owner or administrator, or set scope to user. \
                Calendly says: {why}"
            ))),
            other => other.map(drop),
        }
    }
}

impl Links for Calendly {
    fn create_booking_link(&self, request: LinkRequest) -> Result<BookingLink> {
        if request.max_bookings != 1 {
            return Err(ProviderError::invalid(
                "max_bookings",
                "must be 1: Calendly makes single-use links only",
            ));
        }
        let link = self.api.create_link(&map::event_type_uri(&request.event_type)?)?;
        map::booking_link(&link, &request.idempotency_key)
    }
}

berth_sdk::export!(
    Calendly: catalog, availability, bookings, links, webhooks;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
