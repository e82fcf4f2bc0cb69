//! Messages of a Marketplace app. There is no API to subscribe: the app's settings name the address.

use berth_sdk::{
    Result, Webhooks,
    types::{ProviderError, SubscribeRequest, Subscription, WebhookOutcome, WebhookRequest},
};

use crate::{HighLevel, map};

/// Where a person enters the address.
const APP_SETTINGS: &str = "https://marketplace.gohighlevel.com/apps";

impl Webhooks for HighLevel {
    fn subscribe(&self, _request: SubscribeRequest) -> Result<Subscription> {
        Err(ProviderError::Unsupported(Some(APP_SETTINGS.to_owned())))
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        let event = map::webhook(&request.body, &self.settings.location_id)?;
        Ok(WebhookOutcome { events: event.into_iter().collect(), reply: None })
    }
}
