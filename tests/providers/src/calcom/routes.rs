//! The service's routes: authentication, version headers, rate limit and faults around them.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{
    Shared,
    bookings::{self, Refusal, bad_request, not_found},
    lock, slots,
    state::{LIMIT, RequestLine, Reservation, State, WINDOW_MICROS, Webhook},
    views::{self, micros, utc},
    webhooks,
};
use crate::{faults::Fault, server::hang_up, spec::Exchange};

const BODY_MAX: usize = 1024 * 1024;

type Answer = Result<(u16, Value), Refusal>;

pub(super) fn router(state: Shared) -> Router {
    Router::new().fallback(serve).with_state(state)
}

async fn serve(Extract(shared): Extract<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
    let body = to_bytes(body, BODY_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if path.starts_with("/_simulator/") {
        return control(&shared, &method, &path, body);
    }
    let (fault, latency) = {
        let mut state = lock(&shared);
        let line = if let Some(query) = parts.uri.query() { format!("{path}?{query}") } else { path.clone() };
        (state.faults.next(&method, &line), state.faults.latency_ms())
    };
    if latency > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(latency)).await;
    }
    let query: Vec<(String, String)> = parts.uri.query().map(pairs).unwrap_or_default();
    let version = parts.headers.get("cal-api-version").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (response, status) = {
        let mut state = lock(&shared);
        let request = body;
        let (status, body, limits) =
            handle(&mut state, fault, &method, &path, &query, &parts.headers, &request);
        state.findings.look(Exchange {
            method: &method,
            path: &path,
            query: &query,
            request: &request,
            status,
            response: &body,
        });
        state.note(RequestLine { method, path: path.clone(), version, status });
        (respond(status, &body, limits, fault), status)
    };
    webhooks::flush(&shared);
    match fault {
        Some(Fault::DropBefore | Fault::DropAfter) => hang_up(),
        Some(Fault::Malformed) if status < 400 => text(status, "<html>not json</html>"),
        Some(Fault::Truncated) if status < 400 => text(status, "{\"status\":\"success\",\"data\":{\"id\":"),
        _ => response,
    }
}

fn handle(
    state: &mut State,
    fault: Option<Fault>,
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &HeaderMap,
    body: &Value,
) -> (u16, Value, (u32, i64)) {
    let refused = |refusal: Refusal, state: &State| {
        let error = json!({
            "status": "error", "timestamp": utc(state.now()), "path": path,
            "error": { "code": refusal.code, "message": refusal.message },
        });
        (refusal.status, error)
    };
    let too_many = || Refusal {
        status: 429,
        code: "ThrottlerException",
        message: "ThrottlerException: Too Many Requests".to_owned(),
    };
    let (remaining, reset) = match charge(state) {
        Ok(left) => left,
        Err(reset) => {
            let (status, body) = refused(too_many(), state);
            return (status, body, (0, reset));
        }
    };
    let limits = (remaining, reset);
    let refusal = match fault {
        Some(Fault::DropBefore) => Some(Refusal { status: 500, code: "Dropped", message: String::new() }),
        Some(Fault::ServerError) => Some(Refusal {
            status: 500,
            code: "InternalServerErrorException",
            message: "Internal server error".to_owned(),
        }),
        Some(Fault::RateLimited { .. }) => Some(too_many()),
        _ => authorise(state, headers).err(),
    };
    if let Some(refusal) = refusal {
        let (status, body) = refused(refusal, state);
        return (status, body, limits);
    }
    let version = headers.get("cal-api-version").and_then(|v| v.to_str().ok());
    match route(state, method, path, query, version, body) {
        Ok((status, body)) => (status, body, limits),
        Err(refusal) => {
            let (status, body) = refused(refusal, state);
            (status, body, limits)
        }
    }
}

/// Count this request; the error is the microseconds until the block ends.
fn charge(state: &mut State) -> Result<(u32, i64), i64> {
    let now = state.now();
    if !state.config.rate_limit {
        return Ok((LIMIT, WINDOW_MICROS));
    }
    let window = &mut state.window;
    if now < window.blocked_until {
        return Err(window.blocked_until - now);
    }
    if now >= window.started + WINDOW_MICROS {
        (window.started, window.used) = (now, 0);
    }
    window.used += 1;
    if window.used > LIMIT {
        window.blocked_until = now + WINDOW_MICROS;
        window.used = 0;
        window.started = window.blocked_until;
        return Err(WINDOW_MICROS);
    }
    Ok((LIMIT - window.used, window.started + WINDOW_MICROS - now))
}

fn authorise(state: &State, headers: &HeaderMap) -> Result<(), Refusal> {
    let token =
        headers.get("authorization").and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    if token == Some(state.config.api_key.as_str()) {
        return Ok(());
    }
    Err(Refusal { status: 401, code: "UnauthorizedException", message: "Invalid API Key".to_owned() })
}

fn success(status: u16, data: Value) -> Answer {
    Ok((status, json!({ "status": "success", "data": data })))
}

/// Newer endpoints do not exist for callers that name no (or an older) version.
fn needs_version(version: Option<&str>, known: &[&str], path: &str) -> Result<(), Refusal> {
    if version.is_some_and(|v| known.contains(&v)) {
        Ok(())
    } else {
        Err(not_found(format!("Cannot find {path}")))
    }
}

fn route(
    state: &mut State,
    method: &str,
    path: &str,
    query: &[(String, String)],
    version: Option<&str>,
    body: &Value,
) -> Answer {
    let get = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["v2", "me"]) => success(200, views::account(state)),
        ("GET", ["v2", "event-types"]) => {
            needs_version(version, &["2024-06-14"], path)?;
            success(200, state.config.event_types.iter().map(views::event_type).collect())
        }
        ("GET", ["v2", "event-types", id]) => {
            needs_version(version, &["2024-06-14"], path)?;
            let found = id.parse().ok().and_then(|id| state.event_type(id));
            success(200, views::event_type(&found.ok_or_else(|| not_found("Event type not found"))?))
        }
        ("POST", ["v2", "event-types", id, "private-links"]) => {
            let found = id.parse().ok().and_then(|id| state.event_type(id));
            let event_type = found.ok_or_else(|| not_found("Event type not found"))?;
            let uses = body.get("maxUsageCount").and_then(Value::as_u64).unwrap_or(1);
            if uses == 0 {
                return Err(bad_request("maxUsageCount must not be less than 1"));
            }
            let link = state.new_uid();
            let url = format!("https://cal.com/d/{link}/{}", event_type.slug);
            success(
                201,
                json!({ "linkId": link, "eventTypeId": event_type.id, "isExpired": false, "bookingUrl": url,
                    "maxUsageCount": uses, "usageCount": 0 }),
            )
        }
        ("GET", ["v2", "calendars"]) => success(
            200,
            json!({
                "connectedCalendars": [{
                    "integration": { "type": "google_calendar", "title": "Google Calendar", "slug": "google-calendar",
                        "name": "Google Calendar", "description": "", "variant": "calendar", "categories": ["calendar"],
                        "logo": "icon.svg", "publisher": "Cal.com", "url": "https://cal.com/", "email": "help@cal.com",
                        "locationOption": null },
                    "credentialId": 3,
                    "primary": { "externalId": "eve@example.com", "name": "Eve", "primary": true, "readOnly": false,
                        "isSelected": true, "credentialId": 3 },
                    "calendars": [{ "externalId": "eve@example.com", "name": "Eve", "email": "eve@example.com",
                        "primary": true, "readOnly": false, "isSelected": true, "credentialId": 3 }],
                }],
                "destinationCalendar": { "id": 5, "integration": "google_calendar", "externalId": "eve@example.com",
                    "primaryEmail": "eve@example.com", "userId": 7, "eventTypeId": null, "credentialId": 3 },
            }),
        ),
        ("GET", ["v2", "calendars", "busy-times"]) => busy_times(state, &get),
        ("GET", ["v2", "slots"]) => {
            needs_version(version, &["2024-09-04"], path)?;
            free_slots(state, &get)
        }
        ("POST", ["v2", "slots", "reservations"]) => {
            needs_version(version, &["2024-09-04"], path)?;
            reserve(state, body)
        }
        ("DELETE", ["v2", "slots", "reservations", uid]) => {
            state.reservations.retain(|r| r.uid != *uid);
            success(200, json!({}))
        }
        ("GET" | "POST", ["v2", "bookings", ..]) => {
            needs_version(version, &["2024-08-13", "2026-02-25"], path)?;
            booking_route(state, method, parts.get(2..).unwrap_or_default(), query, body)
        }
        ("GET", ["v2", "webhooks"]) => success(200, state.webhooks.iter().map(webhook_view).collect()),
        ("POST", ["v2", "webhooks"]) => subscribe(state, body),
        ("PATCH", ["v2", "webhooks", id]) => update_subscription(state, id, body),
        ("DELETE", ["v2", "webhooks", id]) => {
            let at = state
                .webhooks
                .iter()
                .position(|w| w.id == *id)
                .ok_or_else(|| not_found("Webhook not found"))?;
            let gone = state.webhooks.remove(at);
            success(200, webhook_view(&gone))
        }
        _ => Err(not_found(format!("Cannot {method} {path}"))),
    }
}

fn booking_route(
    state: &mut State,
    method: &str,
    rest: &[&str],
    query: &[(String, String)],
    body: &Value,
) -> Answer {
    match (method, rest) {
        ("GET", []) => Ok((200, bookings::list(state, query)?)),
        ("POST", []) => success(201, bookings::create(state, body)?),
        ("GET", [uid]) => {
            let booking =
                state.booking(uid).ok_or_else(|| not_found(format!("Booking with uid={uid} not found")))?;
            success(200, views::booking(state, booking))
        }
        ("POST", [uid, "cancel"]) => success(
            200,
            bookings::cancel(state, uid, body.get("cancellationReason").and_then(Value::as_str))?,
        ),
        ("POST", [uid, "reschedule"]) => {
            let start = bookings::start_of(body)?;
            let by = body.get("rescheduledBy").and_then(Value::as_str);
            let mut view = bookings::reschedule(state, uid, start, by)?;
            if let Some(reason) = body.get("reschedulingReason") {
                view["reschedulingReason"] = reason.clone();
            }
            success(201, view)
        }
        ("POST", [uid, "confirm"]) => success(200, bookings::decide(state, uid, true)?),
        ("POST", [uid, "decline"]) => success(200, bookings::decide(state, uid, false)?),
        _ => Err(not_found("Cannot find this")),
    }
}

fn range<'a>(get: &impl Fn(&str) -> Option<&'a str>, from: &str, to: &str) -> Result<(i64, i64), Refusal> {
    let one = |name: &str, end: bool| {
        let text = get(name).ok_or_else(|| bad_request(format!("{name} should not be empty")))?;
        // A bare date means the whole UTC day.
        let full = if text.len() == 10 {
            format!("{text}T{}Z", if end { "23:59:59.999" } else { "00:00:00" })
        } else {
            text.to_owned()
        };
        micros(&full).ok_or_else(|| bad_request(format!("{name} must be a valid ISO 8601 date string")))
    };
    Ok((one(from, false)?, one(to, true)?))
}

fn free_slots<'a>(state: &State, get: &impl Fn(&str) -> Option<&'a str>) -> Answer {
    let within = range(get, "start", "end")?;
    let event_type = match get("eventTypeId") {
        Some(id) => id.parse().ok().and_then(|id| state.event_type(id)),
        None => {
            state.config.event_types.iter().find(|e| Some(e.slug.as_str()) == get("eventTypeSlug")).cloned()
        }
    };
    let event_type = event_type.ok_or_else(|| not_found("Event type not found"))?;
    let zone = get("timeZone")
        .map_or(Ok(chrono_tz::UTC), str::parse)
        .map_err(|_| bad_request("timeZone must be an IANA time zone"))?;
    let ranges = get("format") == Some("range");
    success(200, slots::free(state, &event_type, within, zone, ranges, get("bookingUidToReschedule")))
}

fn busy_times<'a>(state: &State, get: &impl Fn(&str) -> Option<&'a str>) -> Answer {
    for needed in ["calendarsToLoad[0][credentialId]", "calendarsToLoad[0][externalId]", "timeZone"] {
        get(needed).ok_or_else(|| bad_request(format!("{needed} should not be empty")))?;
    }
    let (from, to) = range(get, "dateFrom", "dateTo")?;
    let busy = state.bookings.iter().filter(|b| b.status.is_active() && b.start < to && from < b.end);
    success(
        200,
        busy.map(|b| json!({ "start": utc(b.start), "end": utc(b.end), "source": "eve@example.com" }))
            .collect(),
    )
}

fn reserve(state: &mut State, body: &Value) -> Answer {
    let id = body
        .get("eventTypeId")
        .and_then(Value::as_u64)
        .ok_or_else(|| bad_request("eventTypeId must be a number"))?;
    let event_type = state.event_type(id).ok_or_else(|| not_found("Event type not found"))?;
    let start = body
        .get("slotStart")
        .and_then(Value::as_str)
        .and_then(micros)
        .ok_or_else(|| bad_request("slotStart must be a valid ISO 8601 date string"))?;
    let end = start + i64::from(event_type.length_minutes) * 60_000_000;
    if !slots::open(state, start, end) || !state.is_free(start, end, None) {
        return Err(Refusal {
            status: 422,
            code: "UnprocessableEntityException",
            message: "Slot is not available".to_owned(),
        });
    }
    let minutes = body.get("reservationDuration").and_then(Value::as_i64).unwrap_or(5);
    let reservation =
        Reservation { uid: state.new_uuid(), start, end, until: state.now() + minutes * 60_000_000 };
    let view = json!({
        "eventTypeId": id, "slotStart": utc(start), "slotEnd": utc(end), "slotDuration": event_type.length_minutes,
        "reservationUid": reservation.uid, "reservationDuration": minutes, "reservationUntil": utc(reservation.until),
    });
    state.reservations.push(reservation);
    success(201, view)
}

fn subscribe(state: &mut State, body: &Value) -> Answer {
    let url = body
        .get("subscriberUrl")
        .and_then(Value::as_str)
        .ok_or_else(|| bad_request("subscriberUrl must be a URL address"))?;
    let triggers = body
        .get("triggers")
        .and_then(Value::as_array)
        .ok_or_else(|| bad_request("triggers must be an array"))?;
    if state.webhooks.iter().any(|w| w.url == url) {
        return Err(Refusal {
            status: 409,
            code: "ConflictException",
            message: "Webhook with this subscriber url already exists for this user".to_owned(),
        });
    }
    let webhook = Webhook {
        id: state.new_uuid(),
        url: url.to_owned(),
        triggers: triggers.iter().filter_map(|t| t.as_str().map(str::to_owned)).collect(),
        secret: body.get("secret").and_then(Value::as_str).map(str::to_owned),
    };
    let view = webhook_view(&webhook);
    state.webhooks.push(webhook);
    success(201, view)
}

/// Fields that are left out stay as they are.
fn update_subscription(state: &mut State, id: &str, body: &Value) -> Answer {
    let webhook =
        state.webhooks.iter_mut().find(|w| w.id == id).ok_or_else(|| not_found("Webhook not found"))?;
    if let Some(url) = body.get("subscriberUrl").and_then(Value::as_str) {
        url.clone_into(&mut webhook.url);
    }
    if let Some(triggers) = body.get("triggers").and_then(Value::as_array) {
        webhook.triggers = triggers.iter().filter_map(|t| t.as_str().map(str::to_owned)).collect();
    }
    if let Some(secret) = body.get("secret").and_then(Value::as_str) {
        webhook.secret = Some(secret.to_owned());
    }
    success(200, webhook_view(webhook))
}

fn webhook_view(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id, "userId": 7, "subscriberUrl": webhook.url, "triggers": webhook.triggers, "active": true,
        "secret": webhook.secret, "payloadTemplate": null,
    })
}

fn respond(status: u16, body: &Value, (remaining, reset): (u32, i64), fault: Option<Fault>) -> Response {
    let mut response = text(status, &body.to_string());
    let seconds = reset.div_euclid(1_000_000) + 1;
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    set("content-type", "application/json; charset=utf-8".to_owned());
    set("x-ratelimit-limit-default", LIMIT.to_string());
    set("x-ratelimit-remaining-default", remaining.to_string());
    set("x-ratelimit-reset-default", seconds.to_string());
    if let Some(Fault::RateLimited { retry_after_seconds: Some(seconds) }) = fault {
        set("retry-after", seconds.to_string());
    }
    response
}

fn text(status: u16, body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The switches of the simulator itself.
fn control(shared: &Shared, method: &str, path: &str, body: Value) -> Response {
    let mut state = lock(shared);
    if !state.config.control {
        return text(404, "{}");
    }
    match (method, path) {
        ("GET", "/_simulator/state") => {
            let bookings: Vec<Value> = state.bookings.iter().map(|b| views::booking(&state, b)).collect();
            text(200, &json!({ "bookings": bookings, "requests": state.requests }).to_string())
        }
        ("POST", "/_simulator/faults") => match serde_json::from_value(body) {
            Ok(rates) => {
                state.faults.rates = rates;
                text(200, "{}")
            }
            Err(error) => text(400, &json!({ "error": error.to_string() }).to_string()),
        },
        _ => text(404, "{}"),
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
