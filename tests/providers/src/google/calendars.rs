//! The list of calendars, and busy times.

use serde_json::{Map, Value, json};

use super::{
    config::Calendar,
    refusal::{Outcome, Refusal, bad_field, bad_parameter, empty_range, missing},
    state::State,
};
use crate::{
    front::{Answer, Call},
    times::{micros, utc},
};

const LIST_DEFAULT: usize = 100;
const LIST_MAX: usize = 250;
/// Calendars in one question.
const ASKED_MAX: usize = 50;
/// Longest question for busy times, in days: about three months.
const BUSY_DAYS_MAX: i64 = 92;
const DAY_MICROS: i64 = 86_400_000_000;
/// Access roles, weakest first.
const ROLES: [&str; 4] = ["freeBusyReader", "reader", "writer", "owner"];

pub(super) fn entry(calendar: &Calendar) -> Value {
    let mut entry = json!({
        "kind": "calendar#calendarListEntry", "etag": "\"1700000000000000\"", "id": calendar.id,
        "summary": calendar.summary, "timeZone": calendar.time_zone.name(), "colorId": "14",
        "backgroundColor": "#9fe1e7", "foregroundColor": "#000000", "selected": true,
        "accessRole": calendar.access_role, "defaultReminders": [],
        "conferenceProperties": { "allowedConferenceSolutionTypes": ["hangoutsMeet"] },
    });
    if calendar.primary {
        entry["primary"] = json!(true);
    }
    entry
}

pub(super) fn list(state: &State, call: Call<'_>) -> Outcome {
    let role = call.parameter("minAccessRole").unwrap_or("freeBusyReader");
    let rank = |role: &str| ROLES.iter().position(|known| *known == role);
    let least = rank(role).ok_or_else(|| bad_parameter("minAccessRole", "Invalid string value"))?;
    let size = page_size(call, LIST_DEFAULT, LIST_MAX)?;
    let from: usize = match call.parameter("pageToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| bad_parameter("pageToken", "Invalid page token value."))?,
    };
    let all = state.config.calendars.iter().filter(|c| rank(c.access_role) >= Some(least));
    let items: Vec<Value> = all.clone().skip(from).take(size).map(entry).collect();
    let mut page = json!({ "kind": "calendar#calendarList", "etag": "\"p32o\"", "items": items });
    if from + size < all.count() {
        page["nextPageToken"] = json!((from + size).to_string());
    } else {
        page["nextSyncToken"] = json!("CALENDARS");
    }
    Ok(Answer::new(200, page))
}

/// `maxResults`, no more than the service gives.
pub(super) fn page_size(call: Call<'_>, usual: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("maxResults") else { return Ok(usual) };
    let wanted = text.parse::<usize>().ok().filter(|n| *n > 0);
    Ok(wanted.ok_or_else(|| bad_parameter("maxResults", "Invalid value for maxResults"))?.min(most))
}

pub(super) fn free_busy(state: &State, body: &Value) -> Outcome {
    let time = |name: &'static str, missing_message: &str| {
        let text = body[name].as_str().ok_or_else(|| missing(missing_message))?;
        micros(text).ok_or_else(|| bad_field("Bad Request"))
    };
    let (from, to) =
        (time("timeMin", "Missing timeMin parameter.")?, time("timeMax", "Missing timeMax parameter.")?);
    if to <= from {
        return Err(empty_range());
    }
    if to - from > BUSY_DAYS_MAX * DAY_MICROS {
        return Err(Refusal::new(400, "timeRangeTooLong", "The requested time range is too long."));
    }
    let ids: Vec<&str> =
        body["items"].as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()).collect();
    if ids.len() > ASKED_MAX {
        return Err(Refusal::new(400, "tooManyCalendarsRequested", "Too many calendars were requested."));
    }
    let mut calendars = Map::new();
    for id in ids {
        let answer = match state.calendar(id) {
            Ok(calendar) => json!({ "busy": busy(state, &calendar, from, to) }),
            Err(_) => json!({ "errors": [{ "domain": "global", "reason": "notFound" }], "busy": [] }),
        };
        calendars.insert(id.to_owned(), answer);
    }
    let answer = json!({
        "kind": "calendar#freeBusy", "timeMin": utc(from), "timeMax": utc(to), "calendars": calendars,
    });
    Ok(Answer::new(200, answer))
}

/// Times that touch are told as one.
fn busy(state: &State, calendar: &Calendar, from: i64, to: i64) -> Vec<Value> {
    let of_calendar = state.events_of(&calendar.id);
    let mut times: Vec<(i64, i64)> = of_calendar
        .filter(|event| event.is_busy() && event.start < to && from < event.end)
        .map(|event| (event.start, event.end))
        .collect();
    times.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (start, end) in times {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    let text = |at: i64| utc(at).replace(".000Z", "Z");
    merged.into_iter().map(|(start, end)| json!({ "start": text(start), "end": text(end) })).collect()
}
