//! The requests of HighLevel's API v2, one function each. Answers are JSON as it came.

use berth_sdk::{
    Result,
    http::{Client, Method, RequestBuilder, Response, encode, message_of},
    limits,
    time::MILLISECOND,
    types::{Instant, Interval, ProviderError},
};
use serde_json::{Value, json};

use crate::settings::Settings;

/// The `Version` that each part of the API wants; a wrong one gets confusing 401s and 404s.
const VERSIONS: &[(&str, &str)] =
    &[("/calendars/", "2021-04-15"), ("/contacts/", "2021-07-28"), ("/locations/", "2021-07-28")];
/// What HighLevel says when a time is taken; it has no code for it.
const SLOT_TAKEN: &str = "slot you have selected is no longer available";
/// What a 401 says when the token is good, but lacks a permission.
const NO_SCOPE: &str = "not authorized for this scope";
/// HighLevel counts requests in stretches of so many milliseconds, if it does not say otherwise.
const RATE_INTERVAL_MS: u64 = 10_000;
/// The requests of a day are used up, and nobody says when it ends, in milliseconds.
const DAY_USED_UP_MS: u64 = 60 * 60 * 1_000;

/// The API of one sub-account.
pub(crate) struct Api {
    client: Client,
    location: String,
}

impl Api {
    pub(crate) fn new(settings: &Settings) -> Self {
        let client = Client::live(&settings.base_url).wait_hint(wait_hint).error_hint(error_hint);
        Self { client, location: settings.location_id.clone() }
    }

    pub(crate) fn now(&self) -> Instant {
        self.client.now()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder<'_> {
        let version =
            VERSIONS.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, version)| *version);
        let request = self.client.request(method, path);
        match version {
            Some(version) => request.header("version", version),
            None => request,
        }
    }

    fn get(&self, path: &str) -> RequestBuilder<'_> {
        self.request(Method::Get, path)
    }

    /// A question about a stretch of time.
    fn get_within(&self, path: &str, calendar: &str, within: Interval) -> RequestBuilder<'_> {
        self.get(path)
            .query("locationId", &self.location)
            .query("calendarId", calendar)
            .query("startTime", millis(within.start))
            .query("endTime", millis(within.end))
    }

    pub(crate) fn location(&self) -> Result<Value> {
        self.get(&format!("/locations/{}", encode(&self.location))).fetch()
    }

    pub(crate) fn calendars(&self) -> Result<Value> {
        self.get("/calendars/").query("locationId", &self.location).fetch()
    }

    pub(crate) fn calendar(&self, id: &str) -> Result<Value> {
        self.get(&format!("/calendars/{}", encode(id))).fetch()
    }

    /// No zone is named: the starts then always have the offsets of the calendar's own zone.
    pub(crate) fn free_slots(&self, calendar: &str, within: Interval) -> Result<Value> {
        self.get(&format!("/calendars/{}/free-slots", encode(calendar)))
            .query("startDate", millis(within.start))
            .query("endDate", millis(within.end))
            .fetch()
    }

    pub(crate) fn events(&self, calendar: &str, within: Interval) -> Result<Value> {
        self.get_within("/calendars/events", calendar, within).fetch()
    }

    pub(crate) fn blocked_slots(&self, calendar: &str, within: Interval) -> Result<Value> {
        self.get_within("/calendars/blocked-slots", calendar, within).fetch()
    }

    pub(crate) fn block_slot(&self, body: &Value) -> Result<Value> {
        self.request(Method::Post, "/calendars/events/block-slots").json(body).fetch()
    }

    /// An appointment, or a blocked slot.
    pub(crate) fn delete_event(&self, id: &str) -> Result<()> {
        let path = format!("/calendars/events/{}", encode(id));
        self.request(Method::Delete, &path).json(&json!({})).send().map(|_| ())
    }

    pub(crate) fn create_appointment(&self, body: &Value) -> Result<Value> {
        self.request(Method::Post, "/calendars/events/appointments").json(body).fetch()
    }

    pub(crate) fn appointment(&self, id: &str) -> Result<Value> {
        self.get(&format!("/calendars/events/appointments/{}", encode(id))).fetch()
    }

    pub(crate) fn update_appointment(&self, id: &str, body: &Value) -> Result<Value> {
        self.request(Method::Put, &format!("/calendars/events/appointments/{}", encode(id)))
            .json(body)
            .fetch()
    }

    pub(crate) fn upsert_contact(&self, body: &Value) -> Result<Value> {
        self.request(Method::Post, "/contacts/upsert").json(body).fetch()
    }

    pub(crate) fn contact(&self, id: &str) -> Result<Value> {
        self.get(&format!("/contacts/{}", encode(id))).fetch()
    }

    /// Contacts in the order in which they were made, from the one behind `after` on.
    pub(crate) fn contacts(&self, after: Option<&Value>, count: u32) -> Result<Value> {
        let mut body = json!({
            "locationId": self.location, "pageLimit": count,
            "sort": [{ "field": "dateAdded", "direction": "asc" }],
        });
        if let (Some(fields), Some(after)) = (body.as_object_mut(), after) {
            fields.insert("searchAfter".to_owned(), after.clone());
        }
        self.request(Method::Post, "/contacts/search").json(&body).fetch()
    }

    pub(crate) fn delete_contact(&self, id: &str) -> Result<()> {
        self.request(Method::Delete, &format!("/contacts/{}", encode(id))).send().map(|_| ())
    }
}

/// Milliseconds since 1970, rounded down.
fn millis(instant: Instant) -> String {
    instant.div_euclid(MILLISECOND).to_string()
}

/// There is no `Retry-After`; the headers say how requests are counted.
fn wait_hint(response: &Response, _now: Instant) -> Option<u64> {
    if response.status != 429 {
        return None;
    }
    let number = |name: &str| response.header(name)?.trim().parse::<u64>().ok();
    if number("x-ratelimit-daily-remaining") == Some(0) {
        return Some(DAY_USED_UP_MS);
    }
    let interval = number("x-ratelimit-interval-milliseconds").unwrap_or(RATE_INTERVAL_MS);
    Some(interval.min(limits::RETRY_AFTER_MS_MAX))
}

/// The refusals that only their text tells apart.
fn error_hint(response: &Response) -> Option<ProviderError> {
    let message = message_of(response);
    let says = |text: &str| message.to_lowercase().contains(text);
    match response.status {
        400 | 409 | 422 if says(SLOT_TAKEN) => Some(ProviderError::slot_taken()),
        401 if says(NO_SCOPE) => Some(ProviderError::Forbidden(message)),
        _ => None,
    }
}
