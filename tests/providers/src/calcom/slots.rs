//! Free slots of the one host.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveTime, SecondsFormat, TimeZone, Utc, Weekday};
use serde_json::{Value, json};

use super::state::{EventType, State};

/// Days of one question.
const DAYS_MAX: i64 = 366;

/// Is the host at work for this whole stretch?
pub(super) fn open(state: &State, start: i64, end: i64) -> bool {
    let config = &state.config;
    let local = |micros: i64| {
        DateTime::from_timestamp_micros(micros).unwrap_or_default().with_timezone(&config.time_zone)
    };
    let (from, to) = (local(start), local(end - 1));
    let minute = |t: &DateTime<chrono_tz::Tz>| chrono::Timelike::num_seconds_from_midnight(&t.time()) / 60;
    from.date_naive() == to.date_naive()
        && (config.weekends || !matches!(from.weekday(), Weekday::Sat | Weekday::Sun))
        && minute(&from) >= config.opens_minute
        && minute(&to) < config.closes_minute
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
    let config = &state.config;
    let length = i64::from(event_type.length_minutes) * 60_000_000;
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let first =
        DateTime::<Utc>::from_timestamp_micros(start).unwrap_or_default().with_timezone(&config.time_zone);
    let mut day = first.date_naive() - chrono::Days::new(1);
    for _ in 0..DAYS_MAX {
        let opens =
            NaiveTime::from_num_seconds_from_midnight_opt(config.opens_minute * 60, 0).unwrap_or_default();
        let Some(opening) = config.time_zone.from_local_datetime(&day.and_time(opens)).earliest() else {
            day = day + chrono::Days::new(1);
            continue;
        };
        let mut at = opening.timestamp_micros();
        if at >= end {
            break;
        }
        // Round-the-clock hours go on into the next day, which has its own turn.
        let closes = at + i64::from(config.closes_minute - config.opens_minute) * 60_000_000;
        while at < closes.min(end) && open(state, at, at + length) {
            if at >= start.max(state.now()) && at + length <= end && state.is_free(at, at + length, but_for) {
                let show = |micros: i64| {
                    let time =
                        DateTime::from_timestamp_micros(micros).unwrap_or_default().with_timezone(&zone);
                    (time.date_naive().to_string(), time.to_rfc3339_opts(SecondsFormat::Millis, false))
                };
                let (date, shown) = show(at);
                let slot = if range_format {
                    json!({ "start": shown, "end": show(at + length).1 })
                } else {
                    json!({ "start": shown })
                };
                days.entry(date).or_default().push(slot);
            }
            at += length;
        }
        day = day + chrono::Days::new(1);
    }
    json!(days)
}
