//! The component under test, and how it is called.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use berth_model::{
    boxed::BoxFuture,
    connections::secret::Credentials,
    id::{ConnectionId, ProviderCallId, TenantId},
    outbound::provider::{
        Asked, Attendee, BusyQuery, CallContext, CallError, CallLog, CallRecord, ConnectionState,
        CreateRequest, EgressRecord, ExternalSlot, Providers, QuerySpans, SlotQuery, StateError,
    },
    plugins::{
        manifest::Manifest,
        plugin::{Capabilities, ComponentReport},
    },
    time::{Clock, Instant, Interval},
};
use berth_runtime::{
    Runtime, RuntimeError, RuntimeLimits, RuntimeParts, TrialPorts, egress::interceptor::InterceptedRequest,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Bench, Options,
    finding::Finding,
    setup::{Setup, SetupError},
    simulated_provider::{Fault, SimulatedProvider},
};

/// How far free slots are looked for, in days: over a weekend.
const LOOKED_DAYS_MAX: u32 = 4;
/// Time that passes between two calls: longer than any breaker of the runtime stays open.
const BETWEEN_CALLS_MICROS: i64 = 600_000_000;

/// A clock that stands still during a call and is set at the start of each case, so that every run is the same.
#[derive(Debug, Default)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// At this time.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(AtomicI64::new(now.micros()))
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A connection's state, in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<(ConnectionId, String), Vec<u8>>>);

impl ConnectionState for Memory {
    fn get<'a>(
        &'a self,
        _: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        let found =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(connection, key.to_owned())).cloned();
        Box::pin(async { Ok(found) })
    }

    fn set<'a>(
        &'a self,
        _: TenantId,
        connection: ConnectionId,
        key: &'a str,
        value: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((connection, key.to_owned()), value);
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(
        &'a self,
        _: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(connection, key.to_owned()));
        Box::pin(async { Ok(()) })
    }
}

/// The last call, for the requests that the gate refused.
#[derive(Default)]
pub(crate) struct Book(Mutex<Option<CallRecord>>);

impl CallLog for Book {
    fn record(&self, call: CallRecord) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
    }
}

impl Book {
    fn take(&self) -> Vec<EgressRecord> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        last.map(|call| call.egress).unwrap_or_default()
    }
}

/// A runtime for the trial.
pub(crate) fn runtime(bench: Bench<'_>, ports: TrialPorts) -> Result<Runtime, RuntimeError> {
    let compiler = match bench {
        Bench::Beside(host) => return Ok(host.isolated(ports)),
        Bench::Alone(compiler) => compiler,
    };
    Runtime::new(RuntimeParts {
        clock: ports.clock,
        state: ports.state,
        calls: ports.calls,
        gate: ports.gate,
        compiler,
        aot_dir: None,
        aot_key: [0; 32],
        limits: RuntimeLimits::default(),
    })
}

/// An error in words, with the last that a component said before it broke down.
pub(crate) fn told(error: &CallError) -> String {
    match error {
        CallError::Trap { log_tail, .. } | CallError::Exhausted { log_tail, .. } if !log_tail.is_empty() => {
            format!("{error} (its last lines: {log_tail})")
        }
        other => other.to_string(),
    }
}

/// How a call ended, and what it did on the way.
pub(crate) struct Observed<T> {
    pub(crate) outcome: Result<T, CallError>,
    /// Requests that passed the gate's rules.
    pub(crate) requests: Vec<InterceptedRequest>,
    /// All requests, refused ones included.
    pub(crate) egress: Vec<EgressRecord>,
}

/// The component under test.
pub(crate) struct Subject {
    pub(crate) runtime: Runtime,
    pub(crate) manifest: Manifest,
    pub(crate) capabilities: Capabilities,
    pub(crate) setup: Setup,
    pub(crate) simulated: Arc<SimulatedProvider>,
    clock: Arc<SetClock>,
    book: Arc<Book>,
    settings: Arc<Value>,
    credentials: Arc<Credentials>,
    hosts: Arc<BTreeSet<String>>,
    case: Mutex<(String, u32)>,
    calls: AtomicU32,
}

/// Call a function of the contract: `call!(subject, fault, |p, cx| p.get_booking(cx, id))`.
macro_rules! call {
    ($subject:expr, $fault:expr, |$p:ident, $cx:ident| $call:expr) => {{
        let context = $subject.begin($fault);
        let ($p, $cx) = (&$subject.runtime, &context);
        let outcome = $call.await;
        $subject.end(outcome)
    }};
}
pub(crate) use call;

impl Subject {
    pub(crate) fn new(
        runtime: Runtime,
        loaded: ComponentReport,
        options: &Options,
        clock: Arc<SetClock>,
        simulated: Arc<SimulatedProvider>,
        book: Arc<Book>,
    ) -> Result<Self, SetupError> {
        let ComponentReport { manifest, capabilities, .. } = loaded;
        let settings = options.setup.settings(&manifest, &options.provider)?;
        let hosts = manifest.hosts_asked(&settings);
        let credentials = options.setup.credentials(&manifest, &options.provider);
        Ok(Self {
            runtime,
            capabilities,
            setup: options.setup.clone(),
            simulated,
            clock,
            book,
            settings: Arc::new(settings),
            credentials: Arc::new(credentials),
            hosts: Arc::new(hosts),
            case: Mutex::default(),
            calls: AtomicU32::new(0),
            manifest,
        })
    }

    /// A new case: a new connection, and a day of its own, the same in every run. Never back: a breaker that opened after
    /// traps opens by this clock.
    pub(crate) fn enter(&self, case: &str, number: u32, now: Instant) {
        *self.case.lock().unwrap_or_else(PoisonError::into_inner) = (case.to_ascii_lowercase(), number);
        let day = now.plus_seconds(i64::from(number) * 86_400);
        self.clock.0.store(day.micros(), Ordering::Relaxed);
        self.calls.store(0, Ordering::Relaxed);
        self.simulated.enter(case);
    }

    pub(crate) fn has_no_provider(&self) -> bool {
        self.simulated.is_nobody()
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn begin(&self, fault: Fault) -> CallContext {
        self.clock.0.fetch_add(BETWEEN_CALLS_MICROS, Ordering::Relaxed);
        self.simulated.begin(fault);
        let number = self.case.lock().unwrap_or_else(PoisonError::into_inner).1;
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        CallContext {
            tenant: TenantId::from_uuid(Uuid::from_u128(1)),
            listing: None,
            connection: ConnectionId::from_uuid(Uuid::from_u128(u128::from(number) + 1)),
            plugin: self.manifest.id.clone(),
            call: ProviderCallId::from_uuid(Uuid::from_u128(u128::from(call) + 1)),
            request_id: "conformance".to_owned(),
            settings: Arc::clone(&self.settings),
            credentials: Arc::clone(&self.credentials),
            granted_hosts: Arc::clone(&self.hosts),
            asked: Asked::default(),
            in_background: false,
            despite_state: false,
        }
    }

    pub(crate) fn end<T>(&self, outcome: Result<T, CallError>) -> Observed<T> {
        Observed { outcome, requests: self.simulated.end(), egress: self.book.take() }
    }

    /// A name of this case that a component may use as key or reference; the same in every run.
    pub(crate) fn name(&self, what: &str) -> String {
        let case = self.case.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        format!("berth-check-{case}-{what}")
    }

    /// The customer.
    pub(crate) fn customer(&self) -> Attendee {
        Attendee {
            name: "Ada Example".to_owned(),
            email: Some(format!("{}@example.com", self.name("ada"))),
            phone: Some("+48600100200".to_owned()),
            time_zone: "Europe/Lisbon".to_owned(),
            language: Some("en".to_owned()),
        }
    }

    /// A booking to be made.
    pub(crate) fn booking(&self, event_type: &str, slot: &ExternalSlot, name: &str) -> CreateRequest {
        CreateRequest {
            idempotency_key: self.name(name),
            reference: self.name(name),
            event_type: event_type.to_owned(),
            when: slot.when,
            attendee: self.customer(),
            guests: Vec::new(),
            answers: self.setup.answers.clone().into_iter().collect(),
            notes: None,
            slot_token: slot.token.clone(),
        }
    }

    /// What is booked.
    pub(crate) fn event_type(&self) -> Result<String, Finding> {
        let missing = || Finding::inconclusive("conformance.toml names no event-type");
        self.setup.event_type.clone().ok_or_else(missing)
    }

    /// What the component says of its spans; zeros if it has no availability.
    pub(crate) async fn spans(&self) -> Result<QuerySpans, Finding> {
        if !self.capabilities.availability {
            return Ok(QuerySpans { free_slots_days: 0, busy_days: 0 });
        }
        let observed = call!(self, Fault::None, |p, cx| p.query_spans(cx));
        observed.outcome.map_err(|error| Finding::fail(format!("spans: {error}")))
    }

    /// So many starts that can be booked, ascending.
    pub(crate) async fn slots(&self, count: usize) -> Result<Vec<ExternalSlot>, Finding> {
        let from = self.setup.from.unwrap_or_else(|| self.now().plus_seconds(86_400));
        self.slots_from(from, "Europe/Lisbon", count).await
    }

    pub(crate) async fn slots_from(
        &self,
        from: Instant,
        time_zone: &str,
        count: usize,
    ) -> Result<Vec<ExternalSlot>, Finding> {
        let days = self.spans().await?.free_slots_days;
        let slots = if days == 0 {
            self.free_starts(from, time_zone).await?
        } else {
            let until = from.plus_seconds(i64::from(days.min(LOOKED_DAYS_MAX)) * 86_400);
            let within = Interval::new(from, until).map_err(|e| Finding::inconclusive(e.to_string()))?;
            let query = SlotQuery {
                event_type: self.event_type()?,
                within,
                length_minutes: None,
                time_zone: time_zone.to_owned(),
                rescheduling: None,
            };
            let observed = call!(self, Fault::None, |p, cx| p.free_slots(cx, query));
            observed.outcome.map_err(|error| Finding::fail(format!("free-slots: {error}")))?
        };
        if slots.len() < count {
            return Err(Finding::inconclusive(format!(
                "{count} free starts are needed, {} were found; see from and starts in conformance.toml",
                slots.len()
            )));
        }
        Ok(slots)
    }

    /// The set-up's starts that are still to come and not taken, where the provider tells what is.
    async fn free_starts(&self, from: Instant, time_zone: &str) -> Result<Vec<ExternalSlot>, Finding> {
        let length = self.setup.length_minutes.unwrap_or(30);
        let starts = self.setup.starts.iter().filter(|start| **start >= from);
        let mut times: Vec<Interval> = starts.map(|start| Interval::of_minutes(*start, length)).collect();
        let days = self.spans().await?.busy_days;
        if let Some(first) = times.first().filter(|_| days > 0) {
            let until = first.start().plus_seconds(i64::from(days) * 86_400);
            let within =
                Interval::new(first.start(), until).map_err(|e| Finding::inconclusive(e.to_string()))?;
            let query = BusyQuery { within, calendars: Vec::new(), time_zone: time_zone.to_owned() };
            let observed = call!(self, Fault::None, |p, cx| p.busy(cx, query));
            let busy = observed.outcome.map_err(|error| Finding::fail(format!("busy: {error}")))?;
            times.retain(|time| time.end() <= until && busy.iter().all(|taken| !taken.when.overlaps(*time)));
        }
        Ok(times.into_iter().map(|when| ExternalSlot { when, token: None, seats_left: None }).collect())
    }
}
