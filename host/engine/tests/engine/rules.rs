//! Several rules for one connection: the highest that matches a booking of the provider counts for it; without busy times none is read or
//! written.

use berth_engine::AvailabilityQuery;
use berth_model::{
    mirror::sync::{SyncMode, SyncRules},
    problem::Code,
    time::Interval,
};
use serde_json::{Value, json};

use crate::{
    calendars::{booked, settled, with_calendar},
    mirror::{external_booking, offered, synced, tell},
    world::{World, monday, world},
};

fn several(rules: &Value) -> SyncRules {
    serde_json::from_value(json!({ "rules": rules })).unwrap()
}

async fn set(w: &World, connection: berth_model::id::ConnectionId, rules: SyncRules) -> SyncRules {
    w.engine.mirror.set_sync_rules(&w.caller, connection, rules).await.unwrap().state.rules
}

#[tokio::test]
async fn each_booking_there_has_the_rule_that_matches_it() {
    let w = world().await;
    let near = json!({ "id": "near", "priority": 5, "conditions": { "max_advance_booking": 1, "buffer_times": { "before": 60 } } });
    let far = json!({ "id": "far", "conditions": { "buffer_times": { "before": 0, "after": 60 } } });
    let set = set(&w, w.connection.id, several(&json!([far, near]))).await;
    assert_eq!(set.mode, SyncMode::Bidirectional);
    let starts = async || {
        tell(&w, [external_booking("f1", monday("10:00"))]);
        synced(&w).await;
        let offered = offered(&w).await;
        ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"].map(|clock| offered.contains(&monday(clock)))
    };
    // It is Friday noon.
    assert_eq!(starts().await, [true, true, false, false, false, true], "kept free after it: it is far");
    w.clock.pass_seconds(2 * 86_400);
    assert_eq!(starts().await, [false, false, false, true, true, true], "kept free before it: it is near");

    // None that matches: it takes no time.
    let only = json!([{ "id": "near", "source_system": "acme", "conditions": { "max_advance_booking": 1 }, "active": false }]);
    let set =
        w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, several(&only)).await.unwrap().state.rules;
    assert_eq!(set.mode, SyncMode::Off);
    assert!(offered(&w).await.contains(&monday("10:00")), "free at once");
}

#[tokio::test]
async fn without_busy_times_none_is_read_and_none_written() {
    let (w, connection, _) = with_calendar(true, true).await;
    let ask = || AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("00:00"), monday("23:00")).unwrap(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        length_minutes: None,
        member: None,
        provider: Some(berth_engine::ProviderChoice::BuiltIn),
        explain: false,
    };
    w.engine.availability.availability(&w.caller, ask()).await.unwrap();
    let asked = w.provider.count("busy");
    assert!(asked > 0, "the calendar is read");

    let closed = json!([{ "id": "quiet", "actions": { "sync_availability": false } }]);
    let rules = set(&w, connection.id, several(&closed)).await;
    assert_eq!((rules.mode, rules.sync_availability), (SyncMode::Bidirectional, false));
    let before = w.provider.active().len();
    booked(&w, monday("10:00")).await;
    settled(&w).await;
    let asked = w.provider.count("busy");
    w.engine.availability.availability(&w.caller, ask()).await.unwrap();
    assert_eq!(w.provider.count("busy"), asked, "nobody is asked");
    assert_eq!(w.provider.active().len(), before, "and nothing is written");
    assert_eq!(w.engine.calendar_writer.begin_calendar_writes().await.unwrap(), 0, "nor behind");

    // Both ways again: what was left out is found.
    set(&w, connection.id, SyncRules::default()).await;
    assert!(w.engine.calendar_writer.begin_calendar_writes().await.unwrap() > 0);
    settled(&w).await;
    assert_eq!(w.provider.active().len(), before + 1);
    w.engine.availability.availability(&w.caller, ask()).await.unwrap();
    assert!(w.provider.count("busy") > asked);
}

#[tokio::test]
async fn what_is_booked_there_takes_no_time_without_busy_times() {
    let w = world().await;
    tell(&w, [external_booking("f1", monday("10:00"))]);
    synced(&w).await;
    assert!(!offered(&w).await.contains(&monday("10:00")));
    set(&w, w.connection.id, SyncRules { sync_availability: false, ..SyncRules::default() }).await;
    assert!(offered(&w).await.contains(&monday("10:00")), "free at once");
    synced(&w).await;
    assert!(offered(&w).await.contains(&monday("10:00")), "and stays so");
    set(&w, w.connection.id, SyncRules::default()).await;
    synced(&w).await;
    assert!(!offered(&w).await.contains(&monday("10:00")));
}

#[tokio::test]
async fn a_rule_is_for_a_side_of_this_connection() {
    let w = world().await;
    let wrong = several(&json!([{ "id": "a", "source_system": "moon" }]));
    let problem = w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, wrong).await.unwrap_err();
    assert_eq!((problem.code, problem.errors[0].field.as_str()), (Code::Invalid, "/rules/0/source_system"));
    assert!(problem.errors[0].message.contains(w.connection.plugin.as_str()), "{problem}");
}
