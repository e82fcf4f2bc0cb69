//! Free times of an event type, and busy times.

use berth_sdk::{
    Result,
    json::read,
    time::MINUTE,
    types::{BusyTime, Interval, Slot},
};
use serde::Deserialize;
use serde_json::Value;

use super::uri::last_part;

#[derive(Deserialize)]
struct Available {
    status: Option<String>,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    invitees_remaining: Option<u32>,
}

/// Starts of this length that lie inside, ascending.
pub(crate) fn slots(items: &[Value], minutes: u32, within: Interval) -> Result<Vec<Slot>> {
    let mut slots = Vec::with_capacity(items.len());
    for item in items {
        let free: Available = read("available time", item)?;
        let end = free.start_time.saturating_add(i64::from(minutes) * MINUTE);
        let offered = free.status.as_deref().is_none_or(|status| status == "available");
        if offered && within.start <= free.start_time && end <= within.end {
            let when = Interval { start: free.start_time, end };
            slots.push(Slot { when, token: None, seats_left: free.invitees_remaining });
        }
    }
    slots.sort_by_key(|s| s.when.start);
    slots.dedup_by_key(|s| s.when.start);
    Ok(slots)
}

#[derive(Deserialize)]
struct Busy {
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end_time: i64,
    #[serde(default, deserialize_with = "berth_sdk::time::rfc3339_option")]
    buffered_start_time: Option<i64>,
    #[serde(default, deserialize_with = "berth_sdk::time::rfc3339_option")]
    buffered_end_time: Option<i64>,
    event: Option<EventRef>,
}

#[derive(Deserialize)]
struct EventRef {
    uri: String,
}

/// Busy times that touch the query, ascending. The buffers around a meeting are taken too; a meeting of Calendly's own names its
/// event.
pub(crate) fn busy(items: &[Value], within: Interval) -> Result<Vec<BusyTime>> {
    let mut busy = Vec::with_capacity(items.len());
    for item in items {
        let b: Busy = read("busy time", item)?;
        let start = b.buffered_start_time.unwrap_or(b.start_time).min(b.start_time);
        let end = b.buffered_end_time.unwrap_or(b.end_time).max(b.end_time);
        if start < end && start < within.end && within.start < end {
            let source = b.event.map(|event| last_part(&event.uri).to_owned());
            busy.push(BusyTime { when: Interval { start, end }, source });
        }
    }
    busy.sort_by_key(|t| (t.when.start, t.when.end));
    Ok(busy)
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;
    use serde_json::json;

    use super::*;

    fn day() -> Interval {
        let start = time::parse("2026-01-05T00:00:00Z").unwrap();
        Interval { start, end: start + time::DAY }
    }

    #[test]
    fn starts_get_their_ends() {
        let at = |start: &str| json!({"status": "available", "start_time": start, "invitees_remaining": 2});
        let mut gone = at("2026-01-05T12:00:00.000000Z");
        gone["status"] = json!("unavailable");
        let items = [
            at("2026-01-05T10:00:00.000000Z"),
            at("2026-01-05T09:00:00.000000Z"),
            at("2026-01-05T23:45:00.000000Z"),
            at("2026-01-04T23:45:00.000000Z"),
            gone,
        ];
        let slots = slots(&items, 30, day()).unwrap();
        let starts: Vec<_> = slots.iter().map(|s| time::format(s.when.start)).collect();
        assert_eq!(
            starts,
            ["2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z"],
            "the others end or begin outside"
        );
        assert_eq!(time::format(slots[0].when.end), "2026-01-05T09:30:00Z");
        assert_eq!(slots[0].seats_left, Some(2));
    }

    #[test]
    fn busy_times_with_their_buffers() {
        let items = [
            json!({"type": "external", "start_time": "2026-01-06T00:00:00.000000Z", "end_time": "2026-01-06T01:00:00.000000Z"}),
            json!({"type": "external", "start_time": "2026-01-05T20:00:00.000000Z", "end_time": "2026-01-05T20:30:00.000000Z",
                "buffered_start_time": null, "buffered_end_time": null}),
            json!({"type": "calendly", "start_time": "2026-01-05T08:00:00.000000Z", "end_time": "2026-01-05T09:00:00.000000Z",
                "buffered_start_time": "2026-01-05T07:45:00.000000Z", "buffered_end_time": "2026-01-05T09:15:00.000000Z",
                "event": {"uri": "https://api.calendly.com/scheduled_events/E1"}}),
        ];
        let times = busy(&items, day()).unwrap();
        assert_eq!(times.len(), 2);
        assert_eq!(time::format(times[0].when.start), "2026-01-05T07:45:00Z");
        assert_eq!(time::format(times[0].when.end), "2026-01-05T09:15:00Z");
        assert_eq!((times[0].source.as_deref(), times[1].source.as_deref()), (Some("E1"), None));
    }

    #[test]
    fn wrong_shapes() {
        assert!(slots(&[json!({"start_time": "soon"})], 30, day()).is_err());
        assert!(busy(&[json!({"start_time": "2026-01-05T08:00:00Z"})], day()).is_err());
    }
}
