//! Seeded simulation of the booking protocol: real engine, real store, the real Cal.com component in its sandbox, a faulty
//! provider, crashes, upgrades, webhooks that come twice, late or never. Afterwards an oracle asks whether the invariants held.
//!
//! `BERTH_SIM_SEED` replays one seed, `BERTH_SIM_OPERATIONS` asks for more operations.

use std::collections::{BTreeMap, BTreeSet};

use berth_engine::{BookRequest, CancelBooking, Engine, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::BookingId,
    outbound::provider::{Attendee, WebhookRequest},
    problem::Code,
    time::{Clock, Instant},
};
use berth_simulators::{calcom::Delivery, faults::Rates};
use berth_store::records::BookingFilter;
use berth_tests::{World, component, component_as, crash::CrashAfter, events, with_calcom};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

const OPERATIONS: u64 = 10_000;
const SEEDS: u64 = 4;
/// Steps after which a process ends at the latest: some dozens of operations.
const STEPS_MAX: i64 = 600;
/// People who book.
const PEOPLE: u32 = 200;
/// Rounds of an hour each until both sides must agree.
const SETTLING_ROUNDS: u32 = 60;

struct Run {
    world: World,
    engine: Engine,
    /// Of the process that works now.
    crash: CrashAfter,
    simulator: berth_simulators::calcom::Simulator,
    event_type: berth_model::catalog::event_type::EventTypeRecord,
    connection: berth_model::id::ConnectionId,
    rng: StdRng,
    /// Bookings that the engine acknowledged.
    acknowledged: Vec<BookingId>,
    /// Webhooks on their way.
    waiting: Vec<Delivery>,
    versions: Vec<berth_model::plugins::plugin::Digest>,
    counts: BTreeMap<&'static str, u64>,
}

impl Run {
    async fn start(seed: u64) -> Self {
        let (world, simulator, connection, event_type) = with_calcom(seed).await;
        let other = world
            .engine
            .plugins
            .install_plugin("test", "test", component_as("calcom", "0.1.1"))
            .await
            .unwrap();
        let first = world.engine.plugins.install_plugin("test", "test", component("calcom")).await.unwrap();
        let mut rng = StdRng::seed_from_u64(seed);
        let crash = CrashAfter::of(rng.random_range(1..=STEPS_MAX));
        let engine = world.crashing_engine(&crash);
        simulator.set_rates(Rates {
            rate_limited: 0.03,
            server_error: 0.04,
            drop_before: 0.03,
            drop_after: 0.05,
            malformed: 0.02,
            webhook_duplicate: 0.2,
            webhook_lost: 0.1,
            ..Rates::default()
        });
        Self {
            versions: vec![first.version.digest, other.version.digest],
            world,
            engine,
            crash,
            simulator,
            event_type,
            connection,
            rng,
            acknowledged: Vec::new(),
            waiting: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A start on the grid: crowded enough that bookings meet.
    fn some_start(&mut self) -> Instant {
        let today = self.world.clock.now().micros().div_euclid(86_400_000_000);
        let slot: i64 = self.rng.random_range(48..48 * 60);
        Instant::from_micros(today * 86_400_000_000 + slot * 30 * 60_000_000)
    }

    fn some_booking(&mut self) -> Option<BookingId> {
        if self.acknowledged.is_empty() {
            return None;
        }
        let recent = self.acknowledged.len().saturating_sub(200);
        let at = self.rng.random_range(recent..self.acknowledged.len());
        self.acknowledged.get(at).copied()
    }

    async fn operation(&mut self) {
        match self.rng.random_range(0..100_u32) {
            0..45 => self.book().await,
            45..60 => self.cancel().await,
            60..75 => self.reschedule().await,
            75..80 => self.out_of_band().await,
            80..90 => self.webhooks().await,
            90..91 => self.upgrade().await,
            _ => self.jobs().await,
        }
        self.world.clock.advance_ms(self.rng.random_range(500..10_000));
        self.waiting.extend(self.simulator.take_deliveries());
    }

    /// Do it, unless the process dies in the middle: then nobody gets an answer.
    async fn or_crash<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let done = self.crash.live(work).await;
        if done.is_none() {
            self.count("crashed");
            self.crash = CrashAfter::of(self.rng.random_range(1..=STEPS_MAX));
            self.engine = self.world.crashing_engine(&self.crash);
        }
        done
    }

    async fn book(&mut self) {
        let start = self.some_start();
        // Some book several times.
        let n = self.rng.random_range(0..PEOPLE);
        let request = BookRequest {
            attendee: Attendee {
                name: format!("Customer {n}"),
                email: Some(format!("customer{n}@example.com")),
                phone: None,
                time_zone: "Europe/Warsaw".to_owned(),
                language: None,
            },
            ..berth_tests::request(self.event_type.id, start)
        };
        let (engine, caller) = (self.engine.clone(), self.world.caller.clone());
        match self.or_crash(async move { engine.bookings.book(&caller, request).await }).await {
            Some(Ok(outcome)) => {
                self.acknowledged.push(outcome.booking.id);
                self.count(if outcome.pending { "pending" } else { "booked" });
            }
            Some(Err(problem)) => self.refused(&problem),
            None => {}
        }
    }

    async fn cancel(&mut self) {
        let Some(id) = self.some_booking() else { return };
        let (engine, caller) = (self.engine.clone(), self.world.caller.clone());
        let done = self
            .or_crash(async move { engine.bookings.cancel(&caller, id, CancelBooking::default()).await })
            .await;
        match done {
            Some(Ok(_)) => self.count("cancelled"),
            Some(Err(problem)) => self.refused(&problem),
            None => {}
        }
    }

    async fn reschedule(&mut self) {
        let (Some(id), start) = (self.some_booking(), self.some_start()) else { return };
        let (engine, caller) = (self.engine.clone(), self.world.caller.clone());
        let reschedule = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
        match self.or_crash(async move { engine.bookings.reschedule(&caller, id, reschedule).await }).await {
            Some(Ok(_)) => self.count("moved"),
            Some(Err(problem)) => self.refused(&problem),
            None => {}
        }
    }

    /// A refusal must be one that a caller can understand; a fault of our own is none.
    fn refused(&mut self, problem: &berth_model::problem::Problem) {
        assert!(
            matches!(
                problem.code,
                Code::SlotTaken
                    | Code::WrongState
                    | Code::Changed
                    | Code::ProviderRefused
                    | Code::ProviderUnsupported
            ),
            "not a refusal: {problem:?}"
        );
        self.count("refused");
    }

    /// Somebody works in the provider's own calendar.
    async fn out_of_band(&mut self) {
        let start = self.some_start().micros();
        let active = self.simulator.active_bookings();
        let Some(some) = active.get(self.rng.random_range(0..active.len().max(1))) else { return };
        let done = match self.rng.random_range(0..3_u32) {
            0 => self.simulator.cancel_out_of_band(&some.uid, "ill").map(drop),
            1 => self.simulator.move_out_of_band(&some.uid, start).map(drop),
            _ => self.simulator.book_out_of_band(101, start).map(drop),
        };
        self.count(if done.is_ok() { "out of band" } else { "out of band, refused" });
    }

    /// Deliver some of what waits, in any order.
    async fn webhooks(&mut self) {
        self.waiting.shuffle(&mut self.rng);
        let some = self.rng.random_range(0..=self.waiting.len().min(8));
        for delivery in self.waiting.drain(..some).collect::<Vec<_>>() {
            self.deliver(delivery).await;
        }
    }

    async fn deliver(&mut self, delivery: Delivery) {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: delivery.headers,
            query: String::new(),
            body: delivery.body,
            received_at: self.world.clock.now(),
            subscription: None,
        };
        let plugin = "calcom".parse().unwrap();
        let (engine, connection) = (self.engine.clone(), self.connection);
        let taken = self.or_crash(async move {
            engine.inbound.receive_webhook(&plugin, connection, request, None, "simulated").await
        });
        // Not acknowledged: the provider would send it again, or not.
        let Some(taken) = taken.await else { return };
        match taken {
            Ok(reply) => assert_eq!(reply.status, 200),
            // Too old by now: the provider's message is lost, and the sides must agree all the same.
            Err(problem) => assert_eq!(problem.code, Code::WebhookRefused, "{problem:?}"),
        }
        self.count("webhook");
    }

    async fn upgrade(&mut self) {
        let next = self.rng.random_range(0..self.versions.len());
        let digest = self.versions[next].clone();
        self.world.engine.plugins.activate_plugin("test", "test", &digest).await.unwrap();
        self.count("upgrade");
    }

    async fn jobs(&mut self) {
        let engine = self.engine.clone();
        self.or_crash(async move { engine.jobs.run_due_jobs(4).await.unwrap() }).await;
    }

    /// Let the faults end, and both sides come to rest.
    async fn settle(&mut self) {
        self.simulator.set_rates(Rates::default());
        self.engine = self.world.another_engine(self.world.runtime.clone());
        let waiting = std::mem::take(&mut self.waiting);
        for delivery in waiting {
            self.deliver(delivery).await;
        }
        self.take_up_again().await;
        for _ in 0..SETTLING_ROUNDS {
            self.world.clock.advance_ms(3_600_000);
            while self.engine.jobs.run_due_jobs(64).await.unwrap() > 0 {}
            if self.world.store.open_job_count().await.unwrap() == 0 {
                return;
            }
        }
        panic!("{} jobs never came to rest", self.world.store.open_job_count().await.unwrap());
    }

    /// A person requeues what the processes died of, three times in a row; nothing else is ever a dead letter here.
    async fn take_up_again(&mut self) {
        let caller = self.world.caller.clone();
        for job in self.engine.mirror.dead_jobs(&caller).await.unwrap() {
            let error = job.last_error.unwrap_or_default();
            assert!(error.contains("the process ended"), "{} was given up: {error}", job.id);
            // Refused where another one for the same is open by now.
            let done = self.engine.mirror.requeue_job(&caller, job.id).await;
            self.count(if done.is_ok() { "requeued" } else { "open again" });
        }
    }

    async fn all_bookings(&self) -> Vec<Booking> {
        let mut all: Vec<Booking> = Vec::new();
        loop {
            let after = all.last().map(|b| (b.when.start(), b.id));
            let filter = BookingFilter { after, ..BookingFilter::default() };
            let page = self.world.store.list_bookings(self.world.caller.tenant, filter, 500).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// One person is one customer, through crashes and upgrades.
    fn judge_customers(bookings: &[Booking]) {
        let mut customers = BTreeMap::new();
        for booking in bookings {
            let customer = booking.customer.unwrap_or_else(|| panic!("{} is for no customer", booking.id));
            let known = customers.entry(booking.attendee.email.clone()).or_insert(customer);
            assert_eq!(*known, customer, "{} is two customers", booking.attendee.name);
        }
        let each: BTreeSet<_> = customers.values().collect();
        assert_eq!(each.len(), customers.len(), "two people are one customer");
    }

    /// Invariants 1 to 3: no double booking, nothing acknowledged is lost, one external booking for each of ours or none.
    /// Invariants 1 to 3: no double booking, nothing acknowledged is lost, one external booking for each of ours or none. And whoever follows
    /// the events knows how every booking stands.
    async fn check(&self) {
        let ours = self.all_bookings().await;
        Self::judge_customers(&ours);
        for id in &self.acknowledged {
            assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
        }
        let mut active: Vec<&Booking> = ours.iter().filter(|b| b.status.is_active()).collect();
        active.sort_by_key(|b| b.when);
        for pair in active.windows(2) {
            assert!(!pair[0].when.overlaps(pair[1].when), "double booking: {:?} {:?}", pair[0], pair[1]);
        }
        let mut by_reference: BTreeMap<String, Vec<berth_simulators::calcom::Booking>> = BTreeMap::new();
        for counterpart in self.simulator.active_bookings() {
            let reference = counterpart.metadata.values().find_map(|v| v.as_str().map(str::to_owned));
            if let Some(reference) = reference {
                by_reference.entry(reference).or_default().push(counterpart);
            }
        }
        for booking in &ours {
            let counterparts = by_reference.remove(&booking.id.to_string()).unwrap_or_default();
            assert_eq!(booking.provider_task, None, "{} never came to rest", booking.id);
            assert!(
                counterparts.len() <= 1,
                "{} exists {} times at the provider",
                booking.id,
                counterparts.len()
            );
            match (booking.status, counterparts.first()) {
                (BookingStatus::Confirmed, None) => {
                    // Cancelled in the provider's own calendar, and the message was lost: the provider's word, not yet heard.
                    let counterpart = self
                        .simulator
                        .bookings()
                        .into_iter()
                        .find(|t| Some(&t.uid) == booking.external_id.as_ref());
                    assert!(
                        counterpart.is_some(),
                        "{} is confirmed and was never made at the provider",
                        booking.id
                    );
                }
                (BookingStatus::Confirmed, Some(_)) => {}
                (BookingStatus::Cancelled | BookingStatus::Failed, None) => {}
                (status, counterpart) => {
                    panic!("{} is {status:?} here, at the provider {counterpart:?}", booking.id)
                }
            }
        }
        assert!(by_reference.is_empty(), "at the provider, unknown here: {by_reference:?}");
        let told = events::whole_feed(&self.world.store, self.world.caller.tenant).await;
        events::tell_how_they_stand(&told, &ours);
    }
}

async fn simulate(seed: u64, operations: u64) {
    println!("simulation: seed {seed}, {operations} operations (replay with BERTH_SIM_SEED={seed})");
    let mut run = Run::start(seed).await;
    for _ in 0..operations {
        run.operation().await;
    }
    run.settle().await;
    run.check().await;
    println!("simulation: seed {seed}: {:?}", run.counts);
    assert!(
        run.counts.get("booked").is_some_and(|n| *n > operations / 50),
        "too little happened: {:?}",
        run.counts
    );
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_agree_after_faults_crashes_and_upgrades() {
    let operations = number("BERTH_SIM_OPERATIONS").unwrap_or(OPERATIONS);
    if let Some(seed) = number("BERTH_SIM_SEED") {
        return simulate(seed, operations / SEEDS).await;
    }
    let seeds: Vec<_> = (1..=SEEDS).map(|seed| tokio::spawn(simulate(seed, operations / SEEDS))).collect();
    for seed in seeds {
        seed.await.unwrap();
    }
}
