//! What the suites share: a world with a clock to move, a seed, real components and a provider simulator.
//!
//! Components come from `BERTH_COMPONENTS` (set by `cargo xtask test`) or `target/components`.

pub mod canary_secrets;
pub mod crash;
pub mod events;
pub mod http_stub;
pub mod monsters;
pub mod own_postgres;
#[path = "../../host/xtask/src/postgres.rs"]
mod postgres;
pub mod process;
pub mod proxy;
pub mod radicale;

pub use berth_simulators::PATIENCE;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use berth_engine::{
    BookRequest, Caller, Engine, EngineParts, NewConnection, NewEventType, NewListing, NewMember, NewTenant,
};
use berth_model::{
    catalog::{
        event_type::{EventTypePolicy, EventTypeRecord},
        member::{MemberRole, RoundRobinShare},
    },
    connections::secret::{Credentials, Secret},
    id::{ConnectionId, EventTypeId},
    outbound::provider::{Attendee, CallLog, CallRecord, Providers},
    plugins::manifest::PluginId,
    random::Random,
    time::{Clock, Instant},
    zone::Zone,
};
use berth_runtime::{
    Compiler, Runtime, RuntimeLimits, RuntimeParts,
    egress::{Gate, GateConfig, Resolve},
};
use berth_server::ports::StoredState;
use berth_simulators::calcom;
use berth_store::{Store, VaultKeys, records::GrantRecord};
use crash::{CrashAfter, CrashingPorts};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

/// A clock that tests move. Starts on Monday 2026-11-23 at 07:00 UTC.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that stands at the start.
    pub fn start() -> Arc<Self> {
        let start: Instant = "2026-11-23T07:00:00Z".parse().unwrap();
        Arc::new(Self(AtomicI64::new(start.micros())))
    }

    /// Let time pass.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms * 1_000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Randomness from a seed.
pub struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

/// Calls that ended, for tests to look at.
#[derive(Debug, Default)]
pub struct Calls(pub Mutex<Vec<CallRecord>>);

impl CallLog for Calls {
    fn record(&self, call: CallRecord) {
        self.0.lock().unwrap().push(call);
    }
}

/// Where a component is, if it was built.
pub fn find_component(name: &str) -> PathBuf {
    let folder = std::env::var_os("BERTH_COMPONENTS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/components"),
        PathBuf::from,
    );
    folder.join(format!("{name}.wasm"))
}

/// The bytes of a component.
pub fn component(name: &str) -> Vec<u8> {
    let path = find_component(name);
    std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask components` first", path.display()))
}

/// A component with another manifest version, which makes it another component with another digest.
pub fn component_as(name: &str, version: &str) -> Vec<u8> {
    let mut bytes = component(name);
    let (old, new) = (b"version = \"0.1.0\"".as_slice(), format!("version = \"{version}\""));
    assert_eq!(old.len(), new.len(), "the section's length must not change");
    let at = bytes.windows(old.len()).position(|w| w == old).expect("the manifest's version");
    bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    bytes
}

/// A component whose manifest says something else in place of `old`: as long, or shorter, which is made up for with blanks. Some have its text twice.
pub fn with_manifest(mut bytes: Vec<u8>, old: &str, new: &str) -> Vec<u8> {
    assert!(new.len() <= old.len(), "the section's length must not change");
    let places: Vec<usize> =
        (0..=bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old.as_bytes())).collect();
    assert!(!places.is_empty(), "it is not in the manifest: {old}");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(format!("{new:<width$}", width = old.len()).as_bytes());
    }
    bytes
}

/// What calls run with.
#[derive(Default)]
pub struct Means {
    pub limits: RuntimeLimits,
    /// A name server; the system's if none.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// Where providers send their messages; an address at which nobody is, if none.
    pub public_url: Option<String>,
    /// Who compiles components; this process if none. The suites know theirs, except where they try hostile ones.
    pub compiler: Option<Compiler>,
}

/// The file of a world's own database.
const DATABASE: &str = "berth.db";

/// An engine over real parts.
pub struct World {
    pub engine: Engine,
    pub runtime: Arc<Runtime>,
    gate: Arc<Gate>,
    public_url: String,
    pub store: Store,
    pub clock: Arc<TestClock>,
    pub random: Arc<Seeded>,
    pub calls: Arc<Calls>,
    pub caller: Caller,
    insecure: std::collections::BTreeSet<String>,
    folder: Option<tempfile::TempDir>,
}

impl World {
    /// A tenant on SQLite. Components may reach `insecure` hosts.
    pub async fn new(seed: u64, clock: Arc<TestClock>, insecure: &[&str]) -> Self {
        Self::with(seed, clock, insecure, Means::default()).await
    }

    async fn fresh(seed: u64) -> (Store, Arc<Seeded>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let random = Arc::new(Seeded::new(seed));
        let url = format!("sqlite:{}", folder.path().join(DATABASE).display());
        let keys = VaultKeys::new(vec![("test".to_owned(), [7; 32])]).unwrap();
        let store = Store::open(&url, keys, random.clone()).await.unwrap();
        store.migrate().await.unwrap();
        (store, random, folder)
    }

    /// On a database of its own in a temporary folder, with other limits of calls, or another name server.
    pub async fn with(seed: u64, clock: Arc<TestClock>, insecure: &[&str], means: Means) -> Self {
        let (store, random, folder) = Self::fresh(seed).await;
        Self { folder: Some(folder), ..Self::over_with(store, clock, random, insecure, means).await }
    }

    /// A tenant on this database.
    pub async fn over(store: Store, clock: Arc<TestClock>, random: Arc<Seeded>) -> Self {
        Self::over_with(store, clock, random, &[], Means::default()).await
    }

    /// The same, where components may reach these hosts.
    pub async fn over_reaching(
        store: Store,
        clock: Arc<TestClock>,
        random: Arc<Seeded>,
        insecure: &[&str],
    ) -> Self {
        Self::over_with(store, clock, random, insecure, Means::default()).await
    }

    async fn over_with(
        store: Store,
        clock: Arc<TestClock>,
        random: Arc<Seeded>,
        insecure: &[&str],
        means: Means,
    ) -> Self {
        let Means { limits, resolver, public_url, compiler } = means;
        let compiler = compiler.unwrap_or(Compiler::Here);
        let public_url = public_url.unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        let calls = Arc::new(Calls::default());
        let mut gate = GateConfig::new(clock.clone());
        gate.insecure_hosts = insecure.iter().map(|h| (*h).to_owned()).collect();
        // Nobody moves the clock while a request waits for its turn by it.
        gate.limits.rate_wait = std::time::Duration::ZERO;
        let insecure = gate.insecure_hosts.clone();
        if let Some(resolver) = resolver {
            gate.resolver = resolver;
        }
        // Compiled once for all suites; a test key, since nothing here is secret.
        let cache = std::env::temp_dir().join("berth-test-compiled");
        let gate = Gate::new(gate).unwrap();
        let runtime = Runtime::new(RuntimeParts {
            clock: clock.clone(),
            state: Arc::new(StoredState(store.clone())),
            calls: calls.clone(),
            gate: gate.clone(),
            compiler,
            aot_dir: Some(cache),
            aot_key: [9; 32],
            limits,
        });
        let runtime = Arc::new(runtime.unwrap());
        let engine = Self::engine_over(
            &store,
            runtime.clone(),
            &runtime,
            gate.clone(),
            clock.clone(),
            &random,
            public_url.clone(),
        );
        let tenant = engine
            .tenants
            .create_tenant("test", "test", NewTenant { slug: "studio".to_owned(), name: "Studio".to_owned() })
            .await
            .unwrap();
        let caller = Caller {
            tenant: tenant.id,
            actor: "key:test".to_owned(),
            request_id: "request-test".to_owned(),
            idempotency_key: None,
        };
        Self {
            engine,
            runtime,
            gate,
            public_url,
            store,
            clock,
            random,
            calls,
            caller,
            insecure,
            folder: None,
        }
    }

    fn engine_over(
        store: &Store,
        providers: Arc<dyn Providers>,
        runtime: &Arc<Runtime>,
        gate: Arc<Gate>,
        clock: Arc<dyn Clock>,
        random: &Arc<Seeded>,
        public_url: String,
    ) -> Engine {
        Engine::new(EngineParts {
            store: store.clone(),
            providers,
            token_endpoint: gate,
            plugins: runtime.clone(),
            clock,
            random: random.clone(),
            public_url: Some(public_url),
        })
    }

    /// The file of its database, if it has one of its own.
    pub fn database(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().join(DATABASE))
    }

    /// Another engine on the same store, as after a restart, whose provider calls go through `providers`.
    pub fn another_engine(&self, providers: Arc<dyn Providers>) -> Engine {
        self.engine_by(providers, self.clock.clone())
    }

    /// Another engine on the same store, whose process ends with this life.
    pub fn crashing_engine(&self, crash: &CrashAfter) -> Engine {
        let providers = CrashingPorts { inner: self.runtime.clone(), crash: crash.clone() };
        let clock = CrashingPorts { inner: self.clock.clone(), crash: crash.clone() };
        self.engine_by(Arc::new(providers), Arc::new(clock))
    }

    fn engine_by(&self, providers: Arc<dyn Providers>, clock: Arc<dyn Clock>) -> Engine {
        let (gate, url) = (self.gate.clone(), self.public_url.clone());
        Self::engine_over(&self.store, providers, &self.runtime, gate, clock, &self.random, url)
    }

    /// Install, grant and activate a component.
    pub async fn install(&self, bytes: Vec<u8>) -> PluginId {
        let version = self.engine.plugins.install_plugin("test", "test", bytes).await.unwrap().version;
        let mut hosts: std::collections::BTreeSet<String> = version.manifest.hosts.iter().cloned().collect();
        hosts.extend(self.insecure.iter().cloned());
        let grant =
            GrantRecord { plugin: version.plugin.clone(), tenant: None, listing: None, hosts, enabled: true };
        self.engine.plugins.set_grant("test", "test", grant).await.unwrap();
        self.engine.plugins.activate_plugin("test", "test", &version.digest).await.unwrap();
        version.plugin
    }

    /// Connect to a plugin with these settings and an API key.
    pub async fn connect(&self, plugin: &str, settings: Value, key: &str) -> ConnectionId {
        self.connect_with(plugin, settings, "api-key", key).await
    }

    /// Connect to a plugin with these settings and a credential by its name.
    pub async fn connect_with(
        &self,
        plugin: &str,
        settings: Value,
        credential: &str,
        value: &str,
    ) -> ConnectionId {
        let new = NewConnection {
            plugin: plugin.parse().unwrap(),
            name: "test".to_owned(),
            listing: None,
            settings,
            credentials: Credentials::from([(credential.to_owned(), Secret::new(value.to_owned()))]),
            granted_hosts: None,
            webhook_sources: None,
        };
        self.engine.connections.create_connection(&self.caller, new).await.unwrap().id
    }

    /// A listing, a member who works round the clock, and an event type of half an hour.
    pub async fn offer(
        &self,
        connection: Option<ConnectionId>,
        external_id: Option<&str>,
    ) -> EventTypeRecord {
        self.offer_as("studio", connection, external_id).await
    }

    /// The same in a listing of this name, with a member of its own.
    pub async fn offer_as(
        &self,
        slug: &str,
        connection: Option<ConnectionId>,
        external_id: Option<&str>,
    ) -> EventTypeRecord {
        let listing = NewListing {
            slug: slug.to_owned(),
            title: "Studio".to_owned(),
            description: String::new(),
            time_zone: Zone::UTC,
            currency: None,
            booking_provider: connection,
            offer_when_degraded: true,
        };
        let listing = self.engine.catalog.create_listing(&self.caller, listing).await.unwrap();
        let hours = json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "start": "00:00", "end": "24:00" }]);
        let member = NewMember {
            name: "Eve".to_owned(),
            email: None,
            user_id: None,
            time_zone: Zone::UTC,
            schedule: None,
            weekly_hours: serde_json::from_value(hours).unwrap(),
            role: MemberRole::Member,
            turns: RoundRobinShare::default(),
        };
        let member = self.engine.catalog.create_member(&self.caller, member).await.unwrap();
        let new = NewEventType {
            listing: listing.id,
            slug: "consultation".to_owned(),
            title: "Consultation".to_owned(),
            description: String::new(),
            length_minutes: 30,
            slot_interval_minutes: None,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            minimum_notice_minutes: 0,
            booking_window_days: 700,
            members: vec![member.id],
            policy: EventTypePolicy::default(),
            external_id: external_id.map(str::to_owned),
            external: None,
        };
        self.engine.catalog.create_event_type(&self.caller, new).await.unwrap()
    }
}

/// Ada Nowak from Warsaw books this start.
pub fn request(event_type: EventTypeId, start: Instant) -> BookRequest {
    BookRequest {
        event_type,
        start,
        length_minutes: None,
        hold: None,
        member: None,
        provider: None,
        attendee: Attendee {
            name: "Ada Nowak".to_owned(),
            email: Some("ada@example.com".to_owned()),
            phone: None,
            time_zone: "Europe/Warsaw".to_owned(),
            language: None,
        },
        guests: Vec::new(),
        answers: serde_json::Map::new(),
        location: None,
        notes: None,
        allow_blocked: false,
        metadata: std::collections::BTreeMap::new(),
        consents: Vec::new(),
    }
}

/// A Cal.com simulator on the world's clock, open round the clock, that keeps its webhooks for the test.
pub async fn calcom(clock: Arc<TestClock>, seed: u64) -> calcom::Simulator {
    calcom_with_key(clock, seed, &calcom::Config::default().api_key).await
}

/// The same, which accepts this API key.
pub async fn calcom_with_key(clock: Arc<TestClock>, seed: u64, key: &str) -> calcom::Simulator {
    let config = calcom::Config {
        seed,
        api_key: key.to_owned(),
        clock: Arc::new(move || clock.now().micros()),
        rate_limit: false,
        time_zone: chrono_tz::UTC,
        opens_minute: 0,
        closes_minute: 1_440,
        weekends: true,
        ..calcom::Config::default()
    };
    calcom::Simulator::start(config).await.unwrap()
}

/// A world with the Cal.com component installed and connected to a simulator of its own.
pub async fn with_calcom(seed: u64) -> (World, calcom::Simulator, ConnectionId, EventTypeRecord) {
    let clock = TestClock::start();
    let simulator = calcom(clock.clone(), seed).await;
    let url = simulator.url();
    let world = World::new(seed, clock, &[url.trim_start_matches("http://")]).await;
    world.install(component("calcom")).await;
    let connection = world.connect("calcom", json!({ "base_url": url }), "cal_test_not_a_real_key").await;
    let event_type = world.offer(Some(connection), Some("101")).await;
    (world, simulator, connection, event_type)
}
