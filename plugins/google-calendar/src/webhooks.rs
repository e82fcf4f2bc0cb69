//! One push channel for the calendar. A message has no body and says only that something changed. Channels end by themselves and
//! cannot be prolonged: a new one is made, then the old one stopped. Google lists none, so that the plugin remembers its own.

use berth_sdk::{
    Result, Webhooks, log, state,
    types::{
        Instant, ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookOutcome, WebhookRequest,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    GoogleCalendar,
    errors::{self, CHANNEL_TAKEN},
    map,
};

/// State entry with the channel that was made last.
const CHANNEL: &str = "channel";

/// What is remembered of a channel.
#[derive(Serialize, Deserialize)]
struct Remembered {
    id: String,
    calendar: String,
    callback_url: String,
    expires_at: Option<Instant>,
    data: Option<String>,
}

impl Webhooks for GoogleCalendar {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        if let Some(known) = self.remembered(&request.callback_url) {
            return Ok(known);
        }
        let id = map::channel_id(&request.idempotency_key, None);
        match self.watch(&id, &request.callback_url) {
            // Made by an earlier try whose answer was lost, or an old one of ours. What stopping it needs is lost with it, so that it
            // stays until it ends by itself; its messages only come twice.
            Err(error) if errors::is(&error, CHANNEL_TAKEN) => {
                let another = map::channel_id(&request.idempotency_key, Some(self.api.now()));
                self.watch(&another, &request.callback_url)
            }
            other => other,
        }
    }

    fn renew(&self, old: Subscription, callback_url: String) -> Result<Subscription> {
        let id = map::channel_id(&old.id, Some(self.api.now()));
        let new = self.watch(&id, &callback_url)?;
        if let Err(error) = self.end(&old) {
            log::warn(&format!("the old channel was not stopped and ends by itself: {error:?}"));
        }
        Ok(new)
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        self.end(&subscription)?;
        if state::get_json::<Remembered>(CHANNEL).ok().flatten().is_some_and(|r| r.id == subscription.id)
            && state::delete(CHANNEL).is_err()
        {
            log::warn("a channel that ended is still remembered");
        }
        Ok(())
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        let changed = map::says_changed(&request.headers, request.subscription.as_deref())?;
        let events = if changed { vec![WebhookEvent::ChangedGoAndSync(None)] } else { Vec::new() };
        Ok(WebhookOutcome { events, reply: None })
    }
}

impl GoogleCalendar {
    fn watch(&self, id: &str, callback_url: &str) -> Result<Subscription> {
        let made = map::subscription(&self.api.watch(&map::watch_body(id, callback_url))?)?;
        let entry = Remembered {
            id: made.id.clone(),
            calendar: self.settings.calendar.clone(),
            callback_url: callback_url.to_owned(),
            expires_at: made.expires_at,
            data: made.data.clone(),
        };
        if state::set_json(CHANNEL, &entry).is_err() {
            log::warn("a channel could not be remembered");
        }
        Ok(made)
    }

    /// The channel with this callback, if it is known, of the calendar in the settings, and not over.
    fn remembered(&self, callback_url: &str) -> Option<Subscription> {
        let known: Remembered = state::get_json(CHANNEL).ok().flatten()?;
        let lives = known.expires_at.is_none_or(|at| at > self.api.now());
        let fits = known.callback_url == callback_url && known.calendar == self.settings.calendar;
        (lives && fits).then_some(Subscription {
            id: known.id,
            expires_at: known.expires_at,
            data: known.data,
        })
    }

    /// Stop a channel; one that is gone is stopped.
    fn end(&self, subscription: &Subscription) -> Result<()> {
        match self.api.stop(&map::stop_body(subscription)) {
            Err(ProviderError::NotFound) => Ok(()),
            other => other,
        }
    }
}
