//! Making, changing, deleting and listing appointments, by the service's rules.

use serde_json::{Value, json};

use super::{
    config::Calendar,
    refusal::{Refusal, bad_request, not_found, required, unprocessable},
    slots::{self, millis},
    state::{Appointment, Block, State, Status},
    views, webhooks,
};
use crate::{front::Call, times::micros};

const TAKEN: &str = "The slot you have selected is no longer available.";

fn time(body: &Value, name: &str) -> Result<Option<i64>, Refusal> {
    match body.get(name).and_then(Value::as_str) {
        None => Ok(None),
        Some(text) => micros(text)
            .map(Some)
            .ok_or_else(|| unprocessable(format!("{name} must be a valid ISO 8601 date string"))),
    }
}

fn status(body: &Value) -> Result<Option<Status>, Refusal> {
    let Some(text) = body.get("appointmentStatus").and_then(Value::as_str) else { return Ok(None) };
    let found = Status::ALL.into_iter().find(|status| status.name() == text);
    found.map(Some).ok_or_else(|| {
        unprocessable("appointmentStatus must be one of: new, confirmed, cancelled, showed, noshow, invalid")
    })
}

/// Is this start offered, and written as it was offered? The same instant in another offset has been seen refused.
fn check_slot(
    state: &State,
    calendar: &Calendar,
    body: &Value,
    start: i64,
    but_for: Option<&str>,
) -> Result<(), Refusal> {
    if body.get("ignoreFreeSlotValidation").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let offered =
        slots::starts(state, calendar, start, start + 86_400_000_000, but_for).first() == Some(&start);
    let written = body.get("startTime").and_then(Value::as_str) == Some(state.local(start).as_str());
    if offered && written { Ok(()) } else { Err(bad_request(TAKEN)) }
}

pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let calendar_id = required(body, "calendarId")?;
    required(body, "locationId")?;
    let contact = required(body, "contactId")?.to_owned();
    required(body, "startTime")?;
    let calendar = state.calendar(calendar_id).ok_or_else(|| not_found("Calendar not found"))?;
    let person = state.contact(&contact).ok_or_else(|| bad_request("Contact not found"))?;
    let title = format!("{}: {} {}", calendar.name, person.first_name, person.last_name);
    let start = time(body, "startTime")?.unwrap_or_default();
    let end = start + i64::from(calendar.length_minutes) * 60_000_000;
    if time(body, "endTime")?.is_some_and(|asked| asked != end) {
        return Err(bad_request("The end time does not fit the calendar's slot duration"));
    }
    check_slot(state, &calendar, body, start, None)?;
    let usual = if calendar.auto_confirm { Status::Confirmed } else { Status::New };
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let now = state.now();
    let appointment = Appointment {
        id: state.new_id(),
        calendar: calendar.id,
        contact,
        status: status(body)?.unwrap_or(usual),
        start,
        end,
        title: text("title").unwrap_or(title),
        description: text("description"),
        address: text("address").unwrap_or_default(),
        assigned: text("assignedUserId").unwrap_or_else(|| views::USER.to_owned()),
        added_at: now,
        updated_at: now,
    };
    state.appointments.push(appointment.clone());
    webhooks::emit(state, "AppointmentCreate", &appointment);
    Ok(views::appointment(state, &appointment))
}

pub(super) fn update(state: &mut State, id: &str, body: &Value) -> Result<Value, Refusal> {
    let old = state.appointment(id).cloned().ok_or_else(|| not_found("Appointment not found"))?;
    let length = old.end - old.start;
    let mut new = Appointment { updated_at: state.now().max(old.updated_at + 1_000), ..old.clone() };
    if let Some(start) = time(body, "startTime")? {
        let calendar = state.calendar(&old.calendar).ok_or_else(|| not_found("Calendar not found"))?;
        check_slot(state, &calendar, body, start, Some(id))?;
        (new.start, new.end) = (start, time(body, "endTime")?.unwrap_or(start + length));
    }
    if let Some(status) = status(body)? {
        new.status = status;
    }
    if let Some(text) = body.get("description").and_then(Value::as_str) {
        new.description = Some(text.to_owned());
    }
    if let Some(text) = body.get("address").and_then(Value::as_str) {
        text.clone_into(&mut new.address);
    }
    if let Some(user) = body.get("assignedUserId").and_then(Value::as_str) {
        user.clone_into(&mut new.assigned);
    }
    if let Some(kept) = state.appointment_mut(id) {
        kept.clone_from(&new);
    }
    webhooks::emit(state, "AppointmentUpdate", &new);
    Ok(views::appointment(state, &new))
}

/// Close a stretch of a calendar, whatever is booked in it.
pub(super) fn block(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    required(body, "locationId")?;
    let calendar = required(body, "calendarId")?.to_owned();
    state.calendar(&calendar).ok_or_else(|| not_found("Calendar not found"))?;
    let (Some(start), Some(end)) = (time(body, "startTime")?, time(body, "endTime")?) else {
        return Err(unprocessable("startTime and endTime should not be empty"));
    };
    if start >= end {
        return Err(bad_request("The end time must be after the start time"));
    }
    let title = body.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let block = Block { id: state.new_id(), calendar: Some(calendar), title, start, end };
    let view = views::made_block(state, &block);
    state.blocks.push(block);
    Ok(view)
}

/// An appointment or a block.
pub(super) fn delete(state: &mut State, id: &str) -> Result<Value, Refusal> {
    if let Some(at) = state.blocks.iter().position(|b| b.id == id) {
        state.blocks.remove(at);
        return Ok(json!({ "succeeded": true }));
    }
    let at =
        state.appointments.iter().position(|a| a.id == id).ok_or_else(|| not_found("Event not found"))?;
    let gone = state.appointments.remove(at);
    webhooks::emit(state, "AppointmentDelete", &gone);
    Ok(json!({ "succeeded": true }))
}

/// The stretch that is asked about, and the calendar. One of calendar, user and group must be named.
fn asked<'a>(call: &'a Call<'_>) -> Result<(i64, i64, Option<&'a str>), Refusal> {
    let calendar = call.parameter("calendarId");
    if calendar.or(call.parameter("userId")).or(call.parameter("groupId")).is_none() {
        return Err(unprocessable("Either of userId, groupId or calendarId is required"));
    }
    Ok((millis(*call, "startTime")?, millis(*call, "endTime")?, calendar))
}

/// Appointments that start within, those that are cancelled included.
pub(super) fn list(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    let (from, until, calendar) = asked(&call)?;
    let mut found: Vec<&Appointment> = state
        .appointments
        .iter()
        .filter(|a| a.start >= from && a.start <= until && calendar.is_none_or(|id| a.calendar == id))
        .collect();
    found.sort_by_key(|a| a.start);
    Ok(json!({ "events": found.into_iter().map(|a| views::event(state, a)).collect::<Vec<_>>() }))
}

pub(super) fn blocked(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    let (from, until, calendar) = asked(&call)?;
    let within = |b: &&Block| b.start >= from && b.start <= until && b.concerns(calendar);
    let found = state.blocks.iter().filter(within);
    Ok(json!({ "events": found.map(|b| views::block(state, b, calendar)).collect::<Vec<_>>() }))
}
