//! The budgets of a call: what is counted, and the error that ends a call when one is used up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A budget of the sandbox that ran out. Travels through wasmtime as the cause of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Spent {
    /// Time on the processor.
    #[error("the call used up its cpu time")]
    Cpu,
    /// Linear memory or tables.
    #[error("the call used up its memory")]
    Memory,
    /// Calls of the host's functions.
    #[error("the call used up its host calls")]
    HostCalls,
}

impl Spent {
    /// The name in `CallError::Exhausted`.
    pub(crate) const fn limit(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::HostCalls => "host calls",
        }
    }
}

/// What a call used. Shared with whoever reads it after the sandbox is gone.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Time in which the call was being run (not waiting), in nanoseconds.
    pub(crate) busy_ns: AtomicU64,
    /// Most linear memory at once, in bytes.
    pub(crate) memory_peak_bytes: AtomicUsize,
}

impl Meter {
    /// Processor time in epoch ticks, begun ones not counted.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        self.busy_ns.load(Ordering::Relaxed) / TICK_NS
    }

    /// Add a stretch of running. One stretch ends at the next tick at the latest, because the guest yields there; what is
    /// longer is time in which the operating system ran something else, which is not the guest's fault.
    pub(crate) fn ran(&self, ns: u128) {
        let ns = u64::try_from(ns).unwrap_or(u64::MAX).min(TICK_NS);
        self.busy_ns.fetch_add(ns, Ordering::Relaxed);
    }
}

/// Length of an epoch tick, in nanoseconds.
pub(crate) const TICK_NS: u64 = berth_model::limits::EPOCH_TICK_MS * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_counts_one_tick_at_most() {
        let meter = Meter::default();
        meter.ran(u128::from(TICK_NS) * 50);
        assert_eq!(meter.cpu_ticks(), 1);
        meter.ran(u128::from(TICK_NS / 2));
        assert_eq!(meter.cpu_ticks(), 1);
        meter.ran(u128::from(TICK_NS / 2));
        assert_eq!(meter.cpu_ticks(), 2);
    }
}
