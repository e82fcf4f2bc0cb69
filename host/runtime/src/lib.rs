//! Runs provider components: loads them, keeps them in sandboxes, and carries calls in and requests out.
//!
//! A call gets a sandbox of its own and nothing of it survives but a log tail, counters and a record. Absent, on purpose:
//! sockets, files, environment variables, a clock or randomness of the guest's own, any way for a guest to see a
//! credential, and any state shared between two calls other than the connection's small store.

mod aot;
mod breaker;
mod call;
mod cap;
pub mod compile;
mod contract;
mod core;
pub mod egress;
mod engine;
mod fault;
mod guest_log;
mod limiter;
mod load;
mod metering;
mod operation;
mod permits;
mod plugin_host;
mod providers;
mod registry;
mod sandbox;
mod shape;
mod structure;
mod telemetry;
#[cfg(test)]
mod tests;
mod version;

use std::{collections::BTreeSet, io, time::SystemTime};

use berth_model::plugins::plugin::Digest;

pub use compile::Compiler;
pub use core::{RuntimeError, RuntimeLimits, RuntimeParts, TrialPorts};

/// The runtime: fulfils [`berth_model::outbound::provider::Providers`] and [`berth_model::plugins::plugin::PluginHost`].
pub struct Runtime {
    core: core::Core,
}

impl Runtime {
    /// Start the engine. Nothing is loaded yet.
    pub fn new(parts: RuntimeParts) -> Result<Self, RuntimeError> {
        Ok(Self { core: core::Core::new(parts)? })
    }

    /// A runtime of its own on the same engine and cache, with nothing loaded: for trying a component out while this one serves.
    #[must_use]
    pub fn isolated(&self, ports: TrialPorts) -> Self {
        Self { core: self.core.isolated(ports) }
    }

    /// Remove compiled components that none of these versions needs. Returns how many files went. Blocks.
    pub fn clean_cache(&self, needed: &BTreeSet<Digest>, now: SystemTime) -> io::Result<usize> {
        self.core.aot.as_ref().map_or(Ok(0), |cache| cache.clean(needed, now))
    }

    /// Are instances pooled? Without the address space for it every call starts more slowly.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.core.engine.pooling_allocator_metrics().is_some()
    }
}
