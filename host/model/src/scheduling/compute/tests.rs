#![expect(clippy::needless_pass_by_value, reason = "json!() at the place of use reads best")]

use serde_json::{Value, json};

use super::{KINDS, compute};
use crate::{budget::Budget, limits};

fn answer(request: Value) -> Value {
    compute(request, &Budget::of(limits::ANSWER_STEPS_MAX))
        .unwrap_or_else(|problem| panic!("refused: {problem:?}"))
}
fn refused(request: Value) -> String {
    compute(request, &Budget::of(limits::ANSWER_STEPS_MAX)).expect_err("must be refused").errors[0]
        .field
        .clone()
}
fn merge(mut base: Value, with: Value) -> Value {
    for (name, value) in with.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}
fn slots(with: Value) -> Vec<String> {
    let answer = answer(with);
    let slots: Vec<String> =
        answer["slots"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect();
    assert_eq!(answer["count"], slots.len());
    slots
        .into_iter()
        .map(|s| s.strip_prefix("2026-11-23T").unwrap_or(&s).trim_end_matches(":00Z").to_owned())
        .collect()
}
/// Monday 2026-11-23, 9 to 12 UTC, hourly.
fn monday() -> Value {
    json!({
        "kind": "slots", "now": null,
        "range": {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"},
        "event_length_min": 60, "team_mode": "single",
        "hosts": [host("ana", json!([]))],
    })
}
fn host(id: &str, busy: Value) -> Value {
    json!({"id": id, "timezone": "UTC", "busy": busy,
        "working_hours": [{"weekdays": ["mon"], "start": "09:00", "end": "12:00"}]})
}
fn on_monday(with: Value) -> Vec<String> {
    slots(merge(monday(), with))
}
fn busy(start: &str, end: &str) -> Value {
    json!({"start": format!("2026-11-23T{start}:00Z"), "end": format!("2026-11-23T{end}:00Z")})
}
/// Reasons by start, of an explained request.
fn reasons(with: Value) -> Vec<String> {
    let explained = answer(merge(merge(monday(), with), json!({"explain": true})));
    explained["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            format!(
                "{} {} {}",
                &r["start"].as_str().unwrap()[11..16],
                r["host"].as_str().unwrap(),
                r["reason"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn the_example_of_the_description() {
    let request = json!({ "kind": "slots",
      "now": "2026-11-20T09:00:00Z",
      "range": {"start": "2026-11-23T00:00:00Z", "end": "2026-11-28T00:00:00Z"},
      "event_length_min": 45, "slot_interval_min": 30,
      "grid": {"anchor": "availability_window_start", "round_up_to_min": 15, "timezone": "Europe/Lisbon"},
      "team_mode": "round_robin",
      "hosts": [{"id": "ana", "timezone": "Europe/Lisbon",
                 "working_hours": [{"weekdays": ["mon","tue","wed"], "start": "09:00", "end": "13:00"}],
                 "date_overrides": [{"date": "2026-11-24", "intervals": [{"start": "15:00", "end": "18:00"}]}],
                 "busy": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:30:00Z"}]}],
      "minimum_notice_min": 120, "explain": false });
    let found = slots(request);
    assert_eq!(
        found,
        [
            "09:00",
            "10:30",
            "11:00",
            "11:30",
            "12:00",
            "2026-11-24T15:00",
            "2026-11-24T15:30",
            "2026-11-24T16:00",
            "2026-11-24T16:30",
            "2026-11-24T17:00",
            "2026-11-25T09:00",
            "2026-11-25T09:30",
            "2026-11-25T10:00",
            "2026-11-25T10:30",
            "2026-11-25T11:00",
            "2026-11-25T11:30",
            "2026-11-25T12:00"
        ]
    );
}

#[test]
fn touching_is_free_and_buffers_add_up() {
    let at_ten = json!({"hosts": [host("ana", json!([busy("10:00", "11:00")]))]});
    assert_eq!(on_monday(at_ten.clone()), ["09:00", "11:00"]);
    assert_eq!(on_monday(merge(at_ten.clone(), json!({"buffer_before_min": 1}))), ["09:00"]);
    assert_eq!(on_monday(merge(at_ten, json!({"buffer_after_min": 1}))), ["11:00"]);
    let own = json!({"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:40:00Z", "buffer_after_min": 10});
    let own = json!({"hosts": [host("ana", json!([own]))]});
    assert_eq!(on_monday(merge(own.clone(), json!({"buffer_before_min": 10}))), ["09:00", "11:00"]);
    assert_eq!(on_monday(merge(own, json!({"buffer_before_min": 11}))), ["09:00"]);
}

#[test]
fn anchors() {
    let taken = json!({"slot_interval_min": 30, "hosts": [host("ana", json!([busy("09:10", "09:40")]))]});
    let with = |anchor: &str| merge(taken.clone(), json!({"grid": {"anchor": anchor}}));
    assert_eq!(on_monday(with("availability_window_start")), ["10:00", "10:30", "11:00"]);
    assert_eq!(on_monday(with("free_window_start")), ["09:40", "10:10", "10:40"]);
    let range = json!({"range": {"start": "2026-11-23T09:05:00Z", "end": "2026-11-23T12:00:00Z"}});
    assert_eq!(on_monday(merge(with("range_start"), range.clone())), ["10:05", "10:35"]);
    // The range does not move a grid that runs from opening time.
    assert_eq!(on_monday(merge(with("availability_window_start"), range)), ["10:00", "10:30", "11:00"]);
}

#[test]
fn notice_allows_equality() {
    let at = |now: &str| on_monday(json!({"now": format!("2026-11-23T{now}:00Z"), "minimum_notice_min": 60}));
    assert_eq!(at("09:00"), ["10:00", "11:00"]);
    assert_eq!(at("09:01"), ["11:00"]);
}

#[test]
fn only_what_is_accepted_or_pending_blocks() {
    let with = |status: &str, pending: bool| {
        let mut one = busy("10:00", "11:00");
        one["status"] = json!(status);
        one["pending_blocks"] = json!(pending);
        on_monday(json!({"hosts": [host("ana", json!([one]))]})).len()
    };
    assert_eq!(with("accepted", true), 2);
    assert_eq!(with("pending", true), 2);
    assert_eq!(with("pending", false), 3);
    assert_eq!(with("rejected", true), 3);
    assert_eq!(with("cancelled", true), 3);
    // Inverted and empty busy times are dropped.
    assert_eq!(
        on_monday(json!({"hosts": [host("ana", json!([busy("11:00", "10:00"), busy("10:00", "10:00")]))]}))
            .len(),
        3
    );
}

#[test]
fn a_seated_event_offers_a_start_until_its_seats_are_gone() {
    let session = |seats: u32, same: bool| {
        let mut one = busy("10:00", "11:00");
        one["same_event_type"] = json!(same);
        one["seats_taken"] = json!(seats);
        on_monday(json!({"seats_per_slot": 3, "hosts": [host("ana", json!([one]))]}))
    };
    assert_eq!(session(2, true), ["09:00", "10:00", "11:00"]);
    assert_eq!(session(3, true), ["09:00", "11:00"]);
    assert_eq!(session(1, false), ["09:00", "11:00"]);
    // A session that began between two starts keeps its own.
    let mut late = busy("09:30", "10:30");
    late["same_event_type"] = json!(true);
    assert_eq!(
        on_monday(json!({"seats_per_slot": 3, "hosts": [host("ana", json!([late]))]})),
        ["09:30", "11:00"]
    );
}

#[test]
fn holds_of_others_block_until_they_expire() {
    let hold = |holder: &str, expires: &str, seat: bool| {
        json!({"now": "2026-11-23T08:00:00Z", "requester": "me", "seats_per_slot": 2,
            "holds": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z", "holder": holder,
                "expires_at": format!("2026-11-23T{expires}:00Z"), "seat": seat}]})
    };
    assert_eq!(on_monday(hold("you", "08:01", false)), ["09:00", "11:00"]);
    assert_eq!(on_monday(hold("you", "08:00", false)).len(), 3, "one that expires now is over");
    assert_eq!(on_monday(hold("me", "09:00", false)).len(), 3);
    assert_eq!(on_monday(hold("you", "09:00", true)).len(), 3, "one of two seats");
}

#[test]
fn limits_count_in_civil_periods() {
    let mut booked = busy("09:00", "10:00");
    booked["counts_toward_limit"] = json!(true);
    let hosts = json!([host("ana", json!([booked]))]);
    let with = |limit: Value| on_monday(json!({"hosts": hosts, "limits": [limit]}));
    assert_eq!(with(json!({"per": "day", "max_bookings": 1})), Vec::<String>::new());
    assert_eq!(with(json!({"per": "week", "max_bookings": 2})), ["10:00", "11:00"]);
    assert_eq!(with(json!({"per": "day", "max_minutes": 119})), Vec::<String>::new());
    assert_eq!(with(json!({"per": "day", "max_minutes": 120})), ["10:00", "11:00"]);
    // In Auckland 11:00Z is the next day: 24:00 there.
    assert_eq!(with(json!({"per": "day", "max_bookings": 1, "timezone": "Pacific/Auckland"})), ["11:00"]);
}

#[test]
fn booking_windows() {
    let with = |window: Value| {
        let days =
            json!([{"weekdays": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "10:00"}]);
        let mut one = host("ana", json!([{"start": "2026-11-24T09:00:00Z", "end": "2026-11-24T10:00:00Z"}]));
        one["working_hours"] = days;
        slots(merge(
            monday(),
            json!({"now": "2026-11-23T07:00:00Z", "hosts": [one], "booking_window": window,
            "range": {"start": "2026-11-23T00:00:00Z", "end": "2026-12-23T00:00:00Z"}}),
        ))
        .last()
        .cloned()
    };
    assert_eq!(with(json!({"type": "rolling", "days": 2})).unwrap(), "2026-11-25T09:00");
    assert_eq!(with(json!({"type": "rolling", "days": 5, "count": "business"})).unwrap(), "2026-11-30T09:00");
    // Tuesday is full: the first two free days are Monday and Wednesday.
    assert_eq!(with(json!({"type": "rolling_window", "days": 2})).unwrap(), "2026-11-25T09:00");
    assert_eq!(
        with(json!({"type": "range", "from": "2026-11-25", "to": "2026-11-26"})).unwrap(),
        "2026-11-26T09:00"
    );
    assert_eq!(with(json!({"type": "rolling", "days": 0})).unwrap(), "09:00");
}

#[test]
fn free_days_are_counted_from_today_wherever_the_range_begins() {
    let mut one = host("ana", json!([]));
    one["working_hours"][0]["weekdays"] = json!(["mon", "tue", "wed"]);
    let found = slots(merge(
        monday(),
        json!({"now": "2026-11-23T07:00:00Z", "hosts": [one],
        "booking_window": {"type": "rolling_window", "days": 2},
        "range": {"start": "2026-11-24T00:00:00Z", "end": "2026-12-23T00:00:00Z"}}),
    ));
    assert_eq!(found, ["2026-11-24T09:00", "2026-11-24T10:00", "2026-11-24T11:00"]);
}

#[test]
fn teams() {
    let (ana, ben) =
        (host("ana", json!([busy("09:00", "10:00")])), host("ben", json!([busy("11:00", "12:00")])));
    let team = |mode: &str, hosts: Value| on_monday(json!({"team_mode": mode, "hosts": hosts}));
    assert_eq!(team("collective", json!([ana, ben])), ["10:00"]);
    assert_eq!(team("round_robin", json!([ana, ben])), ["09:00", "10:00", "11:00"]);
    let fixed = merge(ana.clone(), json!({"role": "fixed"}));
    assert_eq!(team("round_robin", json!([fixed, ben])), ["10:00"]);
    // One of each group.
    let group = |host: &Value, name: &str| merge(host.clone(), json!({"group": name}));
    assert_eq!(team("round_robin", json!([group(&ana, "x"), group(&ben, "y")])), ["10:00"]);
    assert_eq!(team("round_robin", json!([group(&ana, "x"), group(&ben, "x")])).len(), 3);
    // Free time of different people is never glued together.
    let half = |id: &str, start: &str, end: &str| {
        merge(
            host(id, json!([])),
            json!({"working_hours": [{"weekdays": ["mon"], "start": start, "end": end}]}),
        )
    };
    assert!(
        team("round_robin", json!([half("a", "09:00", "09:30"), half("b", "09:30", "10:00")])).is_empty()
    );
}

#[test]
fn everyone_who_could_take_a_slot_is_named() {
    let hosts = json!([host("ana", json!([busy("09:00", "10:00")])), host("ben", json!([]))]);
    let answer = answer(merge(monday(), json!({"team_mode": "round_robin", "hosts": hosts})));
    assert_eq!(answer["hosts_at_slot"]["2026-11-23T09:00:00Z"], json!(["ben"]));
    assert_eq!(answer["hosts_at_slot"]["2026-11-23T10:00:00Z"], json!(["ana", "ben"]));
}

#[test]
fn every_rule_can_be_the_reason() {
    assert_eq!(reasons(json!({"now": "2026-11-23T09:30:00Z"})), ["09:00 ana notice"]);
    let taken = json!({"hosts": [host("ana", json!([busy("09:00", "10:00"), busy("11:50", "12:00")]))]});
    assert_eq!(reasons(taken), ["09:00 ana busy", "11:00 ana busy"]);
    let near = json!({"buffer_before_min": 5, "hosts": [host("ana", json!([busy("08:00", "09:00")]))]});
    assert_eq!(reasons(near), ["09:00 ana buffer"]);
    let mut counted = busy("14:00", "15:00");
    counted["counts_toward_limit"] = json!(true);
    let limited =
        json!({"hosts": [host("ana", json!([counted]))], "limits": [{"per": "day", "max_bookings": 1}]});
    assert_eq!(reasons(limited), ["09:00 ana limit", "10:00 ana limit", "11:00 ana limit"]);
    let window = json!({"booking_window": {"type": "range", "from": "2026-11-24", "to": "2026-11-24"}});
    assert_eq!(reasons(window)[0], "09:00 ana window");
    let free_days =
        json!({"now": "2026-11-20T00:00:00Z", "booking_window": {"type": "rolling_window", "days": 0}});
    assert_eq!(reasons(free_days)[0], "09:00 ana window");
    let mut one = host("ana", json!([]));
    one["date_overrides"] =
        json!([{"date": "2026-11-23", "intervals": [{"start": "10:00", "end": "12:00"}]}]);
    assert_eq!(reasons(json!({"hosts": [one]})), ["09:00 ana override"]);
    let restriction = json!({"restriction_schedule": {"timezone": "UTC",
        "working_hours": [{"weekdays": ["mon"], "start": "10:00", "end": "11:00"}]}});
    assert_eq!(reasons(restriction), ["09:00 ana restriction", "11:00 ana restriction"]);
    let hold =
        json!({"holds": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z", "holder": "you"}]});
    assert_eq!(reasons(hold), ["10:00 ana hold"]);
    let mut full = busy("10:00", "11:00");
    full["same_event_type"] = json!(true);
    full["seats_taken"] = json!(2);
    assert_eq!(
        reasons(json!({"seats_per_slot": 2, "hosts": [host("ana", json!([full]))]})),
        ["10:00 ana seats"]
    );
    let (ana, ben) = (host("ana", json!([busy("09:00", "10:00")])), host("ben", json!([])));
    assert_eq!(
        reasons(json!({"team_mode": "collective", "hosts": [ana, ben]})),
        ["09:00 ana busy", "09:00 ben team"]
    );
    let fixed = merge(ana.clone(), json!({"role": "fixed"}));
    assert_eq!(
        reasons(json!({"team_mode": "round_robin", "hosts": [fixed, ben]})),
        ["09:00 ana busy", "09:00 ben fixed"]
    );
    let (x, y) = (merge(ana, json!({"group": "x"})), merge(ben, json!({"group": "y"})));
    assert_eq!(
        reasons(json!({"team_mode": "round_robin", "hosts": [x, y]})),
        ["09:00 ana busy", "09:00 ben group"]
    );
    // A grid that restarts after a busy time leaves starts of opening time out.
    let moved = json!({"grid": {"anchor": "free_window_start"}, "hosts": [host("ana", json!([busy("09:00", "09:30")]))]});
    assert_eq!(reasons(moved), ["09:00 ana busy", "10:00 ana grid", "11:00 ana grid"]);
}

#[test]
fn a_request_that_makes_no_sense_is_refused_with_the_fields_path() {
    assert_eq!(refused(json!([])), "");
    assert_eq!(refused(json!({})), "/kind");
    assert_eq!(refused(json!({"kind": "dance"})), "/kind");
    let with = |change: Value| refused(merge(monday(), change));
    assert_eq!(with(json!({"event_length_min": 0})), "/event_length_min");
    assert_eq!(with(json!({"slot_interval_min": 0})), "/slot_interval_min");
    assert_eq!(
        with(json!({"range": {"start": "2026-11-23T00:00:00Z", "end": "2026-11-23T00:00:00Z"}})),
        "/range/end"
    );
    assert_eq!(with(json!({"range": {"start": "never", "end": "2026-11-23T00:00:00Z"}})), "/range/start");
    assert_eq!(with(json!({"surprise": 1})), "/surprise");
    let hours = |hours: Value| {
        with(json!({"hosts": [merge(host("ana", json!([])), json!({"working_hours": hours}))]}))
    };
    assert_eq!(
        hours(json!([{"weekdays": ["mon"], "start": "09:00", "end": "09:00"}])),
        "/hosts/0/working_hours/0/end"
    );
    assert_eq!(
        hours(json!([{"weekdays": ["moonday"], "start": "09:00", "end": "10:00"}])),
        "/hosts/0/working_hours/0/weekdays/0"
    );
    assert_eq!(
        hours(json!([{"weekdays": ["mon"], "start": "9", "end": "10:00"}])),
        "/hosts/0/working_hours/0/start"
    );
    assert_eq!(with(json!({"hosts": [host("ana", json!([])), host("ana", json!([]))]})), "/hosts/1/id");
    assert_eq!(
        with(json!({"hosts": [merge(host("a", json!([])), json!({"timezone": "Mars/Base"}))]})),
        "/hosts/0/timezone"
    );
    assert_eq!(with(json!({"limits": [{"per": "day"}]})), "/limits/0");
    assert_eq!(with(json!({"booking_window": {"type": "rolling"}})), "/booking_window/days");
    assert_eq!(
        with(json!({"range": {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z"}})),
        "/range"
    );
    assert_eq!(refused(json!({"kind": "slots", "hosts": []})), "/range");
}

#[test]
fn windows_are_clipped_and_joined() {
    let one = json!({"id": "a", "timezone": "UTC", "working_hours": [
        {"weekdays": ["mon"], "start": "20:00", "end": "24:00"}, {"weekdays": ["tue"], "start": "00:00", "end": "02:00"}]});
    let answer = answer(json!({"kind": "windows", "host": one,
        "range": {"start": "2026-11-23T21:00:00Z", "end": "2026-11-25T00:00:00Z"}}));
    assert_eq!(
        answer,
        json!({"windows": [{"start": "2026-11-23T21:00:00Z", "end": "2026-11-24T02:00:00Z"}]})
    );
}

#[test]
fn travel_keeps_the_hours_on_another_clock() {
    let mut one = host("ana", json!([]));
    one["timezone"] = json!("Europe/Lisbon");
    one["travel"] = json!([{"from": "2026-11-20", "to": null, "timezone": "Asia/Tokyo"}]);
    assert_eq!(on_monday(json!({"hosts": [one]})), ["00:00", "01:00", "02:00"]);
}

#[test]
fn one_slot_can_be_checked() {
    let check = |start: &str, end: &str| {
        let one = host("ana", json!([busy("10:00", "11:00")]));
        answer(json!({"kind": "slot_check", "host": one, "slot": busy(start, end), "buffer_after_min": 5}))
    };
    assert_eq!(check("09:05", "09:35"), json!({"available": true, "reason": null}));
    assert_eq!(check("09:05", "10:05"), json!({"available": false, "reason": "busy"}));
    assert_eq!(check("09:05", "10:00"), json!({"available": false, "reason": "buffer"}));
    assert_eq!(check("07:00", "08:00"), json!({"available": false, "reason": "hours"}));
}

#[test]
fn a_team_can_be_checked() {
    let hosts =
        json!([host("ana", json!([busy("09:00", "10:00")])), host("ben", json!([busy("11:00", "12:00")]))]);
    let check = |mode: &str| {
        let checks = json!([busy("09:15", "09:45"), busy("10:00", "11:00")]);
        let answer =
            answer(json!({"kind": "team_bookable", "team_mode": mode, "hosts": hosts, "checks": checks}));
        answer["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["bookable"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(check("collective"), [false, true]);
    assert_eq!(check("round_robin"), [true, true]);
}

#[test]
fn the_other_kinds() {
    let spans = |list: &[(&str, &str)]| list.iter().map(|(s, e)| busy(s, e)).collect::<Vec<_>>();
    let lists = json!([spans(&[("09:00", "12:00")]), spans(&[("10:00", "11:00"), ("13:00", "12:00")])]);
    let left = answer(json!({"kind": "intervals", "operation": "subtract", "lists": lists}));
    assert_eq!(left["intervals"], json!(spans(&[("09:00", "10:00"), ("11:00", "12:00")])));

    let slot = json!({"start": "2026-11-23T10:00:00Z", "length_min": 30});
    let conflict = |taken: u32| {
        answer(json!({"kind": "conflict", "slot": slot, "busy": [busy("10:00", "10:30")], "current_sessions":
            [{"start": "2026-11-23T10:00:00Z", "seats_taken": taken, "seats_per_slot": 2}]}))["conflict"]
            .clone()
    };
    assert_eq!(conflict(1), false);
    assert_eq!(conflict(2), true);
    assert_eq!(
        answer(json!({"kind": "conflict", "slot": slot, "busy": [busy("10:29", "11:00")]}))["conflict"],
        true
    );

    let limit = |existing: u32, moving: bool| {
        answer(json!({"kind": "limit_check", "limit": {"per": "day", "max_bookings": 2}, "existing_bookings_in_period": existing,
            "request_start": "2026-11-23T10:00:00Z", "request_length_min": 30, "rescheduling_one_of_them": moving}))["allowed"].clone()
    };
    assert_eq!((limit(1, false), limit(2, false), limit(2, true)), (json!(true), json!(false), json!(true)));
    assert_eq!(
        answer(json!({"kind": "limits_config", "max_bookings": {"day": 3, "week": 2}}))["valid"],
        false
    );

    let run = answer(json!({"kind": "fairness_run", "strategy": "weighted_shortfall_then_priority_then_lru",
        "hosts": [{"id": "a", "weight": 100}, {"id": "b", "weight": 300}], "sequential_bookings": 400}));
    assert_eq!(run["per_host"], json!({"a": 100, "b": 300}));
    assert_eq!(
        answer(json!({"kind": "choose_host", "strategy": "fewest_upcoming", "hosts": []}))["chosen"],
        Value::Null
    );

    let period = answer(
        json!({"kind": "fairness_period", "reset": "month", "basis": "meeting_start", "meeting_start": "2026-02-10T00:00:00Z"}),
    );
    assert_eq!(period, json!({"start": "2026-02-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"}));

    let rrule = answer(
        json!({"kind": "rrule", "dtstart_local": "2026-03-28T02:30:00", "timezone": "Europe/Berlin", "rrule": "FREQ=DAILY;COUNT=3"}),
    );
    assert_eq!(
        rrule["occurrences"],
        json!(["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"])
    );
    // Only a rule without an end needs one from outside.
    let endless = json!({"kind": "rrule", "dtstart_local": "2026-03-28T02:30:00", "rrule": "FREQ=DAILY"});
    assert_eq!(refused(endless.clone()), "/take_first");
    for (name, value) in [
        ("rrule", json!("FREQ=DAILY;UNTIL=20260330")),
        ("take_first", json!(3)),
        ("window", json!({"start": "2026-03-01T00:00:00", "end": "2026-03-31T00:00:00"})),
    ] {
        let mut ends = endless.clone();
        ends[name] = value;
        assert_eq!(answer(ends)["count"], 3, "{name}");
    }
    assert_eq!(KINDS.len(), 12);
}
