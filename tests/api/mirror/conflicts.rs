//! What a tenant's administrator does about one provider concerns no other.

use axum::http::StatusCode;
use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionState, ConnectionStatus},
    id::{AuditEntryId, ConnectionId, Id},
    jobs::kind::{JobKind, JobQueue},
    mirror::sync::{Conflict, ConflictKind},
    time::Clock as _,
};
use berth_store::records::{Audit, Claim, JobEnd, NewJob, Opened};
use serde_json::{Value, json};

use crate::{Api, App, router};

fn id<T>(api: &Api) -> Id<T> {
    Id::new(api.world.clock.now(), &*api.world.random)
}

fn audit(api: &Api) -> Audit {
    let at = api.world.clock.now();
    let id = AuditEntryId::new(at, &*api.world.random);
    Audit { id, at, actor: "test".to_owned(), request_id: "test".to_owned() }
}

pub(crate) async fn connect(api: &Api, plugin: &str) -> ConnectionId {
    let at = api.world.clock.now();
    let connection = ConnectionRecord {
        id: id(api),
        tenant: api.world.caller.tenant,
        listing: None,
        plugin: plugin.parse().unwrap(),
        name: plugin.to_owned(),
        settings: json!({}),
        granted_hosts: None,
        state: ConnectionState::Active,
        status: ConnectionStatus::Healthy,
        status_detail: None,
        account: Value::Null,
        subscription: None,
        subscription_detail: None,
        webhook_sources: None,
        credential_names: Vec::new(),
        webhook_address: 0,
        revision: 1,
        created_at: at,
        updated_at: at,
    };
    let made = connection.id;
    api.world.store.create_connection(connection, Default::default(), audit(api)).await.unwrap();
    made
}

async fn conflict(api: &Api, connection: ConnectionId) -> String {
    let conflict = Conflict {
        id: id(api),
        tenant: api.world.caller.tenant,
        connection,
        booking: None,
        external_id: Some("x1".to_owned()),
        own_twin: false,
        kind: ConflictKind::TimeOverlap,
        ours: Value::Null,
        theirs: Value::Null,
        resolved: false,
        resolution: None,
        resolved_by: None,
        detected_at: api.world.clock.now(),
        resolved_at: None,
        findings: 1,
    };
    match api.world.store.open_conflict(conflict, None, audit(api)).await.unwrap() {
        Opened::New(id) => id.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A job that was given up.
async fn given_up(api: &Api, connection: ConnectionId) -> String {
    let (store, now) = (&api.world.store, api.world.clock.now());
    let job = NewJob {
        id: id(api),
        tenant: api.world.caller.tenant,
        kind: JobKind::SyncConnection,
        payload: json!({ "connection": connection }),
        due_at: now,
        dedup_key: "sync".to_owned(),
        leased_until: None,
    };
    store.enqueue_job(job).await.unwrap();
    let held = store
        .claim_jobs(now, now.plus_seconds(60), Claim::any(JobQueue::Outbound, 1))
        .await
        .unwrap()
        .remove(0);
    store
        .end_job(held.tenant, held.id, held.attempt, JobEnd::Dead { error: "lost".to_owned() })
        .await
        .unwrap();
    held.id.to_string()
}

#[tokio::test]
async fn conflicts_and_operations_of_another_provider_are_not_found() {
    let api = Api::new().await;
    let (acme, _tide) = (connect(&api, "acme").await, connect(&api, "tide").await);
    let (conflict, job) = (conflict(&api, acme).await, given_up(&api, acme).await);
    let post = async |path: String, body: Value| {
        let answer = api.send("POST", &path, Some(&api.key), &[], body).await;
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    let ignored = json!({ "resolution": "ignored" });
    let not_found = (StatusCode::NOT_FOUND, "BERTH-E0404".to_owned());
    let resolve = |provider: &str| format!("/api/admin/{provider}/conflicts/{conflict}/resolve");
    let revert = |provider: &str| format!("/api/admin/{provider}/conflicts/{conflict}/revert");
    let requeue = |provider: &str| format!("/api/admin/{provider}/operations/{job}/requeue");
    for provider in ["tide", "nobody"] {
        assert_eq!(post(resolve(provider), ignored.clone()).await, not_found, "{provider}");
        assert_eq!(post(revert(provider), Value::Null).await, not_found, "{provider}");
        assert_eq!(post(requeue(provider), Value::Null).await, not_found, "{provider}");
    }
    assert_eq!(post(resolve("acme"), ignored).await.0, StatusCode::OK);
    assert_eq!(post(revert("acme"), Value::Null).await.0, StatusCode::CONFLICT, "nothing was changed");
    assert_eq!(post(requeue("acme"), Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(post(requeue("acme"), Value::Null).await, not_found, "it is given up no more");
}

#[tokio::test]
async fn what_waits_and_what_was_given_up_is_shown_page_by_page() {
    let api = Api::new().await;
    let (acme, tide) = (connect(&api, "acme").await, connect(&api, "tide").await);
    let dead = given_up(&api, acme).await;
    for (n, connection) in [acme, acme, tide, acme].into_iter().enumerate() {
        let job = NewJob {
            id: id(&api),
            tenant: api.world.caller.tenant,
            kind: JobKind::ProcessWebhooks,
            payload: json!({ "connection": connection }),
            due_at: api.world.clock.now().plus_seconds(i64::try_from(n).unwrap() * 100),
            dedup_key: format!("key {n}"),
            leased_until: None,
        };
        api.world.store.enqueue_job(job).await.unwrap();
    }
    let now = api.world.clock.now();
    api.world
        .store
        .claim_jobs(now, now.plus_seconds(3_600), Claim::any(JobQueue::Bookings, 1))
        .await
        .unwrap();
    let states = async |query: &str| {
        let page = api.ok("GET", &format!("/api/admin/acme/operations{query}"), Value::Null).await;
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut all = states("").await;
    all.sort_unstable();
    assert_eq!(all, ["dead_letter", "running", "waiting", "waiting"]);
    assert_eq!(states("?state=dead_letter").await, ["dead_letter"]);
    assert_eq!(states("?state=waiting").await.len(), 2);
    assert_eq!(states("?state=running").await.len(), 1);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.ok("GET", &format!("/api/admin/acme/operations?limit=1{cursor}"), Value::Null).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 4);
    assert!(seen.contains(&dead) && seen.iter().collect::<std::collections::HashSet<_>>().len() == 4);
    let bad =
        api.send("GET", "/api/admin/acme/operations?state=gone", Some(&api.key), &[], Value::Null).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(bad.body["detail"].as_str().unwrap().contains("dead_letter"), "{}", bad.body);
}

#[tokio::test]
async fn readiness_names_what_fails_until_it_holds() {
    let api = Api::new().await;
    let readiness = berth_server::Readiness::default();
    let app = App::new(api.world.engine.clone(), api.world.random.clone(), 100, Vec::new());
    let router = router(app.with_readiness(readiness.clone()));
    let api = Api { router, ..api };
    let asked = async || {
        let answer = api.send("GET", "/readyz", None, &[], Value::Null).await;
        (answer.status, answer.body["ready"].clone(), answer.body["failing"].clone())
    };
    assert_eq!(asked().await, (StatusCode::OK, json!(true), json!({})));
    readiness.fails("task jobs-bookings", "3 times in a row: it panicked");
    let failing = json!({ "task jobs-bookings": "3 times in a row: it panicked" });
    assert_eq!(asked().await, (StatusCode::SERVICE_UNAVAILABLE, json!(false), failing));
    readiness.holds("task jobs-bookings");
    assert_eq!(asked().await.0, StatusCode::OK);
}
