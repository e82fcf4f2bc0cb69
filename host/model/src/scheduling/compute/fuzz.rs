//! Any request is answered or refused: valid requests with damaged parts, and rules made of scraps.

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Value, json};

use super::compute;
use crate::{budget::Budget, limits};

fn valid() -> Vec<Value> {
    let host = json!({"id": "a", "timezone": "Europe/Lisbon", "working_hours": [{"weekdays": ["mon", "sun"], "start": "09:00", "end": "24:00"}],
        "date_overrides": [{"date": "2026-11-24", "intervals": [{"start": "15:00", "end": "18:00"}]}], "unavailable_dates": ["2026-11-25"],
        "travel": [{"from": "2026-11-26", "to": null, "timezone": "Asia/Tokyo"}], "role": "fixed", "group": "x",
        "busy": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:30:00Z", "seats_taken": 1, "same_event_type": true}]});
    let range = json!({"start": "2026-11-23T00:00:00Z", "end": "2026-11-28T00:00:00Z"});
    vec![
        json!({"kind": "slots", "now": "2026-11-20T09:00:00Z", "range": range, "event_length_min": 45, "slot_interval_min": 30,
            "grid": {"anchor": "free_window_start", "round_up_to_min": 15, "timezone": "Asia/Kathmandu"}, "team_mode": "round_robin",
            "hosts": [host], "limits": [{"per": "week", "max_bookings": 2}], "seats_per_slot": 2, "explain": true,
            "booking_window": {"type": "rolling_window", "days": 3, "count": "business"}, "buffer_before_min": 5,
            "holds": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z", "holder": "x", "seat": true}]}),
        json!({"kind": "windows", "host": host, "range": range}),
        json!({"kind": "rrule", "dtstart_local": "2026-11-23T09:00:00", "timezone": "Europe/Lisbon",
            "rrule": "FREQ=MONTHLY;BYDAY=-1FR;COUNT=5", "take_first": 10, "window": range}),
        json!({"kind": "fairness_run", "strategy": "fewest_upcoming", "hosts": [{"id": "a", "weight": 3}], "sequential_bookings": 9}),
        json!({"kind": "limit_check", "limit": {"per": "day", "max_minutes": 90}, "request_start": "2026-11-23T09:00:00Z",
            "request_length_min": 30, "existing_bookings": [range]}),
    ]
}

fn scrap() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u32..5_000).prop_map(Value::from),
        "[A-Z0-9:;=,-]{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "2026-03-29T01:30:00Z",
            "-1",
            "24:00"
        ])
        .prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// Put a scrap in place of the part that so many steps lead to.
fn damage(value: &mut Value, mut path: Vec<prop::sample::Index>, scrap: Value) {
    let Some(step) = path.pop() else {
        *value = scrap;
        return;
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let n = step.index(fields.len());
            if let Some(field) = fields.values_mut().nth(n) {
                damage(field, path, scrap);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let n = step.index(items.len());
            damage(&mut items[n], path, scrap);
        }
        other => *other = scrap,
    }
}

proptest! {
    #[test]
    fn a_damaged_request_is_answered_or_refused(
        which in any::<prop::sample::Index>(),
        path in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
        scrap in scrap(),
    ) {
        let mut requests = valid();
        let n = which.index(requests.len());
        let mut request = requests.swap_remove(n);
        damage(&mut request, path, scrap);
        // A refusal names a field.
        if let Err(problem) = compute(request, &Budget::of(limits::ANSWER_STEPS_MAX)) {
            assert!(!problem.errors.is_empty(), "{problem:?}");
        }
    }

}

proptest! {
    // Some rules never come: the library looks for them for a long time, up to a limit of its own.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_rule_of_scraps_is_expanded_or_refused(
        freq in prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]),
        parts in prop::collection::vec(prop::sample::select(vec![
            "INTERVAL=7", "COUNT=3", "UNTIL=20261231", "BYDAY=MO,-1FR", "BYDAY=2TU", "BYMONTH=2", "BYMONTHDAY=-1,31", "BYYEARDAY=366,-1",
            "BYWEEKNO=53", "BYHOUR=0,23", "BYMINUTE=59", "BYSETPOS=-1", "WKST=SU", "INTERVAL=0", "COUNT=", "BYDAY=", "X=1", "",
        ]), 0..4),
    ) {
        let rule = std::iter::once(format!("FREQ={freq}")).chain(parts.into_iter().map(str::to_owned)).collect::<Vec<_>>().join(";");
        let request = json!({"kind": "rrule", "dtstart_local": "2026-11-23T09:00:00", "timezone": "Europe/Lisbon", "rrule": rule, "take_first": 5});
        let _ = compute(request, &Budget::of(limits::ANSWER_STEPS_MAX));
    }
}
