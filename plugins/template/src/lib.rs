//! A template for providers: copy this folder, then change four files.
//!
//! - `plugin.toml`: what the plugin is, the hosts it may reach, how credentials attach, its settings.
//! - `map.rs`: from the provider's JSON to the contract's types. Pure, so most tests live there.
//! - `api.rs`: one function per request.
//! - `lib.rs` (here): the interfaces of the contract, each a few lines that join the other two.
//!
//! What each function must do is written in `wit/`. Leave out a function and it answers `unsupported`; leave out an
//! interface by taking it out of `export!`.

mod api;
mod map;

use berth_sdk::{
    Availability, BookingEdits, Bookings, Catalog, Connection, Result, Webhooks,
    types::{
        Account, Booking, CancelRequest, ChangePage, CreateRequest, EventTypePage, PageRequest,
        ProviderError, QuerySpans, ReassignRequest, ReferenceLookup, RescheduleRequest, Slot, SlotQuery,
        SubscribeRequest, Subscription, UpdateRequest, WebhookOutcome, WebhookRequest,
    },
};
use serde::Deserialize;
use serde_json::json;

use crate::api::Api;

/// An account at Acme.
pub struct Acme {
    api: Api,
}

/// The settings, as `plugin.toml` describes them.
#[derive(Deserialize)]
struct Settings {
    base_url: String,
}

impl Connection for Acme {
    fn open() -> Result<Self> {
        let settings: Settings = berth_sdk::settings::get()?;
        Ok(Self { api: Api::new(&settings.base_url) })
    }

    fn validate(&self) -> Result<Account> {
        map::account(&self.api.account()?)
    }
}

impl Catalog for Acme {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        map::services(&self.api.services(page.token.as_deref(), page.limit)?)
    }
}

impl Availability for Acme {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: 31, busy_days: 0 }
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        map::openings(&self.api.openings(&query.event_type, query.within)?)
    }
}

impl Bookings for Acme {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        let body = map::new_appointment(&request);
        map::appointment(&self.api.create_appointment(&request.idempotency_key, &body)?)
    }

    fn get(&self, id: String) -> Result<Booking> {
        map::appointment(&self.api.appointment(&id)?)
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        Ok(map::appointments(&self.api.appointments_with(&lookup.reference)?)?.items)
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        match self.api.cancel_appointment(&request.id, request.reason.as_deref()) {
            // Cancelling what is cancelled must succeed.
            Err(ProviderError::Conflict(_)) => self.get(request.id),
            answer => map::appointment(&answer?),
        }
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        map::appointment(&self.api.move_appointment(&request.idempotency_key, &request.id, request.when)?)
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        map::appointments(&self.api.changes(cursor.as_deref(), limit)?)
    }
}

impl BookingEdits for Acme {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        // What has no place there is for a person, or for Berth alone; then nothing of it is written.
        let members = map::changed(&request).ok_or(ProviderError::Unsupported(None))?;
        map::appointment(&self.api.write_appointment(&request.id, &members)?)
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        map::appointment(&self.api.write_appointment(&request.id, &json!({ "who": request.host }))?)
    }
}

impl Webhooks for Acme {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        map::webhook(&self.api.create_webhook(&request.callback_url)?)
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        match self.api.delete_webhook(&subscription.id) {
            // One that is gone is ended.
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        map::message(&request.body)
    }
}

berth_sdk::export!(Acme: catalog, availability, bookings, webhooks, booking_edits; manifest = "plugin.toml");

#[cfg(test)]
mod tests;
