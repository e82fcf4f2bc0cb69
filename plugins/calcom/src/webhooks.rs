//! One webhook for the whole account. It never expires.

use berth_sdk::{
    Result, Webhooks, log,
    paging::{self, Piece},
    state,
    types::{ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookOutcome, WebhookRequest},
};
use serde_json::{Value, json};

use crate::{CalCom, map};

/// Triggers that change bookings.
const TRIGGERS: [&str; 8] = [
    "BOOKING_CREATED",
    "BOOKING_REQUESTED",
    "BOOKING_RESCHEDULED",
    "BOOKING_CANCELLED",
    "BOOKING_REJECTED",
    "BOOKING_PAID",
    "BOOKING_PAYMENT_INITIATED",
    "BOOKING_NO_SHOW_UPDATED",
];
/// State entry with the ids of bookings that were moved.
const MOVED: &str = "moved";
/// Moved bookings that are remembered: a stray cancellation comes within minutes, and the entry stays below 4 KiB.
const MOVED_MAX: usize = 100;

impl Webhooks for CalCom {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        match self.find(&request.callback_url)? {
            // Made by an earlier try, or by hand: put it right, its secret included.
            Some(id) => subscription(&self.api.update_webhook(&id, &body(&request.callback_url))?),
            None => subscription(&self.api.create_webhook(&body(&request.callback_url))?),
        }
    }

    fn renew(&self, old: Subscription, callback_url: String) -> Result<Subscription> {
        match self.api.update_webhook(&old.id, &body(&callback_url)) {
            Ok(data) => subscription(&data),
            Err(ProviderError::NotFound) => subscription(&self.api.create_webhook(&body(&callback_url))?),
            Err(other) => Err(other),
        }
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        match self.api.delete_webhook(&subscription.id) {
            Err(ProviderError::NotFound) => Ok(()),
            other => other,
        }
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        let event = map::webhook(&request.body)?.filter(|event| !is_half_of_a_move(event));
        if let Some(WebhookEvent::Rescheduled(moved)) = &event {
            remember_move(&moved.old_id);
        }
        Ok(WebhookOutcome { events: event.into_iter().collect(), reply: None })
    }
}

impl CalCom {
    /// The webhook with this callback.
    fn find(&self, callback_url: &str) -> Result<Option<String>> {
        let all = paging::all(|token| {
            let (items, next) = self.api.webhooks(token.and_then(|t| t.parse().ok()).unwrap_or(0))?;
            Ok(Piece { items, next: next.map(|n| n.to_string()) })
        })?;
        let ours = all.iter().find(|w| w.get("subscriberUrl").and_then(Value::as_str) == Some(callback_url));
        ours.map(id).transpose()
    }
}

/// Berth adds the secret. No template: the messages must stay JSON.
fn body(callback_url: &str) -> Value {
    json!({ "active": true, "subscriberUrl": callback_url, "triggers": TRIGGERS, "version": "2021-10-20" })
}

fn subscription(data: &Value) -> Result<Subscription> {
    Ok(Subscription { id: id(data)?, expires_at: None, data: None })
}

/// Ids are UUIDs, but the specification calls them numbers.
fn id(webhook: &Value) -> Result<String> {
    match webhook.get("id") {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(Value::Number(id)) => Ok(id.to_string()),
        _ => Err(ProviderError::Unavailable(None)),
    }
}

/// A cancellation of a booking that was replaced is only half of a move.
fn is_half_of_a_move(event: &WebhookEvent) -> bool {
    let WebhookEvent::Cancelled(booking) = event else { return false };
    booking.rescheduled_to.is_some() || moved().contains(&booking.id)
}

fn moved() -> Vec<String> {
    state::get_json(MOVED).ok().flatten().unwrap_or_default()
}

/// Remember that a booking was replaced. Without it a stray cancellation would be reported, which Berth can bear.
pub(crate) fn remember_move(old_id: &str) {
    let mut ids = moved();
    if ids.iter().any(|id| id == old_id) {
        return;
    }
    ids.push(old_id.to_owned());
    let ids = ids.split_off(ids.len().saturating_sub(MOVED_MAX));
    if state::set_json(MOVED, &ids).is_err() {
        log::warn("could not remember a moved booking");
    }
}
