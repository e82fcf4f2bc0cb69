//! From bytes to a version that can serve: every check first, then the compiler, then one instance on trial.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, time::Duration};

use berth_model::{
    id::{ConnectionId, ProviderCallId, TenantId},
    limits,
    manifest::Manifest,
    plugin::{ComponentReport, Digest, LoadRefused},
    provider::{Asked, CallContext, ConnectionState, Later, StateError},
};
use ring::digest;
use wasmtime::{Engine, component::Component};

use crate::{
    aot::{AotCache, Found},
    call::bounded,
    cap::stdio::Said,
    contract::{
        names::{self, Interface},
        offers::Offers,
    },
    core::Core,
    egress::{CallEgress, Urgency},
    engine::{COMPONENT_MEMORIES_MAX, COMPONENT_TABLES_MAX, TABLE_ELEMENTS_MAX},
    fault::Fault,
    sandbox::{Sandbox, SandboxParts},
    spent::Meter,
    structure,
    version::Version,
};

/// Bytes of a WebAssembly page.
const PAGE_BYTES: u64 = 64 * 1024;

/// SHA-256 as the model writes it.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let hash = digest::digest(&digest::SHA256, bytes);
    let mut hex = String::with_capacity(2 * hash.as_ref().len());
    for byte in hash.as_ref() {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Digest(hex)
}

fn refused(problem: impl Into<String>) -> LoadRefused {
    LoadRefused { problems: vec![problem.into()] }
}

impl Core {
    /// Check and compile a component. Loading the same bytes again returns the first report.
    pub(crate) async fn load(&self, bytes: Vec<u8>) -> Result<ComponentReport, LoadRefused> {
        let started = self.clock.now();
        if bytes.len() > limits::COMPONENT_BYTES_MAX {
            return Err(refused(format!(
                "has {} bytes; at most {} are allowed: strip debug information, or optimise for size",
                bytes.len(),
                limits::COMPONENT_BYTES_MAX
            )));
        }
        structure::check_kind(&bytes).map_err(refused)?;
        let digest = digest_of(&bytes);
        let compile = Arc::clone(&self.compiles)
            .acquire_owned()
            .await
            .map_err(|_| refused("cannot be loaded: the host is shutting down"))?;
        if let Some(version) = self.registry.find(&digest) {
            return Ok(version.report.clone());
        }
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let (engine, cache, of) = (self.engine.clone(), self.aot.clone(), digest.clone());
        let compiled = tokio::task::spawn_blocking(move || {
            // Held until the compiler is done, even if nobody waits for it any more.
            let _compile = compile;
            let manifest = structure::manifest(&bytes);
            (manifest, compiled(&engine, cache.as_deref(), &of, &bytes))
        });
        let (manifest, component) =
            match tokio::time::timeout(Duration::from_secs(limits::COMPILE_SECONDS_MAX), compiled).await {
                Ok(Ok(done)) => done,
                Ok(Err(_)) => return Err(refused("cannot be compiled: the compiler failed on it")),
                Err(_) => {
                    return Err(refused(format!(
                        "takes longer than {} s to compile",
                        limits::COMPILE_SECONDS_MAX
                    )));
                }
            };
        let (manifest, component, from_cache) = match (manifest, component) {
            (Ok(manifest), Ok((component, from_cache))) => (manifest, component, from_cache),
            (Err(problems), Ok((component, _))) => {
                return Err(LoadRefused { problems: [problems, outside_problems(&component)].concat() });
            }
            (Ok(_), Err(problem)) => return Err(refused(problem)),
            (Err(problems), Err(problem)) => {
                return Err(LoadRefused { problems: [problems, vec![problem]].concat() });
            }
        };
        let problems = outside_problems(&component);
        if !problems.is_empty() {
            return Err(LoadRefused { problems });
        }
        let pre = self.linker.instantiate_pre(&component).map_err(|error| {
            refused(format!("has an import of another type than this host offers: {error:#}"))
        })?;
        let offers = Offers::find(&pre).map_err(|problems| LoadRefused { problems })?;
        let report = ComponentReport {
            digest,
            bytes: size,
            abilities: offers.abilities(),
            imports: names::imported(&component),
            manifest,
            from_cache,
            load_ms: 0,
        };
        let mut version = Version::new(report, pre, offers);
        self.try_out(&version).await?;
        version.report.load_ms = u64::try_from(self.clock.now().micros_since(started) / 1_000).unwrap_or(0);
        let report = version.report.clone();
        tracing::info!(
            plugin.id = %report.manifest.id, plugin.digest = report.digest.short(), version = report.manifest.version,
            from_cache, load_ms = report.load_ms, "component loaded"
        );
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
        let (said, meter) = (Arc::new(Said::default()), Arc::new(Meter::default()));
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
                    said: Arc::clone(&said),
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
            Ok(problems) => Err(LoadRefused { problems }),
            Err(fault) => {
                let tail = said.tail();
                let tail = if tail.is_empty() { tail } else { format!(" (it said: {tail})") };
                Err(refused(format!("cannot be instantiated: {}{tail}", fault.told(&said))))
            }
        }
    }
}

/// The compiled component, from the cache if it is there, and whether it was. Blocks.
fn compiled(
    engine: &Engine,
    cache: Option<&AotCache>,
    of: &Digest,
    bytes: &[u8],
) -> Result<(Component, bool), String> {
    if let Some(Found::Hit(component)) = cache.map(|cache| cache.find(engine, of)) {
        return Ok((*component, true));
    }
    let component =
        Component::from_binary(engine, bytes).map_err(|error| format!("does not compile: {error:#}"))?;
    // Paid here rather than by the first call.
    component
        .initialize_copy_on_write_image()
        .map_err(|error| format!("does not fit into memory: {error:#}"))?;
    if let Some(cache) = cache {
        cache.keep(engine, of, &component);
    }
    Ok((component, false))
}

/// What is wrong with the imports, the exports and the size, seen from outside.
fn outside_problems(component: &Component) -> Vec<String> {
    let mut problems: Vec<String> =
        names::imported(component).iter().filter_map(|name| names::import_problem(name)).collect();
    if !names::exports(component, Interface::named("connection")) {
        problems.push(names::no_connection(&names::exported(component)));
    }
    problems.extend(resource_problems(component));
    problems
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
    ) -> Later<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async { Err(StateError::Unavailable) })
    }

    fn set<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
        _: Vec<u8>,
    ) -> Later<'a, Result<(), StateError>> {
        Box::pin(async { Err(StateError::Unavailable) })
    }

    fn delete<'a>(&'a self, _: TenantId, _: ConnectionId, _: &'a str) -> Later<'a, Result<(), StateError>> {
        Box::pin(async { Err(StateError::Unavailable) })
    }
}
