use proptest::prelude::*;
use serde_json::{Value, json};

use super::{EventTypePolicy, EventTypeRecord};
use crate::{
    id::{EventTypeId, ListingId, MemberId, TenantId},
    time::Instant,
};

const ANA: &str = "00000000-0000-7000-8000-000000000001";
const BEN: &str = "00000000-0000-7000-8000-000000000002";
const EVE: &str = "00000000-0000-7000-8000-000000000003";

fn record() -> EventTypeRecord {
    let nil = uuid::Uuid::nil();
    EventTypeRecord {
        id: EventTypeId::from_uuid(nil),
        tenant: TenantId::from_uuid(nil),
        listing: ListingId::from_uuid(nil),
        slug: "intro-call".to_owned(),
        title: "Intro call".to_owned(),
        description: String::new(),
        length_minutes: 30,
        slot_interval_minutes: None,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        booking_window_days: 60,
        members: [ANA, BEN].map(|id| id.parse::<MemberId>().unwrap()).to_vec(),
        policy: EventTypePolicy::default(),
        external_id: None,
        external: Vec::new(),
        active: true,
        archived_at: None,
        revision: 1,
        created_at: Instant::MIN,
        updated_at: Instant::MIN,
    }
}

fn bad_fields(record: &EventTypeRecord) -> Vec<String> {
    record.check().map_or_else(|p| p.errors.into_iter().map(|e| e.field).collect(), |()| Vec::new())
}

fn with(policy: Value) -> EventTypeRecord {
    EventTypeRecord { policy: serde_json::from_value(policy).unwrap(), ..record() }
}

#[test]
fn the_neutral_policy_and_a_full_one_are_good() {
    assert_eq!(bad_fields(&record()), [""; 0]);
    let full = json!({
        "other_lengths_minutes": [15, 60],
        "grid": { "anchor": "free_window_start", "round_up_to_minutes": 15, "time_zone": "Europe/Lisbon", "offset_minutes": 5 },
        "booking_window": { "type": "range", "from": "2026-11-20", "to": "2026-11-20" },
        "limits": [{ "per": "week", "max_bookings": 3 }, { "per": "day", "max_bookings": 3 }, { "per": "day", "max_minutes": 15 }],
        "seats": 1000,
        "price": { "minor_units": 4_900, "currency": "EUR" },
        "questions": [{ "key": "why", "label": "Why?", "type": "text" }],
        "confirmation": "manual",
        "team_mode": "round_robin",
        "strategy": "priority_then_lru",
        "host_roles": [{ "member": ANA, "fixed": true }],
        "cancel_cutoff_minutes": 1_440,
        "reschedule_cutoff_minutes": 0,
    });
    assert_eq!(bad_fields(&with(full)), [""; 0]);
}

#[test]
fn each_bad_field_is_named() {
    for (policy, field) in [
        (json!({ "other_lengths_minutes": [15, 15] }), "/policy/other_lengths_minutes/1"),
        (json!({ "other_lengths_minutes": [30] }), "/policy/other_lengths_minutes/0"),
        (json!({ "other_lengths_minutes": [0] }), "/policy/other_lengths_minutes/0"),
        (json!({ "other_lengths_minutes": (31..60).collect::<Vec<_>>() }), "/policy/other_lengths_minutes"),
        (json!({ "grid": { "round_up_to_minutes": 0 } }), "/policy/grid/round_up_to_minutes"),
        (json!({ "grid": { "offset_minutes": 1_441 } }), "/policy/grid/offset_minutes"),
        (json!({ "booking_window": { "type": "rolling", "days": 731 } }), "/policy/booking_window/days"),
        (json!({ "booking_window": { "type": "rolling_window", "days": 0 } }), "/policy/booking_window/days"),
        (
            json!({ "booking_window": { "type": "range", "from": "2026-11-21", "to": "2026-11-20" } }),
            "/policy/booking_window/to",
        ),
        (json!({ "limits": [{ "per": "day", "max_bookings": 0 }] }), "/policy/limits/0/max_bookings"),
        (json!({ "limits": [{ "per": "day", "max_minutes": 29 }] }), "/policy/limits/0/max_minutes"),
        (
            json!({ "limits": [{ "per": "day", "max_bookings": 1 }, { "per": "day", "max_bookings": 2 }] }),
            "/policy/limits/1",
        ),
        (
            json!({ "limits": [{ "per": "day", "max_bookings": 2 }, { "per": "year", "max_bookings": 1 }] }),
            "/policy/limits",
        ),
        (
            json!({ "limits": [{ "per": "week", "max_minutes": 90 }, { "per": "month", "max_minutes": 60 }] }),
            "/policy/limits",
        ),
        (json!({ "seats": 0 }), "/policy/seats"),
        (json!({ "seats": 1_001 }), "/policy/seats"),
        (json!({ "price": { "minor_units": -1, "currency": "EUR" } }), "/policy/price/minor_units"),
        (json!({ "price": { "minor_units": 1, "currency": "eur" } }), "/policy/price/currency"),
        (json!({ "price": { "minor_units": 1, "currency": "QQQ" } }), "/policy/price/currency"),
        (json!({ "price": { "minor_units": 1, "currency": "XAU" } }), "/policy/price/currency"),
        (json!({ "questions": [{ "key": "A", "label": "x", "type": "text" }] }), "/policy/questions/0/key"),
        (json!({ "team_mode": "collective", "strategy": "priority_then_lru" }), "/policy/strategy"),
        (json!({ "host_roles": [{ "member": ANA, "fixed": true }] }), "/policy/host_roles"),
        (
            json!({ "team_mode": "round_robin", "host_roles": [{ "member": EVE }] }),
            "/policy/host_roles/0/member_id",
        ),
        (
            json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA }, { "member": ANA }] }),
            "/policy/host_roles/1",
        ),
        (
            json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA, "group": "" }] }),
            "/policy/host_roles/0/group",
        ),
        (
            json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA, "group": "a", "fixed": true }] }),
            "/policy/host_roles/0/group",
        ),
        (
            json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA, "fixed": true }, { "member": BEN, "fixed": true }] }),
            "/policy/host_roles",
        ),
        (json!({ "cancel_cutoff_minutes": 527_041 }), "/policy/cancel_cutoff_minutes"),
        (json!({ "reschedule_cutoff_minutes": 527_041 }), "/policy/reschedule_cutoff_minutes"),
    ] {
        assert_eq!(bad_fields(&with(policy.clone())), [field], "{policy}");
    }
}

#[test]
fn all_bad_fields_are_named_at_once() {
    let ana = record().members[0];
    let record = EventTypeRecord {
        slug: "-".to_owned(),
        title: " ".to_owned(),
        description: "x".repeat(4_001),
        length_minutes: 1_441,
        slot_interval_minutes: Some(0),
        buffer_before_minutes: 1_441,
        buffer_after_minutes: 1_441,
        minimum_notice_minutes: 129_601,
        booking_window_days: 731,
        members: vec![ana, ana],
        external_id: Some(String::new()),
        ..record()
    };
    assert_eq!(
        bad_fields(&record),
        [
            "/slug",
            "/title",
            "/description",
            "/length_minutes",
            "/slot_interval_minutes",
            "/buffer_before_minutes",
            "/buffer_after_minutes",
            "/minimum_notice_minutes",
            "/booking_window_days",
            "/member_ids/1",
            "/external_id",
        ]
    );
    assert_eq!(bad_fields(&EventTypeRecord { members: Vec::new(), ..self::record() }), [""; 0], "nobody yet");
}

/// A policy from parts of which some are good.
fn any_policy() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![19 => 0_i64..70, 1 => any::<i64>()];
    let text = || prop_oneof!["[a-z_]{0,6}", ".{0,3}"];
    let limit = (
        prop::sample::select(vec!["day", "week", "month", "year"]),
        prop::sample::select(vec!["max_bookings", "max_minutes"]),
        number(),
    )
        .prop_map(|(per, what, most)| json!({ "per": per, what: most }));
    let question = (
        text(),
        text(),
        prop::sample::select(vec!["text", "number", "select", "date"]),
        prop::collection::vec(text(), 0..3),
        prop::option::of(number()),
    )
        .prop_map(|(key, label, kind, options, bound)| match kind {
            "select" => json!({ "key": key, "label": label, "type": kind, "options": options }),
            "number" => json!({ "key": key, "label": label, "type": kind, "min": bound }),
            "text" => json!({ "key": key, "label": label, "type": kind, "max_length": bound }),
            kind => json!({ "key": key, "label": label, "type": kind, "required": true }),
        });
    let role = (prop::sample::select(vec![ANA, BEN, EVE]), any::<bool>(), prop::option::of(text()))
        .prop_map(|(member, fixed, group)| json!({ "member": member, "fixed": fixed, "group": group }));
    (
        prop::collection::vec(number(), 0..3),
        prop::collection::vec(limit, 0..4),
        prop::collection::vec(question, 0..4),
        prop::collection::vec(role, 0..3),
        prop::sample::select(vec!["single", "collective", "round_robin"]),
        (number(), prop::sample::select(vec!["EUR", "JPY", "XXX", "€", ""])),
        number(),
    )
        .prop_map(|(lengths, limits, questions, roles, team_mode, (amount, currency), seats)| {
            json!({
                "other_lengths_minutes": lengths, "limits": limits, "questions": questions, "host_roles": roles,
                "team_mode": team_mode, "price": { "minor_units": amount, "currency": currency }, "seats": seats,
            })
        })
}

proptest! {
    #[test]
    fn any_policy_is_refused_by_field_or_kept_as_it_is(written in any_policy()) {
        let Ok(policy) = serde_json::from_value::<EventTypePolicy>(written) else { return Ok(()) };
        let stored = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(&serde_json::from_str::<EventTypePolicy>(&stored).unwrap(), &policy);
        if let Err(problem) = (EventTypeRecord { policy, ..record() }).check() {
            prop_assert!(!problem.errors.is_empty());
            for error in problem.errors {
                let pointed: Value = serde_json::from_str(&stored).unwrap();
                let field = error.field.strip_prefix("/policy").unwrap_or("none");
                prop_assert!(pointed.pointer(field).is_some(), "{} is not there: {}", error.field, error.message);
            }
        }
    }
}
