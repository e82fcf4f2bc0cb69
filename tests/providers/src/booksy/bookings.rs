//! Making, moving and cancelling bookings, by the contract's rules.

use std::ops::Bound;

use serde_json::{Value, json};

use super::{
    clients,
    config::Service,
    refusal::Refusal,
    state::{Booking, Cancellation, MINUTE, State, Status},
    views, webhooks,
};
use crate::{
    front::{Answer, Call},
    times::{micros, utc},
};

const REFERENCE_BYTES_MAX: usize = 128;
/// Longest booking.
const LENGTH_MICROS_MAX: i64 = 12 * 60 * MINUTE;

/// When a booking shall be: `start`, and `end` or this length.
fn when(state: &State, body: &Value, length: i64) -> Result<(i64, i64), Refusal> {
    let time = |name: &str| {
        let text = body.get(name).filter(|value| !value.is_null());
        let parse = |value: &Value| value.as_str().and_then(micros);
        text.map(|value| parse(value).ok_or_else(|| Refusal::of_field(name, "must be an RFC 3339 time")))
            .transpose()
    };
    let start = time("start")?.ok_or_else(|| Refusal::of_field("start", "is missing"))?;
    let end = time("end")?.unwrap_or(start + length);
    if end <= start || end - start > LENGTH_MICROS_MAX {
        return Err(Refusal::of_field("end", "must be after start, by at most 12 hours"));
    }
    if start < state.now() {
        return Err(Refusal::of_field("start", "must not be in the past"));
    }
    Ok((start, end))
}

/// Who does it then: the member of staff that was asked for, or the first who is free.
fn free_staff(
    state: &State,
    service: &Service,
    only: Option<&str>,
    when: (i64, i64),
    but_for: Option<usize>,
) -> Result<String, Refusal> {
    let able = state.staff_for(service, only);
    if able.is_empty() {
        return Err(Refusal::of_field("staff_id", "must be one of the service's staff"));
    }
    let free = able.into_iter().find(|staff| state.room(service, staff, when, but_for) > 0);
    free.ok_or_else(Refusal::taken)
}

pub(super) fn create(state: &mut State, body: &Value, source: &'static str) -> Result<Booking, Refusal> {
    let field = |name: &str| body.get(name).and_then(Value::as_str);
    let id = field("service_id").ok_or_else(|| Refusal::of_field("service_id", "is missing"))?;
    let service = state.service(id).filter(|s| s.active).ok_or_else(|| Refusal::not_found("service"))?;
    let when = when(state, body, i64::from(service.duration_minutes) * MINUTE)?;
    if field("external_ref").is_some_and(|text| text.len() > REFERENCE_BYTES_MAX) {
        return Err(Refusal::of_field("external_ref", "must be at most 128 characters"));
    }
    let staff = free_staff(state, &service, field("staff_id"), when, None)?;
    let client = clients::of_booking(state, body)?;
    let (id, now) = (state.new_id("bk"), state.now());
    let booking = state.add(Booking {
        id,
        service: service.id,
        staff,
        client,
        start: when.0,
        end: when.1,
        status: if service.asks_first { Status::Pending } else { Status::Confirmed },
        notes: field("notes").unwrap_or_default().to_owned(),
        source,
        external_ref: field("external_ref").map(str::to_owned),
        cancellation: None,
        version: 1,
        created_at: now,
        updated_at: now,
    });
    told(state, "booking.created", &booking, None);
    Ok(booking)
}

/// Tell subscribers of a change, and that other times are free now.
fn told(state: &mut State, kind: &str, booking: &Booking, before: Option<(i64, i64)>) {
    let mut data = json!({ "booking": views::booking(state, booking) });
    if let Some((start, end)) = before {
        data["previous"] = json!({ "start": utc(start), "end": utc(end) });
    }
    webhooks::emit(state, kind, data);
    for when in before.into_iter().chain([(booking.start, booking.end)]) {
        webhooks::availability_changed(state, Some(&booking.staff), when);
    }
}

fn position(state: &State, id: &str) -> Result<usize, Refusal> {
    state.position(id).ok_or_else(|| Refusal::not_found("booking"))
}

/// `If-Match: "2"`: only that version.
fn matching(state: &State, at: usize, version: Option<&str>) -> Result<(), Refusal> {
    let now = format!("\"{}\"", state.bookings[at].version);
    if version.is_none_or(|wanted| wanted == now) {
        return Ok(());
    }
    Err(Refusal::new(412, "version_conflict", format!("The booking is at version {now}.")))
}

/// Only what is to take place can be changed.
fn active(state: &State, at: usize) -> Result<Booking, Refusal> {
    let booking = &state.bookings[at];
    if booking.status.is_active() {
        return Ok(booking.clone());
    }
    let message = format!("The booking is {}.", booking.status.as_str());
    Err(Refusal::new(422, "not_reschedulable", message))
}

pub(super) fn reschedule(
    state: &mut State,
    id: &str,
    version: Option<&str>,
    body: &Value,
) -> Result<Booking, Refusal> {
    let at = position(state, id)?;
    matching(state, at, version)?;
    let before = active(state, at)?;
    let when = when(state, body, before.end - before.start)?;
    let service = state.service(&before.service).ok_or_else(|| Refusal::not_found("service"))?;
    let wanted = body.get("staff_id").and_then(Value::as_str).unwrap_or(&before.staff).to_owned();
    let staff = free_staff(state, &service, Some(&wanted), when, Some(at))?;
    let booking = state.change(at, |booking| {
        (booking.start, booking.end, booking.staff) = (when.0, when.1, staff);
    });
    told(state, "booking.rescheduled", &booking, Some((before.start, before.end)));
    Ok(booking)
}

pub(super) fn cancel(
    state: &mut State,
    id: &str,
    version: Option<&str>,
    body: &Value,
) -> Result<Booking, Refusal> {
    let at = position(state, id)?;
    matching(state, at, version)?;
    if state.bookings[at].status == Status::Cancelled {
        return Err(Refusal::new(422, "already_cancelled", "The booking is cancelled already."));
    }
    active(state, at)?;
    let field = |name: &str| body.get(name).and_then(Value::as_str);
    let by = field("cancelled_by").unwrap_or("client");
    if !["client", "business", "platform"].contains(&by) {
        return Err(Refusal::of_field("cancelled_by", "must be client, business or platform"));
    }
    let (reason, by, at_time) = (field("reason").unwrap_or_default().to_owned(), by.to_owned(), state.now());
    let booking = state.change(at, |booking| {
        booking.status = Status::Cancelled;
        booking.cancellation = Some(Cancellation { reason, by, at: at_time });
    });
    told(state, "booking.cancelled", &booking, None);
    Ok(booking)
}

/// Confirm what waits; end what was confirmed.
pub(super) fn set_status(state: &mut State, id: &str, to: Status) -> Result<Booking, Refusal> {
    let at = position(state, id)?;
    let from = if to == Status::Confirmed { Status::Pending } else { Status::Confirmed };
    if state.bookings[at].status != from {
        let message =
            format!("A booking that is {} cannot be {}.", state.bookings[at].status.as_str(), to.as_str());
        return Err(Refusal::new(422, "not_reschedulable", message));
    }
    let booking = state.change(at, |booking| booking.status = to);
    told(state, "booking.updated", &booking, None);
    Ok(booking)
}

/// A booking with its version.
pub(super) fn answer(state: &State, status: u16, booking: &Booking) -> Answer {
    Answer::new(status, views::booking(state, booking)).with("etag", format!("\"{}\"", booking.version))
}

/// The list in the order of changes.
pub(super) fn list(state: &State, call: Call<'_>, limit: usize) -> Result<Answer, Refusal> {
    let time = |name: &str| {
        let parse = |text| micros(text).ok_or_else(|| Refusal::of_field(name, "must be an RFC 3339 time"));
        call.parameter(name).map(parse).transpose()
    };
    let (since, from, to) = (time("updated_since")?, time("from")?, time("to")?);
    // The place behind the last one of the page before.
    let after = match call.parameter("cursor") {
        None => Bound::Included((since.unwrap_or(0), 0)),
        Some(text) => {
            let place = text.split_once('-').and_then(|(at, n)| Some((at.parse().ok()?, n.parse().ok()?)));
            Bound::Excluded(place.ok_or_else(|| Refusal::of_field("cursor", "is not one of ours"))?)
        }
    };
    let fits = |b: &Booking| {
        from.is_none_or(|from| b.end > from)
            && to.is_none_or(|to| b.start < to)
            && since.is_none_or(|since| b.updated_at >= since)
            && call.parameter("status").is_none_or(|status| b.status.as_str() == status)
            && call.parameter("client_id").is_none_or(|client| b.client == client)
    };
    let mut found =
        state.changes.range((after, Bound::Unbounded)).filter(|(_, at)| fits(&state.bookings[*at]));
    let page: Vec<&(i64, usize)> = found.by_ref().take(limit).collect();
    let more = found.next().is_some();
    let cursor = page.last().filter(|_| more).map(|(changed, at)| format!("{changed}-{at}"));
    let items: Vec<Value> = page.iter().map(|(_, at)| views::booking(state, &state.bookings[*at])).collect();
    Ok(Answer::new(200, json!({ "data": items, "next_cursor": cursor })))
}
