//! Webhook subscriptions, and messages to them, signed as the service signs them.

use ring::hmac;
use serde_json::{Value, json};

use super::{
    lists::{self, owned},
    refusal::{Refusal, forbidden, invalid, not_found, refused},
    state::{State, Subscription},
    views::{self, utc},
};
use crate::front::{Call, Delivery};

/// Messages that can be subscribed to.
const EVENTS: [&str; 5] = [
    "invitee.created",
    "invitee.canceled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
    "routing_form_submission.created",
];

pub(super) fn list(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    owned(call)?;
    call.parameter("organization").ok_or_else(|| invalid("organization", "is required"))?;
    let scope = call.parameter("scope").ok_or_else(|| invalid("scope", "is required"))?;
    if scope == "user" && call.parameter("user").is_none() {
        return Err(invalid("user", "is required"));
    }
    let found = state.subscriptions.iter().filter(|s| s.scope == scope);
    lists::page(call, found.map(views::subscription).collect())
}

pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let url = body["url"].as_str().filter(|url| url.parse::<url::Url>().is_ok());
    let url = url.ok_or_else(|| invalid("url", "is not a valid URI"))?;
    let events = body["events"].as_array().ok_or_else(|| invalid("events", "is required"))?;
    let events: Vec<String> = events.iter().filter_map(|e| e.as_str().map(str::to_owned)).collect();
    if events.is_empty() || events.iter().any(|e| !EVENTS.contains(&e.as_str())) {
        return Err(invalid("events", format!("must be of {EVENTS:?}")));
    }
    let scope = body["scope"].as_str().unwrap_or_default();
    if body["organization"] != json!(views::organization_uri()) {
        return Err(forbidden("This organization is not yours."));
    }
    match scope {
        "user" if body["user"] != json!(views::user_uri()) => {
            return Err(forbidden("This user is not yours."));
        }
        "user" | "organization" => {}
        _ => return Err(invalid("scope", "must be user or organization")),
    }
    if state.subscriptions.iter().any(|s| s.url == url && s.scope == scope) {
        return Err(refused(409, "Already Exists", "The resource already exists"));
    }
    let subscription = Subscription {
        id: state.new_id(),
        url: url.to_owned(),
        events,
        scope: scope.to_owned(),
        signing_key: body["signing_key"].as_str().map(str::to_owned),
        active: true,
        created_at: state.now(),
    };
    let view = views::subscription(&subscription);
    state.subscriptions.push(subscription);
    Ok(view)
}

pub(super) fn delete(state: &mut State, id: &str) -> Result<(), Refusal> {
    let before = state.subscriptions.len();
    state.subscriptions.retain(|s| s.id != id);
    if state.subscriptions.len() == before { Err(not_found()) } else { Ok(()) }
}

/// Queue a message about an invitee (`event/invitee`) for every subscriber.
pub(super) fn emit(state: &mut State, event: &str, id: &str) {
    let Some((meeting, invitee)) = state.invitee(id) else { return };
    let mut payload = views::invitee(invitee);
    payload["scheduled_event"] = views::event(state, meeting);
    let now = state.now();
    let body = json!({ "event": event, "created_at": utc(now), "created_by": views::user_uri(), "payload": payload });
    state.common.findings.look_at_message("WebhookEnvelope", &body);
    let body = body.to_string().into_bytes();
    let subscribers = state.subscriptions.iter().filter(|s| s.active && s.events.iter().any(|e| e == event));
    let deliveries: Vec<Delivery> = subscribers
        .map(|s| {
            let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            if let Some(key) = &s.signing_key {
                headers.push(("Calendly-Webhook-Signature".to_owned(), signature(key, now, &body)));
            }
            Delivery { url: s.url.clone(), headers, body: body.clone() }
        })
        .collect();
    for delivery in deliveries {
        for _ in 0..state.common.faults.webhook_copies() {
            state.common.deliveries.push(delivery.clone());
        }
    }
}

/// `t=<seconds>,v1=<hex>` over the time, a full stop and the body.
fn signature(key: &str, now: i64, body: &[u8]) -> String {
    let seconds = now.div_euclid(1_000_000);
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let tag: String = context.sign().as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={seconds},v1={tag}")
}
