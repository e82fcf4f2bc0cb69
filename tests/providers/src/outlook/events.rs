//! Making, finding, changing and removing events, by the service's rules.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeZone as _};
use serde_json::{Value, json};

use super::{
    calendar,
    config::Calendar,
    refusal::{Outcome, Refusal, bad_request, item_not_found, ok, refusal},
    state::{Change, Event, State},
    views,
};
use crate::front::{Answer, Call};

/// How every id of an item begins; another text is none.
const ID: &str = "AAMk";
const DAY_MICROS: i64 = 86_400_000_000;
const EXPAND: (&str, &str) = ("singleValueExtendedProperties($filter=id eq '", "')");
const FILTER: (&str, &str, &str) =
    ("singleValueExtendedProperties/Any(ep: ep/id eq '", "' and ep/value eq '", "')");

pub(super) fn route(state: &mut State, call: Call<'_>, rest: &[&str]) -> Outcome {
    match (call.method, rest) {
        ("GET", [id]) => {
            let property = expanded(call)?;
            ok(views::event(known(state, id)?, property.as_deref()))
        }
        ("PATCH", [id]) => update(state, id, call),
        ("DELETE", [id]) => {
            known(state, id)?;
            state.touch(id, Change::Deleted, |_| {});
            Ok(Answer::new(204, Value::Null))
        }
        ("POST", [id, "cancel"]) => {
            if known(state, id)?.attendees.is_empty() {
                return Err(bad_request("Your request can't be completed. The event is no meeting."));
            }
            state.touch(id, Change::Deleted, |_| {});
            Ok(Answer::new(202, Value::Null))
        }
        _ => Err(refusal(405, "Request_BadRequest", "The method is not allowed.")),
    }
}

fn known<'a>(state: &'a State, id: &str) -> Result<&'a Event, Refusal> {
    if !id.starts_with(ID) {
        return Err(refusal(400, "ErrorInvalidIdMalformed", "Id is malformed."));
    }
    state.event(id).ok_or_else(item_not_found)
}

/// `{"dateTime", "timeZone"}`, the zone by its IANA name.
fn time(body: &Value, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(given) = body.get(name) else { return Ok(None) };
    let bad =
        || refusal(400, "ErrorPropertyValidationFailure", format!("{name} is not a date, time and zone."));
    let text = given["dateTime"].as_str().ok_or_else(bad)?;
    let local: NaiveDateTime = text.parse().map_err(|_| bad())?;
    let zone: chrono_tz::Tz = given["timeZone"].as_str().and_then(|z| z.parse().ok()).ok_or_else(bad)?;
    let time = zone.from_local_datetime(&local).earliest().ok_or_else(bad)?;
    Ok(Some(time.timestamp_micros()))
}

fn properties(body: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let mut found = BTreeMap::new();
    for property in body["singleValueExtendedProperties"].as_array().into_iter().flatten() {
        match (property["id"].as_str(), property["value"].as_str()) {
            (Some(id), Some(value)) if id.starts_with("String {") && id.contains("} Name ") => {
                found.insert(id.to_owned(), value.to_owned());
            }
            _ => return Err(bad_request("PropertyId values must be of one of the documented formats.")),
        }
    }
    Ok(found)
}

fn place(body: &Value) -> Option<String> {
    body["location"]["displayName"].as_str().map(str::to_owned)
}

fn attendees(body: &Value) -> Result<Vec<Value>, Refusal> {
    let mut found = Vec::new();
    for attendee in body["attendees"].as_array().into_iter().flatten() {
        let address = attendee["emailAddress"]["address"].as_str().filter(|a| a.contains('@'));
        let address = address
            .ok_or_else(|| refusal(400, "ErrorInvalidRecipients", "At least one recipient is not valid."))?;
        let name = attendee["emailAddress"]["name"].as_str().unwrap_or(address);
        found.push(json!({
            "type": attendee["type"].as_str().unwrap_or("required"),
            "status": { "response": "none", "time": "0001-01-01T00:00:00Z" },
            "emailAddress": { "name": name, "address": address },
        }));
    }
    Ok(found)
}

pub(super) fn create(state: &mut State, calendar: &Calendar, body: &Value) -> Outcome {
    if !calendar.can_edit {
        return Err(refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."));
    }
    let transaction_id = body["transactionId"].as_str().map(str::to_owned);
    // A repeated request makes nothing: the event of the first is the answer.
    let made = state
        .events
        .iter()
        .find(|e| !e.deleted && transaction_id.is_some() && e.transaction_id == transaction_id);
    if let Some(event) = made {
        return Ok(Answer::new(201, views::event(event, None)));
    }
    let missing =
        || refusal(400, "ErrorPropertyValidationFailure", "At least one property failed validation.");
    let (start, end) = (time(body, "start")?.ok_or_else(missing)?, time(body, "end")?.ok_or_else(missing)?);
    if end < start {
        return Err(refusal(400, "ErrorPropertyValidationFailure", "The end is before the start."));
    }
    let online = body["isOnlineMeeting"].as_bool().unwrap_or(false);
    if online && state.config.personal {
        return Err(bad_request("Online meetings are not available for this account."));
    }
    let now = state.now();
    let event = Event {
        id: format!("{ID}AG{}=", state.new_text(32)),
        calendar: calendar.id.clone(),
        subject: body["subject"].as_str().unwrap_or_default().to_owned(),
        content: body.get("body").cloned().unwrap_or_else(|| json!({ "contentType": "html", "content": "" })),
        start,
        end,
        all_day: body["isAllDay"].as_bool().unwrap_or(false),
        zone: body["start"]["timeZone"].as_str().unwrap_or("UTC").to_owned(),
        response: "organizer".to_owned(),
        show_as: body["showAs"].as_str().unwrap_or("busy").to_owned(),
        attendees: attendees(body)?,
        place: place(body).unwrap_or_default(),
        online,
        transaction_id,
        properties: properties(body)?,
        created_at: now,
        modified_at: now,
        change: 0,
        deleted: false,
    };
    let id = state.add(event);
    Ok(Answer::new(201, views::event(known(state, &id)?, None)))
}

fn update(state: &mut State, id: &str, call: Call<'_>) -> Outcome {
    let event = known(state, id)?;
    let tag = format!("W/\"change-{}\"", event.change);
    if call.header("if-match").is_some_and(|wanted| wanted != tag && wanted != "*") {
        return Err(refusal(412, "ErrorIrresolvableConflict", "The event was changed in between."));
    }
    let (start, end) = (time(call.body, "start")?, time(call.body, "end")?);
    let (start, end) = (start.unwrap_or(event.start), end.unwrap_or(event.end));
    if end < start {
        return Err(refusal(400, "ErrorPropertyValidationFailure", "The end is before the start."));
    }
    let subject = call.body["subject"].as_str().unwrap_or(&event.subject).to_owned();
    let all_day = call.body["isAllDay"].as_bool().unwrap_or(event.all_day);
    if all_day && [start, end].iter().any(|at| at % DAY_MICROS != 0) {
        let message = "The Event.Start property for an all-day event needs to be set to midnight.";
        return Err(bad_request(message));
    }
    // Only what is given is written; a list is written whole.
    let given = |name: &str| call.body.get(name).is_some_and(|value| !value.is_null());
    let people = if given("attendees") { Some(attendees(call.body)?) } else { None };
    let content = given("body").then(|| call.body["body"].clone());
    let place = place(call.body);
    state.touch(id, Change::Updated, |event| {
        (event.start, event.end, event.subject, event.all_day) = (start, end, subject, all_day);
        event.attendees = people.unwrap_or_else(|| std::mem::take(&mut event.attendees));
        event.content = content.unwrap_or_else(|| event.content.take());
        event.place = place.unwrap_or_else(|| std::mem::take(&mut event.place));
    });
    ok(views::event(known(state, id)?, None))
}

/// The extended property that `$expand` asks for.
fn expanded(call: Call<'_>) -> Result<Option<String>, Refusal> {
    let Some(expand) = call.parameter("$expand") else { return Ok(None) };
    let inside = expand.strip_prefix(EXPAND.0).and_then(|rest| rest.strip_suffix(EXPAND.1));
    inside.map(|id| Some(id.to_owned())).ok_or_else(|| bad_request("The $expand is not understood."))
}

/// Events of a calendar with an extended property of this value, without regard to its case.
pub(super) fn find(state: &State, calendar: &Calendar, call: Call<'_>) -> Outcome {
    let property = expanded(call)?;
    let wanted = match call.parameter("$filter") {
        None => None,
        Some(filter) => {
            let inside = filter.strip_prefix(FILTER.0).and_then(|rest| rest.strip_suffix(FILTER.2));
            let parts = inside.and_then(|inside| inside.split_once(FILTER.1));
            Some(parts.ok_or_else(|| refusal(400, "BadRequest", "Invalid filter clause."))?)
        }
    };
    let fits = |event: &&Event| {
        wanted.is_none_or(|(id, value)| {
            let value = value.replace("''", "'");
            event.properties.get(id).is_some_and(|given| given.eq_ignore_ascii_case(&value))
        })
    };
    let found = state.events.iter().filter(|e| !e.deleted && e.calendar == calendar.id).filter(fits);
    ok(calendar::page(call, found.map(|e| views::event(e, property.as_deref())).collect()))
}
