//! Free slots, busy times, and the way HighLevel writes a time.

use berth_sdk::{
    Result,
    json::read,
    time::{self, parse_date},
    types::{BusyTime, Instant, Interval, Slot},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{answer::member, booking::is_void};

#[derive(Deserialize)]
struct Day {
    slots: Vec<String>,
}

/// Free starts, ascending, with the text that HighLevel wants back. The answer maps days to slots; what is beside them
/// (`traceId`) is passed over.
pub(crate) fn starts(answer: &Value) -> Result<Vec<(Instant, String)>> {
    let days: Map<String, Value> = read("free slots", answer)?;
    let mut starts = Vec::new();
    for (_, day) in days.iter().filter(|(name, _)| parse_date(name).is_some()) {
        let day: Day = read("day of free slots", day)?;
        starts.extend(day.slots.into_iter().filter_map(|text| Some((time::parse(&text)?, text))));
    }
    starts.sort();
    starts.dedup_by_key(|(at, _)| *at);
    Ok(starts)
}

/// Slots of this length (microseconds) that lie inside.
pub(crate) fn slots(starts: Vec<(Instant, String)>, length: i64, within: Interval) -> Vec<Slot> {
    let slot = |(start, text)| Slot {
        when: Interval { start, end: start + length },
        token: Some(text),
        seats_left: None,
    };
    starts
        .into_iter()
        .map(slot)
        .filter(|slot| within.start <= slot.when.start && slot.when.end <= within.end)
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    id: Option<String>,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end_time: i64,
}

/// Times of appointments and blocked slots that touch the query, ascending.
pub(crate) fn busy(answer: &Value, within: Interval) -> Result<Vec<BusyTime>> {
    let events: Vec<Value> = read("events", &member("events", answer.clone())?)?;
    let mut busy = Vec::new();
    for event in events.iter().filter(|event| !is_void(event)) {
        let taken: Taken = read("event", event)?;
        let when = Interval { start: taken.start_time, end: taken.end_time };
        if when.start < when.end && when.start < within.end && within.start < when.end {
            busy.push(BusyTime { when, source: taken.id });
        }
    }
    busy.sort_by_key(|time| time.when.start);
    Ok(busy)
}

/// An instant as RFC 3339 text in the offset that `sample` is written in; in UTC without a sample.
pub(crate) fn in_offset_of(sample: Option<&str>, instant: Instant) -> String {
    let shifted = || {
        let sample = sample?;
        // The offset begins behind the date, which has dashes too.
        let at = sample.rfind(['+', '-', 'Z', 'z']).filter(|at| *at >= "2026-01-05T10:00".len())?;
        let (local, offset) = sample.split_at_checked(at)?;
        let ahead = time::parse(&format!("{local}Z"))? - time::parse(sample)?;
        let text = time::format(instant + ahead);
        Some(format!("{}{offset}", text.strip_suffix('Z')?))
    };
    shifted().unwrap_or_else(|| time::format(instant))
}

#[cfg(test)]
mod tests {
    use berth_sdk::time::{HOUR, MINUTE};
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Instant {
        time::parse(text).unwrap()
    }

    #[test]
    fn slots_of_all_days_in_order_and_inside() {
        let answer = json!({"2026-01-06": {"slots": ["2026-01-06T00:30:00+01:00", "2026-01-06T00:00:00+01:00"]},
            "2026-01-05": {"slots": ["2026-01-05T10:00:00+01:00", "junk"]}, "traceId": "7c1f"});
        let starts = starts(&answer).unwrap();
        assert_eq!(starts.len(), 3);
        let day = Interval { start: at("2026-01-05T00:00:00Z"), end: at("2026-01-06T00:00:00Z") };
        let slots = slots(starts, 45 * MINUTE, day);
        let shown: Vec<_> =
            slots.iter().map(|s| (time::format(s.when.start), s.token.as_deref().unwrap())).collect();
        assert_eq!(
            shown,
            [
                ("2026-01-05T09:00:00Z".to_owned(), "2026-01-05T10:00:00+01:00"),
                ("2026-01-05T23:00:00Z".to_owned(), "2026-01-06T00:00:00+01:00"),
            ],
            "the last one ends outside"
        );
        assert_eq!(slots[0].when.end - slots[0].when.start, 45 * MINUTE);
    }

    #[test]
    fn no_slots_and_wrong_shapes() {
        assert!(starts(&json!({"traceId": "x"})).unwrap().is_empty());
        assert!(starts(&json!({"2026-01-05": []})).is_err() && starts(&json!([])).is_err());
    }

    #[test]
    fn a_time_is_written_like_its_neighbour() {
        let instant = at("2026-01-05T09:00:00Z");
        for (sample, expected) in [
            (Some("2026-01-05T10:00:00+01:00"), "2026-01-05T10:00:00+01:00"),
            (Some("2026-01-04T23:30:00-05:30"), "2026-01-05T03:30:00-05:30"),
            (Some("2026-01-05T10:00:00Z"), "2026-01-05T09:00:00Z"),
            (Some("2026-01-05"), "2026-01-05T09:00:00Z"),
            (Some(""), "2026-01-05T09:00:00Z"),
            (None, "2026-01-05T09:00:00Z"),
        ] {
            let text = in_offset_of(sample, instant);
            assert_eq!((text.as_str(), time::parse(&text)), (expected, Some(instant)), "{sample:?}");
        }
    }

    #[test]
    fn busy_times_that_touch_and_take_time() {
        let event = |id: &str, start: &str, end: &str, status: &str| json!({"id": id, "startTime": start, "endTime": end, "appointmentStatus": status});
        let answer = json!({"events": [
            event("b", "2026-01-05T12:00:00+01:00", "2026-01-05T13:00:00+01:00", "new"),
            event("a", "2026-01-05T08:30:00+01:00", "2026-01-05T10:30:00+01:00", "confirmed"),
            event("gone", "2026-01-05T10:00:00+01:00", "2026-01-05T11:00:00+01:00", "cancelled"),
            event("late", "2026-01-06T10:00:00+01:00", "2026-01-06T11:00:00+01:00", "confirmed"),
            {"startTime": "2026-01-05T11:30:00+01:00", "endTime": "2026-01-05T12:00:00+01:00"}]});
        let start = at("2026-01-05T09:00:00Z");
        let busy = busy(&answer, Interval { start, end: start + 5 * HOUR }).unwrap();
        let sources: Vec<_> = busy.iter().map(|b| b.source.as_deref()).collect();
        assert_eq!(sources, [Some("a"), None, Some("b")]);
        assert!(super::busy(&json!({}), Interval { start, end: start + 1 }).is_err());
    }
}
