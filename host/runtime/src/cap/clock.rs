//! `wasi:clocks` over the clock that the host was given, so that a test's clock is the guest's clock too.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use berth_model::time::Clock;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Both WASI clocks of one call.
#[derive(Clone)]
pub(crate) struct GuestClock {
    clock: Arc<dyn Clock>,
    /// The latest monotonic time that was told: a clock that is set back must not run backwards for the guest.
    latest_ns: Arc<AtomicU64>,
}

impl GuestClock {
    /// The clocks of a new call.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest_ns: Arc::default() }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.clock.now().micros()).unwrap_or(0)
    }
}

impl HostWallClock for GuestClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.micros())
    }
}

impl HostMonotonicClock for GuestClock {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        let now = self.micros().saturating_mul(1_000);
        self.latest_ns.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use berth_model::time::Instant;

    use super::*;

    struct Set(Mutex<Instant>);
    impl Clock for Set {
        fn now(&self) -> Instant {
            *self.0.lock().expect("not poisoned")
        }
    }

    #[test]
    fn monotonic_never_runs_back() {
        let set = Arc::new(Set(Mutex::new(Instant::from_seconds(100))));
        let clock = GuestClock::new(Arc::clone(&set) as Arc<dyn Clock>);
        let before = HostMonotonicClock::now(&clock);
        *set.0.lock().expect("not poisoned") = Instant::from_seconds(50);
        assert_eq!(HostMonotonicClock::now(&clock), before);
        assert_eq!(HostWallClock::now(&clock), Duration::from_secs(50));
    }
}
