//! Free slots of the one host.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::{config::EventType, state::State};
use crate::hours::Hours;

fn hours(state: &State) -> Hours {
    let config = &state.config;
    Hours {
        time_zone: config.time_zone,
        opens_minute: config.opens_minute,
        closes_minute: config.closes_minute,
        weekends: config.weekends,
    }
}

/// Is the host at work for this whole stretch?
pub(super) fn open(state: &State, start: i64, end: i64) -> bool {
    hours(state).open(start, end)
}

/// Free starts by day in the asked zone.
pub(super) fn free(
    state: &State,
    event_type: &EventType,
    (start, end): (i64, i64),
    zone: chrono_tz::Tz,
    range_format: bool,
    but_for: Option<&str>,
) -> Value {
    let length = i64::from(event_type.length_minutes) * 60_000_000;
    let show = |micros: i64| {
        let time = DateTime::from_timestamp_micros(micros).unwrap_or_default().with_timezone(&zone);
        (time.date_naive().to_string(), time.to_rfc3339_opts(SecondsFormat::Millis, false))
    };
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for at in hours(state).starts(start.max(state.now()), end, event_type.length_minutes) {
        if !state.is_free(at, at + length, but_for) {
            continue;
        }
        let (date, shown) = show(at);
        let slot = if range_format {
            json!({ "start": shown, "end": show(at + length).1 })
        } else {
            json!({ "start": shown })
        };
        days.entry(date).or_default().push(slot);
    }
    json!(days)
}
