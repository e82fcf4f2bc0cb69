//! Booksy through the engine: the real component in its sandbox against the simulator, with tokens by client credentials and the
//! messages that it sends.

#[path = "booksy/storm.rs"]
mod storm;

use std::sync::Arc;

use berth_engine::{
    AvailabilityQuery, BookOutcome, BookRequest, CancelBooking, NewConnection, Outcome, RescheduleBooking,
};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::event_type::EventTypeRecord,
    connections::secret::{Credentials, Secret},
    id::{ConnectionId, ProviderCallId},
    outbound::provider::{Asked, CallContext, PageRequest, Providers, WebhookReply, WebhookRequest},
    problem::Code,
    time::{Clock, Instant, Interval},
    zone::Zone,
};
use berth_simulators::{
    booksy::{self, Status},
    faults::Fault,
    front::Delivery,
    hours::Hours,
};
use berth_tests::{TestClock, World, component};
use serde_json::json;

/// The business's own API key and secret, as it types them.
const CLIENT: &str = "booksy_test_client:booksy_test_not_a_real_secret";
/// Retries of a job lie closer than this.
const LATER_MS: i64 = 3_600_000;

struct Salon {
    world: World,
    simulator: booksy::Simulator,
    connection: ConnectionId,
    event_type: EventTypeRecord,
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

impl Salon {
    /// A salon that is connected, and open round the clock at both ends. One member of staff is booked.
    async fn connected(seed: u64) -> Self {
        Self::offering(seed, "svc_2").await
    }

    async fn offering(seed: u64, service: &str) -> Self {
        let clock = TestClock::start();
        let same = Arc::clone(&clock);
        let simulator = booksy::Simulator::start(booksy::Config {
            seed,
            clock: Arc::new(move || same.now().micros()),
            hours: Hours { time_zone: chrono_tz::UTC, opens_minute: 0, closes_minute: 1_440, weekends: true },
            ..booksy::Config::default()
        })
        .await
        .unwrap();
        let url = simulator.url();
        let world = World::new(seed, clock, &[url.trim_start_matches("http://")]).await;
        world.install(component("booksy")).await;
        let settings = json!({ "base_url": url, "business_id": "biz_1", "staff_id": "stf_1" });
        let connection = world.connect_with("booksy", settings, "client", CLIENT).await;
        let event_type = world.offer(Some(connection), Some(service)).await;
        Self { world, simulator, connection, event_type }
    }

    async fn book(&self, start: &str) -> Outcome<BookOutcome> {
        let request = BookRequest {
            notes: Some("first visit".to_owned()),
            ..berth_tests::request(self.event_type.id, at(start))
        };
        self.world.engine.bookings.book(&self.world.caller, request).await
    }

    async fn booked(&self, start: &str) -> Booking {
        let outcome = self.book(start).await.unwrap();
        assert!(!outcome.pending && outcome.booking.status == BookingStatus::Confirmed, "{outcome:?}");
        outcome.booking
    }

    async fn now(&self, booking: &Booking) -> Booking {
        self.world.engine.bookings.booking(&self.world.caller, booking.id).await.unwrap()
    }

    /// The booking at the salon.
    fn counterpart(&self, booking: &Booking) -> booksy::Booking {
        let reference = format!("berth:{}", booking.id);
        let mut counterparts = self.simulator.bookings();
        counterparts.retain(|counterpart| counterpart.external_ref.as_ref() == Some(&reference));
        assert_eq!(counterparts.len(), 1, "exactly one: {counterparts:?}");
        counterparts.remove(0)
    }

    async fn jobs(&self) {
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
    }

    async fn receive(&self, delivery: &Delivery) -> Outcome<WebhookReply> {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: delivery.headers.clone(),
            query: String::new(),
            body: delivery.body.clone(),
            received_at: self.world.clock.now(),
            subscription: None,
        };
        let plugin = "booksy".parse().unwrap();
        self.world.engine.inbound.receive_webhook(&plugin, self.connection, request, None, "test").await
    }

    /// Hand over what the salon has to say, and let the engine act on it. How many messages.
    async fn hear(&self) -> usize {
        let deliveries = self.simulator.take_deliveries();
        for delivery in &deliveries {
            self.receive(delivery).await.unwrap();
            self.jobs().await;
        }
        deliveries.len()
    }

    fn token_requests(&self) -> usize {
        self.simulator.requests().iter().filter(|line| line.path == "/oauth/token").count()
    }
}

#[tokio::test]
async fn a_booking_is_made_moved_and_cancelled() {
    let salon = Salon::connected(1).await;
    let account = salon
        .world
        .engine
        .connections
        .connection(&salon.world.caller, salon.connection)
        .await
        .unwrap()
        .account;
    assert_eq!(account["name"], "Salon Ada");
    let booking = salon.booked("2026-11-24T09:00:00Z").await;
    let counterpart = salon.counterpart(&booking);
    assert_eq!(
        (counterpart.start, counterpart.status),
        (at("2026-11-24T09:00:00Z").micros(), Status::Confirmed)
    );
    assert_eq!((counterpart.staff.as_str(), counterpart.notes.as_str()), ("stf_1", "first visit"));
    let client = salon.simulator.clients().into_iter().find(|c| c.id == counterpart.client).unwrap();
    assert_eq!((client.first_name.as_deref(), client.last_name.as_deref()), (Some("Ada"), Some("Nowak")));

    let taken = salon.book("2026-11-24T09:00:00Z").await.unwrap_err();
    assert_eq!(taken.code, Code::SlotTaken);

    let to = RescheduleBooking {
        start: at("2026-11-25T10:00:00Z"),
        expected_sequence: None,
        bound_by_cutoffs: false,
    };
    let engine = &salon.world.engine;
    let moved = engine.bookings.reschedule(&salon.world.caller, booking.id, to).await.unwrap();
    assert_eq!((moved.pending, moved.booking.when.start()), (false, at("2026-11-25T10:00:00Z")));
    let counterpart = salon.counterpart(&booking);
    assert_eq!((counterpart.start, counterpart.version), (at("2026-11-25T10:00:00Z").micros(), 2));

    let cancel = CancelBooking { reason: Some("ill".to_owned()), ..CancelBooking::default() };
    let over = engine.bookings.cancel(&salon.world.caller, booking.id, cancel).await.unwrap();
    assert_eq!((over.pending, over.booking.status), (false, BookingStatus::Cancelled));
    let cancellation = salon.counterpart(&booking).cancellation.unwrap();
    assert_eq!((cancellation.by.as_str(), cancellation.reason.as_str()), ("platform", "ill"));

    // Our own changes come back as messages, and change nothing.
    assert!(salon.hear().await > 0);
    assert_eq!(salon.now(&booking).await.sequence, over.booking.sequence);
}

#[tokio::test]
async fn a_token_that_ends_is_followed_by_another() {
    let salon = Salon::connected(2).await;
    assert_eq!(salon.token_requests(), 1);
    salon.booked("2026-11-24T09:00:00Z").await;
    assert_eq!(salon.token_requests(), 1, "one for an hour");
    salon.world.clock.advance_ms(2 * 3_600_000);
    salon.booked("2026-11-24T10:00:00Z").await;
    assert_eq!(salon.token_requests(), 2);
    let refused = salon.simulator.requests().into_iter().filter(|line| line.status == 401).count();
    assert_eq!(refused, 0, "it was renewed before its end");
}

#[tokio::test]
async fn what_happens_at_the_desk_happens_here() {
    let salon = Salon::connected(3).await;
    let booking = salon.booked("2026-11-24T09:00:00Z").await;
    salon.hear().await;
    let id = salon.counterpart(&booking).id;

    salon.simulator.move_out_of_band(&id, at("2026-11-24T14:00:00Z").micros()).unwrap();
    let deliveries = salon.simulator.take_deliveries();
    // Doubled and in the wrong order; one with a changed byte is refused.
    for delivery in deliveries.iter().rev().chain(&deliveries) {
        salon.receive(delivery).await.unwrap();
        salon.jobs().await;
    }
    let moved = salon.now(&booking).await;
    assert_eq!((moved.status, moved.when.start()), (BookingStatus::Confirmed, at("2026-11-24T14:00:00Z")));
    let mut forged = deliveries[0].clone();
    forged.body.push(b' ');
    assert_eq!(salon.receive(&forged).await.unwrap_err().code, Code::WebhookRefused);

    salon.simulator.cancel_out_of_band(&id, "the stylist is ill").unwrap();
    salon.hear().await;
    assert_eq!(salon.now(&booking).await.status, BookingStatus::Cancelled);
    assert_eq!(salon.now(&booking).await.when.start(), at("2026-11-24T14:00:00Z"));
    salon.booked("2026-11-24T14:00:00Z").await;
}

#[tokio::test]
async fn what_is_taken_or_kept_free_at_the_desk_is_not_offered() {
    let salon = Salon::connected(6).await;
    let starts = async || {
        let query = AvailabilityQuery {
            event_type: salon.event_type.id,
            within: Interval::new(at("2026-11-24T09:00:00Z"), at("2026-11-24T11:00:00Z")).unwrap(),
            time_zone: Zone::UTC,
            length_minutes: None,
            member: None,
            provider: None,
            explain: false,
        };
        let answer = salon.world.engine.availability.availability(&salon.world.caller, query).await.unwrap();
        assert!(answer.degraded.is_empty(), "{:?}", answer.degraded);
        answer.slots.iter().map(|slot| slot.when.start().to_string()).collect::<Vec<_>>()
    };
    let all =
        ["2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", "2026-11-24T10:00:00Z", "2026-11-24T10:30:00Z"];
    assert_eq!(starts().await, all);
    salon.hear().await;
    salon.simulator.book_out_of_band("svc_2", at(all[1]).micros()).unwrap();
    assert_eq!(salon.hear().await, 2, "the booking, and that other times are free now");
    assert_eq!(starts().await, [all[0], all[2], all[3]]);
    let asked = || salon.simulator.requests().iter().filter(|r| r.path.ends_with("/availability")).count();
    let before = asked();
    starts().await;
    assert_eq!(asked(), before, "remembered for a minute");
    salon.simulator.block_out_of_band(at(all[2]).micros(), at("2026-11-24T11:00:00Z").micros()).unwrap();
    salon.hear().await;
    assert_eq!(starts().await, [all[0]], "not remembered any longer than it is true");

    // Taken between the look and the booking: the salon has the last word.
    salon.simulator.book_out_of_band("svc_2", at(all[0]).micros()).unwrap();
    assert_eq!(salon.book(all[0]).await.unwrap_err().code, Code::SlotTaken);
}

#[tokio::test]
async fn the_desk_confirms_and_notes_who_did_not_come() {
    let salon = Salon::offering(7, "svc_4").await;
    let asked = salon.book("2026-11-24T09:00:00Z").await.unwrap().booking;
    assert_eq!((asked.status, salon.counterpart(&asked).status), (BookingStatus::Pending, Status::Pending));
    salon.hear().await;
    let id = salon.counterpart(&asked).id;
    salon.simulator.set_status_out_of_band(&id, Status::Confirmed).unwrap();
    salon.hear().await;
    assert_eq!(salon.now(&asked).await.status, BookingStatus::Confirmed);
    salon.world.clock.advance_ms(27 * LATER_MS);
    salon.simulator.set_status_out_of_band(&id, Status::NoShow).unwrap();
    salon.hear().await;
    assert_eq!(salon.now(&asked).await.status, BookingStatus::NoShow);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_booking() {
    let salon = Salon::connected(4).await;
    let faults =
        [Fault::DropAfter, Fault::Malformed, Fault::Truncated, Fault::DropBefore, Fault::ServerError];
    for (n, fault) in faults.into_iter().enumerate() {
        salon.simulator.script("POST /v1/businesses/biz_1/bookings", fault);
        let outcome = salon.book(&format!("2026-11-24T{:02}:00:00Z", 9 + n)).await.unwrap();
        assert!(outcome.pending, "nobody knows yet: {fault:?}");
        salon.world.clock.advance_ms(LATER_MS / 2);
        salon.jobs().await;
        let booking = salon.now(&outcome.booking).await;
        assert_eq!(booking.status, BookingStatus::Confirmed, "{fault:?}");
        assert_eq!(booking.external_id, Some(salon.counterpart(&booking).id), "{fault:?}");
    }
    assert_eq!(salon.simulator.bookings().len(), faults.len());
    // One that was moved at the desk before Berth had heard of it.
    salon.simulator.script("POST /v1/businesses/biz_1/bookings", Fault::DropAfter);
    let outcome = salon.book("2026-11-26T09:00:00Z").await.unwrap();
    let start = at("2026-11-26T12:00:00Z");
    salon.simulator.move_out_of_band(&salon.counterpart(&outcome.booking).id, start.micros()).unwrap();
    salon.world.clock.advance_ms(LATER_MS);
    salon.jobs().await;
    let booking = salon.now(&outcome.booking).await;
    assert_eq!((booking.status, booking.when.start()), (BookingStatus::Confirmed, start));
    assert_eq!(booking.external_id, Some(salon.counterpart(&booking).id));
}

#[tokio::test]
async fn a_lost_answer_moves_and_cancels_once() {
    let salon = Salon::connected(8).await;
    let booking = salon.booked("2026-11-24T09:00:00Z").await;
    salon.simulator.script("/reschedule", Fault::DropAfter);
    let start = at("2026-11-24T12:00:00Z");
    let to = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
    let moved = salon.world.engine.bookings.reschedule(&salon.world.caller, booking.id, to).await.unwrap();
    assert!(moved.pending, "{moved:?}");
    salon.world.clock.advance_ms(LATER_MS);
    salon.jobs().await;
    let moved = salon.now(&booking).await;
    assert_eq!((moved.when.start(), salon.counterpart(&booking).start), (start, start.micros()));
    assert_eq!(salon.counterpart(&booking).version, 2, "moved once");

    salon.simulator.script("/cancel", Fault::DropAfter);
    let cancel = CancelBooking::default();
    let over = salon.world.engine.bookings.cancel(&salon.world.caller, booking.id, cancel).await.unwrap();
    assert!(over.pending, "{over:?}");
    salon.world.clock.advance_ms(LATER_MS);
    salon.jobs().await;
    let over = salon.now(&booking).await;
    assert_eq!((over.status, over.provider_task), (BookingStatus::Cancelled, None));
    let counterpart = salon.counterpart(&booking);
    assert_eq!((counterpart.status, counterpart.version), (Status::Cancelled, 3), "cancelled once");
}

#[tokio::test]
async fn clients_are_listed_and_forgotten() {
    let salon = Salon::connected(9).await;
    let booking = salon.booked("2026-11-24T09:00:00Z").await;
    let url = salon.simulator.url();
    // A token that was given by hand, since this asks the component without the engine.
    let token = Secret::new(booksy::Config::default().access_token);
    let call = |n: u128| CallContext {
        tenant: salon.world.caller.tenant,
        listing: None,
        connection: salon.connection,
        plugin: "booksy".parse().unwrap(),
        call: ProviderCallId::from_uuid(uuid::Uuid::from_u128(n)),
        request_id: "test".to_owned(),
        settings: Arc::new(json!({ "base_url": url, "business_id": "biz_1" })),
        credentials: Arc::new(Credentials::from([("client".to_owned(), token.clone())])),
        granted_hosts: Arc::new([url.trim_start_matches("http://").to_owned()].into()),
        asked: Asked::default(),
        in_background: false,
        despite_state: false,
    };
    let runtime = &salon.world.runtime;
    let (mut found, mut page) = (Vec::new(), PageRequest { token: None, limit: 2 });
    for n in 0..5 {
        let answer = runtime.list_clients(&call(n), page).await.unwrap();
        found.extend(answer.items);
        page = PageRequest { token: answer.next, limit: 2 };
        if page.token.is_none() {
            break;
        }
    }
    let names: Vec<&str> = found.iter().map(|c| c.person.name.as_str()).collect();
    assert_eq!(names, ["Bea Zak", "Cyd Lis", "Ada Nowak"]);
    assert_eq!((found[1].person.email.as_deref(), found[2].person.time_zone.as_str()), (None, "UTC"));
    for n in 10..12 {
        runtime.erase_client(&call(n), found[2].id.clone()).await.unwrap();
    }
    let known = salon.simulator.clients();
    assert!(known[2].erased && known[2].email.is_none() && !known[0].erased);
    let counterpart = salon.counterpart(&booking);
    let read = runtime.get_booking(&call(20), counterpart.id).await.unwrap();
    assert_eq!((read.attendees.len(), read.when), (0, booking.when), "the booking stays");
}

#[tokio::test]
async fn a_wrong_secret_or_an_unknown_member_of_staff_is_said_before_anything_is_saved() {
    let salon = Salon::connected(5).await;
    let connect = async |staff: &str, client: &str| {
        let new = NewConnection {
            plugin: "booksy".parse().unwrap(),
            name: "second".to_owned(),
            listing: None,
            settings: json!({ "base_url": salon.simulator.url(), "business_id": "biz_1", "staff_id": staff }),
            credentials: Credentials::from([("client".to_owned(), Secret::new(client.to_owned()))]),
            granted_hosts: None,
            webhook_sources: None,
        };
        salon.world.engine.connections.create_connection(&salon.world.caller, new).await
    };
    let wrong = connect("stf_1", "booksy_test_client:made_up_and_wrong").await.unwrap_err();
    assert!(!wrong.detail.contains("made_up_and_wrong"), "{wrong:?}");
    let nobody = connect("stf_9", CLIENT).await.unwrap_err();
    let said = format!("{nobody:?}");
    assert!(said.contains("stf_1 (Ola)") && said.contains("stf_9"), "{said}");
    connect("stf_2", CLIENT).await.unwrap();
}
