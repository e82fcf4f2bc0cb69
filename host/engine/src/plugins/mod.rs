//! Provider plugins, as an operator manages them: install, activate, roll back, quarantine, grant.

pub(crate) mod grants;
pub(crate) mod installations;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use berth_model::{
    limits,
    outbound::provider::Providers,
    plugins::{
        conformance::Report,
        manifest::{Manifest, PluginId, taken_names},
        plugin::{
            ComponentReport, Digest, Fault, LoadRefused, LoadStage, PluginHost, PluginState, PluginVersion,
        },
    },
    problem::{Code, FieldError, Problem},
    time::Instant,
};
use berth_store::StoreError;
use tokio::sync::Semaphore;

use crate::{
    Outcome,
    base::Base,
    connections::{
        names::{ProviderNames, installed_as},
        recovery::Recovery,
    },
    validate::Fields,
};

/// A component that was installed (or was there already), and what was found in it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InstalledPlugin {
    pub version: PluginVersion,
    pub report: ComponentReport,
}

/// Longest reason for a quarantine, in characters: a sentence or two.
const REASON_CHARS_MAX: usize = 500;

/// When active plugins that could not be loaded are tried again. A cause may pass: the database was busy, the disk was full, the
/// compiler took too long beside other work.
#[derive(Debug, Default)]
pub(crate) struct Reload {
    wait_ms: i64,
    due_at: Option<Instant>,
    /// What is active and not loaded, and why.
    waiting: BTreeMap<PluginId, String>,
}

impl Reload {
    fn is_due(&self, now: Instant) -> bool {
        self.due_at.is_some_and(|at| at <= now)
    }

    /// After a try: again later if something failed, with doubled waits.
    fn next(&mut self, failed: bool, now: Instant) {
        if !failed {
            (self.wait_ms, self.due_at) = (0, None);
            return;
        }
        self.wait_ms =
            self.wait_ms.saturating_mul(2).clamp(limits::PLUGIN_RELOAD_MS_MIN, limits::PLUGIN_RELOAD_MS_MAX);
        self.due_at = Some(now.plus_millis(self.wait_ms));
    }
}

/// Refuse a component that fails a case of the conformance suite.
fn refuse_failures(report: &Report) -> Outcome<()> {
    let errors: Vec<FieldError> = report
        .failures()
        .map(|case| FieldError::new("component", format!("{} {}: {}", case.id, case.title, case.detail)))
        .collect();
    if errors.is_empty() {
        return Ok(());
    }
    let cases: Vec<&str> = report.failures().map(|case| case.id.as_str()).collect();
    let mut problem = Problem::new(
        Code::PluginNotConforming,
        format!("It fails {} of the conformance suite {}.", cases.join(", "), report.suite),
    );
    problem.errors = errors;
    Err(problem)
}

/// Refuse a component whose names mean another plugin already: what they meant in requests would change.
fn refuse_taken_names(manifest: &Manifest, installed: &[PluginVersion]) -> Outcome<()> {
    let taken = taken_names(manifest, installed.iter().map(|version| &version.manifest));
    let Some(first) = taken.first() else { return Ok(()) };
    let mut problem = Problem::new(Code::PluginRefused, format!("The component is refused: {first}."))
        .with_hint("Give it a name of its own in plugin.toml (id, aliases).");
    problem.errors = taken.iter().map(|p| FieldError::new("component", p.to_string())).collect();
    Err(problem)
}

/// What the caller is told about a component that was not loaded.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn not_loaded(refused: LoadRefused) -> Problem {
    let code = match refused.fault {
        Fault::Component => Code::PluginRefused,
        Fault::Budget => Code::PluginTooCostly,
        Fault::Machine => Code::PluginNotLoaded,
    };
    let said = refused.problems.join("; ");
    if refused.fault == Fault::Machine {
        return Problem::new(code, format!("The component {said}."))
            .with_retry_after_seconds(limits::PLUGIN_LOAD_RETRY_SECONDS);
    }
    let mut problem = Problem::new(code, refused.to_string());
    problem.errors = refused.problems.iter().map(|p| FieldError::new("component", p)).collect();
    problem
}

/// Provider components: installed, granted, activated, rolled back.
#[derive(Clone)]
pub struct Plugins {
    pub(crate) base: Base,
    /// Plugin generation that was loaded last.
    pub(crate) generation: Arc<AtomicI64>,
    /// Room for components that are on their way in.
    pub(crate) installing: Arc<Semaphore>,
    pub(crate) names: Arc<ProviderNames>,
    pub(crate) plugin_host: Arc<dyn PluginHost>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) recovery: Arc<Recovery>,
    /// Active plugins that could not be loaded.
    pub(crate) reload: Arc<Mutex<Reload>>,
}

impl Plugins {
    /// Check, compile and store a component. It does not serve yet. Idempotent by digest.
    pub async fn install_plugin(
        &self,
        actor: &str,
        request_id: &str,
        bytes: Vec<u8>,
    ) -> Outcome<InstalledPlugin> {
        // On the heap: the future holds an installation's whole way.
        Box::pin(self.install_plugin_telling(actor, request_id, bytes, &|_| {})).await
    }

    /// The same; `told` hears how far it has come.
    pub(crate) async fn install_plugin_telling(
        &self,
        actor: &str,
        request_id: &str,
        bytes: Vec<u8>,
        told: &(dyn Fn(LoadStage) + Send + Sync),
    ) -> Outcome<InstalledPlugin> {
        let report = self.plugin_host.load_telling(bytes.clone(), told).await.map_err(not_loaded)?;
        match self.base.store().plugin_version(&report.digest).await {
            Ok(version) => return Ok(InstalledPlugin { version, report }),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        refuse_taken_names(&report.manifest, &self.list_plugins().await?)?;
        let conformance = self.plugin_host.check(bytes.clone()).await.map_err(not_loaded)?;
        refuse_failures(&conformance)?;
        let missing = self.hosts_not_granted(&report.manifest.id, &report.manifest.hosts).await?;
        let version = PluginVersion {
            id: self.base.new_id(),
            plugin: report.manifest.id.clone(),
            version: report.manifest.version.clone(),
            digest: report.digest.clone(),
            manifest: report.manifest.clone(),
            capabilities: report.capabilities,
            bytes: report.bytes,
            state: if missing.is_empty() { PluginState::Staged } else { PluginState::Held },
            reason: (!missing.is_empty()).then(|| format!("asks for {}", missing.join(", "))),
            installed_at: self.base.now(),
            activated_at: None,
            conformance: Some(conformance),
        };
        let audit = self.base.audit_by(actor, request_id);
        self.base.store().insert_plugin_version(version.clone(), bytes, audit).await?;
        self.names.learn(&self.list_plugins().await?);
        Ok(InstalledPlugin { version, report })
    }

    /// All installed versions, by plugin and age.
    pub async fn list_plugins(&self) -> Outcome<Vec<PluginVersion>> {
        Ok(self.base.store().list_plugin_versions(None).await?)
    }

    /// The version with this digest, a prefix of one (12 digits or more), `id@version`, or the active one of `id`.
    pub async fn find_plugin(&self, name: &str) -> Outcome<PluginVersion> {
        let all = self.list_plugins().await?;
        // `alias@version` and `alias` as the plugin's own id.
        let (id, version) = name.split_once('@').map_or((name, None), |(id, version)| (id, Some(version)));
        let meant = match id.parse() {
            Ok(id) => Some(installed_as(self.base.store(), &id).await?),
            Err(_) => None,
        };
        let meant =
            meant.map(|id| version.map_or_else(|| id.to_string(), |version| format!("{id}@{version}")));
        let name = meant.as_deref().unwrap_or(name);
        let by_digest = |v: &&PluginVersion| name.len() >= 12 && v.digest.0.starts_with(name);
        let by_version = |v: &&PluginVersion| {
            name.split_once('@').is_some_and(|(id, version)| v.plugin.as_str() == id && v.version == version)
        };
        let active = |v: &&PluginVersion| v.plugin.as_str() == name && v.state == PluginState::Active;
        all.iter()
            .find(by_digest)
            .or_else(|| all.iter().rev().find(by_version))
            .or_else(|| all.iter().find(active))
            .or_else(|| all.iter().rev().find(|v| v.plugin.as_str() == name))
            .cloned()
            .ok_or_else(|| Problem::not_found("plugin version").with_hint("See `berth plugin list`."))
    }

    /// Let a version serve from now on. Calls under way finish on theirs. Refused while it asks for more than is granted.
    pub async fn activate_plugin(
        &self,
        actor: &str,
        request_id: &str,
        digest: &Digest,
    ) -> Outcome<PluginVersion> {
        let version = self.base.store().plugin_version(digest).await?;
        if version.state == PluginState::Quarantined {
            return Err(Problem::new(
                Code::PluginQuarantined,
                version.reason.unwrap_or_else(|| "It is quarantined.".to_owned()),
            ));
        }
        let missing = self.hosts_not_granted(&version.plugin, &version.manifest.hosts).await?;
        if !missing.is_empty() {
            return Err(Problem::new(
                Code::PluginHeld,
                format!("{}@{} asks for {}.", version.plugin, version.version, missing.join(", ")),
            )
            .with_hint(format!(
                "Approve it: berth plugin grant {} {}",
                version.plugin,
                version.manifest.hosts.join(" ")
            )));
        }
        // Two that came in at the same time may not have seen each other.
        refuse_taken_names(&version.manifest, &self.list_plugins().await?)?;
        self.load(&version).await?;
        let audit = self.base.audit_by(actor, request_id);
        let version = self.base.store().activate_plugin_version(digest, audit).await?;
        self.plugin_host.activate(&version.plugin, digest);
        self.recovery.plugin(&version.plugin).await;
        Ok(version)
    }

    /// Back to the version that served before.
    pub async fn rollback_plugin(
        &self,
        actor: &str,
        request_id: &str,
        plugin: &PluginId,
    ) -> Outcome<PluginVersion> {
        let plugin = &installed_as(self.base.store(), plugin).await?;
        let versions = self.base.store().list_plugin_versions(Some(plugin)).await?;
        let previous = versions
            .iter()
            .filter(|v| v.state == PluginState::Retired)
            .max_by_key(|v| v.activated_at)
            .ok_or_else(|| {
                Problem::new(Code::WrongState, format!("{plugin} has no earlier version to return to."))
                    .with_hint("See the installed versions: berth plugin list")
            })?;
        self.activate_plugin(actor, request_id, &previous.digest).await
    }

    /// Set a version aside: it is never served again unless the quarantine is lifted. If it serves, it stops.
    pub async fn quarantine_plugin(
        &self,
        actor: &str,
        request_id: &str,
        digest: &Digest,
        reason: &str,
    ) -> Outcome<PluginVersion> {
        let mut fields = Fields::default();
        fields.text("/reason", reason, REASON_CHARS_MAX);
        fields.finish()?;
        let version = self.base.store().plugin_version(digest).await?;
        let audit = self.base.audit_by(actor, request_id);
        self.base
            .store()
            .set_plugin_state(digest, PluginState::Quarantined, Some(reason.to_owned()), audit)
            .await?;
        if self.plugin_host.active(&version.plugin).as_ref() == Some(digest) {
            self.plugin_host.deactivate(&version.plugin);
        }
        Ok(self.base.store().plugin_version(digest).await?)
    }

    /// End a quarantine; the version is staged, not active.
    pub async fn lift_quarantine(
        &self,
        actor: &str,
        request_id: &str,
        digest: &Digest,
    ) -> Outcome<PluginVersion> {
        let version = self.base.store().plugin_version(digest).await?;
        if version.state != PluginState::Quarantined {
            return Err(Problem::new(Code::WrongState, "It is not quarantined.")
                .with_hint("See the installed versions: berth plugin list"));
        }
        let audit = self.base.audit_by(actor, request_id);
        self.base.store().set_plugin_state(digest, PluginState::Staged, None, audit).await?;
        Ok(self.base.store().plugin_version(digest).await?)
    }

    /// Set the gauges of the runtime, right before metrics are read.
    pub fn publish_gauges(&self) {
        self.plugin_host.publish_gauges();
    }

    /// Load what the database says is active, if its generation is another than the one that is loaded, or if something could not
    /// be loaded and it is time to try again. At the start, and then regularly: another replica may have activated something. The
    /// versions that could not be loaded, with the reason. May have to compile, which takes its time.
    pub async fn load_active_plugins(&self) -> Outcome<Vec<(PluginVersion, Problem)>> {
        let generation = self.base.store().plugin_generation().await?;
        let known = self.generation.load(Ordering::Acquire) == generation;
        if known && !self.reload().is_due(self.base.now()) {
            return Ok(Vec::new());
        }
        let failed = self.load_all_active(true).await?;
        self.generation.store(generation, Ordering::Release);
        self.reload().next(!failed.is_empty(), self.base.now());
        Ok(failed)
    }

    /// Load what of it can be had at once, for a start that does not wait for a compiler. [`Self::load_active_plugins`] does the rest.
    pub async fn load_kept_plugins(&self) -> Outcome<()> {
        self.load_all_active(false).await.map(drop)
    }

    /// Plugins that have an active version and serve with none, and why.
    #[must_use]
    pub fn unloaded_plugins(&self) -> BTreeMap<PluginId, String> {
        let waiting = self.reload().waiting.clone();
        waiting.into_iter().filter(|(plugin, _)| self.plugin_host.active(plugin).is_none()).collect()
    }

    async fn load_all_active(&self, may_compile: bool) -> Outcome<Vec<(PluginVersion, Problem)>> {
        let versions = self.list_plugins().await?;
        self.names.learn(&versions);
        let mut failed = Vec::new();
        let to_load: Vec<&PluginVersion> = versions
            .iter()
            .filter(|version| version.state == PluginState::Active)
            .filter(|version| self.plugin_host.active(&version.plugin).as_ref() != Some(&version.digest))
            .collect();
        let waits = "It is being compiled.";
        self.reload().waiting = to_load.iter().map(|v| (v.plugin.clone(), waits.to_owned())).collect();
        for version in to_load {
            let loaded = match self.plugin_host.load_kept(version).await {
                Some(kept) => kept.map(drop).map_err(not_loaded),
                None if may_compile => self.load(version).await,
                None => continue,
            };
            match loaded {
                Ok(()) => {
                    self.plugin_host.activate(&version.plugin, &version.digest);
                    self.reload().waiting.remove(&version.plugin);
                    // Not at the start of the process: that many processes begin mends nothing, and each try counts.
                    if self.generation.load(Ordering::Acquire) >= 0 {
                        self.recovery.plugin(&version.plugin).await;
                    }
                }
                Err(problem) => {
                    self.reload().waiting.insert(version.plugin.clone(), problem.detail.clone());
                    failed.push((version.clone(), problem));
                }
            }
        }
        let plugins: BTreeSet<&PluginId> = versions.iter().map(|v| &v.plugin).collect();
        for plugin in plugins {
            let active = versions.iter().any(|v| v.plugin == *plugin && v.state == PluginState::Active);
            if !active && self.plugin_host.active(plugin).is_some() {
                self.plugin_host.deactivate(plugin);
            }
        }
        Ok(failed)
    }

    fn reload(&self) -> MutexGuard<'_, Reload> {
        self.reload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Have the runtime load a stored component, and check that it is the one that was stored.
    async fn load(&self, version: &PluginVersion) -> Outcome<()> {
        let bytes = self.base.store().plugin_component(&version.digest).await?;
        let report = self.plugin_host.load(bytes).await.map_err(not_loaded)?;
        if report.digest != version.digest {
            tracing::error!(
                expected = version.digest.short(),
                found = report.digest.short(),
                "stored component was changed"
            );
            return Err(Problem::new(
                Code::PluginRefused,
                "The stored component is not the one that was installed.",
            ));
        }
        Ok(())
    }
}
