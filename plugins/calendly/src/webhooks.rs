//! One webhook subscription per connection. Calendly never ends one by time, but disables it when messages could not be delivered for
//! a day, and tells nobody: to subscribe again finds that out, and replaces it.

use berth_sdk::{
    Result, Webhooks, paging,
    types::{Conflict, ProviderError, SubscribeRequest, Subscription, WebhookOutcome, WebhookRequest},
};
use serde_json::{Value, json};

use crate::{
    Calendly, map,
    owner::{Owner, Scope},
};

/// Messages about bookings.
const EVENTS: [&str; 4] =
    ["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"];

impl Webhooks for Calendly {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        self.subscribe_to(&request.callback_url)
    }

    /// Look whether it is still there and active; make a new one if not.
    fn renew(&self, old: Subscription, callback_url: String) -> Result<Subscription> {
        let new = self.subscribe_to(&callback_url)?;
        if new.id != old.id {
            self.unsubscribe(old)?;
        }
        Ok(new)
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        match self.api.delete_webhook(&subscription.id) {
            Err(ProviderError::NotFound) => Ok(()),
            other => other,
        }
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        let event = map::webhook(&request.body)?;
        Ok(WebhookOutcome { events: event.into_iter().collect(), reply: None })
    }
}

impl Calendly {
    fn subscribe_to(&self, callback_url: &str) -> Result<Subscription> {
        let owner = self.owner()?;
        if let Some(webhook) = self.find(&owner, callback_url)? {
            if is_sound(&webhook) {
                return subscription(&webhook);
            }
            // Nothing of a subscription can be changed, so a disabled one is replaced.
            match self.api.delete_webhook(id(&webhook)?) {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        match self.api.create_webhook(&self.body(&owner, callback_url)) {
            Ok(webhook) => subscription(&webhook),
            // Made in between, by an earlier try that came late.
            Err(refused @ ProviderError::Conflict(Conflict::WrongState(_))) => {
                let made = self.find(&owner, callback_url)?.ok_or(refused)?;
                subscription(&made)
            }
            Err(other) => Err(other),
        }
    }

    /// The subscription with this callback.
    fn find(&self, owner: &Owner, callback_url: &str) -> Result<Option<Value>> {
        let all = paging::all(|token| self.api.webhooks(owner, self.scope, token))?;
        Ok(all.into_iter().find(|w| w.get("callback_url").and_then(Value::as_str) == Some(callback_url)))
    }

    /// Berth adds the signing key.
    fn body(&self, owner: &Owner, callback_url: &str) -> Value {
        let mut body = json!({
            "url": callback_url, "events": EVENTS, "organization": owner.organization, "scope": self.scope.name(),
        });
        if let (Scope::User, Some(fields)) = (self.scope, body.as_object_mut()) {
            fields.insert("user".to_owned(), json!(owner.user));
        }
        body
    }
}

fn subscription(webhook: &Value) -> Result<Subscription> {
    Ok(Subscription { id: map::last_part(id(webhook)?).to_owned(), expires_at: None, data: None })
}

fn id(webhook: &Value) -> Result<&str> {
    webhook.get("uri").and_then(Value::as_str).ok_or(ProviderError::Unavailable(None))
}

/// Active, and for all the messages that are needed.
fn is_sound(webhook: &Value) -> bool {
    let events = webhook.get("events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let active = webhook.get("state").and_then(Value::as_str) == Some("active");
    active && EVENTS.iter().all(|wanted| events.iter().any(|event| event == wanted))
}
