//! A booking on any side is closed on all others at once: Cal.com, Booksy and HighLevel for one member, each by its real component.

use std::sync::Arc;

use berth_engine::{CancelBooking, NewCalendar, RescheduleBooking};
use berth_model::{
    bookings::booking::BookingStatus,
    catalog::event_type::EventTypeRecord,
    id::ConnectionId,
    outbound::provider::WebhookRequest,
    problem::Code,
    time::{Clock as _, Instant},
};
use berth_simulators::{booksy, calcom, gohighlevel, hours::Hours};
use berth_tests::{TestClock, World, component};
use serde_json::json;

const ALWAYS: Hours =
    Hours { time_zone: chrono_tz::UTC, opens_minute: 0, closes_minute: 1_440, weekends: true };
const HALF_HOUR: i64 = 1_800_000_000;

struct Place {
    world: World,
    cal: calcom::Simulator,
    salon: booksy::Simulator,
    practice: gohighlevel::Simulator,
    connection: ConnectionId,
    event_type: EventTypeRecord,
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

impl Place {
    /// Eve is booked over Cal.com; she also works in a salon and in a practice.
    async fn open() -> Self {
        let clock = TestClock::start();
        let same = |clock: &Arc<TestClock>| -> berth_simulators::Clock {
            let clock = Arc::clone(clock);
            Arc::new(move || clock.now().micros())
        };
        let cal = berth_tests::calcom(clock.clone(), 5).await;
        let config =
            booksy::Config { seed: 5, clock: same(&clock), hours: ALWAYS, ..booksy::Config::default() };
        let salon = booksy::Simulator::start(config).await.unwrap();
        let config = gohighlevel::Config {
            seed: 5,
            clock: same(&clock),
            hours: ALWAYS,
            rate_limit: false,
            ..gohighlevel::Config::default()
        };
        let token = config.token.clone();
        let practice = gohighlevel::Simulator::start(config).await.unwrap();
        let urls = [cal.url(), salon.url(), practice.url()];
        let hosts: Vec<&str> = urls.iter().map(|url| url.trim_start_matches("http://")).collect();
        let world = World::new(5, clock, &hosts).await;
        for plugin in ["calcom", "booksy", "gohighlevel"] {
            world.install(component(plugin)).await;
        }
        let connection =
            world.connect("calcom", json!({ "base_url": cal.url() }), "cal_test_not_a_real_key").await;
        let settings = json!({ "base_url": salon.url(), "business_id": "biz_1", "staff_id": "stf_1" });
        let client = "booksy_test_client:booksy_test_not_a_real_secret";
        let at_salon = world.connect_with("booksy", settings, "client", client).await;
        let settings = json!({ "base_url": practice.url(), "location_id": "loc_1",
            "webhook_public_key": practice.webhook_public_key() });
        let at_practice = world.connect("gohighlevel", settings, &token).await;
        let event_type = world.offer(Some(connection), Some("101")).await;
        for (connection, calendar) in [(at_salon, "stf_1"), (at_practice, "cal_1")] {
            let new = NewCalendar {
                member: event_type.members[0],
                connection,
                calendar: calendar.to_owned(),
                reads: true,
                writes: true,
            };
            assert!(world.engine.calendars.create_calendar(&world.caller, new).await.unwrap().blocks);
        }
        Self { world, cal, salon, practice, connection, event_type }
    }

    async fn jobs(&self) {
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
    }

    async fn try_to_book(&self, start: &str) -> berth_engine::Outcome<berth_engine::BookOutcome> {
        let request = berth_tests::request(self.event_type.id, at(start));
        self.world.engine.bookings.book(&self.world.caller, request).await
    }

    /// What Cal.com has to say arrives.
    async fn hear(&self) {
        for delivery in self.cal.take_deliveries() {
            let request = WebhookRequest {
                method: "POST".to_owned(),
                headers: delivery.headers,
                query: String::new(),
                body: delivery.body,
                received_at: self.world.clock.now(),
                subscription: None,
            };
            let plugin = "calcom".parse().unwrap();
            self.world
                .engine
                .inbound
                .receive_webhook(&plugin, self.connection, request, None, "test")
                .await
                .unwrap();
        }
        self.jobs().await;
    }

    /// Exactly these half hours are closed, in the salon as in the practice.
    fn is_closed(&self, starts: &[&str]) {
        let wanted: Vec<(i64, i64)> =
            starts.iter().map(|start| at(start).micros()).map(|start| (start, start + HALF_HOUR)).collect();
        let mut salon: Vec<_> = self.salon.blocks().into_iter().map(|(_, start, end)| (start, end)).collect();
        let mut practice: Vec<_> = self.practice.blocks().into_iter().map(|b| (b.start, b.end)).collect();
        salon.sort_unstable();
        practice.sort_unstable();
        assert_eq!((&salon, &practice), (&wanted, &wanted));
    }
}

#[tokio::test]
async fn a_booking_is_closed_elsewhere_moved_and_opened() {
    let place = Place::open().await;
    let (engine, caller) = (&place.world.engine, &place.world.caller);
    let booking = place.try_to_book("2026-11-24T09:00:00Z").await.unwrap().booking;
    assert_eq!(booking.status, BookingStatus::Confirmed);
    place.jobs().await;
    place.is_closed(&["2026-11-24T09:00:00Z"]);
    let taken = place.salon.book_out_of_band("svc_2", at("2026-11-24T09:00:00Z").micros());
    assert!(taken.is_err() || place.salon.active_bookings().iter().all(|b| b.staff != "stf_1"));

    let to = RescheduleBooking {
        start: at("2026-11-24T09:30:00Z"),
        expected_sequence: None,
        bound_by_cutoffs: false,
    };
    engine.bookings.reschedule(caller, booking.id, to).await.unwrap();
    place.jobs().await;
    place.is_closed(&["2026-11-24T09:30:00Z"]);
    engine.bookings.cancel(caller, booking.id, CancelBooking::default()).await.unwrap();
    place.jobs().await;
    place.is_closed(&[]);
}

#[tokio::test]
async fn what_somebody_books_at_one_provider_is_closed_at_the_others() {
    let place = Place::open().await;
    let start = at("2026-11-24T14:00:00Z");
    let theirs = place.cal.book_out_of_band(101, start.micros()).unwrap();
    place.hear().await;
    place.is_closed(&["2026-11-24T14:00:00Z"]);
    let refused = place.try_to_book("2026-11-24T14:00:00Z").await.unwrap_err();
    assert_eq!(refused.code, Code::SlotTaken);

    place.cal.move_out_of_band(&theirs, at("2026-11-24T16:00:00Z").micros()).unwrap();
    place.hear().await;
    place.is_closed(&["2026-11-24T16:00:00Z"]);
    place.try_to_book("2026-11-24T14:00:00Z").await.unwrap();
    place.jobs().await;
    place.is_closed(&["2026-11-24T14:00:00Z", "2026-11-24T16:00:00Z"]);
}

#[tokio::test]
async fn lost_answers_leave_one_block_of_each_time() {
    use berth_simulators::faults::Rates;
    let place = Place::open().await;
    let rates = Rates { drop_after: 0.4, server_error: 0.2, ..Rates::default() };
    place.salon.set_rates(rates);
    place.practice.set_rates(rates);
    let mut starts = Vec::new();
    for hour in 8..14 {
        let start = format!("2026-11-24T{hour:02}:00:00Z");
        place.try_to_book(&start).await.unwrap();
        place.jobs().await;
        starts.push(start);
    }
    place.salon.set_rates(Rates::default());
    place.practice.set_rates(Rates::default());
    for _ in 0..30 {
        place.world.clock.advance_ms(600_000);
        place.world.engine.calendar_writer.begin_block_writes().await.unwrap();
        place.jobs().await;
    }
    place.is_closed(&starts.iter().map(String::as_str).collect::<Vec<_>>());
}
