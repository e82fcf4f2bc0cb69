//! A runtime with ports that a test can look into and hold back.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use berth_model::{
    boxed::BoxFuture,
    id::{ConnectionId, ProviderCallId, TenantId},
    outbound::provider::{Asked, CallContext, CallLog, CallRecord, ConnectionState, StateError},
    plugins::{
        manifest::PluginId,
        plugin::{ComponentReport, PluginHost},
    },
    time::{Clock, Instant},
};
use tokio::sync::Semaphore;

use crate::{
    Compiler, Runtime, RuntimeLimits, RuntimeParts,
    egress::{Gate, GateConfig},
};

/// A clock that only the test moves.
pub(super) struct SetClock(AtomicI64);

impl SetClock {
    /// Move it on.
    pub(super) fn pass_ms(&self, ms: i64) {
        self.0.fetch_add(ms * 1_000, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// State whose `get` says that it was asked, and waits until the test lets it go on.
pub(super) struct Held {
    pub(super) asked: Semaphore,
    pub(super) go_on: Semaphore,
}

impl ConnectionState for Held {
    fn get<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async {
            self.asked.add_permits(1);
            self.go_on.acquire().await.map_err(|_| StateError::Unavailable)?.forget();
            Ok(None)
        })
    }

    fn set<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
        _: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { Ok(()) })
    }
}

#[derive(Default)]
pub(super) struct Kept(pub(super) Mutex<Vec<CallRecord>>);

impl CallLog for Kept {
    fn record(&self, call: CallRecord) {
        self.0.lock().expect("not poisoned").push(call);
    }
}

pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) clock: Arc<SetClock>,
    pub(super) state: Arc<Held>,
    pub(super) calls: Arc<Kept>,
}

/// A runtime with these limits.
pub(super) fn world(limits: RuntimeLimits, aot_dir: Option<PathBuf>) -> Arc<World> {
    let clock = Arc::new(SetClock(AtomicI64::new(1_000_000_000_000)));
    let state = Arc::new(Held { asked: Semaphore::new(0), go_on: Semaphore::new(0) });
    let calls = Arc::new(Kept::default());
    let gate = Gate::new(GateConfig::new(Arc::clone(&clock) as Arc<dyn Clock>)).expect("a gate");
    let runtime = Runtime::new(RuntimeParts {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        state: Arc::clone(&state) as Arc<dyn ConnectionState>,
        calls: Arc::clone(&calls) as Arc<dyn CallLog>,
        gate,
        compiler: Compiler::Here,
        aot_dir,
        aot_key: [3; 32],
        limits,
    })
    .expect("a runtime");
    Arc::new(World { runtime, clock, state, calls })
}

impl World {
    /// Load a component and let it serve.
    pub(super) async fn serve(&self, wasm: Vec<u8>) -> ComponentReport {
        let report = self.runtime.load(wasm).await.expect("loads");
        assert!(self.runtime.activate(&report.manifest.id, &report.digest));
        report
    }

    /// The outcome of the last finished call.
    pub(super) fn last(&self) -> CallRecord {
        self.calls.0.lock().expect("not poisoned").last().cloned().expect("a call")
    }
}

pub(super) fn plugin() -> PluginId {
    "sample".parse().expect("an id")
}

/// A call of tenant number `tenant`.
pub(super) fn cx(tenant: u128) -> CallContext {
    CallContext {
        tenant: TenantId::from_uuid(uuid::Uuid::from_u128(tenant)),
        listing: None,
        connection: ConnectionId::from_uuid(uuid::Uuid::from_u128(1)),
        plugin: plugin(),
        call: ProviderCallId::from_uuid(uuid::Uuid::from_u128(2)),
        request_id: "request".to_owned(),
        settings: Arc::new(serde_json::json!({})),
        credentials: Arc::default(),
        granted_hosts: Arc::new(BTreeSet::new()),
        asked: Asked::default(),
        in_background: false,
        despite_state: false,
    }
}
