//! Making, moving and cancelling bookings, by the service's rules.

use serde_json::{Map, Value, json};

use super::{
    slots,
    state::{Booking, State, Status},
    views, webhooks,
};
use crate::times::{micros, utc};

/// A refusal: status, exception name, message.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal { status: 400, code: "BadRequestException", message: message.into() }
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal { status: 404, code: "NotFoundException", message: message.into() }
}

const TAKEN: &str = "User either already has booking at this time or is not available";
const METADATA_KEYS_MAX: usize = 50;

fn text<'a>(body: &'a Value, pointer: &str) -> Result<&'a str, Refusal> {
    body.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty()).ok_or_else(|| {
        bad_request(format!("{} should not be empty", pointer.trim_start_matches('/').replace('/', ".")))
    })
}

pub(super) fn start_of(body: &Value) -> Result<i64, Refusal> {
    let start = text(body, "/start")?;
    let parsed = micros(start).ok_or_else(|| bad_request("start must be a valid ISO 8601 date string"))?;
    if start.ends_with('Z') || start.ends_with("+00:00") {
        Ok(parsed)
    } else {
        Err(bad_request("start must be in UTC"))
    }
}

fn metadata_of(body: &Value) -> Result<Map<String, Value>, Refusal> {
    let metadata = body.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    if metadata.len() > METADATA_KEYS_MAX {
        return Err(bad_request("metadata can have at most 50 keys"));
    }
    for (key, value) in &metadata {
        if key.len() > 40 || value.as_str().is_some_and(|v| v.len() > 500) {
            return Err(bad_request("metadata keys can have at most 40 and values at most 500 characters"));
        }
    }
    Ok(metadata)
}

pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let start = start_of(body)?;
    for pointer in ["/attendee/name", "/attendee/timeZone", "/attendee/email"] {
        text(body, pointer)?;
    }
    let email = text(body, "/attendee/email")?;
    if !email.contains('@') {
        return Err(bad_request("attendee.email must be an email"));
    }
    let metadata = metadata_of(body)?;
    let event_type = match body.get("eventTypeId").and_then(Value::as_u64) {
        Some(id) => state.event_type(id),
        None => {
            let slug = text(body, "/eventTypeSlug")?;
            state.config.event_types.iter().find(|e| e.slug == slug).cloned()
        }
    };
    let event_type = event_type.ok_or_else(|| not_found("Event type not found."))?;
    let end = start + i64::from(event_type.length_minutes) * 60_000_000;
    let now = state.now();
    if start < now {
        return Err(bad_request("Attempting to book a meeting in the past."));
    }
    if !slots::open(state, start, end) || !state.is_free(start, end, None) {
        return Err(bad_request(TAKEN));
    }
    let uid = state.new_uid();
    let status = if event_type.needs_confirmation { Status::Pending } else { Status::Accepted };
    let booking = Booking {
        id: 500 + state.bookings.len() as u64,
        uid: uid.clone(),
        status,
        start,
        end,
        event_type: event_type.id,
        attendee: body["attendee"].clone(),
        location: None,
        guests: body.get("guests").and_then(Value::as_array).cloned().unwrap_or_default(),
        metadata,
        responses: body.get("bookingFieldsResponses").and_then(Value::as_object).cloned().unwrap_or_default(),
        created_at: now,
        updated_at: now,
        rescheduled_from: None,
        rescheduled_to: None,
        cancellation_reason: None,
    };
    state.add(booking.clone());
    let trigger = if status == Status::Pending { "BOOKING_REQUESTED" } else { "BOOKING_CREATED" };
    webhooks::emit(state, trigger, &booking, json!({}));
    Ok(views::booking(state, &booking))
}

pub(super) fn cancel(state: &mut State, uid: &str, reason: Option<&str>) -> Result<Value, Refusal> {
    let booking =
        state.booking(uid).cloned().ok_or_else(|| not_found(format!("Booking with uid={uid} not found")))?;
    if !booking.status.is_active() {
        let newer =
            booking.rescheduled_to.map_or(String::new(), |to| format!(" It was rescheduled to {to}."));
        return Err(bad_request(format!(
            "Can't cancel booking with uid={uid} because it has been cancelled already.{newer}"
        )));
    }
    state.set_status(uid, Status::Cancelled);
    if let Some(booking) = state.booking_mut(uid) {
        booking.cancellation_reason = reason.map(str::to_owned);
    }
    let booking = state.booking(uid).cloned().ok_or_else(|| not_found("gone"))?;
    let extra =
        json!({ "cancelledBy": "eve@example.com", "cancellationReason": reason, "requestReschedule": false });
    webhooks::emit(state, "BOOKING_CANCELLED", &booking, extra);
    Ok(views::booking(state, &booking))
}

/// More guests.
pub(super) fn add_guests(state: &mut State, uid: &str, body: &Value) -> Result<Value, Refusal> {
    let given = body.get("guests").and_then(Value::as_array).cloned().unwrap_or_default();
    if given.is_empty() || given.len() > 10 {
        return Err(bad_request("guests must contain at least 1 and at most 10 elements"));
    }
    changed(state, uid, |booking| {
        for guest in given {
            let email = guest.get("email").cloned().unwrap_or_default();
            if !booking.guests.contains(&email) {
                booking.guests.push(email);
            }
        }
    })
}

/// Another place.
pub(super) fn set_location(state: &mut State, uid: &str, body: &Value) -> Result<Value, Refusal> {
    let given = body.get("location").cloned().unwrap_or_default();
    let kind = given.get("type").and_then(Value::as_str).unwrap_or_default();
    let name = match kind {
        "address" | "attendeeAddress" => "address",
        "phone" | "attendeePhone" => "phone",
        "link" => "link",
        _ => return Err(bad_request("location must be one of the event type locations")),
    };
    let place = given.get(name).and_then(Value::as_str).map(str::to_owned);
    let place = place.ok_or_else(|| bad_request(format!("location.{name} should not be empty")))?;
    changed(state, uid, |booking| booking.location = Some(place))
}

/// What takes place is changed, and only that.
fn changed(state: &mut State, uid: &str, change: impl FnOnce(&mut Booking)) -> Result<Value, Refusal> {
    let old =
        state.booking(uid).cloned().ok_or_else(|| not_found(format!("Booking with uid={uid} not found")))?;
    if !old.status.is_active() {
        return Err(bad_request(format!("Booking with uid={uid} is cancelled.")));
    }
    let now = state.now();
    if let Some(booking) = state.booking_mut(uid) {
        change(booking);
        booking.updated_at = now.max(booking.updated_at + 2_000);
    }
    let booking = state.booking(uid).cloned().ok_or_else(|| not_found("gone"))?;
    Ok(views::booking(state, &booking))
}

pub(super) fn reschedule(
    state: &mut State,
    uid: &str,
    start: i64,
    by: Option<&str>,
) -> Result<Value, Refusal> {
    let old =
        state.booking(uid).cloned().ok_or_else(|| not_found(format!("Booking with uid={uid} not found")))?;
    if !old.status.is_active() {
        let message = match &old.rescheduled_to {
            Some(to) => format!(
                "Can't reschedule booking with uid={uid} because it has been rescheduled already to {to}."
            ),
            None => format!("Can't reschedule booking with uid={uid} because it has been cancelled."),
        };
        return Err(bad_request(message));
    }
    let end = start + (old.end - old.start);
    if start < state.now() {
        return Err(bad_request("Attempting to book a meeting in the past."));
    }
    if !slots::open(state, start, end) || !state.is_free(start, end, Some(uid)) {
        return Err(bad_request(TAKEN));
    }
    let new_uid = state.new_uid();
    state.set_status(uid, Status::Cancelled);
    if let Some(old) = state.booking_mut(uid) {
        old.rescheduled_to = Some(new_uid.clone());
    }
    let now = state.now();
    let new = Booking {
        id: 500 + state.bookings.len() as u64,
        uid: new_uid,
        start,
        end,
        created_at: now,
        updated_at: now.max(old.updated_at + 2_000),
        rescheduled_from: Some(uid.to_owned()),
        rescheduled_to: None,
        ..old.clone()
    };
    state.add(new.clone());
    let extra = json!({
        "rescheduleUid": uid, "rescheduleId": old.id, "rescheduleStartTime": utc(old.start),
        "rescheduleEndTime": utc(old.end), "rescheduledBy": by,
    });
    // Where a booking waits for a confirmation, a move is told as a request.
    let trigger = if new.status == Status::Pending { "BOOKING_REQUESTED" } else { "BOOKING_RESCHEDULED" };
    webhooks::emit(state, trigger, &new, extra);
    Ok(views::booking(state, &new))
}

/// Confirm or decline a booking that waits.
pub(super) fn decide(state: &mut State, uid: &str, accept: bool) -> Result<Value, Refusal> {
    let booking =
        state.booking(uid).cloned().ok_or_else(|| not_found(format!("Booking with uid={uid} not found")))?;
    if booking.status != Status::Pending {
        return Err(bad_request("Booking is not pending"));
    }
    state.set_status(uid, if accept { Status::Accepted } else { Status::Rejected });
    let booking = state.booking(uid).cloned().ok_or_else(|| not_found("gone"))?;
    webhooks::emit(state, if accept { "BOOKING_CREATED" } else { "BOOKING_REJECTED" }, &booking, json!({}));
    Ok(views::booking(state, &booking))
}

/// The list with its filters, order and page.
pub(super) fn list(state: &State, query: &[(String, String)]) -> Result<Value, Refusal> {
    let get = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let time = |name: &str| match get(name) {
        None => Ok(None),
        Some(text) => micros(text)
            .map(Some)
            .ok_or_else(|| bad_request(format!("{name} must be a valid ISO 8601 date string"))),
    };
    let number = |name: &str, default: usize, most: usize| match get(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|n| *n <= most)
            .ok_or_else(|| bad_request(format!("{name} must be a number of at most {most}"))),
    };
    let (take, skip) = (number("take", 100, 250)?, number("skip", 0, usize::MAX)?);
    let (after_start, before_end) = (time("afterStart")?, time("beforeEnd")?);
    let (after_created, after_updated, before_updated) =
        (time("afterCreatedAt")?, time("afterUpdatedAt")?, time("beforeUpdatedAt")?);
    let statuses: Vec<&str> = get("status").map(|s| s.split(',').collect()).unwrap_or_default();
    let ids: Vec<u64> = ["eventTypeId", "eventTypeIds"]
        .iter()
        .filter_map(|n| get(n))
        .flat_map(|v| v.split(',').filter_map(|id| id.parse().ok()).collect::<Vec<u64>>())
        .collect();
    let now = state.now();
    let in_status = |b: &Booking| {
        statuses.is_empty()
            || statuses.iter().any(|s| match *s {
                "upcoming" => b.status == Status::Accepted && b.end > now,
                "past" => b.status.is_active() && b.end <= now,
                "cancelled" => !b.status.is_active(),
                "unconfirmed" => b.status == Status::Pending,
                _ => false,
            })
    };
    let mut found: Vec<&Booking> = state
        .bookings
        .iter()
        .filter(|b| in_status(b))
        .filter(|b| ids.is_empty() || ids.contains(&b.event_type))
        .filter(|b| get("attendeeEmail").is_none_or(|email| b.attendee["email"].as_str() == Some(email)))
        .filter(|b| after_start.is_none_or(|t| b.start >= t) && before_end.is_none_or(|t| b.end <= t))
        .filter(|b| after_created.is_none_or(|t| b.created_at >= t))
        .filter(|b| after_updated.is_none_or(|t| b.updated_at >= t))
        .filter(|b| before_updated.is_none_or(|t| b.updated_at <= t))
        .collect();
    match get("sortUpdatedAt") {
        Some("asc") => found.sort_by_key(|b| b.updated_at),
        Some("desc") => found.sort_by_key(|b| std::cmp::Reverse(b.updated_at)),
        _ => found.sort_by_key(|b| b.start),
    }
    let total = found.len();
    let page: Vec<Value> = found.iter().skip(skip).take(take).map(|b| views::booking(state, b)).collect();
    let remaining = total.saturating_sub(skip + page.len());
    let per_page = take.max(1);
    Ok(json!({
        "status": "success",
        "data": page,
        "pagination": {
            "totalItems": total, "remainingItems": remaining, "returnedItems": page.len(), "itemsPerPage": take,
            "currentPage": skip / per_page + 1, "totalPages": total.div_ceil(per_page), "hasNextPage": remaining > 0,
            "hasPreviousPage": skip > 0,
        },
    }))
}
