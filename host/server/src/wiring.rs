//! Putting the parts together.

use std::{sync::Arc, time::Duration};

use berth_engine::{Engine, EngineParts};
use berth_model::{limits, plugin::PluginVersion, problem::Problem, random::Random, time::Clock};
use berth_runtime::{
    Runtime, RuntimeParts,
    egress::{Gate, GateConfig},
};
use berth_store::{Store, VaultKeys};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    checking::CheckingHost,
    config::{Config, ConfigError},
    ports::{MachineClock, MachineRandom, StoredCalls, StoredState},
};

/// How often the database is asked whether another replica activated a plugin.
const GENERATION_POLL: Duration = Duration::from_secs(2);
/// How many times as rarely a process says that it is there: that is a write, and an idle process should make few.
const SEEN_EVERY: u32 = 5;
/// How often old rows are forgotten and bookings are completed.
const HOUSEKEEPING: Duration = Duration::from_mins(1);
/// How many times as rarely compiled components are looked through that nothing needs any more.
const CLEANING_EVERY: u32 = 60;

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
    /// Active plugins that could not be loaded, and why; they are tried again in the background.
    pub unloaded: Arc<Vec<(PluginVersion, Problem)>>,
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
    let mut gate = GateConfig::new(clock.clone());
    gate.insecure_hosts.clone_from(&config.insecure_hosts);
    let gate = Gate::new(gate).map_err(|e| failed("outbound requests")(&e))?;
    let runtime = Runtime::new(RuntimeParts {
        clock: clock.clone(),
        state: Arc::new(StoredState(store.clone())),
        calls: StoredCalls::start(store.clone()),
        gate: gate.clone(),
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
    let unloaded = engine.load_active_plugins().await.map_err(|e| failed("plugins")(&e))?;
    for (version, problem) in &unloaded {
        tracing::error!(plugin = %version.plugin, digest = version.digest.short(), %problem, "an active plugin was not loaded");
    }
    Ok(Wired { engine, runtime, gate, replica, unloaded: Arc::new(unloaded) })
}

/// Complete what ended and decline what nobody confirmed, as much of it as there is.
async fn finish(engine: &Engine) {
    loop {
        let round = async { Ok(engine.complete_ended().await?.max(engine.decline_unanswered().await?)) };
        let round: Result<u32, Problem> = round.await;
        match round {
            Ok(changed) if changed >= limits::COMPLETION_ROWS_MAX => {}
            Ok(_) => return,
            Err(problem) => {
                tracing::warn!(%problem, "bookings that are over were not changed");
                return;
            }
        }
    }
}

/// Work in the background until told to stop; then finish what is under way.
pub async fn background(wired: Wired, plugin_dir: Option<std::path::PathBuf>, stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    let (engine, stopping) = (wired.engine.clone(), stop.clone());
    tasks.spawn(async move { engine.work(stopping).await });

    let (engine, mut stopping) = (wired.engine.clone(), stop.clone());
    let (gate, replica) = (wired.gate.clone(), wired.replica);
    tasks.spawn(async move {
        let mut seen = crate::cli::watch::Seen::default();
        let mut rounds = 0_u32;
        while !*stopping.borrow() {
            let replicas = if rounds.is_multiple_of(SEEN_EVERY) {
                engine.store().replica_seen(replica, engine.now()).await
            } else {
                engine.store().replicas_there(engine.now()).await
            };
            rounds = rounds.wrapping_add(1);
            match replicas {
                Ok(replicas) => gate.share_rates_with(replicas),
                Err(error) => tracing::warn!(%error, "the other replicas were not counted"),
            }
            match engine.load_active_plugins().await {
                Ok(problems) => {
                    for (version, problem) in problems {
                        tracing::error!(plugin = %version.plugin, %problem, "an active plugin was not loaded");
                    }
                }
                Err(problem) => tracing::warn!(%problem, "the plugin generation was not read"),
            }
            if let Some(dir) = &plugin_dir {
                crate::cli::watch::install_new(&engine, dir, &mut seen).await;
            }
            tokio::select! {
                () = tokio::time::sleep(GENERATION_POLL) => {}
                _ = stopping.changed() => {}
            }
        }
        if let Err(error) = engine.store().replica_leaves(replica).await {
            tracing::warn!(%error, "the other replicas were not told that this one ends");
        }
    });

    let mut stopping = stop;
    tasks.spawn(async move {
        let mut rounds = 0_u32;
        while !*stopping.borrow() {
            if rounds.is_multiple_of(CLEANING_EVERY) {
                clean_cache(&wired).await;
            }
            rounds = rounds.wrapping_add(1);
            if let Err(error) = wired.engine.store().prune(wired.engine.now()).await {
                tracing::warn!(%error, "old rows were not forgotten");
            }
            finish(&wired.engine).await;
            wired.engine.write_refusals().await;
            if let Err(problem) = wired.engine.begin_calendar_writes().await {
                tracing::warn!(%problem, "calendars were not brought up to date");
            }
            if let Err(problem) = wired.engine.begin_block_writes().await {
                tracing::warn!(%problem, "closed times were not brought up to date");
            }
            if let Err(problem) = wired.engine.begin_syncs().await {
                tracing::warn!(%problem, "synchronisations were not begun");
            }
            if let Err(problem) = wired.engine.keep_subscriptions().await {
                tracing::warn!(%problem, "subscriptions were not looked after");
            }
            tokio::select! {
                () = tokio::time::sleep(HOUSEKEEPING) => {}
                _ = stopping.changed() => {}
            }
        }
    });
    while tasks.join_next().await.is_some() {}
}

/// Remove compiled components of versions that are not installed any more.
async fn clean_cache(wired: &Wired) {
    let versions = match wired.engine.list_plugins().await {
        Ok(versions) => versions,
        Err(problem) => {
            tracing::warn!(%problem, "the cache of compiled components was not cleaned");
            return;
        }
    };
    let needed = versions.into_iter().map(|version| version.digest).collect();
    let runtime = Arc::clone(&wired.runtime);
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with the age of files, which the machine's clock gave them"
    )]
    let now = std::time::SystemTime::now();
    match tokio::task::spawn_blocking(move || runtime.clean_cache(&needed, now)).await {
        Ok(Ok(0)) => {}
        Ok(Ok(removed)) => tracing::info!(removed, "compiled components that nothing needs were removed"),
        Ok(Err(error)) => tracing::warn!(%error, "the cache of compiled components was not cleaned"),
        Err(error) => tracing::warn!(%error, "the cache of compiled components was not cleaned"),
    }
}
