//! Readers of the feed that wait.

use std::sync::Arc;

use axum::http::StatusCode;
use berth_model::limits;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    Answer, Api,
    events::feed::{a_life, feed, kinds},
    key, refused,
};

/// Places events as the server does, until it is dropped.
struct Placing(watch::Sender<bool>, JoinHandle<()>);

impl Placing {
    fn begin(api: &Api) -> Self {
        let (stop, stopping) = watch::channel(false);
        let engine = api.world.engine.clone();
        Self(stop, tokio::spawn(async move { engine.events.keep_placing_events(stopping).await }))
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
    let other = api.other_tenant().await;
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
    api.world.engine.tenant_removal.delete_tenant("test", "test", tenant).await.unwrap();
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
