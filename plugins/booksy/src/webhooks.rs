//! One webhook for the whole business. It never expires and cannot be changed: what does not fit is made anew.

use berth_sdk::{
    Result, Webhooks,
    types::{ProviderError, SubscribeRequest, Subscription, WebhookOutcome, WebhookRequest},
};
use serde_json::Value;

use crate::{Booksy, map};

/// Events that matter to bookings and to what is offered.
const EVENTS: [&str; 6] = [
    "booking.created",
    "booking.updated",
    "booking.rescheduled",
    "booking.cancelled",
    "service.updated",
    "availability.changed",
];

impl Webhooks for Booksy {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        let ours = self.of(&request.callback_url)?;
        if let Some(good) = ours.iter().find(|webhook| map::is_heard(webhook, &EVENTS)) {
            return subscription(good);
        }
        self.subscribe_anew(&request.callback_url)
    }

    /// With the secret as it is now.
    fn renew(&self, _old: Subscription, callback_url: String) -> Result<Subscription> {
        self.subscribe_anew(&callback_url)
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        self.delete(&subscription.id)
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        let event = map::message(&request.body)?;
        Ok(WebhookOutcome { events: event.into_iter().collect(), reply: None })
    }
}

impl Booksy {
    /// Our webhooks with this callback.
    fn of(&self, callback_url: &str) -> Result<Vec<Value>> {
        let mut webhooks = self.api.webhooks()?;
        webhooks.retain(|webhook| webhook.get("url").and_then(Value::as_str) == Some(callback_url));
        Ok(webhooks)
    }

    /// The new one first, so that no message is lost in between; a message that comes twice does no harm.
    fn subscribe_anew(&self, callback_url: &str) -> Result<Subscription> {
        let new = subscription(&self.api.create_webhook(callback_url, &EVENTS)?)?;
        for webhook in self.of(callback_url)? {
            let old = subscription(&webhook)?;
            if old.id != new.id {
                self.delete(&old.id)?;
            }
        }
        Ok(new)
    }

    fn delete(&self, id: &str) -> Result<()> {
        match self.api.delete_webhook(id) {
            // One that is gone is ended.
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}

fn subscription(webhook: &Value) -> Result<Subscription> {
    let id = webhook.get("id").and_then(Value::as_str).ok_or(ProviderError::Unavailable(None))?;
    Ok(Subscription { id: id.to_owned(), expires_at: None, data: None })
}
