//! The budgets of a call: what is counted, and the error that ends a call when one is used up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::time::{ClockId, clock_gettime};

/// A budget of the sandbox that ran out. Travels through wasmtime as the cause of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
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

impl Exceeded {
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
    /// Processor time of the call, in nanoseconds: not what it waited, nor what other threads had of the processor meanwhile.
    pub(crate) cpu_ns: AtomicU64,
    /// Most linear memory at once, in bytes.
    pub(crate) memory_peak_bytes: AtomicUsize,
}

impl Meter {
    /// Processor time in epoch ticks, begun ones not counted.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        self.cpu_ns.load(Ordering::Relaxed) / TICK_NS
    }

    /// Add a stretch of running. One stretch ends at the next tick at the latest, because the guest yields there; what is
    /// longer was spent by the host itself, which is not the guest's fault.
    pub(crate) fn ran(&self, ns: u64) {
        self.cpu_ns.fetch_add(ns.min(TICK_NS), Ordering::Relaxed);
    }
}

/// What this thread has had of the processor so far, in nanoseconds. On a machine with much to do a thread is held up within a stretch: a
/// clock on the wall would make that the guest's.
pub(crate) fn thread_cpu_ns() -> u64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, rest) = (u64::try_from(spent.tv_sec), u64::try_from(spent.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(rest.unwrap_or(0))
}

/// Length of an epoch tick, in nanoseconds.
pub(crate) const TICK_NS: u64 = berth_model::limits::EPOCH_TICK_MS * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_counts_one_tick_at_most() {
        let meter = Meter::default();
        meter.ran(TICK_NS * 50);
        assert_eq!(meter.cpu_ticks(), 1);
        meter.ran(TICK_NS / 2);
        assert_eq!(meter.cpu_ticks(), 1);
        meter.ran(TICK_NS / 2);
        assert_eq!(meter.cpu_ticks(), 2);
    }

    #[test]
    fn what_other_threads_have_of_the_processor_is_not_counted() {
        let before = thread_cpu_ns();
        let busy = std::thread::spawn(|| {
            let before = thread_cpu_ns();
            while thread_cpu_ns() - before < 3 * TICK_NS {}
        });
        busy.join().unwrap();
        assert!(thread_cpu_ns() - before < TICK_NS, "this one only waited");
    }
}
