//! One loaded version of a plugin, ready to be instantiated.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use berth_model::plugins::{
    manifest::Manifest,
    plugin::{ComponentReport, Digest},
};
use wasmtime::component::InstancePre;

use crate::{breaker::VersionBreakers, contract::offers::Offers, sandbox::Sandbox};

/// A compiled component with everything that a call needs, looked up once. Calls hold it by `Arc`: when the last one is
/// gone, so is its code.
pub(crate) struct Version {
    /// What the loader found.
    pub(crate) report: ComponentReport,
    /// The manifest, to be handed to each call.
    pub(crate) manifest: Arc<Manifest>,
    /// The component with its imports resolved.
    pub(crate) pre: InstancePre<Sandbox>,
    /// Its exports.
    pub(crate) offers: Offers,
    /// What keeps it from being called while it traps.
    pub(crate) breakers: VersionBreakers,
    /// The plugin's id as a metric label.
    pub(crate) label: Arc<str>,
    in_flight: AtomicU32,
}

impl Version {
    /// A version that nobody uses yet.
    pub(crate) fn new(report: ComponentReport, pre: InstancePre<Sandbox>, offers: Offers) -> Self {
        Self {
            manifest: Arc::new(report.manifest.clone()),
            label: report.manifest.id.as_str().into(),
            report,
            pre,
            offers,
            breakers: VersionBreakers::default(),
            in_flight: AtomicU32::new(0),
        }
    }

    /// Its content address.
    pub(crate) const fn digest(&self) -> &Digest {
        &self.report.digest
    }

    /// Calls that run on it now.
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Count a call until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }
}

/// A call under way.
pub(crate) struct InFlight<'a>(&'a Version);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
