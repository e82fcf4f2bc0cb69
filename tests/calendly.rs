//! Calendly through the engine: the real component in its sandbox against the simulator, with the messages that it sends.

#[path = "calendly/chaos.rs"]
mod chaos;

use std::sync::Arc;

use berth_engine::{AvailabilityQuery, BookOutcome, BookRequest, CancelBooking, Outcome, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::event_type::EventTypeRecord,
    id::{ConnectionId, ProviderCallId},
    outbound::provider::{
        Asked, CallContext, ExternalStatus, LinkRequest, Providers, WebhookEvent, WebhookReply,
        WebhookRequest,
    },
    problem::Code,
    time::{Clock, Instant, Interval},
    zone::Zone,
};
use berth_simulators::{calendly, faults::Fault, front::Delivery, hours::Hours};
use berth_tests::{TestClock, World, component};
use serde_json::json;

const TOKEN: &str = "calendly_test_not_a_real_token";
const EVENT_TYPE: &str = "CONSULTATION0001";
/// Retries of a job lie closer than this.
const LATER_MS: i64 = 3_600_000;

struct Studio {
    world: World,
    simulator: calendly::Simulator,
    connection: ConnectionId,
    event_type: EventTypeRecord,
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

impl Studio {
    /// A studio that is connected, and open round the clock at both ends.
    async fn connected(seed: u64) -> Self {
        let clock = TestClock::start();
        let same = Arc::clone(&clock);
        let simulator = calendly::Simulator::start(calendly::Config {
            seed,
            api_key: TOKEN.to_owned(),
            clock: Arc::new(move || same.now().micros()),
            hours: Hours { time_zone: chrono_tz::UTC, opens_minute: 0, closes_minute: 1_440, weekends: true },
            ..calendly::Config::default()
        })
        .await
        .unwrap();
        let url = simulator.url();
        let world = World::new(seed, clock, &[url.trim_start_matches("http://")]).await;
        world.install(component("calendly")).await;
        let connection = world.connect("calendly", json!({ "base_url": url }), TOKEN).await;
        let event_type = world.offer(Some(connection), Some(EVENT_TYPE)).await;
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

    async fn jobs(&self) {
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
    }

    /// Hand messages to the engine, and let it act on them.
    async fn deliver(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            self.receive(delivery).await.unwrap();
            self.jobs().await;
        }
    }

    async fn receive(&self, delivery: Delivery) -> Outcome<WebhookReply> {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: delivery.headers,
            query: String::new(),
            body: delivery.body,
            received_at: self.world.clock.now(),
            subscription: None,
        };
        let plugin = "calendly".parse().unwrap();
        self.world.engine.inbound.receive_webhook(&plugin, self.connection, request, None, "test").await
    }

    async fn call(&self) -> CallContext {
        let tenant = self.world.caller.tenant;
        let credentials = self.world.store.connection_credentials(tenant, self.connection).await.unwrap();
        let url = self.simulator.url();
        CallContext {
            tenant,
            listing: None,
            connection: self.connection,
            plugin: "calendly".parse().unwrap(),
            call: ProviderCallId::from_uuid(uuid::Uuid::from_u128(1)),
            request_id: "test".to_owned(),
            settings: Arc::new(json!({ "base_url": url, "scope": "user" })),
            credentials: Arc::new(credentials),
            granted_hosts: Arc::new([url.trim_start_matches("http://").to_owned()].into()),
            asked: Asked::default(),
            in_background: false,
            despite_state: false,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_made_and_cancelled_at_both_ends() {
    let studio = Studio::connected(1).await;
    let booking = studio.booked("2026-11-24T09:00:00Z").await;
    let counterparts = studio.simulator.active_by_reference(&booking.id.to_string());
    assert_eq!(counterparts.len(), 1);
    assert_eq!(Some(counterparts[0].id.as_str()), booking.external_id.as_deref());
    assert_eq!(counterparts[0].start, booking.when.start().micros());
    assert!(booking.external.as_ref().unwrap().to_string().contains("https://zoom.example/j/1"));

    // What Calendly tells of its own doing changes nothing.
    studio.deliver(studio.simulator.take_deliveries()).await;
    assert_eq!(studio.now(&booking).await, booking);

    let cancel = CancelBooking { reason: Some("ill".to_owned()), ..CancelBooking::default() };
    let cancelled =
        studio.world.engine.bookings.cancel(&studio.world.caller, booking.id, cancel).await.unwrap();
    assert_eq!((cancelled.booking.status, cancelled.pending), (BookingStatus::Cancelled, false));
    assert!(studio.simulator.active_bookings().is_empty());
    studio.deliver(studio.simulator.take_deliveries()).await;
    assert_eq!(studio.now(&booking).await.status, BookingStatus::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_at_calendly_is_not_offered_and_not_booked() {
    let studio = Studio::connected(2).await;
    let start = "2026-11-24T09:00:00Z";
    let query = || AvailabilityQuery {
        event_type: studio.event_type.id,
        within: Interval::new(at(start), at("2026-11-24T11:00:00Z")).unwrap(),
        time_zone: Zone::UTC,
        length_minutes: None,
        member: None,
        provider: None,
        explain: false,
    };
    let starts = async || {
        let answer =
            studio.world.engine.availability.availability(&studio.world.caller, query()).await.unwrap();
        assert!(answer.degraded.is_empty(), "{:?}", answer.degraded);
        answer.slots.iter().map(|slot| slot.when.start().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(starts().await.len(), 4);
    studio.simulator.book_out_of_band(EVENT_TYPE, at("2026-11-24T09:30:00Z").micros()).unwrap();
    studio.deliver(studio.simulator.take_deliveries()).await;
    assert_eq!(starts().await, [start, "2026-11-24T10:00:00Z", "2026-11-24T10:30:00Z"]);

    // Taken between the look and the booking: Calendly has the last word.
    studio.simulator.book_out_of_band(EVENT_TYPE, at(start).micros()).unwrap();
    let refused = studio.book(start).await.unwrap_err();
    assert_eq!(refused.code, Code::SlotTaken);
    assert_eq!(studio.simulator.active_bookings().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_left_to_the_customers_page_and_followed_from_either_half() {
    let studio = Studio::connected(3).await;
    let new_start = at("2026-11-25T15:00:00Z");
    // Both halves in either order, twice, or one of them lost.
    let orders: [&[usize]; 5] = [&[0, 1], &[1, 0], &[1, 1, 0, 0], &[0], &[1]];
    for (n, order) in orders.into_iter().enumerate() {
        let booking = studio.booked(&format!("2026-11-24T{:02}:00:00Z", 9 + n)).await;
        studio.simulator.take_deliveries();
        let start = new_start.plus_seconds(1_800 * i64::try_from(n).unwrap());
        let reschedule = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
        let engine = &studio.world.engine;
        let refused =
            engine.bookings.reschedule(&studio.world.caller, booking.id, reschedule).await.unwrap_err();
        assert_eq!(refused.code, Code::ProviderUnsupported);
        assert!(refused.to_string().contains("https://calendly.com/reschedulings/"), "{refused:?}");
        assert_eq!(studio.now(&booking).await.when, booking.when, "it stays where it was");

        let old_id = booking.external_id.clone().unwrap();
        let new_id = studio.simulator.move_out_of_band(&old_id, start.micros()).unwrap();
        let halves = studio.simulator.take_deliveries();
        assert_eq!(halves.len(), 2);
        studio.deliver(order.iter().map(|at| halves[*at].clone()).collect()).await;
        let moved = studio.now(&booking).await;
        assert_eq!((moved.status, moved.when.start()), (BookingStatus::Confirmed, start), "{order:?}");
        assert_eq!(moved.external_id.as_deref(), Some(new_id.as_str()), "{order:?}");
        assert_eq!(studio.simulator.active_by_reference(&booking.id.to_string()).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_at_calendly_is_followed_and_a_forged_one_is_not() {
    let studio = Studio::connected(4).await;
    let booking = studio.booked("2026-11-24T09:00:00Z").await;
    studio.simulator.take_deliveries();
    studio.simulator.cancel_out_of_band(booking.external_id.as_ref().unwrap(), "flood").unwrap();
    let told = studio.simulator.take_deliveries();
    assert_eq!(told.len(), 1);

    let mut forged = told[0].clone();
    forged.body.extend_from_slice(b" ");
    assert_eq!(studio.receive(forged).await.unwrap_err().code, Code::WebhookRefused);
    assert_eq!(studio.now(&booking).await.status, BookingStatus::Confirmed);

    studio.deliver(told.clone()).await;
    let cancelled = studio.now(&booking).await;
    assert_eq!((cancelled.status, cancelled.reason.as_deref()), (BookingStatus::Cancelled, Some("flood")));
    studio.world.clock.advance_ms(181_000);
    assert_eq!(
        studio.receive(told[0].clone()).await.unwrap_err().code,
        Code::WebhookRefused,
        "too old by now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_show_at_calendly_is_followed() {
    let studio = Studio::connected(5).await;
    let booking = studio.booked("2026-11-23T08:00:00Z").await;
    studio.simulator.take_deliveries();
    studio.world.clock.advance_ms(2 * LATER_MS);
    studio.simulator.mark_no_show(booking.external_id.as_ref().unwrap()).unwrap();
    studio.deliver(studio.simulator.take_deliveries()).await;
    assert_eq!(studio.now(&booking).await.status, BookingStatus::NoShow);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_show_whose_message_was_lost_is_among_the_changes() {
    let studio = Studio::connected(10).await;
    let booking = studio.booked("2026-11-23T08:00:00Z").await;
    let changes =
        async |cursor| studio.world.runtime.list_changes(&studio.call().await, cursor, 100).await.unwrap();
    studio.world.clock.advance_ms(LATER_MS);
    let before = changes(None).await;
    studio.world.clock.advance_ms(LATER_MS);
    studio.simulator.mark_no_show(booking.external_id.as_ref().unwrap()).unwrap();
    studio.simulator.take_deliveries();
    let after = changes(Some(before.cursor)).await;
    let seen: Vec<_> = after.items.iter().map(|b| (Some(&b.id), b.status)).collect();
    assert_eq!(seen, [(booking.external_id.as_ref(), ExternalStatus::NoShow)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leads_to_exactly_one_booking() {
    let studio = Studio::connected(6).await;
    for (n, fault) in
        [Fault::DropAfter, Fault::Malformed, Fault::Truncated, Fault::DropBefore, Fault::ServerError]
            .into_iter()
            .enumerate()
    {
        studio.simulator.script("POST /invitees", fault);
        let outcome = studio.book(&format!("2026-11-24T{:02}:00:00Z", 9 + n)).await.unwrap();
        assert!(outcome.pending, "{fault:?}");
        studio.world.clock.advance_ms(LATER_MS);
        studio.jobs().await;
        let booking = studio.now(&outcome.booking).await;
        assert_eq!(booking.status, BookingStatus::Confirmed, "{fault:?}");
        let counterparts = studio.simulator.active_by_reference(&booking.id.to_string());
        assert_eq!(counterparts.len(), 1, "{fault:?}");
        assert_eq!(Some(counterparts[0].id.as_str()), booking.external_id.as_deref());
    }
    // One that was moved by the customer before Berth had heard of it.
    studio.simulator.script("POST /invitees", Fault::DropAfter);
    let outcome = studio.book("2026-11-26T09:00:00Z").await.unwrap();
    let start = at("2026-11-26T12:00:00Z");
    let counterpart = studio.simulator.active_by_reference(&outcome.booking.id.to_string()).remove(0);
    studio.simulator.move_out_of_band(&counterpart.id, start.micros()).unwrap();
    studio.world.clock.advance_ms(LATER_MS);
    studio.jobs().await;
    let booking = studio.now(&outcome.booking).await;
    assert_eq!((booking.status, booking.when.start()), (BookingStatus::Confirmed, start));
    assert_eq!(studio.simulator.active_by_reference(&booking.id.to_string()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_whose_answer_is_lost_is_done_once() {
    let studio = Studio::connected(7).await;
    let booking = studio.booked("2026-11-24T09:00:00Z").await;
    studio.simulator.script("/cancellation", Fault::DropAfter);
    let cancel = CancelBooking::default();
    let outcome =
        studio.world.engine.bookings.cancel(&studio.world.caller, booking.id, cancel).await.unwrap();
    assert!(outcome.pending);
    studio.world.clock.advance_ms(LATER_MS);
    studio.jobs().await;
    let cancelled = studio.now(&booking).await;
    assert_eq!((cancelled.status, cancelled.provider_task), (BookingStatus::Cancelled, None));
    assert!(studio.simulator.active_bookings().is_empty());
    let asked = studio.simulator.requests();
    assert_eq!(asked.iter().filter(|r| r.path.ends_with("/cancellation")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_books_by_a_single_use_link_is_recognised() {
    let studio = Studio::connected(8).await;
    let request = LinkRequest {
        idempotency_key: "link-1".to_owned(),
        event_type: EVENT_TYPE.to_owned(),
        max_bookings: 1,
    };
    let link = studio.world.runtime.create_booking_link(&studio.call().await, request).await.unwrap();
    let start = at("2026-11-24T09:00:00Z").micros();
    let id = studio.simulator.book_by_link(&link.url, start).unwrap();
    assert!(studio.simulator.book_by_link(&link.url, start + 3_600_000_000).is_err(), "it was used");
    let told = studio.simulator.take_deliveries().remove(0);
    let request = WebhookRequest {
        method: "POST".to_owned(),
        headers: told.headers,
        query: String::new(),
        body: told.body,
        received_at: studio.world.clock.now(),
        subscription: None,
    };
    let outcome = studio.world.runtime.handle_webhook(&studio.call().await, request).await.unwrap();
    let [WebhookEvent::Created(booking)] = outcome.events.as_slice() else { panic!("{outcome:?}") };
    assert_eq!((booking.id.as_str(), booking.reference.as_deref()), (id.as_str(), Some("link-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_calendly_gave_up_is_made_anew() {
    let studio = Studio::connected(9).await;
    let subscription = async || {
        let tenant = studio.world.caller.tenant;
        let connection = studio.world.store.connection(tenant, studio.connection).await.unwrap();
        connection.subscription.unwrap()
    };
    let looked_after = async || {
        studio.world.clock.advance_ms(86_400_000);
        assert_eq!(studio.world.engine.connections.keep_subscriptions().await.unwrap(), 1);
        subscription().await
    };
    let first = subscription().await;
    assert_eq!(looked_after().await, first);
    studio.simulator.disable_webhooks();
    let second = looked_after().await;
    assert_ne!(second.id, first.id);
    studio.simulator.book_out_of_band(EVENT_TYPE, at("2026-11-27T09:00:00Z").micros()).unwrap();
    let told = studio.simulator.take_deliveries();
    assert_eq!(told.len(), 1);
    studio.deliver(told).await;
}
