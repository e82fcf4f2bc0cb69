//! From what was sent to an event as it is on the wire.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{
    config::Calendar,
    refusal::{Refusal, bad_field, empty_range, missing},
    state::{Event, State},
};
use crate::times::{micros, utc};

/// Largest name and value of an extended property, in characters.
const PROPERTY_NAME_MAX: usize = 44;
const PROPERTY_VALUE_MAX: usize = 1_024;
/// What everybody may set; all else is the service's own.
const SETTABLE: [&str; 13] = [
    "summary",
    "description",
    "location",
    "start",
    "end",
    "attendees",
    "extendedProperties",
    "transparency",
    "visibility",
    "status",
    "reminders",
    "recurrence",
    "colorId",
];

/// Make the event of these fields. `old` is what is changed.
pub(super) fn event(
    state: &mut State,
    calendar: &Calendar,
    id: &str,
    fields: &Value,
    old: Option<&Event>,
) -> Result<Event, Refusal> {
    let (start, start_at) = point(calendar, &fields["start"], "start")?;
    let (end, end_at) = point(calendar, &fields["end"], "end")?;
    if end_at < start_at {
        return Err(empty_range());
    }
    check_properties(fields)?;
    let now = state.now();
    let changed = state.next_change();
    let mut resource = match old {
        Some(old) => old.resource.clone(),
        None => json!({
            "kind": "calendar#event", "id": id, "status": "confirmed", "created": utc(now),
            "htmlLink": format!("https://www.google.com/calendar/event?eid={id}"),
            "creator": { "email": owner(state), "self": calendar.primary },
            "organizer": organizer(calendar), "iCalUID": format!("{id}@google.com"), "sequence": 0,
            "reminders": { "useDefault": true }, "eventType": "default",
        }),
    };
    for name in SETTABLE {
        match fields.get(name) {
            Some(Value::Null) | None => {
                if let Some(all) = resource.as_object_mut() {
                    all.remove(name);
                }
            }
            Some(value) => resource[name] = value.clone(),
        }
    }
    if resource["status"].is_null() {
        resource["status"] = json!("confirmed");
    }
    if fields["attendees"].is_array() {
        resource["attendees"] = attendees(&fields["attendees"])?;
    }
    resource["start"] = start;
    resource["end"] = end;
    // Two changes in one millisecond still have an order.
    let last = old.and_then(|old| micros(old.resource["updated"].as_str()?)).unwrap_or(0);
    resource["updated"] = json!(utc(now.max(last + 1_000)));
    resource["etag"] = json!(etag(changed));
    if old.is_some_and(|old| old.start != start_at || old.end != end_at) {
        resource["sequence"] = json!(resource["sequence"].as_u64().unwrap_or(0) + 1);
    }
    let (is_master, is_exception) = old.map_or((false, false), |old| (old.is_master, old.is_instance()));
    Ok(Event { resource, start: start_at, end: end_at, is_master, is_exception, changed })
}

pub(super) fn etag(changed: u64) -> String {
    format!("\"{}\"", 3_400_000_000_000_000 + changed * 2)
}

fn owner(state: &State) -> String {
    state.config.calendars.iter().find(|c| c.primary).map(|c| c.id.clone()).unwrap_or_default()
}

fn organizer(calendar: &Calendar) -> Value {
    if calendar.primary {
        json!({ "email": calendar.id, "self": true })
    } else {
        json!({ "email": calendar.id, "displayName": calendar.summary, "self": true })
    }
}

/// A start or an end, as it is shown: in the calendar's zone.
fn point(calendar: &Calendar, given: &Value, name: &str) -> Result<(Value, i64), Refusal> {
    let zone = match given["timeZone"].as_str() {
        Some(text) => text
            .parse::<Tz>()
            .map_err(|_| bad_field(format!("Invalid time zone definition for {name} time.")))?,
        None => calendar.time_zone,
    };
    if let Some(date) = given["date"].as_str() {
        let day: NaiveDate = date.parse().map_err(|_| bad_field(format!("Invalid value for {name}.date")))?;
        let midnight = calendar.time_zone.from_local_datetime(&day.into()).earliest();
        let at = midnight.ok_or_else(|| bad_field("Bad Request"))?.timestamp_micros();
        return Ok((json!({ "date": date }), at));
    }
    let text = given["dateTime"].as_str().ok_or_else(|| missing(&format!("Missing {name} time.")))?;
    let at = match (micros(text), text.parse::<NaiveDateTime>(), &given["timeZone"]) {
        (Some(at), ..) => at,
        // Without an offset the zone must be said.
        (None, Ok(local), Value::String(_)) => zone
            .from_local_datetime(&local)
            .earliest()
            .ok_or_else(|| bad_field("Bad Request"))?
            .timestamp_micros(),
        _ => return Err(bad_field(format!("Missing time zone definition for {name} time."))),
    };
    let shown = DateTime::from_timestamp_micros(at).unwrap_or_default().with_timezone(&calendar.time_zone);
    let shown = shown.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok((json!({ "dateTime": shown, "timeZone": zone.name() }), at))
}

fn attendees(given: &Value) -> Result<Value, Refusal> {
    let mut guests = Vec::new();
    for guest in given.as_array().into_iter().flatten() {
        let email = guest["email"].as_str().unwrap_or_default();
        if !email.contains('@') || email.contains(char::is_whitespace) {
            return Err(bad_field("Invalid attendee email."));
        }
        let mut guest = guest.clone();
        if guest["responseStatus"].is_null() {
            guest["responseStatus"] = json!("needsAction");
        }
        guests.push(guest);
    }
    Ok(Value::Array(guests))
}

fn check_properties(fields: &Value) -> Result<(), Refusal> {
    for kind in ["private", "shared"] {
        for (name, value) in fields["extendedProperties"][kind].as_object().into_iter().flatten() {
            let value = value.as_str().ok_or_else(|| bad_field("Invalid extended property"))?;
            if name.chars().count() > PROPERTY_NAME_MAX || value.chars().count() > PROPERTY_VALUE_MAX {
                return Err(bad_field("Extended property is too long."));
            }
        }
    }
    Ok(())
}
