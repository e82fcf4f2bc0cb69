//! The version of the interface that an answer is in: what the request names (`Berth-Version`), else what its key is pinned to. Handlers know
//! the latest alone; an answer in an older version is turned back here, step by step. Names of every version are read in all of them
//! (`berth_model::json::names`), so that requests need no turning.

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use berth_engine::beside;
use berth_model::{
    limits,
    problem::{Code, Problem},
    tenants::version::ApiVersion,
    time::Instant,
};
use serde_json::{Map, Value};

use super::{auth::Authenticated, problem::ApiError};

/// The header of requests and answers.
pub(crate) static VERSION: HeaderName = HeaderName::from_static("berth-version");
static DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
static SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The page about versions.
pub(crate) const PAGE: &str = "/docs/versions";

/// Routes whose answers are the same in all versions, and may be long.
const UNCHANGED: [&str; 3] = ["/api/booking/availability/compute", "/api/events", "/api/events/kinds"];

/// Routes without a key that were there before there were versions.
const FIRST_WITHOUT_KEY: &str = "/api/booking/manage/";

/// What somebody else names as they like, and what is kept as it was written: no names of ours are in it.
const FREE: [&str; 7] = ["answers", "metadata", "settings", "payload", "data", "account", "raw"];

/// References as they stood before 2026-11-30.
const REFERENCES: [(&str, &str); 10] = [
    ("booking_id", "booking"),
    ("connection_id", "connection"),
    ("connection_ids", "connections"),
    ("event_type_id", "event_type"),
    ("listing_id", "listing"),
    ("member_id", "member"),
    ("member_ids", "members"),
    ("other_member_ids", "other_members"),
    ("series_id", "series"),
    ("tenant_id", "tenant"),
];

/// A version by its name, or all names.
pub(crate) fn named(name: &str) -> Result<ApiVersion, String> {
    ApiVersion::named(name).ok_or_else(|| ApiVersion::ALL.map(ApiVersion::as_str).join(", "))
}

fn asked(headers: &HeaderMap) -> Result<Option<ApiVersion>, Problem> {
    let mut sent = headers.get_all(&VERSION).iter();
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(name), None) => named(name.to_str().unwrap_or_default())
            .map(Some)
            .map_err(|known| Problem::new(Code::UnknownVersion, format!("Versions are: {known}."))),
        _ => Err(Problem::new(Code::UnknownVersion, "Berth-Version must be sent once.")),
    }
}

/// Answer in the version that is meant, and say which it is and how long it lives.
pub(crate) async fn versioned(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let pinned = match request.extensions().get::<Authenticated>() {
        Some(key) => key.key.version,
        None if route.starts_with(FIRST_WITHOUT_KEY) => ApiVersion::FIRST,
        None => ApiVersion::LATEST,
    };
    let version = match asked(request.headers()) {
        Ok(asked) => asked.unwrap_or(pinned),
        Err(problem) => return ApiError(problem).into_response(),
    };
    let mut response = next.run(request).await;
    if version < ApiVersion::LATEST && !UNCHANGED.contains(&route.as_str()) && is_json(&response) {
        response = match turned(response, route).await {
            Ok(response) => response,
            Err(problem) => ApiError(problem).into_response(),
        };
    }
    tell(version, response.headers_mut());
    response
}

/// Which version it is, since when there is a newer one (RFC 9745) and until when it is answered (RFC 8594).
fn tell(version: ApiVersion, headers: &mut HeaderMap) {
    headers.insert(VERSION.clone(), HeaderValue::from_static(version.as_str()));
    headers.append(header::VARY, HeaderValue::from_name(VERSION.clone()));
    let (Some(since), Some(until)) = (version.deprecated_at(), version.ends_at()) else { return };
    let until = until.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (name, value) in [
        (&DEPRECATION, format!("@{}", since.timestamp())),
        (&SUNSET, until),
        (&header::LINK, format!("<{PAGE}>; rel=\"deprecation\"")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name.clone(), value);
        }
    }
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.starts_with("application/json") || kind.starts_with("application/problem+json")
    })
}

/// The answer as it was before 2026-11-30.
async fn turned(response: Response, route: String) -> Result<Response, Problem> {
    let (mut parts, body) = response.into_parts();
    let broken = || Problem::new(Code::Internal, "The answer could not be turned into an older version.");
    let text = to_bytes(body, limits::VERSIONED_ANSWER_BYTES_MAX).await.map_err(|_| broken())?;
    let is_long = text.len() > limits::INLINE_BYTES_MAX;
    let turn = move || -> Option<Vec<u8>> {
        let mut value: Value = serde_json::from_slice(&text).ok()?;
        before_20261130(&mut value, &route);
        serde_json::to_vec(&value).ok()
    };
    let text = beside(is_long, turn).await?.ok_or_else(broken)?;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(text)))
}

/// Slots by day, and what a pattern would offer: their times carry an offset since 2026-11-30.
const SLOTS: [&str; 2] = ["/api/booking/availability", "/api/booking/availability/generate"];

/// Times of slots in UTC.
fn in_utc(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(in_utc),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "start" || name == "end" => utc(text),
                    Value::Array(times) if name == "slots" => times.iter_mut().for_each(|time| match time {
                        Value::String(text) => utc(text),
                        slot => in_utc(slot),
                    }),
                    value => in_utc(value),
                }
            }
        }
        _ => {}
    }
}

fn utc(text: &mut String) {
    if let Ok(at) = text.parse::<Instant>() {
        *text = at.to_string();
    }
}

/// References without their ending; the connection of a listing and the default one of a tenant under their names of then.
fn before_20261130(value: &mut Value, route: &str) {
    if SLOTS.contains(&route) {
        in_utc(value);
    }
    let connection = if route.starts_with("/api/listings") { "booking_provider_id" } else { "connection" };
    rename(value, connection);
}

/// Values come from our own answers: how deep they are, we say.
fn rename(value: &mut Value, connection: &'static str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, connection)),
        Value::Object(members) => {
            // A booking's provider was the connection.
            if members.contains_key("provider_sync")
                && let Some(over) = members.remove("connection_id")
            {
                members.insert("provider".to_owned(), over);
            }
            let renamed: Map<String, Value> = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    if name == "field" {
                        pointer(&mut value, connection);
                    } else if !FREE.contains(&name.as_str()) {
                        rename(&mut value, connection);
                    }
                    (before(&name, connection).to_owned(), value)
                })
                .collect();
            *members = renamed;
        }
        _ => {}
    }
}

fn before<'a>(name: &'a str, connection: &'static str) -> &'a str {
    match name {
        "connection_id" => connection,
        "default_connection_id" => "default_provider_id",
        name => REFERENCES.iter().find(|(now, _)| *now == name).map_or(name, |(_, before)| before),
    }
}

/// A field of a refusal.
fn pointer(field: &mut Value, connection: &'static str) {
    if let Value::String(text) = field {
        *text = text.split('/').map(|part| before(part, connection)).collect::<Vec<_>>().join("/");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn before_of(mut value: Value, route: &str) -> Value {
        before_20261130(&mut value, route);
        value
    }

    #[test]
    fn references_lose_their_ending_and_nothing_else_changes() {
        let now = json!({ "items": [{ "id": "1", "member_ids": ["2"], "answers": { "member_id": "free" },
            "customer_id": "3", "policy": { "host_roles": [{ "member_id": "2" }] } }], "next": null });
        let then = json!({ "items": [{ "id": "1", "members": ["2"], "answers": { "member_id": "free" },
            "customer_id": "3", "policy": { "host_roles": [{ "member": "2" }] } }], "next": null });
        assert_eq!(before_of(now, "/api/booking/event-types"), then);
    }

    #[test]
    fn slots_were_in_utc() {
        let now = json!({ "days": [{ "date": "2026-12-01", "slots": [{ "start": "2026-12-01T10:00:00+01:00",
            "end": "2026-12-01T11:00:00+01:00" }] }], "rejected": [{ "start": "2026-12-01T09:00:00+05:45" }] });
        let then = json!({ "days": [{ "date": "2026-12-01", "slots": [{ "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T10:00:00Z" }] }], "rejected": [{ "start": "2026-12-01T03:15:00Z" }] });
        assert_eq!(before_of(now.clone(), SLOTS[0]), then);
        assert_eq!(before_of(now.clone(), "/api/booking"), now);
        let generated = json!({ "count": 1, "slots": ["2026-12-01T10:00:00+01:00"] });
        assert_eq!(before_of(generated, SLOTS[1]), json!({ "count": 1, "slots": ["2026-12-01T09:00:00Z"] }));
    }

    #[test]
    fn a_connection_was_called_what_the_route_called_it() {
        let now = json!({ "connection_id": "1" });
        assert_eq!(before_of(now.clone(), "/api/listings/{id}"), json!({ "booking_provider_id": "1" }));
        assert_eq!(before_of(now, "/api/booking/{id}"), json!({ "connection": "1" }));
    }

    #[test]
    fn the_provider_of_a_booking_was_its_connection() {
        let now = json!({ "items": [{ "provider": "acme", "connection_id": "1", "provider_sync": null }] });
        let then = json!({ "items": [{ "provider": "1", "provider_sync": null }] });
        assert_eq!(before_of(now, "/api/booking"), then);
    }

    #[test]
    fn refusals_point_to_what_was_sent() {
        let now = json!({ "errors": [{ "field": "/member_ids/1", "message": "no such member" }] });
        let then = json!({ "errors": [{ "field": "/members/1", "message": "no such member" }] });
        assert_eq!(before_of(now, "/api/booking/event-types"), then);
    }

    #[test]
    fn an_older_version_says_how_long_it_lives() {
        let mut headers = HeaderMap::new();
        tell(ApiVersion::FIRST, &mut headers);
        let text = |name: &HeaderName| headers.get(name).unwrap().to_str().unwrap();
        assert_eq!(text(&VERSION), "2026-11-20");
        assert_eq!(text(&DEPRECATION), "@1795996800");
        assert_eq!(text(&SUNSET), "Thu, 30 Nov 2028 00:00:00 GMT");
        let mut headers = HeaderMap::new();
        tell(ApiVersion::LATEST, &mut headers);
        assert!(!headers.contains_key(&DEPRECATION) && !headers.contains_key(&SUNSET));
    }
}
