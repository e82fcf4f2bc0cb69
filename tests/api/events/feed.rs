//! The feed of events over HTTP: its order and its cursors.

use std::collections::BTreeSet;

use berth_model::events::EventKind;
use berth_tests::events::{FORGOTTEN_SECONDS, examples_are_described, is_described};
use serde_json::{Value, json};

use crate::{Api, booking, key, refused};

async fn placed(api: &Api) {
    api.world.engine.events.place_events().await.unwrap();
}

pub(crate) async fn feed(api: &Api, query: &str) -> Value {
    api.ok("GET", &format!("/api/events{query}"), Value::Null).await
}

pub(crate) fn kinds(feed: &Value) -> Vec<&str> {
    feed["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

/// A booking that was made, moved and cancelled.
pub(crate) async fn a_life(api: &Api, event_type: &Value, hour: u32) -> String {
    let made = booking(event_type, &format!("2026-11-24T{hour:02}:30:00Z"));
    let made = api.ok("POST", "/api/booking", made).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let to = json!({ "start": format!("2026-11-24T{hour:02}:00:00Z") });
    api.ok("POST", &format!("/api/booking/{id}/reschedule"), to).await;
    api.ok("POST", &format!("/api/booking/{id}/cancel"), json!({ "reason": "Ada is ill" })).await;
    id
}

#[tokio::test]
async fn what_happened_is_read_in_order() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let empty = feed(&api, "").await;
    assert_eq!(empty, json!({ "items": [], "next": 0, "epoch": 1, "has_more": false }));
    let id = a_life(&api, &event_type, 0).await;
    assert_eq!(feed(&api, "?after=0").await["items"], json!([]), "nothing has its place yet");
    placed(&api).await;
    let all = feed(&api, "?after=0&epoch=1").await;
    assert_eq!(kinds(&all), ["booking.created", "booking.rescheduled", "booking.cancelled"]);
    for (n, event) in all["items"].as_array().unwrap().iter().enumerate() {
        is_described(event);
        assert_eq!((&event["subject_id"], &event["position"]), (&json!(id), &json!(n + 1)));
        assert!(event["actor"].as_str().unwrap().starts_with("key:"), "{event}");
        assert_eq!(event["data"]["by"], "tenant");
    }
    assert!(!all.to_string().contains("Ada"), "{all}");
    let shown = api.ok("GET", &format!("/api/booking/{id}"), Value::Null).await;
    let last = &all["items"][2];
    assert_eq!(
        (&last["sequence"], &last["data"]["status"], &last["data"]["start"]),
        (&shown["sequence"], &shown["status"], &shown["start"])
    );

    let some = feed(&api, "?limit=2").await;
    assert_eq!(
        (some["items"].as_array().unwrap().len(), &some["next"], &some["has_more"]),
        (2, &json!(2), &json!(true))
    );
    let rest = feed(&api, "?limit=2&after=2").await;
    assert_eq!(
        (kinds(&rest), &rest["next"], &rest["has_more"]),
        (vec!["booking.cancelled"], &json!(3), &json!(false))
    );
    let wanted = feed(&api, "?kinds=booking.failed,booking.cancelled&limit=1").await;
    assert_eq!((kinds(&wanted), &wanted["next"]), (vec!["booking.cancelled"], &json!(3)));
    let none = feed(&api, "?kinds=booking.failed").await;
    assert_eq!(none, json!({ "items": [], "next": 3, "epoch": 1, "has_more": false }));
    assert_eq!(feed(&api, "?after=latest").await["next"], json!(3));
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    a_life(&api, &event_type, 0).await;
    placed(&api).await;
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, &["events:read"]).await;
    let read = api.send("GET", "/api/events", Some(&theirs), &[], Value::Null).await;
    assert_eq!(read.body["items"], json!([]));
    let weak = key(&api.world, other, &["bookings:read"]).await;
    for path in ["/api/events", "/api/events/kinds"] {
        refused(&api.send("GET", path, Some(&weak), &[], Value::Null).await, 403, "BERTH-E0403");
    }
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_is_refused_with_a_way_on() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    a_life(&api, &event_type, 0).await;
    placed(&api).await;
    let ask = async |query: &str| {
        api.send("GET", &format!("/api/events?{query}"), Some(&api.key), &[], Value::Null).await
    };
    for query in [
        "after=-1",
        "after=",
        "after=oldest",
        "after=99999999999999999999",
        "epoch=x",
        "limit=0",
        "limit=201",
        "wait=21",
        "wait=-1",
        "kinds=",
        "kinds=booking",
        "kinds=booking.created,booking.nothing",
        "cursor=3",
    ] {
        refused(&ask(query).await, 400, "BERTH-E0401");
    }
    refused(&ask("after=4").await, 422, "BERTH-E0542");
    refused(&ask("after=4&wait=20").await, 422, "BERTH-E0542");
    let anew = ask("after=2&epoch=7").await;
    refused(&anew, 410, "BERTH-E0540");
    assert_eq!((&anew.body["epoch"], &anew.body["latest"]), (&json!(1), &json!(3)));
    api.world.store.prune(api.world.engine.now().plus_seconds(FORGOTTEN_SECONDS)).await.unwrap();
    let old = ask("after=1").await;
    refused(&old, 410, "BERTH-E0541");
    assert_eq!(
        (&old.body["oldest"], old.body["hint"].as_str().unwrap().contains("latest")),
        (&json!(4), true)
    );
    assert_eq!(feed(&api, "").await["next"], json!(3), "who begins anew goes on");
    assert_eq!(feed(&api, "?after=3&epoch=1").await["items"], json!([]));
}

#[tokio::test]
async fn kinds_are_described_and_so_are_they_in_the_document() {
    examples_are_described();
    let api = Api::new().await;
    let listed = api.ok("GET", "/api/events/kinds", Value::Null).await;
    let names: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(names, EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    for kind in listed["items"].as_array().unwrap() {
        is_described(&kind["example"]);
        let data = jsonschema_of(&kind["data_schema"]);
        assert!(data.is_valid(&kind["example"]["data"]), "{kind}");
        assert!(!data.is_valid(&json!({})), "{kind}");
    }
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
    let event = &document["components"]["schemas"]["Event"];
    let of: BTreeSet<&str> =
        event["oneOf"].as_array().unwrap().iter().map(|of| of["$ref"].as_str().unwrap()).collect();
    assert_eq!(of.len(), names.len());
    for (name, reference) in event["discriminator"]["mapping"].as_object().unwrap() {
        let schema = document.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap();
        assert!(names.contains(&name.as_str()) && of.contains(reference.as_str().unwrap()), "{name}");
        is_described(&schema["example"]);
        assert_eq!(schema["properties"]["kind"]["enum"], json!([name]));
        assert!(schema["properties"]["data"]["required"].is_array(), "{schema}");
    }
}

fn jsonschema_of(schema: &Value) -> jsonschema::Validator {
    jsonschema::validator_for(schema).unwrap()
}
