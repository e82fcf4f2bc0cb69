//! What waits, and what was given up.

use axum::http::StatusCode;
use berth_model::{
    jobs::kind::{JobKind, JobQueue},
    time::Clock as _,
};
use berth_store::records::{Claim, NewJob};
use serde_json::{Value, json};

use crate::{
    Api,
    fixtures::{connect, given_up, id},
};

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
