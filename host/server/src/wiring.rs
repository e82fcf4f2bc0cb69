//! Putting the parts together.

use std::sync::Arc;

use berth_engine::{Engine, EngineParts};
use berth_model::{random::Random, time::Clock};
use berth_runtime::{
    Compiler, Runtime, RuntimeParts,
    egress::{Gate, GateConfig},
};
use berth_store::{Store, VaultKeys};

use crate::{
    Readiness,
    background::supervisor::Supervisor,
    checking::CheckingHost,
    config::{Config, ConfigError},
    ports::{MachineClock, MachineRandom, StoredCalls, StoredState},
};

/// A running engine with its runtime.
#[derive(Clone)]
pub struct Wired {
    /// The use cases.
    pub engine: Engine,
    /// The sandboxes.
    pub runtime: Arc<Runtime>,
    /// The one way out, whose rates are shared with other replicas.
    pub gate: Arc<Gate>,
    /// This process among those on the database.
    pub replica: uuid::Uuid,
    /// What keeps this process from doing its work.
    pub readiness: Readiness,
    /// Keeps what goes on in the background alive.
    pub(crate) supervisor: Supervisor,
}

fn failed(what: &str) -> impl Fn(&dyn std::error::Error) -> ConfigError + '_ {
    move |error| {
        let cause = error.source().map(|c| format!(": {c}")).unwrap_or_default();
        ConfigError(format!("{what}: {error}{cause}"))
    }
}

/// Open the database of this configuration, without touching its schema.
pub async fn open_store(config: &Config) -> Result<Store, ConfigError> {
    config.make_data_dir()?;
    let random = Arc::new(MachineRandom::new());
    let keys = VaultKeys::new(config.vault_keys(&*random)?).map_err(|e| failed("vault-key")(&e))?;
    Store::open(&config.database(), keys, random).await.map_err(|e| failed("database-url")(&e))
}

/// Open everything: migrate, start the runtime, load the active plugins.
pub async fn wire(config: &Config) -> Result<Wired, ConfigError> {
    wire_with(config, Arc::new(MachineClock), Arc::new(MachineRandom::new())).await
}

/// The same with another clock and randomness.
pub async fn wire_with(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Wired, ConfigError> {
    let store = open_store(config).await?;
    let applied = store.migrate().await.map_err(|e| failed("migrations")(&e))?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.join(", "), "schema brought up to date");
    }
    let readiness = Readiness::default();
    let supervisor = Supervisor::new(readiness.clone(), clock.clone());
    let mut gate = GateConfig::new(clock.clone());
    gate.insecure_hosts.clone_from(&config.insecure_hosts);
    let gate = Gate::new(gate).map_err(|e| failed("outbound requests")(&e))?;
    let runtime = Runtime::new(RuntimeParts {
        clock: clock.clone(),
        state: Arc::new(StoredState(store.clone())),
        calls: StoredCalls::start(store.clone(), &supervisor),
        gate: gate.clone(),
        compiler: Compiler::this_program(),
        aot_dir: Some(config.compiled_dir()),
        aot_key: config.cache_key(&*random)?,
        limits: berth_runtime::RuntimeLimits::default(),
    })
    .map_err(|e| failed("wasm runtime")(&e))?;
    let runtime = Arc::new(runtime);
    let replica = berth_model::id::Id::<Wired>::new(clock.now(), &*random).uuid();
    let engine = Engine::new(EngineParts {
        store,
        providers: runtime.clone(),
        token_endpoint: gate.clone(),
        plugins: Arc::new(CheckingHost(runtime.clone())),
        clock,
        random,
        public_url: (!config.public_url.is_empty()).then(|| config.public_url.clone()),
    });
    // What has to be compiled first is loaded in the background.
    engine.plugins.load_kept_plugins().await.map_err(|e| failed("plugins")(&e))?;
    Ok(Wired { engine, runtime, gate, replica, readiness, supervisor })
}
