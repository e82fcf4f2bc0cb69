//! Whatever recovers wakes what it had stopped, and a provider that does not answer is left alone.

use berth_engine::{AvailabilityQuery, BookRequest, ConnectionPatch, ProviderChoice};
use berth_model::{
    connections::{
        breaker::BreakerState,
        connection::ConnectionStatus,
        secret::{Credentials, Secret},
    },
    id::BookingId,
    limits,
    outbound::provider::{CallError, ProviderError, QuerySpans, WebhookEvent},
    time::{Instant, Interval},
};
use berth_store::records::GrantRecord;

use crate::{
    oauth, plugins,
    provider::{Fault, LOST},
    webhooks,
    world::{World, grant, monday, world},
};

const UNAUTHORISED: CallError = CallError::Provider(ProviderError::Unauthorised);

/// An error after which a job waits for long.
fn lost_for_long() -> CallError {
    CallError::Provider(ProviderError::Unavailable { retry_after_ms: Some(600_000) })
}

/// A booking that this stopped: for a minute nothing happens.
async fn stopped_at(w: &World, start: Instant, error: CallError) -> BookingId {
    w.provider.next("create", Fault::Before(error));
    let outcome = w.engine.bookings.book(&w.caller, w.request(start)).await.unwrap();
    assert!(outcome.pending);
    assert_eq!(w.later(60).await, 0, "it waits");
    outcome.booking.id
}

async fn stopped(w: &World, error: CallError) -> BookingId {
    stopped_at(w, monday("10:00"), error).await
}

async fn goes_on(w: &World, booking: BookingId) {
    assert_eq!(w.later(0).await, 1, "it is due at once");
    w.agrees(booking).await;
}

fn other_key() -> ConnectionPatch {
    ConnectionPatch {
        credentials: Some(Credentials::from([("api-key".to_owned(), Secret::new("acme_test_new".into()))])),
        ..ConnectionPatch::default()
    }
}

async fn set_grant(w: &World, hosts: &[&str], enabled: bool) {
    let plugin = w.connection.plugin.clone();
    let granted = GrantRecord { plugin, tenant: None, listing: None, hosts: grant(hosts), enabled };
    w.engine.plugins.set_grant("operator", "req", granted).await.unwrap();
}

async fn health(w: &World) -> ConnectionStatus {
    w.engine.connections.connection_health(&w.caller, w.connection.id).await.unwrap().0.status
}

#[tokio::test]
async fn other_credentials_wake_what_the_old_ones_stopped() {
    let w = world().await;
    let booking = stopped(&w, UNAUTHORISED).await;
    // A new name mends nothing.
    let rename = ConnectionPatch { name: Some("Acme 2".into()), ..ConnectionPatch::default() };
    w.engine.connections.update_connection(&w.caller, w.connection.id, rename, None).await.unwrap();
    assert_eq!(w.later(0).await, 0);
    w.engine.connections.update_connection(&w.caller, w.connection.id, other_key(), None).await.unwrap();
    goes_on(&w, booking).await;
}

#[tokio::test]
async fn consent_wakes_what_waited_for_it() {
    let w = oauth::consenting().await;
    let connection = oauth::consented(&w).await;
    let other = stopped(&w, UNAUTHORISED).await;
    w.provider.next("create", Fault::Before(UNAUTHORISED));
    let provider = Some(ProviderChoice::Connection(connection.id));
    let request = BookRequest { provider, ..w.request(monday("11:00")) };
    let booking = w.engine.bookings.book(&w.caller, request).await.unwrap().booking;
    assert_eq!(w.later(60).await, 0);
    let started = w.engine.connections.restart_oauth(&w.caller, connection.id, None, None).await.unwrap();
    let answer = oauth::consent(&w, &started, "c2");
    w.provider.state().accepted = None;
    w.engine.connections.finish_oauth(answer, "req").await.result.unwrap();
    assert_eq!(w.later(0).await, 1, "that of the other connection waits on");
    assert_eq!(w.booking(booking.id).await.provider_task, None);
    assert!(w.booking(other).await.provider_task.is_some());
}

#[tokio::test]
async fn another_client_of_the_operator_wakes_what_the_old_one_stopped() {
    let w = world().await;
    let booking = stopped(&w, UNAUTHORISED).await;
    oauth::register(&w, "another_made_up_secret").await;
    goes_on(&w, booking).await;
}

#[tokio::test]
async fn a_person_who_finds_it_well_again_wakes_what_waits() {
    let w = world().await;
    let booking = stopped(&w, UNAUTHORISED).await;
    assert_eq!(health(&w).await, ConnectionStatus::Healthy);
    goes_on(&w, booking).await;
}

#[tokio::test]
async fn one_booking_that_is_accepted_wakes_the_others() {
    let w = world().await;
    let first = stopped(&w, UNAUTHORISED).await;
    let second = stopped_at(&w, monday("11:00"), UNAUTHORISED).await;
    let third = w.booked(monday("09:00")).await;
    assert_eq!(w.later(0).await, 2);
    for booking in [first, second, third.id] {
        w.agrees(booking).await;
    }
}

#[tokio::test]
async fn wider_grants_and_an_enabled_plugin_wake_what_waits() {
    let w = world().await;
    let booking = stopped(&w, lost_for_long()).await;
    set_grant(&w, &["api.acme.example", "files.acme.example"], true).await;
    goes_on(&w, booking).await;

    let booking = w.engine.bookings.book(&w.caller, w.request(monday("11:00"))).await.unwrap().booking.id;
    set_grant(&w, &["api.acme.example"], false).await;
    w.cancel(booking).await.unwrap();
    // It is tried again and again, each time later.
    for _ in 0..8 {
        w.later(300).await;
    }
    assert_eq!(w.later(60).await, 0);
    set_grant(&w, &["api.acme.example"], true).await;
    goes_on(&w, booking).await;
}

#[tokio::test]
async fn a_version_that_serves_from_now_on_wakes_what_waits() {
    let w = world().await;
    let booking = stopped(&w, lost_for_long()).await;
    let version = plugins::install(&w, "2.0.0", "\"api.acme.example\"").await;
    w.engine.plugins.activate_plugin("operator", "req", &version.digest).await.unwrap();
    goes_on(&w, booking).await;

    // Another replica activated it: this one finds it out.
    let booking = stopped_at(&w, monday("11:00"), lost_for_long()).await;
    let replica = w.replica();
    replica.plugins.load_active_plugins().await.unwrap();
    assert_eq!(w.later(0).await, 0, "that a process begins mends nothing");
    berth_model::plugins::plugin::PluginHost::deactivate(&*w.host, &version.plugin);
    w.engine.plugins.activate_plugin("operator", "req", &version.digest).await.unwrap();
    goes_on(&w, booking).await;
}

#[tokio::test]
async fn messages_and_synchronisations_are_woken_as_well() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let moved = w.provider.move_booking("x1", Interval::of_minutes(monday("11:00"), 30));
    w.provider.next("handle", Fault::Before(UNAUTHORISED));
    webhooks::send(&w, "m", WebhookEvent::Updated(moved)).await;
    w.provider.state().changes = Some(Vec::new());
    w.provider.next("list_changes", Fault::Before(UNAUTHORISED));
    w.engine.mirror.start_sync(&w.caller, w.connection.id, false).await.unwrap();
    assert_eq!(w.later(0).await, 2);
    assert_eq!(w.later(60).await, 0, "both wait");
    w.engine.connections.update_connection(&w.caller, w.connection.id, other_key(), None).await.unwrap();
    while w.later(0).await > 0 {}
    assert_eq!(webhooks::last(&w).await.0, "processed");
    assert_eq!(w.booking(booking.id).await.when.start(), monday("11:00"));
    assert_eq!(w.engine.mirror.sync_status(&w.caller, w.connection.id).await.unwrap().state.error, None);
}

/// The credentials are replaced while a call with the old ones is under way: its refusal says nothing of the new ones.
#[tokio::test]
async fn what_was_under_way_when_it_recovered_does_not_wait() {
    let w = world().await;
    let (engine, caller, id) = (w.engine.clone(), w.caller.clone(), w.connection.id);
    let meanwhile: crate::provider::Meanwhile = Box::new(move || {
        Box::pin(async move {
            engine.connections.update_connection(&caller, id, other_key(), None).await.unwrap();
        })
    });
    w.provider.next("handle", Fault::RefusedMeanwhile(UNAUTHORISED, meanwhile));
    webhooks::send_raw(&w, b"{}").await;
    assert_eq!(w.later(0).await, 1);
    assert_eq!(w.later(2).await, 1, "the usual backoff, not a quarter of an hour");
    assert_eq!(webhooks::last(&w).await.0, "ignored");
}

async fn fail(w: &World, times: u32) {
    for _ in 0..times {
        w.provider.next("validate", Fault::Before(LOST));
        assert_eq!(health(w).await, ConnectionStatus::Unavailable);
    }
}

#[tokio::test]
async fn a_breaker_that_closes_wakes_what_it_stopped() {
    let w = world().await;
    let booking = stopped(&w, lost_for_long()).await;
    // It was a failure; these are the others.
    fail(&w, limits::CONNECTION_FAILURES_MAX - 1).await;
    assert_eq!(w.engine.connections.connection_breaker(w.connection.id), BreakerState::Open);
    let asked = w.provider.count("validate");
    assert_eq!(health(&w).await, ConnectionStatus::Unavailable);
    assert_eq!(w.provider.count("validate"), asked, "nobody asks");
    assert_eq!(w.later(2).await, 0, "the booking waits");
    assert_eq!(w.engine.connections.connection_breaker(w.connection.id), BreakerState::HalfOpen);
    assert_eq!(health(&w).await, ConnectionStatus::Healthy);
    assert_eq!(w.engine.connections.connection_breaker(w.connection.id), BreakerState::Closed);
    goes_on(&w, booking).await;
}

#[tokio::test]
async fn a_plugin_that_is_let_through_again_wakes_what_its_breaker_stopped() {
    let w = world().await;
    let booking = stopped(&w, lost_for_long()).await;
    w.provider.next("validate", Fault::Before(CallError::BreakerOpen { retry_after_ms: 500 }));
    assert_eq!(health(&w).await, ConnectionStatus::Unavailable);
    assert_eq!(w.later(0).await, 0);
    assert_eq!(health(&w).await, ConnectionStatus::Healthy);
    goes_on(&w, booking).await;
}

/// The pure `spans` before each question to the provider reset the count of failures, so that no breaker ever opened for availability.
#[tokio::test]
async fn a_breaker_opens_for_availability() {
    let w = world().await;
    {
        let mut state = w.provider.state();
        state.spans = Some(QuerySpans { free_slots_days: 31, busy_days: 31 });
        state.capabilities.availability = true;
    }
    for n in 0..15 {
        w.provider.next("free_slots", Fault::Before(LOST));
        let query = AvailabilityQuery {
            event_type: w.event_type.id,
            within: Interval::new(monday("00:00"), monday("23:00").plus_seconds(60 * n)).unwrap(),
            time_zone: "Europe/Warsaw".parse().unwrap(),
            length_minutes: None,
            member: None,
            provider: None,
            explain: false,
        };
        let _ = w.engine.availability.availability(&w.caller, query).await;
    }
    let asked = u32::try_from(w.provider.count("free_slots")).unwrap();
    assert_eq!(asked, limits::CONNECTION_FAILURES_MAX, "then nobody asks");
    assert_eq!(w.engine.connections.connection_breaker(w.connection.id), BreakerState::Open);
}
