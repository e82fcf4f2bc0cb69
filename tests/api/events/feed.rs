//! The feed of events over HTTP: its order, its cursors, its waiting.

use std::{collections::BTreeSet, sync::Arc};

use axum::http::StatusCode;
use berth_engine::NewTenant;
use berth_model::{events::EventKind, limits};
use berth_tests::events::{FORGOTTEN_SECONDS, examples_are_described, is_described};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use crate::{Answer, Api, booking, key};

async fn placed(api: &Api) {
    api.world.engine.place_events().await.unwrap();
}

async fn feed(api: &Api, query: &str) -> Value {
    api.ok("GET", &format!("/api/events{query}"), Value::Null).await
}

fn refused(answer: &Answer, status: u16, code: &str) {
    let found = (answer.status.as_u16(), answer.body["code"].as_str());
    assert_eq!(found, (status, Some(code)), "{}", answer.body);
}

fn kinds(feed: &Value) -> Vec<&str> {
    feed["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

/// A booking that was made, moved and cancelled.
async fn a_life(api: &Api, event_type: &Value, hour: u32) -> String {
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
    let other = NewTenant { slug: "other".into(), name: "Other".into() };
    let other = api.world.engine.create_tenant("t", "t", other).await.unwrap().id;
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

/// Places events as the server does, until it is dropped.
struct Placing(watch::Sender<bool>, JoinHandle<()>);

impl Placing {
    fn begin(api: &Api) -> Self {
        let (stop, stopping) = watch::channel(false);
        let engine = api.world.engine.clone();
        Self(stop, tokio::spawn(async move { engine.keep_placing_events(stopping).await }))
    }

    async fn end(self) {
        self.0.send_replace(true);
        self.1.await.unwrap();
    }
}

/// A request that waits for what happens from now on, as soon as there is room.
fn waiting(api: &Arc<Api>, key: &str) -> JoinHandle<Answer> {
    let (api, key) = (api.clone(), key.to_owned());
    tokio::spawn(async move {
        loop {
            let path = "/api/events?after=latest&wait=20";
            let answer = api.send("GET", path, Some(&key), &[], Value::Null).await;
            if answer.status != StatusCode::TOO_MANY_REQUESTS {
                return answer;
            }
        }
    })
}

/// As many as may wait do so: then one more is refused.
async fn full(api: &Api, key: &str) -> Answer {
    loop {
        let more = api.send("GET", "/api/events?after=latest&wait=1", Some(key), &[], Value::Null).await;
        if more.status != StatusCode::OK {
            return more;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_as_soon_as_something_happened() {
    let api = Arc::new(Api::new().await);
    let event_type = json!(api.world.offer(None, None).await.id);
    let placing = Placing::begin(&api);
    let all: Vec<_> = (0..limits::EVENT_WAITS_PER_TENANT_MAX).map(|_| waiting(&api, &api.key)).collect();
    let refusal = full(&api, &api.key).await;
    refused(&refusal, 429, "BERTH-E0543");
    assert_eq!(refusal.headers["retry-after"], "5");
    // Reading without waiting, and another tenant, have their room.
    assert_eq!(feed(&api, "?after=latest").await["items"], json!([]));
    let other = NewTenant { slug: "other".into(), name: "Other".into() };
    let other = api.world.engine.create_tenant("t", "t", other).await.unwrap().id;
    let theirs = key(&api.world, other, &["events:read"]).await;
    let quiet = api.send("GET", "/api/events?wait=1", Some(&theirs), &[], Value::Null).await;
    assert_eq!((quiet.status.as_u16(), &quiet.body["items"]), (200, &json!([])));

    let id = a_life(&api, &event_type, 0).await;
    for answer in all {
        let told = answer.await.unwrap();
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        assert_eq!(told.body["items"][0]["subject_id"], json!(id), "{}", told.body);
    }
    // What another process placed is found by looking.
    placing.end().await;
    let api =
        Arc::new(Api::over(berth_tests::World::new(4, berth_tests::TestClock::start(), &[]).await).await);
    let event_type = json!(api.world.offer(None, None).await.id);
    let all: Vec<_> = (0..limits::EVENT_WAITS_PER_TENANT_MAX).map(|_| waiting(&api, &api.key)).collect();
    full(&api, &api.key).await;
    a_life(&api, &event_type, 0).await;
    assert_eq!(api.world.store.place_events(api.world.caller.tenant).await.unwrap().count, 3);
    let placing = Placing::begin(&api);
    for answer in all {
        assert_eq!(kinds(&answer.await.unwrap().body).len(), 3);
    }
    placing.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_read_any_more_is_told_nothing_while_waiting() {
    let api = Arc::new(Api::new().await);
    let placing = Placing::begin(&api);
    let tenant = api.world.caller.tenant;
    let mine = key(&api.world, tenant, &["events:read"]).await;
    let all: Vec<_> = (0..limits::EVENT_WAITS_PER_TENANT_MAX).map(|_| waiting(&api, &mine)).collect();
    full(&api, &mine).await;
    let keys = api.ok("GET", "/api/sdk/auth", Value::Null).await;
    let revoked = keys["items"].as_array().unwrap().iter().find(|k| k["scopes"] == json!(["events:read"]));
    api.ok("DELETE", &format!("/api/sdk/auth/{}", revoked.unwrap()["id"].as_str().unwrap()), Value::Null)
        .await;
    for answer in all {
        refused(&answer.await.unwrap(), 401, "BERTH-E0402");
    }
    // The same for a tenant that is deleted, and its feed goes with it.
    let all: Vec<_> = (0..limits::EVENT_WAITS_PER_TENANT_MAX).map(|_| waiting(&api, &api.key)).collect();
    full(&api, &api.key).await;
    api.world.engine.delete_tenant("test", "test", tenant).await.unwrap();
    for answer in all {
        refused(&answer.await.unwrap(), 401, "BERTH-E0402");
    }
    placing.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_end_of_the_process_who_waits_is_answered() {
    let api = Arc::new(Api::new().await);
    let placing = Placing::begin(&api);
    let all: Vec<_> = (0..limits::EVENT_WAITS_PER_TENANT_MAX).map(|_| waiting(&api, &api.key)).collect();
    full(&api, &api.key).await;
    placing.end().await;
    for answer in all {
        let over = answer.await.unwrap();
        assert_eq!((over.status.as_u16(), &over.body["items"]), (200, &json!([])));
    }
}
