//! Credentials are rotated while messages come in and bookings are made: nothing is lost, nothing is refused.

use berth_engine::{ConnectionPatch, Outcome};
use berth_model::{
    bookings::booking::BookingStatus,
    connections::{
        connection::{ConnectionRecord, ConnectionStatus},
        secret::{Credentials, Secret},
    },
    limits,
    outbound::provider::{CallError, ProviderError, WebhookReply, WebhookRequest},
    problem::Code,
};

use crate::{
    provider::{Fault, LOST, Meanwhile},
    subscriptions::{after, read},
    webhooks::{secret, send_signed, signed_with},
    world::{World, monday, world},
};

const UNAUTHORISED: CallError = CallError::Provider(ProviderError::Unauthorised);
const DAY: i64 = limits::WEBHOOK_SECRET_OVERLAP_SECONDS;

fn given(name: &str, value: &str) -> ConnectionPatch {
    let credentials = Credentials::from([(name.to_owned(), Secret::new(value.to_owned()))]);
    ConnectionPatch { credentials: Some(credentials), ..ConnectionPatch::default() }
}

async fn patch(w: &World, name: &str, value: &str) -> Outcome<ConnectionRecord> {
    w.engine.connections.update_connection(&w.caller, w.connection.id, given(name, value), None).await
}

async fn rotate(w: &World, overlap_seconds: Option<i64>) -> Outcome<ConnectionRecord> {
    w.engine.connections.rotate_webhook_secret(&w.caller, w.connection.id, overlap_seconds, None).await
}

/// Is a message taken that is signed with this?
async fn is_accepted(w: &World, secret: &str) -> bool {
    match send_signed(w, b"{}", signed_with(secret, b"{}")).await {
        Ok(_) => true,
        Err(problem) => {
            assert_eq!(problem.code, Code::WebhookRefused);
            false
        }
    }
}

#[tokio::test]
async fn what_the_secret_before_signed_is_taken_for_a_day_and_then_refused() {
    let w = world().await;
    let old = secret(&w).await;
    let rotated = rotate(&w, None).await.unwrap();
    let new = secret(&w).await;
    assert_ne!(old, new);
    assert_eq!(rotated.credential_names, w.connection.credential_names);
    assert_eq!((is_accepted(&w, &old).await, is_accepted(&w, &new).await), (true, true));
    assert!(!is_accepted(&w, "guessed").await);
    w.clock.pass_seconds(DAY - 1);
    assert!(is_accepted(&w, &old).await);
    let still = w.engine.now();
    w.clock.pass_seconds(2);
    assert_eq!((is_accepted(&w, &old).await, is_accepted(&w, &new).await), (false, true));
    // And then nobody has it any more.
    let kept = || w.engine.store().webhook_credentials(w.tenant.id, w.connection.id, still);
    assert_eq!(kept().await.unwrap().len(), 2);
    w.engine.store().prune(w.engine.now()).await.unwrap();
    assert_eq!(kept().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_that_others_know_ends_at_once() {
    let w = world().await;
    let first = secret(&w).await;
    rotate(&w, None).await.unwrap();
    let second = secret(&w).await;
    rotate(&w, Some(0)).await.unwrap();
    assert_eq!((is_accepted(&w, &first).await, is_accepted(&w, &second).await), (false, false));
    assert!(is_accepted(&w, &secret(&w).await).await);
    for overlap in [-1, DAY + 1] {
        let refused = rotate(&w, Some(overlap)).await.unwrap_err();
        assert_eq!(refused.errors[0].field, "/overlap_seconds");
    }
}

#[tokio::test]
async fn a_given_secret_is_mended_while_the_one_before_counts() {
    let w = world().await;
    let old = secret(&w).await;
    let tried = w.provider.count("validate");
    for n in 1..=limits::OLD_WEBHOOK_SECRETS_MAX {
        patch(&w, "webhook-secret", &format!("typed_not_a_real_secret_{n}")).await.unwrap();
    }
    assert_eq!(w.provider.count("validate"), tried, "the provider cannot know it yet");
    assert!(is_accepted(&w, &old).await && is_accepted(&w, "typed_not_a_real_secret_1").await);
    let same = read(&w).await;
    let last = format!("typed_not_a_real_secret_{}", limits::OLD_WEBHOOK_SECRETS_MAX);
    let unchanged = patch(&w, "webhook-secret", &last).await.unwrap();
    assert_eq!(unchanged.webhook_address, same.webhook_address, "the same secret is no rotation");
    let full = patch(&w, "webhook-secret", "one_more").await.unwrap_err();
    assert_eq!((full.code, secret(&w).await), (Code::WrongState, last));
    w.clock.pass_seconds(DAY + 1);
    patch(&w, "webhook-secret", "one_more").await.unwrap();
}

#[tokio::test]
async fn a_handshake_knows_both_secrets() {
    let w = world().await;
    let old = secret(&w).await;
    rotate(&w, None).await.unwrap();
    let new = secret(&w).await;
    let ask = async |token: &str| -> Outcome<WebhookReply> {
        let request = WebhookRequest {
            method: "GET".into(),
            headers: Vec::new(),
            query: format!("v=1&challenge=abc&token={token}"),
            body: Vec::new(),
            received_at: w.engine.now(),
            subscription: None,
        };
        w.engine
            .inbound
            .receive_webhook(&"acme".parse().unwrap(), w.connection.id, request, None, "req")
            .await
    };
    assert_eq!(
        (ask(&old).await.unwrap().body, ask(&new).await.unwrap().body),
        (b"abc".into(), b"abc".into())
    );
    assert_eq!(ask("guessed").await.unwrap_err().code, Code::WebhookRefused);
}

#[tokio::test]
async fn the_provider_gets_the_new_secret_before_the_old_subscription_ends() {
    let w = world().await;
    let first = w.connection.subscription.clone().unwrap();
    let current = secret(&w).await;
    assert_eq!(w.provider.state().told[&first.id], current);
    let rotated = rotate(&w, None).await.unwrap();
    let second = rotated.subscription.unwrap();
    let current = secret(&w).await;
    assert_eq!(w.provider.state().told[&second.id], current);
    {
        let state = w.provider.state();
        let address = format!("https://booking.example/api/webhooks/acme/{}", w.connection.id);
        assert_eq!(state.subscribed, [address.clone(), format!("{address}?v=1")]);
        assert_eq!(state.unsubscribed, [first.id]);
        assert_eq!(state.calls[state.calls.len() - 2..], ["subscribe", "unsubscribe"], "no gap");
    }
    assert!(w.engine.store().old_subscriptions(w.tenant.id, w.connection.id).await.unwrap().is_empty());
    after(&w, DAY + 1).await;
    assert_eq!(read(&w).await.subscription.unwrap(), second, "later it is looked after at its own address");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_told_later() {
    let w = world().await;
    let (old, first) = (secret(&w).await, w.connection.subscription.clone().unwrap());
    w.provider.next("subscribe", Fault::Before(LOST));
    let rotated = rotate(&w, None).await.unwrap();
    assert_eq!(
        (rotated.subscription, rotated.subscription_detail.as_deref()),
        (None, Some("The provider does not answer."))
    );
    assert!(w.provider.state().unsubscribed.is_empty() && is_accepted(&w, &old).await, "the old one goes on");
    w.provider.next("unsubscribe", Fault::Before(LOST));
    after(&w, 61).await;
    let made = read(&w).await;
    let current = secret(&w).await;
    assert_eq!(w.provider.state().told[&made.subscription.clone().unwrap().id], current);
    assert!(made.subscription_detail.unwrap().starts_with("The subscription before was not ended"));
    // Another rotation before that has happened.
    rotate(&w, None).await.unwrap();
    let ended = vec![first.id, made.subscription.unwrap().id];
    assert_eq!(w.provider.state().unsubscribed, ended);
    assert!(read(&w).await.subscription_detail.is_none());
}

#[tokio::test]
async fn a_renewal_under_way_brings_no_old_secret_back() {
    let w = world().await;
    w.provider.state().subscription_ends = Some(w.engine.now().plus_seconds(2 * DAY));
    rotate(&w, None).await.unwrap();
    let first = read(&w).await.subscription.unwrap();
    w.provider.state().subscription_ends = Some(w.engine.now().plus_seconds(4 * DAY));
    let (engine, caller, id) = (w.engine.clone(), w.caller.clone(), w.connection.id);
    w.provider.next(
        "renew",
        Fault::Meanwhile(Box::new(move || {
            Box::pin(async move {
                drop(engine.connections.rotate_webhook_secret(&caller, id, None, None).await.unwrap());
            })
        })),
    );
    after(&w, DAY + DAY / 2 + 1).await;
    assert_eq!(w.provider.count("renew"), 1);
    let second = read(&w).await.subscription.unwrap();
    assert_ne!(second.id, first.id);
    let current = secret(&w).await;
    assert_eq!(w.provider.state().told[&second.id], current);
    // The one that was renewed too late is ended once more, and the new one stays.
    after(&w, limits::SUBSCRIPTION_LEASE_SECONDS + 1).await;
    assert_eq!(w.provider.state().unsubscribed[1..], [first.id.clone(), first.id]);
    assert_eq!(read(&w).await.subscription.unwrap().id, second.id);
}

#[tokio::test]
async fn a_connection_that_goes_takes_its_old_subscriptions_along() {
    let w = world().await;
    let made =
        w.engine.connections.create_connection(&w.caller, crate::world::new_connection()).await.unwrap();
    w.provider.next("unsubscribe", Fault::Before(LOST));
    let rotated = w.engine.connections.rotate_webhook_secret(&w.caller, made.id, None, None).await.unwrap();
    w.engine.connections.delete_connection(&w.caller, made.id, None).await.unwrap();
    let ended = [made.subscription.unwrap().id, rotated.subscription.unwrap().id];
    assert_eq!(w.provider.state().unsubscribed, ended);
}

/// The API key is rotated.
fn replace_key(w: &World, key: &'static str) -> Meanwhile {
    let (engine, caller, id) = (w.engine.clone(), w.caller.clone(), w.connection.id);
    Box::new(move || {
        Box::pin(async move {
            engine.connections.update_connection(&caller, id, given("api-key", key), None).await.unwrap();
        })
    })
}

#[tokio::test]
async fn a_booking_under_way_ends_with_the_key_it_began_with() {
    let w = world().await;
    w.provider.next("create", Fault::Meanwhile(replace_key(&w, "acme_next_made_up")));
    let first = w.booked(monday("10:00")).await;
    w.agrees(first.id).await;
    let second = w.booked(monday("10:30")).await;
    w.agrees(second.id).await;
    let keys = w.provider.state().keys.clone();
    let (old, new) = ("acme_test_not_a_real_key".to_owned(), "acme_next_made_up".to_owned());
    let of_calls = keys.iter().rev().take(3).rev().cloned().collect::<Vec<_>>();
    assert_eq!(of_calls, [old, new.clone(), new], "created, tried, created");
}

#[tokio::test]
async fn a_key_that_ended_too_early_refuses_no_booking() {
    let w = world().await;
    // Ended at the provider while the new one is given here.
    w.provider.next("create", Fault::RefusedMeanwhile(UNAUTHORISED, replace_key(&w, "acme_next_made_up")));
    let booking = w.booked(monday("10:00")).await;
    assert_eq!(w.provider.state().keys.last().unwrap(), "acme_next_made_up");
    assert_eq!(read(&w).await.status, ConnectionStatus::Healthy);
    w.agrees(booking.id).await;
    // Ended before: the booking waits for the new one.
    w.provider.next("create", Fault::Before(UNAUTHORISED));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:30"))).await.unwrap();
    assert!(outcome.pending && read(&w).await.status == ConnectionStatus::Unauthorised);
    patch(&w, "api-key", "acme_last_made_up").await.unwrap();
    w.later(i64::try_from(limits::JOB_BACKOFF_MS_MAX / 1_000).unwrap() + 1).await;
    assert_eq!(w.booking(outcome.booking.id).await.status, BookingStatus::Confirmed);
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn of_two_new_keys_at_once_one_is_refused() {
    let w = world().await;
    let replica = w.replica();
    let (caller, id) = (w.caller.clone(), w.connection.id);
    // Another replica gives one while the provider tries the first. It waits for no renewal: there are no tokens.
    let now = read(&w).await.revision;
    w.provider.next(
        "validate",
        Fault::Meanwhile(Box::new(move || {
            Box::pin(async move {
                let renamed = ConnectionPatch { name: Some("Other".into()), ..ConnectionPatch::default() };
                replica.connections.update_connection(&caller, id, renamed, None).await.unwrap();
            })
        })),
    );
    let stale = patch(&w, "api-key", "acme_next_made_up").await.unwrap_err();
    assert_eq!((stale.code, read(&w).await.revision), (Code::Changed, now + 1));
    let stored = w.engine.store().connection_credentials(w.tenant.id, id).await.unwrap();
    assert_eq!(stored["api-key"].expose(), "acme_test_not_a_real_key", "all or nothing");
}
