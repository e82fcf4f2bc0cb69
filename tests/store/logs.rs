//! Webhooks, calls, idempotency keys, and what becomes of old rows.

use berth_model::{
    id::ApiKeyId,
    inbound::message::WebhookStatus,
    limits,
    outbound::provider::{CallRecord, EgressRecord},
};
use berth_store::{
    StoreError,
    records::{FeedSubject, Idempotency, IdempotencyKey, InboundWebhook, KeptAnswer, NewBooking},
};

use crate::world::{Scene, World, minute, span};

fn message(world: &World, scene: &Scene, key: &str) -> InboundWebhook {
    InboundWebhook {
        id: world.id(),
        tenant: scene.tenant,
        connection: scene.connection,
        dedup_key: key.into(),
        method: "POST".into(),
        headers: vec![("x-signature".into(), "abc".into()), ("x-signature".into(), "def".into())],
        query: "a=1".into(),
        body: vec![0, 159, 146, 150],
        received_at: minute(0),
        status: WebhookStatus::Stored,
        detail: None,
    }
}

pub async fn webhooks_are_stored_once(world: &World) {
    let scene = world.scene("quay").await;
    let one = message(world, &scene, "m-1");
    let job = |key: &str| world.job(scene.tenant, key, minute(0));
    assert!(world.store.store_webhook(one.clone(), job("w1")).await.unwrap());
    assert!(!world.store.store_webhook(message(world, &scene, "m-1"), job("w2")).await.unwrap());
    assert_eq!(world.store.open_job_count().await.unwrap(), 1, "no job for the second");
    let two = message(world, &scene, "m-2");
    assert!(world.store.store_webhook(two.clone(), job("w3")).await.unwrap());
    assert_eq!(world.store.webhook(scene.tenant, one.id).await.unwrap(), one);
    assert!(matches!(world.store.webhook(world.id(), one.id).await, Err(StoreError::NotFound("webhook"))));
    world.store.end_webhook(scene.tenant, one.id, WebhookStatus::Failed, Some("moved".into())).await.unwrap();
    let foreign = world.store.end_webhook(world.id(), one.id, WebhookStatus::Ignored, None).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("webhook"))));
    let ended = InboundWebhook { status: WebhookStatus::Failed, detail: Some("moved".into()), ..one };
    let list = world.store.list_webhooks(scene.tenant, scene.connection, None, 9).await.unwrap();
    assert_eq!(list, [two, ended], "the latest first");
    let mut orphan = message(world, &scene, "m-3");
    orphan.connection = world.id();
    let orphan = world.store.store_webhook(orphan, job("w4")).await;
    assert!(matches!(orphan, Err(StoreError::NotFound("connection"))), "{orphan:?}");
}

fn call(world: &World, scene: &Scene, operation: &'static str) -> CallRecord {
    CallRecord {
        call: world.id(),
        tenant: scene.tenant,
        listing: None,
        connection: scene.connection,
        plugin: "tide".parse().unwrap(),
        digest: "0123456789ab".into(),
        operation,
        started_at: minute(0),
        elapsed_ms: 12,
        outcome: "ok",
        error: None,
        said: None,
        request_id: "req-1".into(),
        egress: vec![EgressRecord {
            method: "GET".into(),
            host: "api.example.com".into(),
            path: "/v1/{}".into(),
            status: Some(200),
            outcome: "ok".into(),
            hint: None,
            elapsed_ms: 10,
            bytes_out: 1,
            bytes_in: 2,
        }],
    }
}

pub async fn calls_are_listed(world: &World) {
    let scene = world.scene("quay").await;
    let calls = vec![call(world, &scene, "bookings.create"), call(world, &scene, "bookings.get")];
    world.store.insert_calls(calls.clone()).await.unwrap();
    world.store.insert_calls(calls).await.unwrap();
    world.store.insert_calls(Vec::new()).await.unwrap();
    let listed = world.store.list_calls(scene.tenant, scene.connection, 9).await.unwrap();
    assert_eq!(listed.len(), 2, "the same call is written once");
    assert_eq!(listed[0]["operation"], "bookings.get", "the latest first");
    assert_eq!((&listed[0]["egress"][0]["status"], &listed[0]["elapsed_ms"]), (&200.into(), &12.into()));
    assert_eq!(listed[0]["started_at"], "2026-11-20T12:00:00Z");
    assert!(world.store.list_calls(world.id(), scene.connection, 9).await.unwrap().is_empty());
    let many: Vec<_> = (0..=limits::INSERT_ROWS_MAX).map(|_| call(world, &scene, "bookings.get")).collect();
    world.store.insert_calls(many).await.unwrap();
}

pub async fn idempotency_keys_answer_once(world: &World) {
    let store = &world.store;
    let holder: ApiKeyId = world.id();
    let of = |key: &str| IdempotencyKey { tenant: None, holder, key: key.to_owned() };
    let begin = async |key: &str, print: u8, at: i64| {
        store.begin_idempotent(&of(key), [print; 32], minute(at)).await.unwrap()
    };
    assert_eq!(begin("k", 1, 0).await, Idempotency::New);
    assert_eq!(begin("k", 1, 0).await, Idempotency::InFlight);
    assert_eq!(begin("k", 2, 0).await, Idempotency::Mismatch);
    let others = IdempotencyKey { tenant: None, holder: world.id(), ..of("k") };
    let other = store.begin_idempotent(&others, [1; 32], minute(0)).await.unwrap();
    assert_eq!(other, Idempotency::New, "another API key has keys of its own");
    let answer = KeptAnswer::Whole {
        status: 201,
        content_type: "application/json".into(),
        location: Some("/x".into()),
        body: b"{}\n\0{}".to_vec(),
    };
    let rights = vec!["bookings:write".to_owned()];
    let of_another = store.complete_idempotent(&of("k"), [2; 32], rights.clone(), &answer).await;
    assert!(matches!(of_another, Err(StoreError::NotFound(_))), "not the request that reserved it");
    store.complete_idempotent(&of("k"), [1; 32], rights.clone(), &answer).await.unwrap();
    let replay = Idempotency::Done { rights, answer };
    assert_eq!(begin("k", 1, 5).await, replay);
    assert_eq!(begin("k", 2, 5).await, Idempotency::Mismatch);
    store.release_idempotent(&of("k"), minute(0)).await.unwrap();
    assert_eq!(begin("k", 1, 5).await, replay, "an answered key stays");
    assert_eq!(begin("k", 3, 24 * 60).await, Idempotency::New, "a day later it is free");

    assert_eq!(begin("r", 1, 0).await, Idempotency::New);
    store.release_idempotent(&of("r"), minute(0)).await.unwrap();
    assert_eq!(begin("r", 2, 0).await, Idempotency::New, "released");
    assert_eq!(begin("r", 3, 1).await, Idempotency::Mismatch, "another request does not inherit it");
    assert_eq!(begin("r", 2, 1).await, Idempotency::New, "its holder died");
    let gone = KeptAnswer::Gone { status: 201, made: Some("x-1".into()), instead: "Rotate it.".into() };
    store.complete_idempotent(&of("r"), [2; 32], Vec::new(), &gone).await.unwrap();
    assert_eq!(begin("r", 2, 2).await, Idempotency::Done { rights: Vec::new(), answer: gone.clone() });
    let unknown = store.complete_idempotent(&of("none"), [1; 32], Vec::new(), &gone).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    assert_eq!(store.idempotency_keys_of(None, holder, 9).await.unwrap(), 2);
    assert_eq!(store.idempotency_keys_of(None, holder, 1).await.unwrap(), 1, "counted no further than asked");
}

pub async fn a_key_knows_what_was_made_under_it(world: &World) {
    let scene = world.scene("quay").await;
    let store = &world.store;
    let key = IdempotencyKey { tenant: None, holder: world.id(), key: "k".into() };
    let begin = async |at: i64| store.begin_idempotent(&key, [1; 32], minute(at)).await.unwrap();
    let under = |when| NewBooking { idempotency_key: Some(key.clone()), ..world.booking(&scene, when) };

    let early = store.create_booking(under(span(60, 90)), world.audit()).await;
    assert!(matches!(early, Err(StoreError::Duplicate(_))), "the key is not reserved: {early:?}");
    assert!(world.taken(&scene).await.is_empty(), "nothing half-done");
    assert_eq!(begin(0).await, Idempotency::New);
    assert_eq!(store.booking_of_key(&key).await.unwrap(), None);
    let made = under(span(60, 90));
    store.create_booking(made.clone(), world.audit()).await.unwrap();
    assert_eq!(store.booking_of_key(&key).await.unwrap(), Some(made.booking.id));
    let second = store.create_booking(under(span(120, 150)), world.audit()).await;
    assert!(matches!(second, Err(StoreError::Duplicate(_))), "{second:?}");

    // The process dies here: the next holder of the key inherits what was made.
    assert_eq!(begin(0).await, Idempotency::InFlight);
    assert_eq!(begin(1).await, Idempotency::New);
    assert_eq!(store.booking_of_key(&key).await.unwrap(), Some(made.booking.id));
    store.release_idempotent(&key, minute(1)).await.unwrap();
    assert_eq!(begin(1).await, Idempotency::New, "released: free at once");
    assert_eq!(store.booking_of_key(&key).await.unwrap(), Some(made.booking.id), "and not forgotten");
    assert_eq!(begin(24 * 60 + 1).await, Idempotency::New);
    assert_eq!(store.booking_of_key(&key).await.unwrap(), None, "another day, another request");
}

pub async fn old_rows_are_pruned(world: &World) {
    let scene = world.scene("quay").await;
    let store = &world.store;
    store.insert_calls(vec![call(world, &scene, "bookings.get")]).await.unwrap();
    let (done, open) = (message(world, &scene, "m-1"), message(world, &scene, "m-2"));
    for message in [&done, &open] {
        store
            .store_webhook(message.clone(), world.job(scene.tenant, &message.dedup_key, minute(0)))
            .await
            .unwrap();
    }
    store.end_webhook(scene.tenant, done.id, WebhookStatus::Processed, None).await.unwrap();
    store
        .begin_idempotent(
            &IdempotencyKey { tenant: None, holder: world.id(), key: "k".into() },
            [1; 32],
            minute(0),
        )
        .await
        .unwrap();
    assert_eq!(store.prune(minute(1)).await.unwrap(), 0, "nothing is old");
    assert_eq!(store.prune(minute(0).plus_seconds(limits::IDEMPOTENCY_SECONDS)).await.unwrap(), 1);
    assert_eq!(store.prune(minute(0).plus_seconds(limits::CALLS_KEPT_SECONDS)).await.unwrap(), 1);
    assert!(store.list_calls(scene.tenant, scene.connection, 9).await.unwrap().is_empty());
    assert_eq!(store.prune(minute(0).plus_seconds(limits::WEBHOOKS_KEPT_SECONDS)).await.unwrap(), 1);
    assert_eq!(
        store.list_webhooks(scene.tenant, scene.connection, None, 9).await.unwrap(),
        [open],
        "not processed yet"
    );
}

pub async fn a_feed_has_one_token(world: &World) {
    let (scene, other) = (world.scene("quay").await, world.scene("other").await);
    let (ada, pier) = (FeedSubject::Member(scene.member), FeedSubject::Listing(scene.listing));
    let store = &world.store;
    store.set_feed(scene.tenant, ada, [1; 32], world.audit()).await.unwrap();
    store.set_feed(scene.tenant, pier, [2; 32], world.audit()).await.unwrap();
    assert_eq!(store.feed([1; 32]).await.unwrap(), Some((scene.tenant, ada)));
    store.set_feed(scene.tenant, ada, [3; 32], world.audit()).await.unwrap();
    assert_eq!(store.feed([1; 32]).await.unwrap(), None, "the old token opens nothing");
    assert_eq!(store.feed([3; 32]).await.unwrap(), Some((scene.tenant, ada)));
    let theirs = store.remove_feed(other.tenant, pier, world.audit()).await;
    assert!(matches!(theirs, Err(StoreError::NotFound("feed"))), "{theirs:?}");
    store.remove_feed(scene.tenant, pier, world.audit()).await.unwrap();
    assert_eq!(store.feed([2; 32]).await.unwrap(), None);
    let entries = store.timeline(scene.tenant, "feed", scene.listing.uuid()).await.unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["feed.made", "feed.removed"]);
}
