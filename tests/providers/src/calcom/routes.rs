//! The service's routes: authentication, version headers, rate limit and faults around them.

use serde_json::{Value, json};

use super::{
    bookings::{self, Refusal, bad_request, not_found},
    slots,
    state::{LIMIT, Reservation, State, WINDOW_MICROS, Webhook},
    views,
};
use crate::{
    faults::Fault,
    front::{Answer, Call, Common, Service},
    times::{micros, utc},
};

type Outcome = Result<(u16, Value), Refusal>;

impl Service for State {
    const NAME: &'static str = "Cal.com";

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn serve(&mut self, call: Call<'_>) -> Answer {
        let limits = match charge(self) {
            Ok(left) => left,
            Err(reset) => return refused(self, call, too_many(), (0, reset)),
        };
        let version = call.header("cal-api-version");
        let outcome = authorise(self, call)
            .and_then(|()| route(self, call.method, call.path, call.query, version, call.body));
        match outcome {
            Ok((status, body)) => limited(Answer::new(status, body), limits),
            Err(refusal) => refused(self, call, refusal, limits),
        }
    }

    fn refuse(&mut self, call: Call<'_>, fault: Fault) -> Answer {
        let limits = charge(self).unwrap_or_else(|reset| (0, reset));
        let Fault::RateLimited { retry_after_seconds } = fault else {
            let (code, message) = ("InternalServerErrorException", "Internal server error".to_owned());
            return refused(self, call, Refusal { status: 500, code, message }, limits);
        };
        let answer = refused(self, call, too_many(), limits);
        match retry_after_seconds {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    fn shown(&self) -> Value {
        json!({ "bookings": self.bookings.iter().map(|b| views::booking(self, b)).collect::<Vec<Value>>() })
    }
}

fn too_many() -> Refusal {
    let message = "ThrottlerException: Too Many Requests".to_owned();
    Refusal { status: 429, code: "ThrottlerException", message }
}

fn refused(state: &State, call: Call<'_>, refusal: Refusal, limits: (u32, i64)) -> Answer {
    let error = json!({
        "status": "error", "timestamp": utc(state.now()), "path": call.path,
        "error": { "code": refusal.code, "message": refusal.message },
    });
    limited(Answer::new(refusal.status, error), limits)
}

/// With the rate limit's headers.
fn limited(answer: Answer, (remaining, reset): (u32, i64)) -> Answer {
    answer
        .with("x-ratelimit-limit-default", LIMIT.to_string())
        .with("x-ratelimit-remaining-default", remaining.to_string())
        .with("x-ratelimit-reset-default", (reset.div_euclid(1_000_000) + 1).to_string())
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

fn authorise(state: &State, call: Call<'_>) -> Result<(), Refusal> {
    if call.bearer() == Some(state.config.api_key.as_str()) {
        return Ok(());
    }
    Err(Refusal { status: 401, code: "UnauthorizedException", message: "Invalid API Key".to_owned() })
}

fn success(status: u16, data: Value) -> Outcome {
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
) -> Outcome {
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
        ("GET" | "POST" | "PATCH", ["v2", "bookings", ..]) => {
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
) -> Outcome {
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
        ("POST", [uid, "guests"]) => success(200, bookings::add_guests(state, uid, body)?),
        ("PATCH", [uid, "location"]) => success(200, bookings::set_location(state, uid, body)?),
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

fn free_slots<'a>(state: &State, get: &impl Fn(&str) -> Option<&'a str>) -> Outcome {
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

fn busy_times<'a>(state: &State, get: &impl Fn(&str) -> Option<&'a str>) -> Outcome {
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

fn reserve(state: &mut State, body: &Value) -> Outcome {
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

fn subscribe(state: &mut State, body: &Value) -> Outcome {
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
fn update_subscription(state: &mut State, id: &str, body: &Value) -> Outcome {
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
