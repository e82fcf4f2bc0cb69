//! One run: the world, what happens in it by chance, and how it comes to rest.

#[path = "pauses.rs"]
mod pauses;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use berth_engine::{
    BookRequest, Caller, CancelBooking, EditBooking, Engine, NewConnection, NewTenant, RescheduleBooking,
};
use berth_model::{
    bookings::edit::Contents,
    connections::secret::{Credentials, Secret},
    id::{BookingId, ConnectionId, EventTypeId},
    limits,
    mirror::sync::{Conflict, ConflictKind, Resolution, SourceOfTruth, SyncMode, SyncRules},
    outbound::provider::{Attendee, WebhookRequest},
    plugins::manifest::PluginId,
    problem::{Code, Problem},
    time::{Clock as _, Instant},
};
use berth_simulators::{faults::Rates, front::Delivery};
use berth_tests::{
    Means, TestClock, World, canary_secrets::CanarySecrets, component, crash::CrashAfter, http_stub::HttpStub,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::scenario::{Deed, Open, Scenario};

/// Starts that are fought for: half hours from here on.
const STARTS: i64 = 60;
/// Steps after which a process ends at the latest, if its work is not done before.
const STEPS_MAX: i64 = 40;
/// Nearly a third of all requests.
const RATES: Rates = Rates {
    server_error: 0.08,
    drop_before: 0.05,
    drop_after: 0.1,
    rate_limited: 0.04,
    malformed: 0.03,
    latency_ms: (0, 0),
    webhook_duplicate: 0.2,
    webhook_lost: 0.2,
};

/// One connection of one tenant.
pub struct Side {
    pub caller: Caller,
    pub provider: Arc<dyn Scenario>,
    pub plugin: PluginId,
    pub connection: ConnectionId,
    pub acknowledged: Vec<BookingId>,
    pub event_type: EventTypeId,
    pub waiting: Vec<Delivery>,
}

pub struct Run {
    pub world: World,
    pub engine: Engine,
    pub sides: Vec<Side>,
    pub canaries: CanarySecrets,
    /// What callers were told that was no success.
    pub said: Vec<Problem>,
    pub counts: BTreeMap<&'static str, u32>,
    pub rng: StdRng,
    first: i64,
    _door: HttpStub,
}

/// Running providers, each of the tenant with this number.
async fn providers(
    tenants: &[&[(Open, i64)]],
    seed: u64,
    clock: &Arc<TestClock>,
) -> Vec<(usize, Arc<dyn Scenario>)> {
    let mut running = Vec::new();
    for (tenant, open, skew) in
        tenants.iter().enumerate().flat_map(|(n, all)| all.iter().map(move |(open, skew)| (n, *open, *skew)))
    {
        let shown = clock.clone();
        let own_seed = seed.wrapping_mul(100).wrapping_add(running.len() as u64);
        let provider = open(own_seed, Arc::new(move || shown.now().micros() + skew)).await;
        running.extend(provider.map(|provider| (tenant, provider)));
    }
    running
}

impl Run {
    /// Tenants with these providers, whose clocks are wrong by so many microseconds.
    pub async fn start(tenants: &[&[(Open, i64)]], seed: u64) -> Self {
        let clock = TestClock::start();
        let providers = providers(tenants, seed, &clock).await;
        let hosts: Vec<String> =
            providers.iter().map(|(_, p)| p.url().trim_start_matches("http://").to_owned()).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let door = HttpStub::build().await;
        let means = Means { public_url: Some(door.url()), ..Means::default() };
        let mut world = World::with(seed, clock, &hosts, means).await;
        door.open(&world);
        let plugins: BTreeSet<_> = providers.iter().map(|(_, p)| p.offer().plugin).collect();
        for plugin in plugins {
            world.install(component(plugin)).await;
        }
        let mut callers = Vec::new();
        for n in 0..tenants.len() {
            let new = NewTenant { slug: format!("tenant-{n}"), name: "Tenant".to_owned() };
            let tenant = world.engine.tenants.create_tenant("test", "test", new).await.unwrap().id;
            callers.push(Caller { tenant, ..world.caller.clone() });
        }
        let mut canaries = CanarySecrets::default();
        let mut sides = Vec::new();
        for (n, (tenant, provider)) in providers.into_iter().enumerate() {
            world.caller = callers[tenant].clone();
            sides.push(connected(&world, n, provider, &mut canaries).await);
        }
        for side in &sides {
            side.provider.set_rates(RATES);
        }
        let first = (world.clock.now().micros() / 86_400_000_000 + 2) * 86_400_000_000;
        let (engine, rng) = (world.engine.clone(), StdRng::seed_from_u64(seed));
        let (said, counts) = (Vec::new(), BTreeMap::new());
        let mut run = Self { world, engine, sides, canaries, said, counts, rng, first, _door: door };
        run.plant().await;
        run
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Whatever is a secret of a connection by now.
    pub async fn plant(&mut self) {
        for side in &self.sides {
            let credentials =
                self.world.store.connection_credentials(side.caller.tenant, side.connection).await.unwrap();
            credentials.values().for_each(|secret| self.canaries.plant(secret.expose()));
        }
    }

    fn some_start(&mut self) -> Instant {
        self.some_start_of(STARTS)
    }

    /// One of so many half hours.
    pub fn some_start_of(&mut self, starts: i64) -> Instant {
        Instant::from_micros(self.first + self.rng.random_range(0..starts) * 1_800_000_000)
    }

    pub fn another_engine(&self) -> Engine {
        self.world.another_engine(self.world.runtime.clone())
    }

    pub async fn operation(&mut self) {
        match self.rng.random_range(0..100_u32) {
            0..58 => self.work().await,
            58..70 => self.person(),
            70..95 => self.background().await,
            95..97 => self.engine = self.another_engine(),
            _ => self.crash().await,
        }
        self.collect();
    }

    /// Messages wait for the connection whose address they name; those to an account, for all connections to it.
    pub fn collect(&mut self) {
        for at in 0..self.sides.len() {
            let provider = self.sides[at].provider.clone();
            for delivery in provider.take_deliveries() {
                let named = |side: &&mut Side| delivery.url.contains(&side.connection.to_string());
                if let Some(side) = self.sides.iter_mut().find(named) {
                    side.waiting.push(delivery);
                    continue;
                }
                for side in self.sides.iter_mut().filter(|side| Arc::ptr_eq(&side.provider, &provider)) {
                    side.waiting.push(delivery.clone());
                }
            }
        }
    }

    /// Another connection, of the tenant of `of`, to the account that `at` is connected to.
    pub async fn connect_again(&mut self, at: usize, of: usize) {
        self.world.caller = self.sides[of].caller.clone();
        let (n, provider) = (self.sides.len(), self.sides[at].provider.clone());
        provider.set_rates(Rates::default());
        self.sides.push(connected(&self.world, n, provider.clone(), &mut self.canaries).await);
        provider.set_rates(RATES);
    }

    /// A process that ends in the middle of something, and another one in its place.
    pub async fn crash(&mut self) {
        let crash = CrashAfter::of(self.rng.random_range(1..=STEPS_MAX));
        self.engine = self.world.crashing_engine(&crash);
        let ended = if self.rng.random_bool(0.5) {
            crash.live(self.work()).await
        } else {
            crash.live(self.background()).await
        };
        self.count(if ended.is_none() { "crashed" } else { "just in time" });
        self.engine = self.another_engine();
    }

    /// As [`Self::operation`], while somebody changes again and again how connections are kept in step.
    pub async fn operation_under_changing_rules(&mut self) {
        if self.rng.random_bool(0.1) {
            let at = self.rng.random_range(0..self.sides.len());
            self.change_rules(at).await;
        }
        if self.rng.random_bool(0.04) {
            self.pause_or_resume().await;
        }
        self.operation().await;
    }

    /// Somebody changes how a connection is kept in step.
    pub async fn change_rules(&mut self, at: usize) {
        let rules = SyncRules {
            mode: SyncMode::ALL[self.rng.random_range(0..SyncMode::ALL.len())],
            source_of_truth: [SourceOfTruth::Provider, SourceOfTruth::Berth][self.rng.random_range(0..2)],
            auto_resolve: self.rng.random_bool(0.8),
            ..SyncRules::default()
        };
        let side = &self.sides[at];
        self.engine.mirror.set_sync_rules(&side.caller, side.connection, rules).await.unwrap();
        self.count("rules");
    }

    /// Conflicts that ended by themselves are few for each booking, whatever was tried.
    pub async fn no_conflict_goes_on(&self) {
        for side in &self.sides {
            let (mut ends, mut before) = (BTreeMap::<_, Vec<Instant>>::new(), None);
            loop {
                let page =
                    self.engine.mirror.list_conflicts(&side.caller, side.connection, before, true, 100);
                let page = page.await.unwrap();
                let Some(last) = page.last() else { break };
                before = Some(last.id);
                let chosen = |c: &&Conflict| {
                    c.resolved_by.as_deref() == Some("system")
                        && c.resolution == Some(Resolution::Ours)
                        && c.kind != ConflictKind::BothChanged
                };
                for conflict in page.iter().filter(chosen) {
                    ends.entry(conflict.booking).or_default().extend(conflict.resolved_at);
                }
            }
            for (booking, times) in ends {
                for from in &times {
                    let hour = from.plus_seconds(limits::CONFLICT_ENDS_SECONDS);
                    let within = times.iter().filter(|at| **at >= *from && **at < hour).count();
                    let most = usize::try_from(limits::CONFLICT_ENDS_MAX).unwrap();
                    assert!(within <= most, "{booking:?} over {}: {within} ends in an hour", side.plugin);
                }
            }
        }
    }

    /// What customers ask for.
    async fn work(&mut self) {
        let at = self.rng.random_range(0..self.sides.len());
        let start = self.some_start();
        match self.rng.random_range(0..66_u32) {
            0..35 => self.book(at, start).await,
            35..45 => self.change(at, None).await,
            45..53 => self.edit(at).await,
            _ => self.change(at, Some(start)).await,
        }
    }

    /// What happens without them.
    pub async fn background(&mut self) {
        match self.rng.random_range(0..28_u32) {
            0..12 => self.messages().await,
            12..25 => {
                self.world.clock.advance_ms(self.rng.random_range(500..60_000));
                self.engine.jobs.run_due_jobs(6).await.unwrap();
            }
            _ => {
                self.plant().await;
                self.world.clock.advance_ms(300_000);
                self.engine.mirror.begin_syncs().await.unwrap();
                self.engine.connections.keep_subscriptions().await.unwrap();
            }
        }
    }

    /// Somebody works in a provider's own calendar.
    fn person(&mut self) {
        let start = self.some_start().micros();
        let provider = self.sides[self.rng.random_range(0..self.sides.len())].provider.clone();
        let active = provider.active();
        let some = active.get(self.rng.random_range(0..active.len().max(1)));
        let deed = match (self.rng.random_range(0..3_u32), some) {
            (0, Some(some)) => Deed::Cancel(&some.id),
            (1, Some(some)) => Deed::Move(&some.id, start),
            _ => Deed::Book(start),
        };
        self.count(if provider.person(deed).is_ok() { "by hand" } else { "refused by hand" });
    }

    pub async fn book(&mut self, at: usize, start: Instant) {
        let side = &mut self.sides[at];
        let request = BookRequest {
            attendee: Attendee {
                name: "Ada".to_owned(),
                email: Some(format!("ada{}@example.com", side.acknowledged.len())),
                phone: None,
                time_zone: "UTC".to_owned(),
                language: None,
            },
            ..berth_tests::request(side.event_type, start)
        };
        match self.engine.bookings.book(&side.caller, request).await {
            Ok(outcome) => {
                side.acknowledged.push(outcome.booking.id);
                self.count(if outcome.pending { "pending" } else { "booked" });
            }
            Err(problem) => self.said.push(problem),
        }
    }

    async fn change(&mut self, at: usize, to: Option<Instant>) {
        let side = &self.sides[at];
        let Some(id) = side.acknowledged.get(self.rng.random_range(0..side.acknowledged.len().max(1))) else {
            return;
        };
        let (expected_sequence, bound_by_cutoffs) = (None, false);
        // Refused or not: both sides have to agree in the end.
        let (done, what) = match to {
            None => {
                let cancel = CancelBooking { reason: None, expected_sequence, bound_by_cutoffs };
                (self.engine.bookings.cancel(&side.caller, *id, cancel).await, "cancelled")
            }
            Some(start) => {
                let to = RescheduleBooking { start, expected_sequence, bound_by_cutoffs };
                (self.engine.bookings.reschedule(&side.caller, *id, to).await, "moved")
            }
        };
        match done {
            Ok(_) => self.count(what),
            Err(problem) => self.said.push(problem),
        }
    }

    /// Somebody writes on a booking. A provider that cannot be told of it refuses, and nothing changes.
    async fn edit(&mut self, at: usize) {
        let number = self.rng.random_range(0..1_000_u32);
        let side = &self.sides[at];
        let Some(id) = side.acknowledged.get(self.rng.random_range(0..side.acknowledged.len().max(1))) else {
            return;
        };
        let booking = self.engine.bookings.booking(&side.caller, *id).await.unwrap();
        let contents = Contents { notes: Some(format!("Note {number}")), ..Contents::of(&booking) };
        let edit = EditBooking { contents, local_only: false, seats_taken: None, expected_sequence: None };
        match self.engine.bookings.edit(&side.caller, *id, edit).await {
            Ok(_) => self.count("edited"),
            Err(problem) => self.said.push(problem),
        }
    }

    /// Some of what waits for one side arrives, in any order.
    async fn messages(&mut self) {
        let at = self.rng.random_range(0..self.sides.len());
        let waiting = &mut self.sides[at].waiting;
        waiting.shuffle(&mut self.rng);
        let some = self.rng.random_range(0..=waiting.len().min(6));
        let some = waiting.drain(..some).collect();
        self.arrive(at, some).await;
    }

    /// All that waits for one side arrives, in order.
    pub async fn all_messages(&mut self, at: usize) {
        let all = std::mem::take(&mut self.sides[at].waiting);
        self.arrive(at, all).await;
    }

    async fn arrive(&mut self, at: usize, messages: Vec<Delivery>) {
        let side = &self.sides[at];
        for delivery in messages {
            let request = WebhookRequest {
                method: "POST".to_owned(),
                headers: delivery.headers,
                query: String::new(),
                body: delivery.body,
                received_at: self.world.clock.now(),
                subscription: None,
            };
            let taken = self
                .engine
                .inbound
                .receive_webhook(&side.plugin, side.connection, request, None, "test")
                .await;
            match taken {
                Ok(reply) => assert_eq!(reply.status, 200),
                // Too old by now, or of a subscription that is over: lost.
                Err(problem) => {
                    assert_eq!(problem.code, Code::WebhookRefused, "{problem:?}");
                    self.said.push(problem);
                }
            }
            *self.counts.entry("message").or_default() += 1;
        }
    }

    /// A person requeues what failed so often that it is a dead letter.
    async fn take_up_again(&mut self) {
        let callers: BTreeMap<_, _> =
            self.sides.iter().map(|side| (side.caller.tenant, side.caller.clone())).collect();
        for caller in callers.values() {
            for job in self.engine.mirror.dead_jobs(caller).await.unwrap() {
                // Refused where another one for the same is open by now.
                let done = self.engine.mirror.requeue_job(caller, job.id).await;
                self.count(if done.is_ok() { "requeued" } else { "open again" });
            }
        }
    }

    /// The faults end, everything is read once more, and both sides come to rest.
    pub async fn settle(&mut self) {
        for side in &self.sides {
            side.provider.set_rates(Rates::default());
        }
        self.engine = self.another_engine();
        self.resume_all().await;
        self.take_up_again().await;
        for round in 0..200 {
            self.take_up_again().await;
            self.world.clock.advance_ms(600_000);
            if round == 100 {
                for side in &self.sides {
                    self.engine.mirror.start_sync(&side.caller, side.connection, true).await.unwrap();
                }
            }
            while self.engine.jobs.run_due_jobs(64).await.unwrap() > 0 {}
        }
        assert_eq!(self.world.store.open_job_count().await.unwrap(), 0, "something never came to rest");
    }
}

async fn connected(
    world: &World,
    n: usize,
    provider: Arc<dyn Scenario>,
    canaries: &mut CanarySecrets,
) -> Side {
    let offer = provider.offer();
    let (name, value) = offer.credential;
    canaries.plant(&value);
    let new = NewConnection {
        plugin: offer.plugin.parse().unwrap(),
        name: "test".to_owned(),
        listing: None,
        settings: offer.settings,
        credentials: Credentials::from([(name.to_owned(), Secret::new(value))]),
        granted_hosts: None,
        webhook_sources: None,
    };
    let made = world.engine.connections.create_connection(&world.caller, new).await.unwrap();
    let event_type = world.offer_as(&format!("listing-{n}"), Some(made.id), Some(offer.event_type)).await;
    Side {
        caller: world.caller.clone(),
        provider,
        plugin: made.plugin,
        connection: made.id,
        acknowledged: Vec::new(),
        event_type: event_type.id,
        waiting: Vec::new(),
    }
}
