//! From bytes to a version that can serve: every check first, then the compiler in its own process, then one instance on trial.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use berth_model::{
    boxed::BoxFuture,
    hex::to_hex,
    id::{ConnectionId, ProviderCallId, TenantId},
    limits,
    outbound::provider::{Asked, CallContext, ConnectionState, StateError},
    plugins::{
        manifest::Manifest,
        plugin::{self as model, ComponentReport, Digest, LoadRefused, LoadStage, PluginVersion},
    },
    time::Instant,
};
use ring::digest;
use wasmtime::component::Component;

use crate::{
    aot::{self, Found},
    call::bounded,
    cap::stdio::GuestOutput,
    contract::{names, offers::Offers},
    core::Core,
    egress::{CallEgress, Urgency},
    engine::{COMPONENT_MEMORIES_MAX, COMPONENT_TABLES_MAX, TABLE_ELEMENTS_MAX},
    fault::Fault,
    metering::Meter,
    sandbox::{Sandbox, SandboxParts},
    shape::Shape,
    structure,
    version::Version,
};

/// Bytes of a WebAssembly page.
const PAGE_BYTES: u64 = 64 * 1024;

/// What is known of a component besides its code.
struct Made {
    digest: Digest,
    bytes: u64,
    manifest: Manifest,
    from_cache: bool,
    started: Instant,
}

/// SHA-256 as the model writes it.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(to_hex(digest::digest(&digest::SHA256, bytes).as_ref()))
}

fn refused(problem: impl Into<String>) -> LoadRefused {
    LoadRefused { fault: model::Fault::Component, problems: vec![problem.into()] }
}

fn all_refused(problems: Vec<String>) -> LoadRefused {
    LoadRefused { fault: model::Fault::Component, problems }
}

fn machine(problem: impl std::fmt::Display) -> LoadRefused {
    LoadRefused { fault: model::Fault::Machine, problems: vec![format!("cannot be loaded: {problem}")] }
}

/// A component whose outside is in order.
struct Seen {
    digest: Digest,
    manifest: Manifest,
    bytes: Vec<u8>,
}

/// Everything that can be said without a compiler, all problems at once. Blocks for as long as reading the bytes takes.
fn look(bytes: Vec<u8>) -> Result<Seen, LoadRefused> {
    if bytes.len() > limits::COMPONENT_BYTES_MAX {
        return Err(refused(format!(
            "has {} bytes; at most {} are allowed: strip debug information, or optimise for size",
            bytes.len(),
            limits::COMPONENT_BYTES_MAX
        )));
    }
    structure::check_kind(&bytes).map_err(refused)?;
    let shape = Shape::of(&bytes).map_err(refused)?;
    let (manifest, mut problems) = match structure::manifest(&bytes) {
        Ok(manifest) => (Some(manifest), Vec::new()),
        Err(problems) => (None, problems),
    };
    problems.extend(shape.outside_problems());
    match manifest {
        Some(manifest) if problems.is_empty() => Ok(Seen { digest: digest_of(&bytes), manifest, bytes }),
        _ => Err(all_refused(problems)),
    }
}

impl Core {
    /// Check and compile a component. Loading the same bytes again returns the first report. `told` hears how far it has come.
    pub(crate) async fn load(
        &self,
        bytes: Vec<u8>,
        told: &(dyn Fn(LoadStage) + Send + Sync),
    ) -> Result<ComponentReport, LoadRefused> {
        let started = self.clock.now();
        told(LoadStage::Checking);
        let seen = tokio::task::spawn_blocking(move || look(bytes)).await.map_err(machine)??;
        let Seen { digest, manifest, bytes } = seen;
        told(LoadStage::Queued);
        let compile = Arc::clone(&self.compiles).acquire_owned().await.map_err(machine)?;
        if let Some(version) = self.registry.find(&digest) {
            return Ok(version.report.clone());
        }
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let (component, code) = if let Some(component) = self.kept(&digest).await? {
            (component, None)
        } else {
            told(LoadStage::Compiling);
            let code = Arc::new(self.compiler.compile(&self.engine, bytes).await?);
            (self.taken(Arc::clone(&code)).await?, Some(code))
        };
        drop(compile);
        told(LoadStage::Trying);
        let made = Made { digest, bytes: size, manifest, from_cache: code.is_none(), started };
        let report = self.add(component, made).await?;
        // What is refused leaves nothing behind.
        if let (Some(cache), Some(code)) = (self.aot.clone(), code) {
            let (engine, of) = (self.engine.clone(), report.digest.clone());
            tokio::task::spawn_blocking(move || cache.keep(&engine, &of, &code)).await.map_err(machine)?;
        }
        Ok(report)
    }

    /// Load a version that was checked before, if its compiled code is kept.
    pub(crate) async fn load_kept(
        &self,
        known: &PluginVersion,
    ) -> Option<Result<ComponentReport, LoadRefused>> {
        let started = self.clock.now();
        if let Some(version) = self.registry.find(&known.digest) {
            return Some(Ok(version.report.clone()));
        }
        let component = match self.kept(&known.digest).await {
            Ok(component) => component?,
            Err(refused) => return Some(Err(refused)),
        };
        let made = Made {
            digest: known.digest.clone(),
            bytes: known.bytes,
            manifest: known.manifest.clone(),
            from_cache: true,
            started,
        };
        Some(self.add(component, made).await)
    }

    /// A component from the cache.
    async fn kept(&self, of: &Digest) -> Result<Option<Component>, LoadRefused> {
        let Some(cache) = self.aot.clone() else { return Ok(None) };
        let (engine, of) = (self.engine.clone(), of.clone());
        let found = tokio::task::spawn_blocking(move || cache.find(&engine, &of)).await.map_err(machine)?;
        Ok(match found {
            Found::Hit(component) => Some(*component),
            Found::Miss | Found::Foreign => None,
        })
    }

    /// Make a component of code that was compiled now.
    async fn taken(&self, code: Arc<Vec<u8>>) -> Result<Component, LoadRefused> {
        let (engine, cache) = (self.engine.clone(), self.aot.clone());
        let component = tokio::task::spawn_blocking(move || {
            let component = match cache {
                Some(cache) => cache.fresh(&engine, &code)?,
                None => aot::take(&engine, &code)?,
            };
            // Paid here rather than by the first call.
            component.initialize_copy_on_write_image()?;
            Ok::<_, wasmtime::Error>(component)
        });
        component.await.map_err(machine)?.map_err(|error| machine(format_args!("{error:#}")))
    }

    /// Check a compiled component against the contract, try it, and let it be served.
    async fn add(&self, component: Component, made: Made) -> Result<ComponentReport, LoadRefused> {
        let problems = resource_problems(&component);
        if !problems.is_empty() {
            return Err(all_refused(problems));
        }
        let pre = self.linker.instantiate_pre(&component).map_err(|error| {
            refused(format!("has an import of another type than this host offers: {error:#}"))
        })?;
        let offers = Offers::find(&pre).map_err(all_refused)?;
        let Made { digest, bytes, manifest, from_cache, started } = made;
        let report = ComponentReport {
            digest,
            bytes,
            capabilities: offers.capabilities(),
            imports: names::imported(&component),
            manifest,
            from_cache,
            load_ms: 0,
        };
        let mut version = Version::new(report, pre, offers);
        self.try_out(&version).await?;
        version.report.load_ms = u64::try_from(self.clock.now().micros_since(started) / 1_000).unwrap_or(0);
        let report = version.report.clone();
        if !self.is_trial {
            tracing::info!(
                plugin.id = %report.manifest.id, plugin.digest = report.digest.short(),
                version = report.manifest.version, from_cache, load_ms = report.load_ms, "component loaded"
            );
        }
        self.registry.add(Arc::new(version));
        Ok(report)
    }

    /// Instantiate once, with no rights and the limits of a call, and check the types of all exports.
    async fn try_out(&self, version: &Version) -> Result<(), LoadRefused> {
        let _trial = self
            .trials
            .acquire()
            .await
            .map_err(|_| refused("cannot be loaded: the host is shutting down"))?;
        let cx = Arc::new(nobody(&version.manifest));
        let (output, meter) = (Arc::new(GuestOutput::new(self.is_trial)), Arc::new(Meter::default()));
        let wall = Duration::from_millis(self.limits.wall_ms);
        let work = async {
            let mut store = Sandbox::store(
                &self.engine,
                SandboxParts {
                    egress: CallEgress::new(
                        Arc::clone(&self.gate),
                        &cx,
                        Arc::clone(&version.manifest),
                        Urgency::Upkeep,
                    ),
                    cx,
                    manifest: Arc::clone(&version.manifest),
                    state: Arc::new(NoState),
                    clock: Arc::clone(&self.clock),
                    output: Arc::clone(&output),
                    meter: Arc::clone(&meter),
                    memory_bytes_max: self.limits.memory_bytes,
                    cpu_ticks_max: self.limits.cpu_ticks,
                },
            );
            let instance = version.pre.instantiate_async(&mut store).await.map_err(Fault::Sandbox)?;
            Ok(version.offers.check_types(&mut store, &instance))
        };
        match bounded(&meter, wall, work).await {
            Ok(problems) if problems.is_empty() => Ok(()),
            Ok(problems) => Err(all_refused(problems)),
            Err(fault) => {
                let tail = output.tail();
                let tail = if tail.is_empty() { tail } else { format!(" (it said: {tail})") };
                Err(refused(format!("cannot be instantiated: {}{tail}", fault.told(&output))))
            }
        }
    }
}

fn resource_problems(component: &Component) -> Vec<String> {
    let Some(needs) = component.resources_required() else {
        return vec!["imports a core module or a component, which is not offered".to_owned()];
    };
    let memory = needs.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE_BYTES);
    let elements = needs.max_initial_table_size.unwrap_or(0);
    let mut problems = Vec::new();
    let mut check = |what: &str, has: u64, max: u64| {
        if has > max {
            problems.push(format!("needs {has} {what}; at most {max} are allowed"));
        }
    };
    check("linear memories", needs.num_memories.into(), COMPONENT_MEMORIES_MAX.into());
    check("tables", needs.num_tables.into(), COMPONENT_TABLES_MAX.into());
    check(
        "bytes of memory at the start",
        memory,
        u64::try_from(limits::CALL_MEMORY_BYTES_MAX).unwrap_or(u64::MAX),
    );
    check(
        "elements in a table at the start",
        elements,
        u64::try_from(TABLE_ELEMENTS_MAX).unwrap_or(u64::MAX),
    );
    problems
}

/// The context of a trial: no tenant, no credentials, no hosts.
fn nobody(manifest: &Manifest) -> CallContext {
    CallContext {
        tenant: TenantId::from_uuid(uuid::Uuid::nil()),
        listing: None,
        connection: ConnectionId::from_uuid(uuid::Uuid::nil()),
        plugin: manifest.id.clone(),
        call: ProviderCallId::from_uuid(uuid::Uuid::nil()),
        request_id: "load".to_owned(),
        settings: Arc::new(serde_json::json!({})),
        credentials: Arc::default(),
        granted_hosts: Arc::new(BTreeSet::new()),
        asked: Asked::default(),
        in_background: false,
        despite_state: false,
    }
}

/// The state of a trial: there is none.
struct NoState;

impl ConnectionState for NoState {
    fn get<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async { Err(StateError::Unavailable) })
    }

    fn set<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
        _: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { Err(StateError::Unavailable) })
    }

    fn delete<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { Err(StateError::Unavailable) })
    }
}
