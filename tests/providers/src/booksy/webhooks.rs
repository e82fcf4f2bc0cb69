//! Subscriptions and messages, signed as the contract says.

use ring::hmac;
use serde_json::{Value, json};

use super::{
    refusal::Refusal,
    state::{MINUTE, Message, State, Webhook},
};
use crate::{
    front::{Answer, Delivery},
    times::utc,
};

const EVENTS: [&str; 9] = [
    "booking.created",
    "booking.updated",
    "booking.rescheduled",
    "booking.cancelled",
    "client.updated",
    "client.erased",
    "service.updated",
    "availability.changed",
    "webhook.test",
];
/// When a message that was not taken comes again.
const RETRY_MINUTES: [i64; 4] = [5, 10, 20, 40];
const SECRET_CHARS: std::ops::RangeInclusive<usize> = 32..=128;

/// Queue a message for every subscriber of this event.
pub(super) fn emit(state: &mut State, kind: &str, data: Value) {
    let hears = |w: &&Webhook| w.active && w.events.iter().any(|event| event == kind);
    let to: Vec<String> = state.post.webhooks.iter().filter(hears).map(|w| w.id.clone()).collect();
    send(state, kind, data, &to);
}

fn send(state: &mut State, kind: &str, data: Value, to: &[String]) {
    let now = state.now();
    let body = json!({
        "id": state.new_id("evt"), "type": kind, "created_at": utc(now), "business_id": state.config.business_id,
        "data": data,
    });
    state.common.findings.look_at_message("WebhookEvent", &body);
    for webhook in to {
        let message = Message {
            webhook: webhook.clone(),
            kind: kind.to_owned(),
            body: body.to_string().into_bytes(),
            due: now,
            tries: 0,
        };
        for _ in 0..state.common.faults.webhook_copies() {
            state.post.waiting.push(message.clone());
        }
    }
}

/// What is cached of this stretch is no longer true.
pub(super) fn availability_changed(state: &mut State, staff: Option<&str>, (start, end): (i64, i64)) {
    let staff: Vec<&str> = staff.into_iter().collect();
    let data = json!({ "service_ids": [], "staff_ids": staff, "from": utc(start), "to": utc(end) });
    emit(state, "availability.changed", data);
}

/// The messages that are due, signed now.
pub(super) fn due(state: &mut State) -> Vec<Delivery> {
    let now = state.now();
    let waiting = std::mem::take(&mut state.post.waiting);
    let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|message| message.due <= now);
    state.post.waiting = later;
    due.into_iter().filter_map(|message| delivery(state, message)).collect()
}

/// With sending on, what is due goes out.
pub(super) fn dispatch(state: &mut State) {
    if state.common.deliver {
        let due = due(state);
        state.common.deliveries.extend(due);
    }
}

fn delivery(state: &mut State, message: Message) -> Option<Delivery> {
    let webhook = state.post.webhooks.iter().find(|w| w.id == message.webhook && w.active).cloned()?;
    let (name, seconds) = (state.new_uuid(), state.now().div_euclid(1_000_000));
    let delivery = Delivery {
        url: webhook.url,
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-booksy-event".to_owned(), message.kind.clone()),
            ("x-booksy-delivery".to_owned(), name.clone()),
            ("x-booksy-signature".to_owned(), signature(&webhook.secret, seconds, &message.body)),
        ],
        body: message.body.clone(),
    };
    state.post.sent.insert(name, message);
    Some(delivery)
}

/// `t=<seconds>,v1=<hex>`: HMAC-SHA256 of `<seconds>.<body>`.
pub(super) fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    let message = [format!("{seconds}.").as_bytes(), body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &message);
    let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// A message was not taken: it comes again later, a few times. With 410 nobody is there any more.
pub(super) fn not_taken(state: &mut State, delivery: &Delivery, status: u16) {
    let name = delivery.headers.iter().find(|(name, _)| name == "x-booksy-delivery").map(|(_, value)| value);
    let Some(message) = name.and_then(|name| state.post.sent.remove(name)) else { return };
    if status == 410 {
        for webhook in state.post.webhooks.iter_mut().filter(|w| w.id == message.webhook) {
            webhook.active = false;
        }
    } else if let Some(minutes) = RETRY_MINUTES.get(message.tries) {
        let due = state.now() + minutes * MINUTE;
        state.post.waiting.push(Message { due, tries: message.tries + 1, ..message });
    }
}

fn view(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id, "url": webhook.url, "events": webhook.events, "active": webhook.active,
        "created_at": utc(webhook.created_at),
    })
}

pub(super) fn list(state: &State) -> Answer {
    Answer::new(200, json!({ "data": state.post.webhooks.iter().map(view).collect::<Vec<_>>() }))
}

pub(super) fn create(state: &mut State, body: &Value) -> Result<Answer, Refusal> {
    let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
    // Plain HTTP only to this machine: a simulator's receivers are here.
    if !url.starts_with("https://") && !url.starts_with("http://127.0.0.1:") {
        return Err(Refusal::of_field("url", "must be an https address"));
    }
    let secret = body.get("secret").and_then(Value::as_str).unwrap_or_default();
    if !SECRET_CHARS.contains(&secret.chars().count()) {
        return Err(Refusal::of_field("secret", "must be 32 to 128 characters"));
    }
    let events = body.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
    let events: Vec<String> = events.iter().filter_map(|e| e.as_str().map(str::to_owned)).collect();
    if events.is_empty() || events.iter().any(|event| !EVENTS.contains(&event.as_str())) {
        return Err(Refusal::of_field("events", "must name events of the contract"));
    }
    let (id, created_at) = (state.new_id("wh"), state.now());
    let webhook = Webhook {
        id: id.clone(),
        url: url.to_owned(),
        events,
        secret: secret.to_owned(),
        active: true,
        created_at,
    };
    let answer = Answer::new(201, view(&webhook));
    state.post.webhooks.push(webhook);
    // A failed test does not undo the subscription.
    send(state, "webhook.test", json!({}), &[id]);
    Ok(answer)
}

pub(super) fn delete(state: &mut State, id: &str) -> Result<Answer, Refusal> {
    let before = state.post.webhooks.len();
    state.post.webhooks.retain(|w| w.id != id);
    if state.post.webhooks.len() == before {
        return Err(Refusal::not_found("webhook"));
    }
    Ok(Answer::new(204, Value::Null))
}
