//! Free slots of the one person at work.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::{
    config::Calendar,
    refusal::{Refusal, bad_request, not_found, unprocessable},
    state::State,
};
use crate::front::Call;

const DAYS_MAX: i64 = 31;
const DAY_MS: i64 = 86_400_000;

/// A parameter in milliseconds since 1970, as microseconds.
pub(super) fn millis(call: Call<'_>, name: &str) -> Result<i64, Refusal> {
    let number = call.parameter(name).and_then(|text| text.parse::<i64>().ok());
    number.map(|ms| ms * 1_000).ok_or_else(|| unprocessable(format!("{name} must be a number string")))
}

/// The starts that a calendar offers now, ascending.
pub(super) fn starts(
    state: &State,
    calendar: &Calendar,
    from: i64,
    until: i64,
    but_for: Option<&str>,
) -> Vec<i64> {
    let length = i64::from(calendar.length_minutes) * 60_000_000;
    let from = from.max(state.now());
    let mut starts = state.config.hours.starts(from, until, calendar.length_minutes);
    starts.retain(|start| state.is_free(&calendar.id, *start, start + length, but_for));
    starts
}

/// Days, in the zone that was asked for or in the sub-account's, with their free starts.
pub(super) fn answer(state: &State, id: &str, call: Call<'_>) -> Result<Value, Refusal> {
    let calendar = state.calendar(id).ok_or_else(|| not_found("Calendar not found"))?;
    let (from, until) = (millis(call, "startDate")?, millis(call, "endDate")?);
    if until - from > DAYS_MAX * DAY_MS * 1_000 {
        return Err(bad_request("Date range cannot be more than 31 days"));
    }
    let zone = match call.parameter("timezone") {
        Some(name) => name.parse().map_err(|_| unprocessable("timezone must be a valid IANA timezone"))?,
        None => state.config.hours.time_zone,
    };
    let mut days: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for start in starts(state, &calendar, from, until, None) {
        let local = DateTime::from_timestamp_micros(start).unwrap_or_default().with_timezone(&zone);
        let text = local.to_rfc3339_opts(SecondsFormat::Secs, false);
        days.entry(local.date_naive().to_string()).or_default().push(text);
    }
    let days: Map<String, Value> =
        days.into_iter().map(|(day, slots)| (day, json!({ "slots": slots }))).collect();
    Ok(Value::Object(days))
}
