//! Push channels. A message has no body; its headers say that something changed.

use chrono::DateTime;
use rand::Rng;
use serde_json::{Value, json};

use super::{
    config::Calendar,
    refusal::{Outcome, Refusal, bad_field, missing},
    state::{Channel, State},
};
use crate::front::{Answer, Delivery};

const ID_CHARS_MAX: usize = 64;
const TOKEN_CHARS_MAX: usize = 256;
const SECOND_MICROS: i64 = 1_000_000;

/// The service's name for what is watched: the same for every channel.
fn resource_id(calendar: &Calendar) -> String {
    let sum = calendar.id.bytes().fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    format!("o3hg{sum:016x}")
}

fn resource_uri(calendar: &str) -> String {
    format!("https://www.googleapis.com/calendar/v3/calendars/{calendar}/events?alt=json")
}

pub(super) fn watch(state: &mut State, calendar: &str, body: &Value) -> Outcome {
    let calendar = state.calendar(calendar)?;
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    let id = text("id").ok_or_else(|| missing("Channel id must be specified."))?;
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"-_+/=".contains(&b);
    if id.len() > ID_CHARS_MAX || !id.bytes().all(letters) {
        return Err(Refusal::new(400, "channelIdInvalid", "Channel id is invalid."));
    }
    if !matches!(text("type"), Some("web_hook" | "webhook")) {
        return Err(bad_field("Unknown channel type."));
    }
    let address = text("address").ok_or_else(|| missing("Channel address must be specified."))?;
    // The real one takes https only; a test's own receiver is on loopback.
    if !address.starts_with("https://") && !address.starts_with("http://127.0.0.1:") {
        let message = format!("WebHook callback must be HTTPS: {address}");
        return Err(Refusal::new(400, "push.webhookUrlNotHttps", message));
    }
    let token = text("token").map(str::to_owned);
    if token.as_ref().is_some_and(|token| token.chars().count() > TOKEN_CHARS_MAX) {
        return Err(bad_field("Channel token is too long."));
    }
    let now = state.now();
    if state.channels.iter().any(|c| c.id == id && c.expires_at > now) {
        return Err(Refusal::new(400, "channelIdNotUnique", format!("Channel id {id} not unique")));
    }
    let number = |value: &Value| value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok());
    let wanted = number(&body["expiration"]).map(|ms| ms.saturating_mul(1_000));
    let wanted =
        wanted.or_else(|| number(&body["params"]["ttl"]).map(|s| now + s.saturating_mul(SECOND_MICROS)));
    let latest = now + state.config.channel_seconds_max * SECOND_MICROS;
    let expires_at = wanted.unwrap_or(latest).min(latest);
    let channel = Channel {
        id: id.to_owned(),
        address: address.to_owned(),
        resource_id: resource_id(&calendar),
        calendar: calendar.id,
        expires_at,
        number: 1,
        token,
    };
    let mut view = json!({
        "kind": "api#channel", "id": id, "resourceId": channel.resource_id,
        "resourceUri": resource_uri(&channel.calendar), "expiration": (expires_at / 1_000).to_string(),
    });
    if let Some(token) = &channel.token {
        view["token"] = json!(token);
    }
    state.channels.retain(|c| c.id != id);
    let first = delivery(&channel, "sync");
    state.common.deliveries.push(first);
    state.channels.push(channel);
    Ok(Answer::new(200, view))
}

pub(super) fn stop(state: &mut State, body: &Value) -> Outcome {
    let (id, resource) = (&body["id"], &body["resourceId"]);
    let now = state.now();
    let at = state
        .channels
        .iter()
        .position(|c| *id == c.id.as_str() && *resource == c.resource_id.as_str() && c.expires_at > now);
    let shown = id.as_str().unwrap_or_default();
    let unknown =
        || Refusal::new(404, "notFound", format!("Channel '{shown}' not found for project 'berth'"));
    state.channels.remove(at.ok_or_else(unknown)?);
    Ok(Answer::new(204, Value::Null))
}

/// Tell every channel of this calendar that something changed.
pub(super) fn push(state: &mut State, calendar: &Calendar) {
    let now = state.now();
    state.channels.retain(|channel| channel.expires_at > now);
    for at in 0..state.channels.len() {
        if state.channels[at].calendar != calendar.id {
            continue;
        }
        // Numbers grow, but not by one.
        state.channels[at].number += state.rng.random_range(1..1_000_u64);
        let message = delivery(&state.channels[at], "exists");
        for _ in 0..state.common.faults.webhook_copies() {
            state.common.deliveries.push(message.clone());
        }
    }
}

fn delivery(channel: &Channel, resource_state: &str) -> Delivery {
    let expires = DateTime::from_timestamp_micros(channel.expires_at).unwrap_or_default();
    let mut headers = vec![
        ("x-goog-channel-id", channel.id.clone()),
        ("x-goog-channel-expiration", expires.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("x-goog-message-number", channel.number.to_string()),
        ("x-goog-resource-id", channel.resource_id.clone()),
        ("x-goog-resource-state", resource_state.to_owned()),
        ("x-goog-resource-uri", resource_uri(&channel.calendar)),
    ];
    headers.extend(channel.token.clone().map(|token| ("x-goog-channel-token", token)));
    Delivery {
        url: channel.address.clone(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: Vec::new(),
    }
}
