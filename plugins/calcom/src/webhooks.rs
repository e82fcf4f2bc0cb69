//! One webhook for the whole account. It never expires.

use berth_sdk::{
    Result, Webhooks,
    paging::{self, Piece},
    types::{ProviderError, SubscribeRequest, Subscription, WebhookOutcome, WebhookRequest},
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

impl Webhooks for CalCom {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        self.subscribe_to(&request.callback_url)
    }

    fn renew(&self, old: Subscription, callback_url: String) -> Result<Subscription> {
        match self.api.update_webhook(&old.id, &body(&callback_url)) {
            Ok(data) => subscription(&data),
            // Somebody deleted it. Cal.com refuses a second webhook with the same address, so look before making one.
            Err(ProviderError::NotFound) => self.subscribe_to(&callback_url),
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
        Ok(WebhookOutcome { events: map::webhook(&request.body)?.into_iter().collect(), reply: None })
    }
}

impl CalCom {
    fn subscribe_to(&self, callback_url: &str) -> Result<Subscription> {
        match self.find(callback_url)? {
            // Made by an earlier try, or by hand: put it right, its secret included.
            Some(id) => subscription(&self.api.update_webhook(&id, &body(callback_url))?),
            None => subscription(&self.api.create_webhook(&body(callback_url))?),
        }
    }

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
