//! Two tenants, each with three providers, while much goes wrong at once: nearly a third of all requests fails or loses its answer, messages are
//! lost, doubled and shuffled, people work in the providers' own calendars, the engine is replaced, and every provider's clock is wrong.
//! Afterwards both sides agree, and nothing of one tenant is at the other's providers. A failing seed is printed: `BERTH_BOTH_SEED` replays it.

use std::{collections::BTreeMap, sync::Arc};

use berth_engine::{BookRequest, Caller, CancelBooking, Engine, NewTenant, RescheduleBooking};
use berth_model::{
    booking::{Booking, BookingStatus},
    id::{BookingId, ConnectionId, EventTypeId},
    manifest::PluginId,
    problem::Code,
    provider::{Attendee, WebhookRequest},
    time::{Clock as _, Instant},
};
use berth_simulators::{booksy, calcom, calendly, faults::Rates, front::Delivery, google, hours::Hours};
use berth_store::records::BookingFilter;
use berth_tests::{TestClock, World, component};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::json;

const SEEDS: [u64; 2] = [21, 22];
const OPERATIONS: u32 = 600;
/// Providers, those of the first tenant first, and the microseconds by which their clocks are wrong.
const PROVIDERS: [(&str, i64); 6] = [
    ("calcom", 75_000_000),
    ("google-calendar", -75_000_000),
    ("booksy", 40_000_000),
    ("calendly", -40_000_000),
    ("google-calendar", 240_000_000),
    ("calcom", -240_000_000),
];
const PROVIDERS_OF_ONE: usize = 3;
/// Starts that are fought for: half hours from here on.
const STARTS: i64 = 60;

enum Provider {
    Cal(calcom::Simulator),
    Google(google::Simulator),
    Booksy(booksy::Simulator),
    Calendly(calendly::Simulator),
}

/// A booking as its provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Twin {
    id: String,
    start: i64,
    reference: Option<String>,
}

impl Provider {
    fn url(&self) -> String {
        match self {
            Self::Cal(cal) => cal.url(),
            Self::Google(google) => google.url(),
            Self::Booksy(booksy) => booksy.url(),
            Self::Calendly(calendly) => calendly.url(),
        }
    }

    fn set_rates(&self, rates: Rates) {
        match self {
            Self::Cal(cal) => cal.set_rates(rates),
            Self::Google(google) => google.set_rates(rates),
            Self::Booksy(booksy) => booksy.set_rates(rates),
            Self::Calendly(calendly) => calendly.set_rates(rates),
        }
    }

    fn take_deliveries(&self) -> Vec<Delivery> {
        match self {
            Self::Cal(cal) => cal.take_deliveries(),
            Self::Google(google) => google.take_deliveries(),
            Self::Booksy(booksy) => booksy.take_deliveries(),
            Self::Calendly(calendly) => calendly.take_deliveries(),
        }
    }

    fn active(&self) -> Vec<Twin> {
        match self {
            Self::Cal(cal) => cal
                .active_bookings()
                .into_iter()
                .map(|b| Twin {
                    reference: b.metadata.values().find_map(|v| v.as_str().map(str::to_owned)),
                    id: b.uid,
                    start: b.start,
                })
                .collect(),
            Self::Booksy(booksy) => booksy
                .active_bookings()
                .into_iter()
                .map(|b| Twin {
                    id: b.id,
                    start: b.start,
                    reference: b.external_ref.map(|r| r.trim_start_matches("berth:").to_owned()),
                })
                .collect(),
            Self::Calendly(calendly) => calendly
                .active_bookings()
                .into_iter()
                .map(|b| Twin { id: b.id, start: b.start, reference: b.reference })
                .collect(),
            Self::Google(google) => google
                .events("primary")
                .into_iter()
                .filter(google::Event::is_active)
                .map(|e| Twin {
                    id: e.id().to_owned(),
                    start: e.start,
                    reference: e.resource["extendedProperties"]["private"]
                        .as_object()
                        .and_then(|all| all.values().find_map(|v| v.as_str().map(str::to_owned))),
                })
                .collect(),
        }
    }

    /// Somebody works in the provider's own calendar.
    fn person(&self, rng: &mut StdRng, start: i64) {
        let active = self.active();
        let Some(some) = active.get(rng.random_range(0..active.len().max(1))) else { return };
        // A person who is refused is refused.
        let _ = match (self, rng.random_range(0..3_u32)) {
            (Self::Cal(cal), 0) => cal.cancel_out_of_band(&some.id, "ill").map(drop),
            (Self::Cal(cal), 1) => cal.move_out_of_band(&some.id, start).map(drop),
            (Self::Cal(cal), _) => cal.book_out_of_band(101, start).map(drop),
            (Self::Booksy(booksy), 0) => booksy.cancel_out_of_band(&some.id, "ill"),
            (Self::Booksy(booksy), 1) => booksy.move_out_of_band(&some.id, start),
            (Self::Booksy(booksy), _) => booksy.book_out_of_band("svc_2", start).map(drop),
            (Self::Calendly(calendly), 0) => calendly.cancel_out_of_band(&some.id, "ill"),
            (Self::Calendly(calendly), 1) => calendly.move_out_of_band(&some.id, start).map(drop),
            (Self::Calendly(calendly), _) => calendly.book_out_of_band("ET1", start).map(drop),
            (Self::Google(google), 0) => google.delete_event("primary", &some.id),
            (Self::Google(google), 1) => google.move_event("primary", &some.id, start),
            (Self::Google(google), _) => google.add_event("primary", start, 30, "Dentist").map(drop),
        };
    }
}

/// One connection of one tenant.
struct Side {
    caller: Caller,
    provider: Provider,
    plugin: PluginId,
    connection: ConnectionId,
    event_type: EventTypeId,
    waiting: Vec<Delivery>,
    acknowledged: Vec<BookingId>,
}

struct Run {
    world: World,
    engine: Engine,
    sides: Vec<Side>,
    rng: StdRng,
    first: i64,
}

const ROUND_THE_CLOCK: Hours =
    Hours { time_zone: chrono_tz::UTC, opens_minute: 0, closes_minute: 1_440, weekends: true };

/// A simulator that is open round the clock, by a clock of its own.
async fn simulator(name: &str, seed: u64, clock: berth_simulators::Clock) -> Provider {
    match name {
        "calcom" => {
            let config = calcom::Config {
                seed,
                clock,
                rate_limit: false,
                time_zone: chrono_tz::UTC,
                opens_minute: 0,
                closes_minute: 1_440,
                weekends: true,
                ..calcom::Config::default()
            };
            Provider::Cal(calcom::Simulator::start(config).await.unwrap())
        }
        "booksy" => {
            let config = booksy::Config { seed, clock, hours: ROUND_THE_CLOCK, ..booksy::Config::default() };
            Provider::Booksy(booksy::Simulator::start(config).await.unwrap())
        }
        "calendly" => {
            let config =
                calendly::Config { seed, clock, hours: ROUND_THE_CLOCK, ..calendly::Config::default() };
            Provider::Calendly(calendly::Simulator::start(config).await.unwrap())
        }
        _ => {
            let config = google::Config { seed, clock, ..google::Config::default() };
            Provider::Google(google::Simulator::start(config).await.unwrap())
        }
    }
}

/// The connection, and what is booked over it.
async fn connected(world: &World, provider: &Provider) -> (ConnectionId, &'static str) {
    let url = provider.url();
    match provider {
        Provider::Cal(_) => {
            let settings = json!({ "base_url": url });
            (world.connect("calcom", settings, "cal_test_not_a_real_key").await, "101")
        }
        Provider::Google(google) => {
            let settings = json!({ "base_url": google.api_url() });
            let token = google::Config::default().access_token;
            (world.connect_with("google-calendar", settings, "oauth", &token).await, "primary")
        }
        Provider::Booksy(_) => {
            let settings = json!({ "base_url": url, "business_id": "biz_1", "staff_id": "stf_1" });
            let client = "booksy_test_client:booksy_test_not_a_real_secret";
            (world.connect_with("booksy", settings, "client", client).await, "svc_2")
        }
        Provider::Calendly(_) => {
            let token = calendly::Config::default().api_key;
            (world.connect("calendly", json!({ "base_url": url }), &token).await, "ET1")
        }
    }
}

async fn start(seed: u64) -> Run {
    let clock = TestClock::start();
    let mut providers = Vec::new();
    for (n, (name, skew)) in (0_u64..).zip(PROVIDERS) {
        let shown = clock.clone();
        let wrong: berth_simulators::Clock = Arc::new(move || shown.now().micros() + skew);
        providers.push(simulator(name, seed + n, wrong).await);
    }
    let hosts: Vec<String> =
        providers.iter().map(|p| p.url().trim_start_matches("http://").to_owned()).collect();
    let mut world =
        World::new(seed, clock.clone(), &hosts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for plugin in ["calcom", "google-calendar", "booksy", "calendly"] {
        world.install(component(plugin)).await;
    }
    let mut sides = Vec::new();
    for (n, (provider, (plugin, _))) in providers.into_iter().zip(PROVIDERS).enumerate() {
        if n.is_multiple_of(PROVIDERS_OF_ONE) {
            let slug = format!("tenant-{}", n / PROVIDERS_OF_ONE);
            let new = NewTenant { slug, name: "Tenant".to_owned() };
            world.caller.tenant = world.engine.create_tenant("test", "test", new).await.unwrap().id;
        }
        let (connection, external) = connected(&world, &provider).await;
        let event_type = world.offer_as(&format!("listing-{n}"), Some(connection), Some(external)).await;
        sides.push(Side {
            caller: world.caller.clone(),
            provider,
            plugin: plugin.parse().unwrap(),
            connection,
            event_type: event_type.id,
            waiting: Vec::new(),
            acknowledged: Vec::new(),
        });
    }
    for side in &sides {
        side.provider.set_rates(Rates {
            server_error: 0.08,
            drop_before: 0.05,
            drop_after: 0.1,
            rate_limited: 0.04,
            malformed: 0.03,
            webhook_duplicate: 0.2,
            webhook_lost: 0.2,
            ..Rates::default()
        });
    }
    let first = (clock.now().micros() / 86_400_000_000 + 2) * 86_400_000_000;
    let engine = world.engine.clone();
    Run { world, engine, sides, rng: StdRng::seed_from_u64(seed), first }
}

impl Run {
    fn some_start(&mut self) -> Instant {
        Instant::from_micros(self.first + self.rng.random_range(0..STARTS) * 1_800_000_000)
    }

    async fn operation(&mut self) {
        let at = self.rng.random_range(0..self.sides.len());
        let start = self.some_start();
        match self.rng.random_range(0..100_u32) {
            0..35 => self.book(at, start).await,
            35..45 => self.change(at, None).await,
            45..58 => self.change(at, Some(start)).await,
            58..70 => self.sides[at].provider.person(&mut self.rng, start.micros()),
            70..82 => self.messages(at).await,
            82..95 => {
                self.world.clock.advance_ms(self.rng.random_range(500..60_000));
                self.engine.run_due_jobs(6).await.unwrap();
            }
            95..98 => self.engine = self.world.another_engine(self.world.runtime.clone()),
            _ => {
                self.world.clock.advance_ms(300_000);
                self.engine.begin_syncs().await.unwrap();
                self.engine.keep_subscriptions().await.unwrap();
            }
        }
        for side in &mut self.sides {
            side.waiting.extend(side.provider.take_deliveries());
        }
    }

    async fn book(&mut self, at: usize, start: Instant) {
        let side = &mut self.sides[at];
        let request = BookRequest {
            event_type: side.event_type,
            start,
            length_minutes: None,
            hold: None,
            member: None,
            provider: None,
            attendee: Attendee {
                name: "Ada".to_owned(),
                email: Some(format!("ada{}@example.com", side.acknowledged.len())),
                phone: None,
                time_zone: "UTC".to_owned(),
                language: None,
            },
            guests: Vec::new(),
            answers: serde_json::Map::new(),
            notes: None,
        };
        if let Ok(outcome) = self.engine.book(&side.caller, request).await {
            side.acknowledged.push(outcome.booking.id);
        }
    }

    async fn change(&mut self, at: usize, to: Option<Instant>) {
        let side = &self.sides[at];
        let Some(id) = side.acknowledged.get(self.rng.random_range(0..side.acknowledged.len().max(1))) else {
            return;
        };
        let (expected_sequence, bound_by_cutoffs) = (None, false);
        // Refused or not: both sides have to agree in the end.
        let _ = match to {
            None => {
                let cancel = CancelBooking { reason: None, expected_sequence, bound_by_cutoffs };
                self.engine.cancel(&side.caller, *id, cancel).await.map(drop)
            }
            Some(start) => {
                let to = RescheduleBooking { start, expected_sequence, bound_by_cutoffs };
                self.engine.reschedule(&side.caller, *id, to).await.map(drop)
            }
        };
    }

    /// Some of what waits arrives, in any order.
    async fn messages(&mut self, at: usize) {
        let side = &mut self.sides[at];
        side.waiting.shuffle(&mut self.rng);
        let some = self.rng.random_range(0..=side.waiting.len().min(6));
        for delivery in side.waiting.drain(..some).collect::<Vec<_>>() {
            let request = WebhookRequest {
                method: "POST".to_owned(),
                headers: delivery.headers,
                query: String::new(),
                body: delivery.body,
                received_at: self.world.clock.now(),
                subscription: None,
            };
            let taken =
                self.engine.receive_webhook(&side.plugin, side.connection, request, None, "test").await;
            // Too old by now, or of a subscription that is over: lost.
            let lost = |p: &berth_model::problem::Problem| p.code == Code::WebhookRefused;
            assert!(
                taken.as_ref().is_ok_and(|r| r.status == 200) || taken.as_ref().is_err_and(lost),
                "{taken:?}"
            );
        }
    }

    /// The faults end, everything is read once more, and both sides come to rest.
    async fn settle(&mut self) {
        for side in &self.sides {
            side.provider.set_rates(Rates::default());
        }
        self.engine = self.world.another_engine(self.world.runtime.clone());
        for round in 0..200 {
            self.world.clock.advance_ms(600_000);
            if round == 100 {
                for side in &self.sides {
                    self.engine.start_sync(&side.caller, side.connection, true).await.unwrap();
                }
            }
            while self.engine.run_due_jobs(64).await.unwrap() > 0 {}
        }
        assert_eq!(self.world.store.open_job_count().await.unwrap(), 0, "something never came to rest");
    }

    async fn bookings(&self, side: &Side) -> Vec<Booking> {
        let filter = BookingFilter { connection: Some(side.connection), ..BookingFilter::default() };
        self.world.store.list_bookings(side.caller.tenant, filter, 5_000).await.unwrap()
    }

    async fn judge(&self) {
        let mut confirmed = 0;
        for side in &self.sides {
            let ours = self.bookings(side).await;
            for id in &side.acknowledged {
                assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
            }
            let open: Vec<_> = self
                .engine
                .list_conflicts(&side.caller, side.connection, None, false, 100)
                .await
                .unwrap()
                .into_iter()
                .filter_map(|c| c.booking)
                .collect();
            let mut twins: BTreeMap<String, Vec<Twin>> = BTreeMap::new();
            for twin in side.provider.active() {
                if let Some(reference) = twin.reference.clone() {
                    twins.entry(reference).or_default().push(twin);
                }
            }
            for booking in &ours {
                let there = twins.remove(&booking.id.to_string()).unwrap_or_default();
                let place = format!("{} {} over {}", booking.id, booking.status.as_str(), side.plugin);
                assert!(there.len() <= 1, "{place} is there {} times", there.len());
                let expected = usize::from(booking.status == BookingStatus::Confirmed);
                assert_eq!(there.len(), expected, "{place}: {there:?}");
                confirmed += expected;
                let same = there.iter().all(|t| t.start == booking.when.start().micros());
                assert!(same || open.contains(&booking.id), "{place} at {:?}: {there:?}", booking.when);
            }
            assert!(twins.is_empty(), "over {}, of nobody here: {twins:?}", side.plugin);
        }
        // One tenant's booking is nobody else's.
        for side in &self.sides {
            for id in &side.acknowledged {
                for other in self.sides.iter().filter(|o| o.caller.tenant != side.caller.tenant) {
                    let seen = self.engine.booking(&other.caller, *id).await;
                    assert_eq!(seen.unwrap_err().code, Code::NotFound);
                }
            }
        }
        println!("both ways: {confirmed} bookings stand on both sides");
        assert!(confirmed > 10, "too little happened");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_agree_for_two_tenants_with_three_providers_each() {
    let one = std::env::var("BERTH_BOTH_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in one.map_or(SEEDS.to_vec(), |seed| vec![seed]) {
        println!("both ways: seed {seed} (replay with BERTH_BOTH_SEED={seed})");
        let mut run = start(seed).await;
        for _ in 0..OPERATIONS {
            run.operation().await;
        }
        run.settle().await;
        run.judge().await;
    }
}
