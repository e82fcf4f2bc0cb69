//! One subscription for all events of the account. It lives for days and is renewed; its messages say only which event changed.

use berth_sdk::{
    Result, Webhooks, log,
    paging::{self, Piece},
    time::MINUTE,
    types::{
        Instant, ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookOutcome, WebhookRequest,
    },
};
use serde_json::Value;

use crate::{
    Outlook,
    map::{self, News},
};

/// How long a subscription is asked for: below the 4,230 minutes that were once the most for events.
const LIFE: i64 = 4_200 * MINUTE;
/// Changed events that one message names; the rest is left to the sync.
const CHANGES_MAX: usize = 200;

impl Webhooks for Outlook {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        match self.find(&request.callback_url)? {
            // Made by an earlier try, or about to end: renewed, which also authorises it again.
            Some(id) => self.prolong(&id, &request.callback_url),
            None => self.make(&request.callback_url),
        }
    }

    fn renew(&self, old: Subscription, callback_url: String) -> Result<Subscription> {
        self.prolong(&old.id, &callback_url)
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        match self.api.delete_subscription(&subscription.id) {
            Err(ProviderError::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Asks nothing. What was deleted may have been moved to another calendar only: the sync finds out.
    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        let (mut events, mut changes, mut left) = (Vec::new(), 0, false);
        for news in map::news(&request.body) {
            match news {
                News::Changed(id) if changes < CHANGES_MAX => {
                    changes += 1;
                    events.push(WebhookEvent::ChangedGoAndSync(Some(id)));
                }
                News::Changed(_) | News::Deleted(_) | News::Missed => left = true,
                News::SubscriptionEnds => events.push(WebhookEvent::SubscriptionEnded),
            }
        }
        if left {
            events.push(WebhookEvent::ChangedGoAndSync(None));
        }
        Ok(WebhookOutcome { events, reply: None })
    }
}

impl Outlook {
    fn make(&self, callback_url: &str) -> Result<Subscription> {
        map::subscription(&self.api.create_subscription(callback_url, self.end_of_life())?)
    }

    fn prolong(&self, id: &str, callback_url: &str) -> Result<Subscription> {
        match self.api.renew_subscription(id, self.end_of_life()) {
            // It ended, or somebody ended it.
            Err(ProviderError::NotFound) => self.make(callback_url),
            other => map::subscription(&other?),
        }
    }

    fn end_of_life(&self) -> Instant {
        self.api.now().saturating_add(LIFE)
    }

    /// The subscription with this callback.
    fn find(&self, callback_url: &str) -> Result<Option<String>> {
        let all = paging::all(|path| {
            if path.is_some_and(|path| !path.starts_with("/subscriptions?")) {
                log::warn("a page of subscriptions leads elsewhere");
                return Err(ProviderError::Unavailable(None));
            }
            let page = self.api.subscriptions(path)?;
            Ok(Piece { next: page.next()?, items: page.value })
        })?;
        let ours =
            all.iter().find(|s| s.get("notificationUrl").and_then(Value::as_str) == Some(callback_url));
        Ok(ours.map(map::subscription).transpose()?.map(|subscription| subscription.id))
    }
}
