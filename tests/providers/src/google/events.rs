//! Making, changing and deleting events, by the service's rules. It takes events that overlap.

use serde_json::{Value, json};

use super::{
    channels,
    config::Calendar,
    refusal::{
        Outcome, Refusal, bad_field, bad_parameter, condition_not_met, deleted, duplicate, missing,
        needs_writer, not_found,
    },
    resource,
    state::{Event, State},
};
use crate::front::{Answer, Call};

/// Length of a chosen id, in characters.
const ID_CHARS: std::ops::RangeInclusive<usize> = 5..=1_024;

pub(super) fn insert(state: &mut State, calendar: &str, call: Call<'_>) -> Outcome {
    let calendar = writable(state, calendar)?;
    check_updates(call)?;
    if !call.body.is_object() {
        return Err(missing("Missing end time."));
    }
    let id = match call.body["id"].as_str() {
        Some(id) => {
            let digits = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'v').contains(&b));
            if !digits || !ID_CHARS.contains(&id.len()) {
                return Err(bad_field("Invalid resource id value."));
            }
            id.to_owned()
        }
        None => state.word(26).to_lowercase().replace(['w', 'x', 'y', 'z'], "0"),
    };
    if state.event(&calendar, &id).is_some() {
        return Err(duplicate());
    }
    let mut event = resource::event(state, &calendar, &id, call.body, None)?;
    if call.parameter("conferenceDataVersion") == Some("1") {
        give_conference(&mut event, &call.body["conferenceData"]["createRequest"]);
    }
    Ok(Answer::new(200, put(state, &calendar, event)))
}

pub(super) fn patch(state: &mut State, calendar: &str, id: &str, call: Call<'_>) -> Outcome {
    let calendar = writable(state, calendar)?;
    check_updates(call)?;
    let old = state.event(&calendar, id).cloned().ok_or_else(not_found)?;
    if call.header("if-match").is_some_and(|tag| tag != "*" && old.resource["etag"] != tag) {
        return Err(condition_not_met());
    }
    if !old.is_active() {
        return Err(not_found());
    }
    let mut fields = old.resource.clone();
    merge(&mut fields, call.body);
    let event = resource::event(state, &calendar, id, &fields, Some(&old))?;
    Ok(Answer::new(200, put(state, &calendar, event)))
}

pub(super) fn delete(state: &mut State, calendar: &str, id: &str, call: Call<'_>) -> Outcome {
    let calendar = writable(state, calendar)?;
    check_updates(call)?;
    let old = state.event(&calendar, id).cloned().ok_or_else(not_found)?;
    if !old.is_active() {
        return Err(deleted());
    }
    cancel(state, &calendar, old)?;
    Ok(Answer::new(204, Value::Null))
}

/// Delete an event, and with a master its instances.
pub(super) fn cancel(state: &mut State, calendar: &Calendar, old: Event) -> Result<(), Refusal> {
    let mut fields = old.resource.clone();
    fields["status"] = json!("cancelled");
    let id = old.id().to_owned();
    let event = resource::event(state, calendar, &id, &fields, Some(&old))?;
    put(state, calendar, event);
    let of_series = |event: &&Event| event.resource["recurringEventId"] == id.as_str() && event.is_active();
    let instances: Vec<Event> = state.events_of(&calendar.id).filter(of_series).cloned().collect();
    for instance in instances {
        cancel(state, calendar, instance)?;
    }
    Ok(())
}

/// Keep an event and tell whoever watches.
pub(super) fn put(state: &mut State, calendar: &Calendar, event: Event) -> Value {
    let resource = event.resource.clone();
    state.events.insert((calendar.id.clone(), event.id().to_owned()), event);
    channels::push(state, calendar);
    resource
}

fn writable(state: &State, calendar: &str) -> Result<Calendar, Refusal> {
    let calendar = state.calendar(calendar)?;
    if calendar.is_writable() { Ok(calendar) } else { Err(needs_writer()) }
}

fn check_updates(call: Call<'_>) -> Result<(), Refusal> {
    match call.parameter("sendUpdates") {
        None | Some("all" | "externalOnly" | "none") => Ok(()),
        Some(_) => Err(bad_parameter("sendUpdates", "Invalid string value")),
    }
}

/// Objects are merged, everything else is replaced, null takes away.
fn merge(into: &mut Value, changes: &Value) {
    let (Some(fields), Some(changes)) = (into.as_object_mut(), changes.as_object()) else { return };
    for (name, change) in changes {
        match (fields.get_mut(name), change) {
            (_, Value::Null) => {
                fields.remove(name);
            }
            (Some(old @ Value::Object(_)), Value::Object(_)) => merge(old, change),
            _ => {
                fields.insert(name.clone(), change.clone());
            }
        }
    }
}

/// A video meeting, if one was asked for.
fn give_conference(event: &mut Event, request: &Value) {
    let Some(id) = request["requestId"].as_str() else { return };
    let link = format!("https://meet.google.com/{}", id.get(..10).unwrap_or(id));
    event.resource["hangoutLink"] = json!(link);
    event.resource["conferenceData"] = json!({
        "createRequest": { "requestId": id, "conferenceSolutionKey": { "type": "hangoutsMeet" },
            "status": { "statusCode": "success" } },
        "entryPoints": [{ "entryPointType": "video", "uri": link, "label": "meet.google.com" }],
        "conferenceSolution": { "key": { "type": "hangoutsMeet" }, "name": "Google Meet" },
        "conferenceId": id,
    });
}
