//! What can be booked and when: event types, available and busy times, single-use links.

use serde_json::{Value, json};

use super::{
    bookings::event_type_of,
    lists::{self, owned},
    refusal::{Refusal, forbidden, invalid},
    state::{Link, State},
    views::{self, utc},
};
use crate::front::Call;
use crate::times::micros;

const DAY_MICROS: i64 = 86_400_000_000;
/// Longest questions.
const AVAILABLE_DAYS_MAX: i64 = 31;
const BUSY_DAYS_MAX: i64 = 7;

pub(super) fn event_types(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    owned(call)?;
    let mut all = state.config.event_types.clone();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    lists::page(call, all.iter().map(views::event_type).collect())
}

fn span(call: Call<'_>, days_max: i64) -> Result<(i64, i64), Refusal> {
    let time = |name: &str| {
        let text = call.parameter(name).ok_or_else(|| invalid(name, "is required"))?;
        micros(text).ok_or_else(|| invalid(name, "is not a valid date-time"))
    };
    let (start, end) = (time("start_time")?, time("end_time")?);
    if end <= start {
        return Err(invalid("end_time", "must be after start_time"));
    }
    if end - start > days_max * DAY_MICROS {
        return Err(invalid("end_time", format!("date range can be no greater than {days_max} days")));
    }
    Ok((start, end))
}

pub(super) fn available_times(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    let uri = call.parameter("event_type").ok_or_else(|| invalid("event_type", "is required"))?;
    let event_type = event_type_of(state, uri, "event_type")?;
    let (start, end) = span(call, AVAILABLE_DAYS_MAX)?;
    if start <= state.now() {
        return Err(invalid("start_time", "start_time must be in the future"));
    }
    // The last start may reach beyond the end.
    let reach = end + i64::from(event_type.length_minutes) * 60_000_000;
    let starts = state.config.hours.starts(start, reach, event_type.length_minutes).into_iter();
    let free = starts.filter(|at| *at < end).filter_map(|at| {
        let places = state.places(&event_type, at);
        (places > 0).then(|| {
            json!({ "status": "available", "start_time": utc(at), "invitees_remaining": places,
                "scheduling_url": format!("https://calendly.com/eve/{}/{}", event_type.slug, utc(at)) })
        })
    });
    Ok(json!({ "collection": free.collect::<Vec<_>>() }))
}

pub(super) fn busy_times(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    let user = call.parameter("user").ok_or_else(|| invalid("user", "is required"))?;
    if user != views::user_uri() {
        return Err(forbidden("This user is not yours."));
    }
    let (start, end) = span(call, BUSY_DAYS_MAX)?;
    let mut busy: Vec<_> =
        state.meetings.iter().filter(|m| m.active() && m.start < end && start < m.end).collect();
    busy.sort_by_key(|m| m.start);
    let shown = busy.into_iter().map(|m| {
        json!({ "type": "calendly", "start_time": utc(m.start), "end_time": utc(m.end),
            "buffered_start_time": utc(m.start), "buffered_end_time": utc(m.end),
            "event": { "uri": views::event_uri(&m.id) } })
    });
    Ok(json!({ "collection": shown.collect::<Vec<_>>() }))
}

pub(super) fn create_link(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    if body["max_event_count"] != 1 || body["owner_type"] != "EventType" {
        return Err(invalid("max_event_count", "must be 1, for an EventType"));
    }
    let event_type = event_type_of(state, body["owner"].as_str().unwrap_or_default(), "owner")?;
    let code = state.new_id().to_ascii_lowercase();
    let url = format!("https://calendly.com/d/{code}/{}", event_type.slug);
    state.links.insert(code, Link { event_type: event_type.id, used: false });
    Ok(json!({ "booking_url": url, "owner": body["owner"], "owner_type": "EventType" }))
}
