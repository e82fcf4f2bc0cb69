//! What all calls and loads of a runtime share.

use std::{path::PathBuf, sync::Arc};

use berth_model::{
    limits,
    outbound::provider::{CallLog, ConnectionState},
    time::Clock,
};
use tokio::sync::Semaphore;
use wasmtime::{Engine, component::Linker};

use crate::{
    aot::AotCache,
    compile::Compiler,
    egress::Gate,
    engine,
    permits::Permits,
    registry::Registry,
    sandbox::{self, Sandbox},
};

/// What a runtime is made from.
pub struct RuntimeParts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The small store of each connection.
    pub state: Arc<dyn ConnectionState>,
    /// Takes finished calls.
    pub calls: Arc<dyn CallLog>,
    /// The way out.
    pub gate: Arc<Gate>,
    /// Who compiles components.
    pub compiler: Compiler,
    /// Directory of compiled components; none to compile at every start.
    pub aot_dir: Option<PathBuf>,
    /// Key that seals compiled components. Secret; the same over restarts, else the cache never hits.
    pub aot_key: [u8; 32],
    /// Limits of calls.
    pub limits: RuntimeLimits,
}

/// What a trial runs with in place of the real ports.
#[expect(missing_docs, reason = "as in RuntimeParts")]
pub struct TrialPorts {
    pub clock: Arc<dyn Clock>,
    pub state: Arc<dyn ConnectionState>,
    pub calls: Arc<dyn CallLog>,
    pub gate: Arc<Gate>,
}

/// Limits that an operator may change; see [`berth_model::limits`] for their reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeLimits {
    /// Processor time of a call, in ticks of [`limits::EPOCH_TICK_MS`].
    pub cpu_ticks: u32,
    /// Memory of a call, in bytes; at most [`limits::CALL_MEMORY_BYTES_MAX`], which is the size of a pool slot.
    pub memory_bytes: usize,
    /// Wall time of a call, in milliseconds.
    pub wall_ms: u64,
    /// The same for availability.
    pub wall_ms_availability: u64,
    /// Calls at the same time; at most [`limits::CALLS_CONCURRENT_MAX`], which the pool was made for.
    pub concurrent: usize,
    /// Calls of one tenant at the same time.
    pub concurrent_per_tenant: usize,
    /// Longest wait for a permit, in milliseconds.
    pub permit_wait_ms: u64,
}

impl Default for RuntimeLimits {
    fn default() -> Self {
        Self {
            cpu_ticks: limits::CALL_CPU_TICKS_MAX,
            memory_bytes: limits::CALL_MEMORY_BYTES_MAX,
            wall_ms: limits::CALL_WALL_MS_MAX,
            wall_ms_availability: limits::CALL_WALL_MS_MAX_AVAILABILITY,
            concurrent: limits::CALLS_CONCURRENT_MAX,
            concurrent_per_tenant: limits::CALLS_CONCURRENT_PER_TENANT_MAX,
            permit_wait_ms: limits::CALL_PERMIT_WAIT_MS_MAX,
        }
    }
}

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine cannot be made on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// The cache directory cannot be used.
    #[error("the directory of compiled components cannot be used: {0}; check that it can be written to")]
    Cache(#[from] std::io::Error),
}

/// The inside of a runtime.
pub(crate) struct Core {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Sandbox>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) state: Arc<dyn ConnectionState>,
    pub(crate) calls: Arc<dyn CallLog>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) aot: Option<Arc<AotCache>>,
    pub(crate) compiler: Compiler,
    pub(crate) compiles: Arc<Semaphore>,
    pub(crate) permits: Arc<Permits>,
    /// Components on trial.
    pub(crate) trials: Arc<Semaphore>,
    pub(crate) registry: Registry,
    pub(crate) limits: RuntimeLimits,
    /// Does it try a component out? Then nothing of it is measured, and what it logs is for who looks for it.
    pub(crate) is_trial: bool,
}

impl Core {
    /// The same engine, cache and limits; other ports, and nothing loaded.
    pub(crate) fn isolated(&self, ports: TrialPorts) -> Self {
        Self {
            engine: self.engine.clone(),
            linker: self.linker.clone(),
            clock: ports.clock,
            state: ports.state,
            calls: ports.calls,
            gate: ports.gate,
            aot: self.aot.clone(),
            compiler: self.compiler.clone(),
            compiles: Arc::clone(&self.compiles),
            // The same, since the instances are in the same pool.
            permits: Arc::clone(&self.permits),
            trials: Arc::clone(&self.trials),
            registry: Registry::default(),
            limits: self.limits,
            is_trial: true,
        }
    }

    /// Start the engine and open the cache.
    pub(crate) fn new(parts: RuntimeParts) -> Result<Self, RuntimeError> {
        let RuntimeParts { clock, state, calls, gate, compiler, aot_dir, aot_key, mut limits } = parts;
        limits.memory_bytes = limits.memory_bytes.min(limits::CALL_MEMORY_BYTES_MAX);
        limits.concurrent = limits.concurrent.min(limits::CALLS_CONCURRENT_MAX);
        let told = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
        let engine = engine::new().map_err(told)?;
        let linker = sandbox::linker(&engine).map_err(told)?;
        let aot = aot_dir.map(|directory| AotCache::open(directory, &aot_key)).transpose()?.map(Arc::new);
        Ok(Self {
            engine,
            linker,
            clock,
            state,
            calls,
            gate,
            aot,
            compiler,
            compiles: Arc::new(Semaphore::new(limits::COMPILES_CONCURRENT_MAX)),
            permits: Arc::new(Permits::new(
                limits.concurrent,
                limits.concurrent_per_tenant,
                limits.permit_wait_ms,
            )),
            trials: Arc::new(Semaphore::new(limits::TRIALS_CONCURRENT_MAX)),
            registry: Registry::default(),
            limits,
            is_trial: false,
        })
    }
}
