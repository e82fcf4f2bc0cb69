//! Lists of events: windows, pages, and incremental sync by token.

use serde_json::{Value, json};

use super::{
    calendars::page_size,
    config::Calendar,
    refusal::{Outcome, Refusal, bad_parameter, empty_range, full_sync_required},
    state::{Event, State},
    sync_tokens::{Next, Parameters, Point},
};
use crate::{
    front::{Answer, Call},
    times::{micros, utc},
};

const LIST_DEFAULT: usize = 250;
const LIST_MAX: usize = 2_500;
/// What may not stand beside a sync token.
const BARRED: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];
/// What a list understands.
const KNOWN: [&str; 12] = [
    "maxResults",
    "pageToken",
    "syncToken",
    "singleEvents",
    "showDeleted",
    "orderBy",
    "privateExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
    "timeZone",
    "iCalUID",
];

pub(super) fn events(state: &mut State, calendar: &str, call: Call<'_>) -> Outcome {
    let calendar = state.calendar(calendar)?;
    if let Some((unknown, _)) = call.query.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(bad_parameter(unknown, format!("Unknown parameter {unknown}")));
    }
    let size = page_size(call, LIST_DEFAULT, LIST_MAX)?;
    let asked = sorted(call.query, |name| name != "pageToken");
    let next = match (call.parameter("pageToken"), call.parameter("syncToken")) {
        (Some(token), _) => {
            let known = state.lists.pages.get(token).cloned();
            let known = known.filter(|next| next.calendar == calendar.id && next.asked == asked);
            known.ok_or_else(|| bad_parameter("pageToken", "Invalid page token value."))?
        }
        (None, Some(token)) => {
            let point = point(state, &calendar, token, call)?;
            let left = changed(state, &calendar, &point);
            Next { calendar: calendar.id.clone(), asked, left, until: state.changes() }
        }
        (None, None) => {
            let left = matching(state, &calendar, call)?;
            Next { calendar: calendar.id.clone(), asked, left, until: state.changes() }
        }
    };
    let is_sync = call.parameter("syncToken").is_some();
    Ok(Answer::new(200, page(state, &calendar, next, size, is_sync)))
}

/// The parameters that count, in one order.
fn sorted(query: &[(String, String)], keep: impl Fn(&str) -> bool) -> Parameters {
    let mut kept: Parameters = query.iter().filter(|(name, _)| keep(name)).cloned().collect();
    kept.sort();
    kept
}

fn point(state: &State, calendar: &Calendar, token: &str, call: Call<'_>) -> Result<Point, Refusal> {
    if let Some((name, _)) = call.query.iter().find(|(name, _)| BARRED.contains(&name.as_str())) {
        let message = format!("Sync token cannot be used with {name}.");
        return Err(bad_parameter(name, message));
    }
    if call.parameter("showDeleted") == Some("false") {
        return Err(bad_parameter("showDeleted", "Sync token cannot be used without deleted events."));
    }
    let point = state.lists.points.get(token).filter(|point| point.calendar == calendar.id);
    let point = point.cloned().ok_or_else(full_sync_required)?;
    // The service calls this undefined; here it is refused.
    if point.asked != sorted(call.query, is_kept) {
        return Err(bad_parameter("syncToken", "The parameters are not those of the first sync."));
    }
    Ok(point)
}

/// Must the parameter be the same in every sync?
fn is_kept(name: &str) -> bool {
    !matches!(name, "pageToken" | "syncToken") && !BARRED.contains(&name)
}

/// Does the list show instances, or masters and exceptions?
fn shows(event: &Event, single: bool) -> bool {
    if single { !event.is_master } else { !event.is_instance() || event.is_exception }
}

fn changed(state: &State, calendar: &Calendar, point: &Point) -> Vec<String> {
    let single = point.asked.iter().any(|(name, value)| name == "singleEvents" && value == "true");
    let mut changed: Vec<&Event> = state
        .events_of(&calendar.id)
        .filter(|event| event.changed > point.since && shows(event, single))
        .collect();
    changed.sort_by_key(|event| event.changed);
    changed.into_iter().map(|event| event.id().to_owned()).collect()
}

fn matching(state: &State, calendar: &Calendar, call: Call<'_>) -> Result<Vec<String>, Refusal> {
    let time = |name: &str| match call.parameter(name) {
        None => Ok(None),
        Some(text) => micros(text).map(Some).ok_or_else(|| bad_parameter(name, "Bad Request")),
    };
    let (min, max, updated) = (time("timeMin")?, time("timeMax")?, time("updatedMin")?);
    if min.zip(max).is_some_and(|(min, max)| max <= min) {
        return Err(empty_range());
    }
    let flag = |name: &str| call.parameter(name) == Some("true");
    let (single, deleted) = (flag("singleEvents"), flag("showDeleted") || updated.is_some());
    let properties: Vec<(&str, &str)> = call
        .query
        .iter()
        .filter(|(name, _)| name == "privateExtendedProperty")
        .map(|(_, value)| {
            value
                .split_once('=')
                .ok_or_else(|| bad_parameter("privateExtendedProperty", "Invalid property constraint."))
        })
        .collect::<Result<_, _>>()?;
    let is_updated_after = |event: &Event, least: i64| {
        event.resource["updated"].as_str().and_then(micros).is_some_and(|updated| updated >= least)
    };
    let mut found: Vec<&Event> = state
        .events_of(&calendar.id)
        .filter(|event| shows(event, single) && (deleted || event.is_active()))
        .filter(|event| min.is_none_or(|min| event.end > min) && max.is_none_or(|max| event.start < max))
        .filter(|event| updated.is_none_or(|least| is_updated_after(event, least)))
        .filter(|event| properties.iter().all(|(name, value)| event.private(name) == Some(value)))
        .collect();
    match call.parameter("orderBy") {
        None => {}
        Some("updated") => found.sort_by_key(|event| event.changed),
        Some("startTime") if single => found.sort_by_key(|event| event.start),
        Some(_) => return Err(bad_parameter("orderBy", "The requested ordering is not available.")),
    }
    Ok(found.into_iter().map(|event| event.id().to_owned()).collect())
}

fn page(state: &mut State, calendar: &Calendar, mut next: Next, size: usize, is_sync: bool) -> Value {
    let rest = next.left.split_off(size.min(next.left.len()));
    let shown = |id: &String| state.event(calendar, id).map(|event| view(event, is_sync));
    let items: Vec<Value> = next.left.iter().filter_map(shown).collect();
    let mut page = json!({
        "kind": "calendar#events", "etag": format!("\"p{}\"", state.changes()), "summary": calendar.summary,
        "updated": utc(state.now()), "timeZone": calendar.time_zone.name(), "accessRole": calendar.access_role,
        "defaultReminders": [], "items": items,
    });
    if rest.is_empty() {
        let token = state.lists.token("CAES");
        page["nextSyncToken"] = json!(token);
        let asked = next.asked.into_iter().filter(|(name, _)| is_kept(name)).collect();
        let point = Point { calendar: next.calendar, asked, since: next.until };
        state.lists.points.insert(token, point);
    } else {
        let token = state.lists.token("CiAK");
        page["nextPageToken"] = json!(token);
        state.lists.pages.insert(token, Next { left: rest, ..next });
    }
    page
}

/// In a sync little is left of what is deleted.
fn view(event: &Event, is_sync: bool) -> Value {
    if event.is_active() || !is_sync {
        return event.resource.clone();
    }
    let mut stub = json!({ "kind": "calendar#event", "id": event.id(), "status": "cancelled" });
    for name in ["recurringEventId", "originalStartTime"] {
        if let Some(value) = event.resource.get(name) {
            stub[name] = value.clone();
        }
    }
    stub
}
