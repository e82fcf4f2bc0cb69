//! The Outlook provider end to end: real engine, store, sandbox and HTTP route of webhooks, and a simulated Microsoft Graph that asks
//! the receiver for an answer before it subscribes.

#[path = "outlook/consent.rs"]
mod consent;
#[path = "outlook/reading.rs"]
mod reading;
#[path = "outlook/storm.rs"]
mod storm;

use std::sync::Arc;

use berth_engine::{BookOutcome, CancelBooking, EventTypePatch, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::event_type::{EventTypePolicy, EventTypeRecord},
    id::{BookingId, ConnectionId},
    problem::{Code, Problem},
    time::{Clock, Instant},
};
use berth_simulators::{faults::Fault, outlook};
use berth_tests::{Means, TestClock, World, component, http_stub::HttpStub};
use serde_json::json;

const HOUR_MICROS: i64 = 3_600_000_000;

struct Scene {
    world: World,
    simulator: outlook::Simulator,
    connection: ConnectionId,
    event_type: EventTypeRecord,
    receiver: HttpStub,
}

/// A tenant that is connected to an Outlook account, reachable for it.
async fn connected() -> Scene {
    connected_by_chance(1).await
}

async fn connected_by_chance(seed: u64) -> Scene {
    let (world, simulator, receiver) = installed(seed).await;
    let token = outlook::Config::default().access_token;
    let settings = json!({ "base_url": simulator.url() });
    let connection = world.connect_with("outlook", settings, "oauth", &token).await;
    let event_type = world.offer(Some(connection), Some("default")).await;
    Scene { world, simulator, connection, event_type, receiver }
}

/// A tenant with the component, a simulator on its clock, and the address under which the simulator reaches it.
async fn installed(seed: u64) -> (World, outlook::Simulator, HttpStub) {
    let receiver = HttpStub::build().await;
    let clock = TestClock::start();
    let shown = clock.clone();
    let client = outlook::Client {
        redirect_uris: vec![format!("{}/api/oauth/callback", receiver.url())],
        ..outlook::Client::default()
    };
    let clock_shown: berth_simulators::Clock = Arc::new(move || shown.now().micros());
    let config = outlook::Config { seed, client, clock: clock_shown, ..outlook::Config::default() };
    let simulator = outlook::Simulator::start(config).await.unwrap();
    let means = Means { public_url: Some(receiver.url()), ..Means::default() };
    let insecure = simulator.url();
    let world = World::with(seed, clock, &[insecure.trim_start_matches("http://")], means).await;
    receiver.open(&world);
    world.install(component("outlook")).await;
    (world, simulator, receiver)
}

impl Scene {
    /// The beginning of this hour tomorrow.
    fn tomorrow(&self, hour: i64) -> Instant {
        let day = 24 * HOUR_MICROS;
        Instant::from_micros((self.world.clock.now().micros().div_euclid(day) + 1) * day + hour * HOUR_MICROS)
    }

    async fn book(&self, start: Instant) -> BookOutcome {
        self.try_to_book(start).await.unwrap()
    }

    async fn try_to_book(&self, start: Instant) -> Result<BookOutcome, Problem> {
        let request = berth_tests::request(self.event_type.id, start);
        self.world.engine.bookings.book(&self.world.caller, request).await
    }

    async fn booking(&self, id: BookingId) -> Booking {
        self.world.store.booking(self.world.caller.tenant, id).await.unwrap()
    }

    /// Time passes, and everything that is due is done.
    async fn settle(&self) {
        for _ in 0..10 {
            self.world.clock.advance_ms(60_000);
            while self.world.engine.jobs.run_due_jobs(64).await.unwrap() > 0 {}
        }
    }

    /// The notifications that wait, sent and acted on. Their statuses.
    async fn notify(&self, edit: impl Fn(String) -> String) -> Vec<u16> {
        let statuses = self.deliver(edit).await;
        self.settle().await;
        statuses
    }

    /// The notifications that wait, sent to where they were ordered; changed by `edit`. Their statuses.
    async fn deliver(&self, edit: impl Fn(String) -> String) -> Vec<u16> {
        let mut statuses = Vec::new();
        for delivery in self.simulator.take_deliveries() {
            assert!(delivery.url.starts_with(&self.receiver.url()));
            let mut request = reqwest::Client::new().post(&delivery.url);
            for (name, value) in &delivery.headers {
                request = request.header(name, value);
            }
            let body = edit(String::from_utf8(delivery.body).unwrap());
            statuses.push(request.body(body).send().await.unwrap().status().as_u16());
        }
        statuses
    }
}

#[tokio::test]
async fn a_booking_lives_in_the_calendar() {
    let scene = connected().await;
    let (world, simulator) = (&scene.world, &scene.simulator);
    let subscriptions = simulator.subscriptions();
    assert_eq!(subscriptions.len(), 1, "the handshake went through the receiver");
    let known = world
        .engine
        .connections
        .connection(&world.caller, scene.connection)
        .await
        .unwrap()
        .subscription
        .unwrap();
    assert_eq!((known.id.as_str(), known.expires_at.is_some()), (subscriptions[0].id.as_str(), true));

    let booking = scene.book(scene.tomorrow(9)).await.booking;
    assert_eq!(booking.status, BookingStatus::Confirmed);
    let events = simulator.events_by_reference(&booking.id.to_string());
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].start, events[0].end - events[0].start),
        (scene.tomorrow(9).micros(), HOUR_MICROS / 2)
    );
    assert_eq!(events[0].attendees[0]["emailAddress"]["address"], "ada@example.com");

    let reschedule =
        RescheduleBooking { start: scene.tomorrow(11), expected_sequence: None, bound_by_cutoffs: false };
    let moved =
        world.engine.bookings.reschedule(&world.caller, booking.id, reschedule).await.unwrap().booking;
    assert_eq!((moved.when.start(), moved.external_id.as_ref()), (scene.tomorrow(11), Some(&events[0].id)));
    assert_eq!(simulator.events()[0].start, scene.tomorrow(11).micros());

    // Our own changes come back, and change nothing.
    assert_eq!(scene.notify(|body| body).await, [200, 200]);
    let same = scene.booking(booking.id).await;
    assert_eq!(
        (same.status, same.when, same.sequence),
        (BookingStatus::Confirmed, moved.when, moved.sequence)
    );

    world.engine.bookings.cancel(&world.caller, booking.id, CancelBooking::default()).await.unwrap();
    assert!(simulator.events().is_empty());
    assert!(
        simulator.requests().iter().any(|r| r.path.ends_with("/cancel") && r.status == 202),
        "Ada is told"
    );
}

#[tokio::test]
async fn a_booking_follows_what_people_do_in_outlook() {
    let scene = connected().await;
    let booking = scene.book(scene.tomorrow(9)).await.booking;
    let id = booking.external_id.clone().unwrap();
    scene.notify(|body| body).await;

    assert!(scene.simulator.move_event(&id, scene.tomorrow(14).micros()));
    // Somebody who does not know the client state is not heard.
    let secret = scene.simulator.subscriptions()[0].client_state.clone().unwrap();
    assert!(scene.simulator.move_event(&id, scene.tomorrow(15).micros()));
    assert_eq!(scene.notify(|body| body.replace(&secret, "guessed")).await, [401, 401]);
    assert_eq!(scene.booking(booking.id).await.when.start(), scene.tomorrow(9));

    assert!(scene.simulator.move_event(&id, scene.tomorrow(16).micros()));
    assert_eq!(scene.notify(|body| body).await, [200]);
    assert_eq!(scene.booking(booking.id).await.when.start(), scene.tomorrow(16));

    let log = scene
        .world
        .engine
        .inbound
        .list_webhooks(&scene.world.caller, scene.connection, None, 10)
        .await
        .unwrap();
    assert!(!log.is_empty());
    for message in log {
        assert!(!String::from_utf8_lossy(&message.body).contains(&secret), "what is kept proves nothing");
    }

    assert!(scene.simulator.delete_event(&id));
    assert_eq!(scene.notify(|body| body).await, [200]);
    assert_eq!(scene.booking(booking.id).await.status, BookingStatus::Cancelled);
}

#[tokio::test]
async fn an_event_of_another_calendar_is_found_again() {
    let (world, simulator, receiver) = installed(7).await;
    let workshops = simulator.calendars()[1].id.clone();
    let settings = json!({ "base_url": simulator.url(), "calendars": [workshops] });
    let token = outlook::Config::default().access_token;
    let connection = world.connect_with("outlook", settings, "oauth", &token).await;
    let event_type = world.offer(Some(connection), Some(&workshops)).await;
    let scene = Scene { world, simulator, connection, event_type, receiver };
    // It was made and nobody heard of it; then the booking is cancelled.
    scene.simulator.script("POST /v1.0/me/calendars", Fault::DropAfter);
    let outcome = scene.book(scene.tomorrow(9)).await;
    assert!(outcome.pending && scene.simulator.events().len() == 1);
    let engine = &scene.world.engine;
    engine.bookings.cancel(&scene.world.caller, outcome.booking.id, CancelBooking::default()).await.unwrap();
    scene.settle().await;
    assert_eq!(scene.booking(outcome.booking.id).await.status, BookingStatus::Cancelled);
    assert!(scene.simulator.events().is_empty(), "it would stand in the calendar for ever");
}

#[tokio::test]
async fn nothing_is_missed_where_notifications_are() {
    let scene = connected().await;
    let (moved, deleted) =
        (scene.book(scene.tomorrow(9)).await.booking, scene.book(scene.tomorrow(11)).await.booking);
    let missed = async || {
        // What was sent until now never arrives; Graph says so.
        scene.simulator.take_deliveries();
        scene.simulator.lifecycle("missed");
        assert_eq!(scene.notify(|body| body).await, [200]);
    };
    missed().await;
    assert!(scene.simulator.move_event(moved.external_id.as_ref().unwrap(), scene.tomorrow(15).micros()));
    assert!(scene.simulator.delete_event(deleted.external_id.as_ref().unwrap()));
    missed().await;
    assert_eq!(scene.booking(moved.id).await.when.start(), scene.tomorrow(15));
    assert_eq!(scene.booking(deleted.id).await.status, BookingStatus::Cancelled);
    // Where the delta begins is forgotten: it is begun anew.
    scene.simulator.forget_sync_states();
    assert!(scene.simulator.move_event(moved.external_id.as_ref().unwrap(), scene.tomorrow(17).micros()));
    missed().await;
    assert_eq!(scene.booking(moved.id).await.when.start(), scene.tomorrow(17));
}

#[tokio::test]
async fn events_of_our_own_are_not_in_the_way() {
    let scene = connected().await;
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let policy = EventTypePolicy { seats: 2, ..EventTypePolicy::default() };
    let patch = EventTypePatch {
        slot_interval_minutes: Some(Some(15)),
        policy: Some(policy),
        ..EventTypePatch::default()
    };
    engine.catalog.update_event_type(caller, scene.event_type.id, patch, None).await.unwrap();
    // Two share a session, each with an event in the calendar, and there is no third seat.
    let (first, second) = (scene.book(scene.tomorrow(9)).await, scene.book(scene.tomorrow(9)).await);
    assert!(!first.pending && !second.pending);
    assert_eq!(scene.simulator.events().len(), 2);
    assert_eq!(scene.try_to_book(scene.tomorrow(9)).await.unwrap_err().code, Code::SlotTaken);
    // One that begins when another ends moves a little; their events touch.
    let half_past = scene.tomorrow(10).plus_seconds(1_800);
    scene.book(scene.tomorrow(10)).await;
    let late = scene.book(half_past).await.booking;
    let start = half_past.plus_seconds(900);
    let reschedule = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
    let moved = engine.bookings.reschedule(caller, late.id, reschedule).await.unwrap().booking;
    assert_eq!(moved.when.start(), start);
    // Somebody else's event is.
    let own = scene.simulator.calendars()[0].id.clone();
    let at = scene.tomorrow(12).micros();
    scene.simulator.add_event(&own, "Lunch", at, at + HOUR_MICROS).unwrap();
    scene.notify(|body| body).await;
    assert_eq!(scene.try_to_book(scene.tomorrow(12)).await.unwrap_err().code, Code::SlotTaken);
}

#[tokio::test]
async fn the_subscription_looks_after_itself() {
    let scene = connected().await;
    let (engine, simulator) = (&scene.world.engine, &scene.simulator);
    let first = simulator.subscriptions().remove(0);
    assert_eq!(
        first.expires_at - scene.world.clock.now().micros(),
        4_200 * 60_000_000,
        "within what Graph allows"
    );
    // Renewed before it ends, under the same id.
    scene.world.clock.advance_ms(69 * 3_600_000);
    engine.connections.keep_subscriptions().await.unwrap();
    let renewed = simulator.subscriptions().remove(0);
    assert_eq!(renewed.id, first.id);
    assert!(renewed.expires_at > first.expires_at);
    // Graph wants to be told that we still want it: prolonged.
    simulator.lifecycle("reauthorizationRequired");
    scene.world.clock.advance_ms(60_000);
    assert_eq!(scene.notify(|body| body).await, [200]);
    engine.connections.keep_subscriptions().await.unwrap();
    let again = simulator.subscriptions().remove(0);
    assert!(again.id == first.id && again.expires_at > renewed.expires_at);
    // Graph removed it: another one, after another handshake.
    simulator.lifecycle("subscriptionRemoved");
    assert!(simulator.subscriptions().is_empty());
    assert_eq!(scene.notify(|body| body).await, [200]);
    engine.connections.keep_subscriptions().await.unwrap();
    let made = simulator.subscriptions();
    assert!(made.len() == 1 && made[0].id != first.id);
}

#[tokio::test]
async fn a_lost_answer_makes_one_event() {
    let scene = connected().await;
    for (hour, fault) in
        [(9, Fault::DropAfter), (11, Fault::Truncated), (13, Fault::DropBefore), (15, Fault::ServerError)]
    {
        scene.simulator.script("POST /v1.0/me/events", fault);
        let outcome = scene.book(scene.tomorrow(hour)).await;
        assert!(outcome.pending, "{fault:?}: nobody knows what happened");
        scene.settle().await;
        let booking = scene.booking(outcome.booking.id).await;
        assert_eq!(booking.status, BookingStatus::Confirmed, "{fault:?}");
        let events = scene.simulator.events_by_reference(&booking.id.to_string());
        assert_eq!(events.len(), 1, "{fault:?}");
        assert_eq!(booking.external_id.as_ref(), Some(&events[0].id), "{fault:?}");
    }
    // A cancellation whose answer is lost, and one after which the event is gone already.
    let booking = scene.book(scene.tomorrow(17)).await.booking;
    scene.simulator.script("/cancel", Fault::DropAfter);
    let engine = &scene.world.engine;
    engine.bookings.cancel(&scene.world.caller, booking.id, CancelBooking::default()).await.unwrap();
    scene.settle().await;
    let cancelled = scene.booking(booking.id).await;
    assert_eq!((cancelled.status, cancelled.provider_task), (BookingStatus::Cancelled, None));
    assert!(scene.simulator.events_by_reference(&booking.id.to_string()).is_empty());
}
