use serde_json::{Value, json};

use super::*;

fn rules(of: &Value) -> SyncRules {
    let rules: SyncRules = serde_json::from_value(json!({ "rules": of })).unwrap();
    assert_eq!(rules.problems(&["acme", "ac"]), []);
    rules.settled()
}

fn at(days: i64) -> Instant {
    Instant::from_seconds(days * 86_400)
}

fn fields(of: Value) -> Vec<String> {
    let rules: SyncRules = serde_json::from_value(of).unwrap();
    rules.problems(&["acme", "ac"]).into_iter().map(|error| error.field).collect()
}

#[test]
fn one_object_is_one_rule() {
    let one: SyncRules =
        serde_json::from_value(json!({ "buffer_minutes": 15, "max_advance_days": 30 })).unwrap();
    assert_eq!(one.clone().settled(), one);
    assert_eq!(one.takes_time(at(29), at(0)), Some((15, 15)));
    assert_eq!(one.takes_time(at(30), at(0)), None);
    let shown = serde_json::to_value(&one).unwrap();
    assert_eq!(shown.get("rules"), None, "{shown}");
    let closed = SyncRules { sync_availability: false, ..one };
    assert!(closed.takes_time(at(1), at(0)).is_none() && !closed.takes_any_time());
    assert!(!closed.reads_busy() && !closed.writes_busy());
}

#[test]
fn the_highest_that_matches_counts() {
    let several = rules(&json!([
        { "id": "far", "priority": 1, "conditions": { "buffer_times": { "before": 5, "after": 10 }, "max_advance_booking": 90 },
          "actions": { "auto_resolve_conflicts": false } },
        { "id": "near", "priority": 9, "conditions": { "buffer_times": { "before": 30 }, "max_advance_booking": 7 } },
        { "id": "off", "priority": 99, "active": false },
        { "id": "ours", "priority": 50, "source_system": "platform", "actions": { "sync_availability": false } },
    ]));
    assert_eq!(several.mode, SyncMode::Bidirectional);
    assert_eq!(several.takes_time(at(6), at(0)), Some((30, 0)));
    assert_eq!(several.takes_time(at(7), at(0)), Some((5, 10)));
    assert_eq!(several.takes_time(at(90), at(0)), None, "none matches");
    assert!(several.at(Some(at(6)), at(0)).auto_resolve && !several.at(Some(at(7)), at(0)).auto_resolve);
    assert!(several.reads_busy() && !several.writes_busy());
    let equal = rules(&json!([
        { "id": "a", "conditions": { "buffer_times": { "after": 1 } } },
        { "id": "b", "conditions": { "buffer_times": { "after": 2 } } },
    ]));
    assert_eq!(equal.takes_time(at(1), at(0)), Some((0, 1)), "of equal ones the first");
}

#[test]
fn the_sides_of_the_rules_are_the_mode() {
    for (sources, mode) in [
        (vec!["both"], SyncMode::Bidirectional),
        (vec!["platform"], SyncMode::Export),
        (vec!["acme"], SyncMode::Import),
        (vec!["ac"], SyncMode::Import),
        (vec!["platform", "acme"], SyncMode::Bidirectional),
    ] {
        let each =
            sources.iter().enumerate().map(|(i, s)| json!({ "id": i.to_string(), "source_system": s }));
        let several = rules(&Value::Array(each.collect()));
        assert_eq!(several.mode, mode, "{sources:?}");
        assert_eq!(several.takes_any_time(), mode.follows_changes(), "{sources:?}");
        // What is answered may be sent back.
        let again: SyncRules = serde_json::from_value(serde_json::to_value(&several).unwrap()).unwrap();
        assert_eq!(again.settled(), several);
    }
    let none = rules(&json!([{ "id": "a", "active": false }]));
    assert_eq!((none.mode, none.takes_time(at(1), at(0))), (SyncMode::Off, None));
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(fields(json!({ "rules": [] })), ["/rules"]);
    let many: Vec<Value> = (0..10_000).map(|i| json!({ "id": i.to_string() })).collect();
    assert_eq!(fields(json!({ "rules": many })), ["/rules"]);
    let most: Vec<Value> = (0..limits::SYNC_RULES_MAX).map(|i| json!({ "id": i.to_string() })).collect();
    assert_eq!(fields(json!({ "rules": most })), [""; 0]);
    assert_eq!(
        fields(json!({ "rules": [
            { "id": "a", "source_system": "moon", "conditions": { "buffer_times": { "before": 1441, "after": 1441 } } },
            { "id": "a", "name": "x".repeat(201), "conditions": { "max_advance_booking": 0 } },
            { "id": "" },
        ] })),
        [
            "/rules/0/source_system",
            "/rules/0/conditions/buffer_times/before",
            "/rules/0/conditions/buffer_times/after",
            "/rules/1/id",
            "/rules/1/name",
            "/rules/1/conditions/max_advance_booking",
            "/rules/2/id"
        ]
    );
    assert_eq!(
        fields(json!({ "max_advance_days": 0, "buffer_minutes": 1441 })),
        ["/buffer_minutes", "/max_advance_days"]
    );
    for unknown in [
        json!({ "moon": 1 }),
        json!({ "rules": [{ "id": "a", "moon": 1 }] }),
        json!({ "rules": [{ "id": "a", "actions": { "moon": 1 } }] }),
    ] {
        assert!(serde_json::from_value::<SyncRules>(unknown).is_err());
    }
}
