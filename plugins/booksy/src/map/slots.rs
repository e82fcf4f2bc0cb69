//! Free slots and busy times.

use berth_sdk::{
    Result,
    json::read,
    types::{BusyTime, Instant, Interval, Slot},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Availability {
    slots: Vec<FreeSlot>,
}

#[derive(Deserialize)]
struct FreeSlot {
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: Instant,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: Instant,
    capacity_left: Option<u32>,
}

#[derive(Deserialize)]
struct BusyTimes {
    data: Vec<Busy>,
}

#[derive(Deserialize)]
struct Busy {
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: Instant,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: Instant,
    staff_id: Option<String>,
    /// Of a block.
    id: Option<String>,
}

/// Free slots. Several members of staff who are free at the same time are one slot with room for each; who it will be the
/// service decides when it is booked.
pub(crate) fn slots(answer: &Value, within: Interval) -> Result<Vec<Slot>> {
    let mut found: Vec<FreeSlot> = read::<Availability>("availability", answer)?.slots;
    found.retain(|s| {
        within.start <= s.start && s.start < s.end && s.end <= within.end && s.capacity_left != Some(0)
    });
    found.sort_by_key(|s| (s.start, s.end));
    let mut slots: Vec<Slot> = Vec::new();
    for slot in found {
        let when = Interval { start: slot.start, end: slot.end };
        match slots.last_mut().filter(|last| last.when == when) {
            Some(last) => {
                let both = last.seats_left.zip(slot.capacity_left);
                last.seats_left = both.map(|(a, b)| a.saturating_add(b));
            }
            None => slots.push(Slot { when, token: None, seats_left: slot.capacity_left }),
        }
    }
    Ok(slots)
}

/// Busy times that touch the query, ascending. Of these members of staff only, if any are named; what names nobody concerns
/// everybody.
pub(crate) fn busy(answer: &Value, within: Interval, staff: &[String]) -> Result<Vec<BusyTime>> {
    let concerns = |b: &Busy| staff.is_empty() || b.staff_id.as_ref().is_none_or(|id| staff.contains(id));
    let mut busy: Vec<BusyTime> = read::<BusyTimes>("busy times", answer)?
        .data
        .into_iter()
        .filter(|b| b.start < b.end && b.start < within.end && within.start < b.end && concerns(b))
        .map(|b| BusyTime { when: Interval { start: b.start, end: b.end }, source: b.id.or(b.staff_id) })
        .collect();
    busy.sort_by_key(|b| (b.when.start, b.when.end));
    Ok(busy)
}

#[cfg(test)]
mod tests {
    use berth_sdk::time::{self, DAY};
    use serde_json::json;

    use super::*;

    fn day() -> Interval {
        let start = time::parse("2026-01-05T00:00:00Z").unwrap();
        Interval { start, end: start + DAY }
    }

    fn slot(start: &str, end: &str, staff: &str, left: Option<u32>) -> Value {
        json!({"start": start, "end": end, "staff_id": staff, "capacity_left": left})
    }

    #[test]
    fn slots_are_in_order_inside_and_once() {
        let answer = json!({"service_id": "svc_1", "timezone": "Europe/Warsaw", "slots": [
            slot("2026-01-05T10:00:00Z", "2026-01-05T10:45:00Z", "stf_1", Some(1)),
            slot("2026-01-05T10:00:00+01:00", "2026-01-05T10:45:00+01:00", "stf_1", Some(1)),
            slot("2026-01-05T10:00:00Z", "2026-01-05T10:45:00Z", "stf_2", Some(2)),
            slot("2026-01-05T11:00:00Z", "2026-01-05T11:45:00Z", "stf_2", Some(0)),
            slot("2026-01-05T23:30:00Z", "2026-01-06T00:15:00Z", "stf_1", Some(1)),
        ]});
        let found: Vec<_> = slots(&answer, day())
            .unwrap()
            .into_iter()
            .map(|s| (time::format(s.when.start), s.seats_left, s.token))
            .collect();
        let expected = [("2026-01-05T09:00:00Z", Some(1)), ("2026-01-05T10:00:00Z", Some(3))];
        assert_eq!(found, expected.map(|(start, left)| (start.to_owned(), left, None)));
    }

    #[test]
    fn an_unknown_room_stays_unknown() {
        let answer = json!({"slots": [slot("2026-01-05T10:00:00Z", "2026-01-05T10:45:00Z", "a", None),
            slot("2026-01-05T10:00:00Z", "2026-01-05T10:45:00Z", "b", Some(1))]});
        assert_eq!(slots(&answer, day()).unwrap()[0].seats_left, None);
        assert!(slots(&json!({"slots": [{"start": "soon"}]}), day()).is_err());
    }

    #[test]
    fn a_block_is_told_by_its_id() {
        let time =
            json!({"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:30:00Z", "staff_id": "stf_1"});
        let mut block = time.clone();
        block["id"] = json!("blk_1");
        let found = busy(&json!({"data": [time, block]}), day(), &[]).unwrap();
        let sources: Vec<_> = found.iter().map(|b| b.source.as_deref().unwrap()).collect();
        assert_eq!(sources, ["stf_1", "blk_1"]);
    }

    #[test]
    fn busy_times_of_those_who_were_asked_for() {
        let at = |hour: u32, staff: Value| {
            json!({"start": format!("2026-01-05T{hour:02}:00:00Z"), "end": format!("2026-01-05T{hour:02}:30:00Z"),
                "staff_id": staff, "source": "booking"})
        };
        let answer = json!({"data": [at(12, json!("stf_1")), at(9, json!("stf_2")), at(10, json!(null)), at(11, json!("stf_3"))]});
        let starts = |staff: &[&str]| -> Vec<i64> {
            let staff: Vec<String> = staff.iter().map(|s| (*s).to_owned()).collect();
            let found = busy(&answer, day(), &staff).unwrap();
            found.iter().map(|b| (b.when.start - day().start) / time::HOUR).collect()
        };
        assert_eq!(starts(&[]), [9, 10, 11, 12]);
        assert_eq!(starts(&["stf_1", "stf_2"]), [9, 10, 12], "what names nobody concerns everybody");
        let before = Interval { start: day().start - DAY, end: day().start };
        assert!(busy(&answer, before, &[]).unwrap().is_empty());
    }
}
