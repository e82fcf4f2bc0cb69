//! Subscriptions look after themselves.

use berth_model::{
    connections::connection::ConnectionRecord,
    outbound::provider::{CallError, ProviderError, WebhookEvent, WebhookOutcome},
};

use crate::{
    provider::{Fault, LOST},
    world::{World, new_connection, world},
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

pub(crate) async fn read(w: &World) -> ConnectionRecord {
    w.engine.connections.connection(&w.caller, w.connection.id).await.unwrap()
}

fn counts(w: &World) -> (usize, usize) {
    (w.provider.count("subscribe"), w.provider.count("renew"))
}

/// Time passes, and somebody looks.
pub(crate) async fn after(w: &World, seconds: i64) {
    w.clock.pass_seconds(seconds);
    w.engine.connections.keep_subscriptions().await.unwrap();
}

#[tokio::test]
async fn one_that_ends_is_renewed_well_before_and_not_sooner() {
    let w = world().await;
    w.provider.state().subscription = None;
    w.provider.state().subscription_ends = Some(w.engine.now().plus_seconds(7 * DAY));
    after(&w, 2 * DAY).await;
    let made = read(&w).await.subscription.unwrap();
    let before = counts(&w);
    after(&w, 2 * DAY).await;
    assert_eq!(counts(&w), before, "not yet");
    w.provider.state().subscription_ends = Some(w.engine.now().plus_seconds(7 * DAY));
    after(&w, 2 * DAY + 13 * HOUR).await;
    assert_eq!(counts(&w), (before.0, before.1 + 1));
    let renewed = read(&w).await.subscription.unwrap();
    assert!(renewed.id == made.id && renewed.expires_at > made.expires_at);
}

#[tokio::test]
async fn one_that_somebody_removed_is_made_anew() {
    let w = world().await;
    let first = read(&w).await.subscription.unwrap();
    after(&w, DAY + 1).await;
    assert_eq!(read(&w).await.subscription.unwrap(), first, "it is there: nothing changes");
    w.provider.state().subscription = None;
    after(&w, DAY + 1).await;
    let second = read(&w).await.subscription.unwrap();
    assert_ne!(second.id, first.id, "another key, another subscription");

    // One that ends and is not known any more.
    w.provider.state().subscription = None;
    w.provider.state().subscription_ends = Some(w.engine.now().plus_seconds(3 * DAY));
    after(&w, DAY + 1).await;
    w.provider.state().subscription = None;
    w.provider.state().subscription_ends = Some(w.engine.now().plus_seconds(6 * DAY));
    after(&w, 2 * DAY).await;
    assert_eq!(w.provider.count("renew"), 1);
    let third = read(&w).await.subscription.unwrap();
    assert!(third.expires_at > Some(w.engine.now().plus_seconds(3 * DAY)), "{third:?}");
}

#[tokio::test]
async fn one_that_cannot_be_made_is_tried_again_and_says_why() {
    let w = world().await;
    w.provider.next("subscribe", Fault::Before(LOST));
    let made = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    assert_eq!(
        (made.subscription.is_some(), made.subscription_detail.as_deref()),
        (false, Some("The provider does not answer."))
    );
    w.provider.next("subscribe", Fault::Before(CallError::Provider(ProviderError::Forbidden("no".into()))));
    after(&w, 61).await;
    after(&w, 61).await;
    let detail = w.engine.connections.connection(&w.caller, made.id).await.unwrap().subscription_detail;
    assert_eq!(detail.as_deref(), Some("The provider forbids it: no"), "the second wait is longer");
    after(&w, 61).await;
    let there = w.engine.connections.connection(&w.caller, made.id).await.unwrap();
    assert!(there.subscription.is_some() && there.subscription_detail.is_none());
}

#[tokio::test]
async fn one_that_the_provider_ends_is_followed_by_another() {
    let w = world().await;
    let first = read(&w).await.subscription.unwrap();
    let outcome = WebhookOutcome { events: vec![WebhookEvent::SubscriptionEnded], reply: None };
    w.provider.state().messages.insert(b"{}".to_vec(), Ok(outcome));
    w.provider.state().subscription = None;
    crate::webhooks::send_raw(&w, b"{}").await;
    w.later(0).await;
    assert!(read(&w).await.subscription.is_none());
    after(&w, 1).await;
    let second = read(&w).await.subscription.unwrap();
    assert_ne!(second.id, first.id);
}

#[tokio::test]
async fn replicas_do_not_look_after_the_same_one() {
    let w = world().await;
    w.provider.state().subscription = None;
    w.clock.pass_seconds(DAY + 1);
    let replica = w.replica();
    let (a, b) =
        tokio::join!(w.engine.connections.keep_subscriptions(), replica.connections.keep_subscriptions());
    assert_eq!(a.unwrap() + b.unwrap(), 1);
    assert_eq!(w.provider.count("subscribe"), 2);
}
