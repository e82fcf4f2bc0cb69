//! Google Calendar through the engine: the real component in its sandbox against the simulator, from consent to a calendar that a person
//! works in.

use std::collections::BTreeMap;

use berth_engine::{
    AvailabilityQuery, BookOutcome, BookRequest, CancelBooking, NewCalendar, NewConnection, NewOAuthClient,
    OAuthAnswer, ProviderChoice, RescheduleBooking,
};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::event_type::EventTypeRecord,
    connections::{
        connection::ConnectionStatus,
        secret::{Credentials, Secret},
    },
    id::{BookingId, ConnectionId},
    mirror::sync::{ConflictKind, SyncRules},
    outbound::provider::WebhookRequest,
    plugins::manifest::PluginId,
    problem::{Code, Problem},
    time::{Clock, Instant, Interval},
    zone::Zone,
};
use berth_simulators::{faults::Fault, google};
use berth_tests::{TestClock, World, component};
use serde_json::json;

const PLUGIN: &str = "google-calendar";
const CALENDAR: &str = "primary";
const INSERT: &str = "POST /calendar/v3/calendars/primary/events";

struct Scene {
    world: World,
    google: google::Simulator,
    connection: ConnectionId,
    event_type: EventTypeRecord,
}

fn plugin() -> PluginId {
    PLUGIN.parse().unwrap()
}

fn at(clock: &str) -> Instant {
    format!("2026-11-24T{clock}:00Z").parse().unwrap()
}

/// A world with the component, and a simulator on its clock.
async fn world(seed: u64) -> (World, google::Simulator) {
    let clock = TestClock::start();
    let shown = clock.clone();
    let config = google::Config {
        seed,
        clock: std::sync::Arc::new(move || shown.now().micros()),
        ..google::Config::default()
    };
    let google = google::Simulator::start(config).await.unwrap();
    let world = World::new(seed, clock, &[google.url().trim_start_matches("http://")]).await;
    world.install(component(PLUGIN)).await;
    (world, google)
}

fn new_connection(google: &google::Simulator, token: Option<&str>) -> NewConnection {
    let credentials = token.map(|token| ("oauth".to_owned(), Secret::new(token.to_owned())));
    NewConnection {
        plugin: plugin(),
        name: "Eve's calendar".to_owned(),
        listing: None,
        settings: json!({ "base_url": google.api_url() }),
        credentials: credentials.into_iter().collect::<Credentials>(),
        granted_hosts: None,
        webhook_sources: None,
    }
}

/// The same, connected with a ready access token.
async fn scene(seed: u64) -> Scene {
    let (world, google) = world(seed).await;
    let new = new_connection(&google, Some(&google::Config::default().access_token));
    let connection = world.engine.connections.create_connection(&world.caller, new).await.unwrap().id;
    let event_type = world.offer(Some(connection), Some(CALENDAR)).await;
    Scene { world, google, connection, event_type }
}

impl Scene {
    fn request(&self, clock: &str) -> BookRequest {
        berth_tests::request(self.event_type.id, at(clock))
    }

    async fn book(&self, clock: &str) -> Result<BookOutcome, Problem> {
        self.world.engine.bookings.book(&self.world.caller, self.request(clock)).await
    }

    async fn booked(&self, clock: &str) -> Booking {
        let outcome = self.book(clock).await.unwrap();
        assert!(!outcome.pending, "{outcome:?}");
        outcome.booking
    }

    async fn booking(&self, id: BookingId) -> Booking {
        self.world.engine.bookings.booking(&self.world.caller, id).await.unwrap()
    }

    /// The one event of a booking that takes place.
    fn event(&self, id: BookingId) -> google::Event {
        let mut events = self.google.active_by_reference(&id.to_string());
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    async fn work(&self, seconds: i64) {
        self.world.clock.advance_ms(seconds * 1_000);
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
    }

    async fn receive(&self, delivery: google::Delivery) -> Result<(), Problem> {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: delivery.headers,
            query: String::new(),
            body: delivery.body,
            received_at: self.world.clock.now(),
            subscription: None,
        };
        self.world
            .engine
            .inbound
            .receive_webhook(&plugin(), self.connection, request, None, "pushed")
            .await
            .map(drop)
    }

    /// Every push that waits arrives, and is worked on. How many there were.
    async fn pushed(&self) -> usize {
        let deliveries = self.google.take_deliveries();
        let count = deliveries.len();
        for delivery in deliveries {
            self.receive(delivery).await.unwrap();
        }
        self.work(1).await;
        count
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_an_event_and_follows_it() {
    let s = scene(1).await;
    let booking = s.booked("10:00").await;
    let event = s.event(booking.id);
    assert_eq!((event.start, event.end), (at("10:00").micros(), at("10:30").micros()));
    assert_eq!(event.resource["summary"], "Booking: Ada Nowak");
    assert_eq!(event.resource["attendees"][0]["email"], "ada@example.com");
    assert!(s.pushed().await > 1, "the first message of the channel, and one for our own event");
    assert_eq!(s.booking(booking.id).await.when, booking.when, "our own change changes nothing");

    let id = event.id().to_owned();
    s.google.move_event(CALENDAR, &id, at("12:00").micros()).unwrap();
    s.pushed().await;
    assert_eq!(s.booking(booking.id).await.when.start(), at("12:00"));

    let to = RescheduleBooking { start: at("15:00"), expected_sequence: None, bound_by_cutoffs: false };
    s.world.engine.bookings.reschedule(&s.world.caller, booking.id, to).await.unwrap();
    assert_eq!((s.event(booking.id).id(), s.event(booking.id).start), (id.as_str(), at("15:00").micros()));
    s.pushed().await;

    s.google.delete_event(CALENDAR, &id).unwrap();
    s.pushed().await;
    assert_eq!(s.booking(booking.id).await.status, BookingStatus::Cancelled);

    let second = s.booked("15:00").await;
    s.world.engine.bookings.cancel(&s.world.caller, second.id, CancelBooking::default()).await.unwrap();
    assert!(s.google.active_by_reference(&second.id.to_string()).is_empty());
    assert_eq!(s.booking(second.id).await.status, BookingStatus::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_needs_the_token_of_its_channel() {
    let s = scene(2).await;
    assert_eq!(s.google.channels().len(), 1);
    s.google.add_event(CALENDAR, at("10:00").micros(), 30, "Dentist").unwrap();
    let push = s.google.take_deliveries().pop().unwrap();
    let with = |value: Option<&str>| {
        let mut push = push.clone();
        push.headers.retain(|(name, _)| name != "x-goog-channel-token");
        push.headers.extend(value.map(|value| ("x-goog-channel-token".to_owned(), value.to_owned())));
        push
    };
    for forged in [with(None), with(Some("")), with(Some("made-up-channel-token"))] {
        assert_eq!(s.receive(forged).await.unwrap_err().code, Code::WebhookRefused);
    }
    s.receive(push).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_enters_is_not_booked_over() {
    let s = scene(3).await;
    s.google.add_event(CALENDAR, at("14:00").micros(), 60, "Dentist").unwrap();
    assert_eq!(s.book("14:30").await.unwrap_err().code, Code::SlotTaken);
    let free = s.google.add_event(CALENDAR, at("16:00").micros(), 60, "Reminder").unwrap();
    s.google.make_transparent(CALENDAR, &free).unwrap();
    s.booked("16:00").await;
    s.pushed().await;
    let all =
        s.world.engine.mirror.list_conflicts(&s.world.caller, s.connection, None, true, 10).await.unwrap();
    assert!(all.is_empty(), "what a person enters is nobody's to resolve: {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_one_event() {
    let s = scene(4).await;
    s.google.script(INSERT, Fault::DropAfter);
    let outcome = s.book("10:00").await.unwrap();
    assert!(outcome.pending, "nobody knows yet");
    s.work(600).await;
    assert_eq!(s.booking(outcome.booking.id).await.status, BookingStatus::Confirmed);
    s.event(outcome.booking.id);

    s.google.script("DELETE", Fault::DropAfter);
    s.world
        .engine
        .bookings
        .cancel(&s.world.caller, outcome.booking.id, CancelBooking::default())
        .await
        .unwrap();
    s.work(600).await;
    let booking = s.booking(outcome.booking.id).await;
    assert_eq!((booking.status, booking.provider_task), (BookingStatus::Cancelled, None));
    assert!(s.google.active_by_reference(&booking.id.to_string()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_when_the_sync_token_is_too_old() {
    let s = scene(5).await;
    let (gone, moved) = (s.booked("10:00").await, s.booked("11:00").await);
    s.pushed().await;
    s.google.delete_event(CALENDAR, s.event(gone.id).id()).unwrap();
    s.google.move_event(CALENDAR, s.event(moved.id).id(), at("13:00").micros()).unwrap();
    s.google.expire_sync_tokens();
    s.pushed().await;
    assert_eq!(s.booking(gone.id).await.status, BookingStatus::Cancelled);
    assert_eq!(s.booking(moved.id).await.when.start(), at("13:00"));
}

/// The person opens the address at which Google asks for consent, says yes, and is sent back.
async fn consent(url: &url::Url) -> OAuthAnswer {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(url.clone()).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let back: BTreeMap<String, String> =
        url::Url::parse(location).unwrap().query_pairs().into_owned().collect();
    OAuthAnswer { state: back["state"].clone(), code: Some(back["code"].clone()), ..OAuthAnswer::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_consents_and_the_token_renews_itself_until_the_consent_ends() {
    let (world, google) = world(6).await;
    let registered = google::OAuthClient::default();
    let endpoint = |name: &str, path: &str| (name.to_owned(), format!("{}{path}", google.url()));
    let client = NewOAuthClient {
        client_id: registered.id,
        client_secret: Some(Secret::new(registered.secret)),
        endpoints: BTreeMap::from([
            endpoint("authorize", "/o/oauth2/v2/auth"),
            endpoint("token", "/token"),
            endpoint("revoke", "/revoke"),
        ]),
        return_addresses: Vec::new(),
    };
    world.engine.connections.set_oauth_client("operator", "test", &plugin(), "oauth", client).await.unwrap();
    let started = world
        .engine
        .connections
        .start_oauth(&world.caller, None, new_connection(&google, None), None)
        .await
        .unwrap();
    let asked: BTreeMap<String, String> = started.url.query_pairs().into_owned().collect();
    assert_eq!((asked["access_type"].as_str(), asked["prompt"].as_str()), ("offline", "consent"));
    let connection =
        world.engine.connections.finish_oauth(consent(&started.url).await, "test").await.result.unwrap();
    assert_eq!(connection.account["id"], "eve@example.com");
    let event_type = world.offer(Some(connection.id), Some(CALENDAR)).await;
    let s = Scene { world, google, connection: connection.id, event_type };
    s.booked("10:00").await;

    s.google.expire_access_tokens();
    s.world.clock.advance_ms(60_000);
    s.booked("11:00").await;
    s.world.clock.advance_ms(3_600_000);
    s.booked("12:00").await;

    s.google.revoke_consent();
    s.world.clock.advance_ms(3_600_000);
    let outcome = s.book("13:00").await.unwrap();
    s.work(1).await;
    assert!(outcome.pending && s.google.active_by_reference(&outcome.booking.id.to_string()).is_empty());
    let connection = s.world.engine.connections.connection(&s.world.caller, s.connection).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Unauthorised);

    // The person consents again, and what waited is written.
    let again =
        s.world.engine.connections.restart_oauth(&s.world.caller, s.connection, None, None).await.unwrap();
    s.world.engine.connections.finish_oauth(consent(&again.url).await, "test").await.result.unwrap();
    s.work(6 * 3_600).await;
    s.event(outcome.booking.id);
}

/// What takes time does so whether it is asked for or followed: the calendar's own days, and nothing that was declined or is shown as free.
#[tokio::test(flavor = "multi_thread")]
async fn what_people_enter_takes_the_same_time_on_both_paths() {
    let scene = scene(12).await;
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let rules = SyncRules { member: Some(scene.event_type.members[0]), ..SyncRules::default() };
    engine.mirror.set_sync_rules(caller, scene.connection, rules).await.unwrap();
    let add = |clock: &str| scene.google.add_event(CALENDAR, at(clock).micros(), 60, "x").unwrap();
    let edit = |id: &str, fields| scene.google.edit_event(CALENDAR, id, &fields).unwrap();
    let day_off = add("05:00");
    edit(&day_off, json!({ "start": { "date": "2026-11-26" }, "end": { "date": "2026-11-27" } }));
    let maybe = add("10:00");
    edit(&maybe, json!({ "status": "tentative" }));
    let declined = add("12:00");
    edit(
        &declined,
        json!({ "attendees": [{ "email": "eve@example.com", "self": true, "responseStatus": "declined" }] }),
    );
    let free = add("14:00");
    edit(&free, json!({ "transparency": "transparent" }));
    engine.mirror.start_sync(caller, scene.connection, true).await.unwrap();
    scene.work(0).await;
    // The calendar is in Warsaw, an hour ahead.
    for provider in [Some(ProviderChoice::BuiltIn), None] {
        let query = AvailabilityQuery {
            event_type: scene.event_type.id,
            within: Interval::new(at("08:00"), "2026-11-27T08:00:00Z".parse().unwrap()).unwrap(),
            time_zone: Zone::UTC,
            length_minutes: None,
            member: None,
            provider: provider.clone(),
            explain: false,
        };
        let offered = engine.availability.availability(caller, query).await.unwrap().slots;
        let open = |time: &str| offered.iter().any(|slot| slot.when.start() == time.parse().unwrap());
        let of_day =
            ["09:00", "10:00", "12:00", "14:00"].map(|clock| open(&format!("2026-11-24T{clock}:00Z")));
        assert_eq!(of_day, [true, false, true, true], "{provider:?}");
        let edges =
            ["2026-11-25T22:30:00Z", "2026-11-25T23:00:00Z", "2026-11-26T22:30:00Z", "2026-11-26T23:00:00Z"];
        assert_eq!(edges.map(open), [true, false, false, true], "{provider:?}");
    }
}

/// Calendars of members: checked when they are connected, and an event over a booking is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_members_calendar_is_checked_and_watched() {
    // Google joins what touches: an event may begin in the middle of the meeting, or before it.
    for over in ["10:15", "09:45"] {
        checked_and_watched(over).await;
    }
}

async fn checked_and_watched(over: &str) {
    let scene = scene(9).await;
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let member = scene.event_type.members[0];
    let new = |calendar: &str, writes| NewCalendar {
        member,
        connection: scene.connection,
        calendar: calendar.to_owned(),
        reads: true,
        writes,
    };
    let refused =
        engine.calendars.create_calendar(caller, new("nobody@example.com", false)).await.unwrap_err();
    assert_eq!(refused.errors[0].field, "/calendar", "{refused:?}");
    let refused =
        engine.calendars.create_calendar(caller, new("nobody@example.com", true)).await.unwrap_err();
    assert_eq!(refused.errors[0].field, "/calendar", "{refused:?}");
    let calendar = engine.calendars.create_calendar(caller, new(CALENDAR, true)).await.unwrap();
    assert_eq!(calendar.trouble, None);

    // Booked with Berth alone, and written into the calendar; then something is entered right beside it, and over it.
    let mut here = scene.request("10:00");
    here.provider = Some(ProviderChoice::BuiltIn);
    let booking = engine.bookings.book(caller, here).await.unwrap().booking;
    scene.work(0).await;
    scene.event(booking.id);
    let conflicts = async || {
        engine.mirror.start_sync(caller, scene.connection, false).await.unwrap();
        scene.work(0).await;
        // With the next turn: what was read changed something.
        engine.calendars.begin_calendar_looks().await.unwrap();
        scene.work(0).await;
        engine.mirror.list_conflicts(caller, scene.connection, None, false, 9).await.unwrap()
    };
    scene.google.add_event(CALENDAR, at("10:30").micros(), 30, "Beside").unwrap();
    assert_eq!(conflicts().await, []);
    scene.google.add_event(CALENDAR, at(over).micros(), 30, "Over").unwrap();
    let found = conflicts().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind, found[0].booking), (ConflictKind::TimeOverlap, Some(booking.id)));
}
