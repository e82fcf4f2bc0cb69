//! Notifications to subscribers: hints without content, each item with the subscription's client state.

use serde_json::{Value, json};

use super::{
    state::{Change, Event, State, Subscription},
    views::USER,
};
use crate::{front::Delivery, times::utc};

const DIRECTORY: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";

fn delivery(url: &str, item: Value) -> Delivery {
    let body = json!({ "value": [item] });
    Delivery {
        url: url.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

fn item(subscription: &Subscription) -> Value {
    json!({
        "subscriptionId": subscription.id, "subscriptionExpirationDateTime": utc(subscription.expires_at),
        "clientState": subscription.client_state, "tenantId": DIRECTORY,
    })
}

/// Queue a notification of a change for every subscriber who wants it.
pub(super) fn changed(state: &mut State, event: &Event, change: Change) {
    let now = state.now();
    let resource = format!("Users/{USER}/Events/{}", event.id);
    let wants = |s: &&Subscription| s.expires_at > now && s.change_types.iter().any(|t| t == change.name());
    let subscriptions: Vec<Subscription> = state.subscriptions.iter().filter(wants).cloned().collect();
    for subscription in subscriptions {
        let mut item = item(&subscription);
        item["changeType"] = json!(change.name());
        item["resource"] = json!(resource);
        item["resourceData"] = json!({
            "@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource,
            "@odata.etag": format!("W/\"change-{}\"", event.change), "id": event.id,
        });
        for _ in 0..state.common.faults.webhook_copies() {
            state.common.deliveries.push(delivery(&subscription.notification_url, item.clone()));
        }
    }
}

/// Queue a lifecycle event for every subscriber.
pub(super) fn lifecycle(state: &mut State, event: &str) {
    for subscription in state.subscriptions.clone() {
        let Some(url) = &subscription.lifecycle_url else { continue };
        let mut item = item(&subscription);
        item["lifecycleEvent"] = json!(event);
        state.common.deliveries.push(delivery(url, item));
    }
}
