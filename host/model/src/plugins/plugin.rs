//! Installed provider plugins: versions, states, rights.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    conformance::{Report, SUITE},
    manifest::{Manifest, PluginId},
};
use crate::{boxed::BoxFuture, id::PluginVersionId, time::Instant};

/// SHA-256 of a component's bytes: 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// First 12 digits, for people and logs.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// The interfaces that a component exports besides `connection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "one flag per interface of wit/, by its name"
)]
pub struct Capabilities {
    pub catalog: bool,
    pub availability: bool,
    pub bookings: bool,
    pub links: bool,
    pub webhooks: bool,
    pub clients: bool,
    pub blocks: bool,
    pub booking_edits: bool,
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginState {
    /// Loaded and checked, not serving.
    Staged,
    /// Asks for more than is granted; waits for approval.
    Held,
    /// Serves calls. At most one version of a plugin.
    Active,
    /// Served once, kept for a return.
    Retired,
    /// Misbehaved or was set aside; never served again unless an operator lifts it.
    Quarantined,
}

/// An installed version.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginVersion {
    /// Its id.
    pub id: PluginVersionId,
    /// Which plugin.
    pub plugin: PluginId,
    /// `major.minor.patch`.
    pub version: String,
    /// Content address.
    pub digest: Digest,
    /// Manifest as embedded.
    pub manifest: Manifest,
    /// Exported interfaces, as found.
    pub capabilities: Capabilities,
    /// Size of the component.
    pub bytes: u64,
    /// Where it is in its life.
    pub state: PluginState,
    /// Why it is held or quarantined.
    pub reason: Option<String>,
    /// When it was installed.
    pub installed_at: Instant,
    /// When it last became active.
    pub activated_at: Option<Instant>,
    /// What the conformance suite found when it was installed; none for versions from before.
    pub conformance: Option<Report>,
}

/// Hosts granted to a plugin at one level. Absent means: not narrowed at this level (tenant, listing) or not granted
/// (instance).
pub type HostGrant = BTreeSet<String>;

/// What a loaded component is, found out before it is allowed to serve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentReport {
    /// Content address.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Its manifest.
    pub manifest: Manifest,
    /// Exported interfaces.
    pub capabilities: Capabilities,
    /// Imports, in the component's order.
    pub imports: Vec<String>,
    /// Did the compiled code come from the cache?
    pub from_cache: bool,
    /// Milliseconds to check and compile.
    pub load_ms: u64,
}

/// Whose fault it is that a component was not loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The component's: it is not what the contract asks for.
    Component,
    /// The component's: looking at it took more time or memory than a component may take.
    Budget,
    /// This machine's: it was too busy, or something is wrong with it. The same component may be loaded another time.
    Machine,
}

/// Why a component was refused. One sentence per problem, each with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the component is refused: {}", problems.join("; "))]
pub struct LoadRefused {
    /// Whose fault it is.
    pub fault: Fault,
    /// All problems that could be found.
    pub problems: Vec<String>,
}

/// How far the loading of a component has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadStage {
    /// It is looked at from outside.
    Checking,
    /// It waits for the compiler.
    Queued,
    /// It is compiled.
    Compiling,
    /// It is instantiated once.
    Trying,
}

/// The port through which the engine manages what the runtime has loaded.
pub trait PluginHost: Send + Sync {
    /// Check and compile a component without letting it serve. Idempotent by digest.
    fn load(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<ComponentReport, LoadRefused>> {
        self.load_telling(bytes, &|_| {})
    }
    /// The same; `told` hears how far it has come.
    fn load_telling<'a>(
        &'a self,
        bytes: Vec<u8>,
        told: &'a (dyn Fn(LoadStage) + Send + Sync),
    ) -> BoxFuture<'a, Result<ComponentReport, LoadRefused>>;
    /// Load a version that was loaded before, if it can be had without compiling. None if it cannot.
    fn load_kept<'a>(
        &'a self,
        version: &'a PluginVersion,
    ) -> BoxFuture<'a, Option<Result<ComponentReport, LoadRefused>>>;
    /// Run the cases of the conformance suite that need no provider. Bounded in time; never changes what serves.
    /// A host without the suite runs none.
    fn check(&self, _bytes: Vec<u8>) -> BoxFuture<'_, Result<Report, LoadRefused>> {
        Box::pin(async { Ok(Report { suite: SUITE.to_owned(), cases: Vec::new() }) })
    }
    /// Let a loaded version serve from now on; calls under way finish on theirs. False if the digest is not loaded.
    fn activate(&self, plugin: &PluginId, digest: &Digest) -> bool;
    /// Let no version of the plugin serve.
    fn deactivate(&self, plugin: &PluginId);
    /// Set the gauges that say how busy it is (`berth_calls_in_flight`, `berth_pool_in_use`): right before metrics are read.
    fn publish_gauges(&self) {}
    /// Digest of the version that serves.
    fn active(&self, plugin: &PluginId) -> Option<Digest>;
}
