//! A circuit breaker: what fails again and again is not asked for a while.
//!
//! *Closed* it lets everything through. After so many failures in a row it *opens* and refuses. When its time is over it is *half-open*: one
//! call at a time goes through as a *probe*. A probe that succeeds closes it; one that fails opens it for twice as long. What says nothing
//! about whoever is asked counts as nothing, and so does a call that began before the breaker last changed: those that were under way when
//! it opened neither lengthen that time nor close it early.
//!
//! Pure: the time is passed in. [`Breakers`] keeps many of them, [`SharedBreaker`] is for what several parties use.

mod many;
mod shared;
#[cfg(test)]
mod tests;

pub use many::Breakers;
pub use shared::SharedBreaker;

use serde::Serialize;

use crate::{limits, time::Instant};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row that open it.
    pub failures_max: u32,
    /// How long it is open at first, in milliseconds; doubles with each probe that fails.
    pub open_ms_min: u64,
    /// Longest time that it is open, in milliseconds.
    pub open_ms_max: u64,
    /// How long a probe may take before it is taken for lost and another call may try, in milliseconds.
    pub probe_ms_max: u64,
}

impl BreakerPolicy {
    /// Of a connection: its provider gives no usable answer.
    pub const CONNECTION: Self = Self {
        failures_max: limits::CONNECTION_FAILURES_MAX,
        open_ms_min: limits::CONNECTION_OPEN_MS_MIN,
        open_ms_max: limits::CONNECTION_OPEN_MS_MAX,
        probe_ms_max: limits::BREAKER_PROBE_MS_MAX,
    };
    /// Of a plugin, for one tenant: its component traps.
    pub const TRAPS: Self = Self {
        failures_max: limits::BREAKER_TRAPS_MAX,
        open_ms_min: limits::BREAKER_OPEN_MS_MIN,
        open_ms_max: limits::BREAKER_OPEN_MS_MAX,
        probe_ms_max: limits::BREAKER_PROBE_MS_MAX,
    };
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes.
    Open,
    /// Its time is over: one call at a time finds out whether it may close.
    HalfOpen,
}

impl BreakerState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// A call that was let through. Says how it went with [`Breaker::ended`].
#[derive(Debug)]
#[must_use = "a probe that never says how it ended keeps others waiting"]
pub struct Permit {
    /// The generation of the breaker in which it began.
    generation: u64,
}

/// How a call went, as far as whoever was asked is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There was an answer. A refusal is one.
    Succeeded,
    /// There was none.
    Failed,
    /// Nobody knows, or nobody was asked.
    Unknown,
}

/// What the end of a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing passes for so many milliseconds.
    Opened {
        /// Milliseconds.
        for_ms: u64,
    },
    /// A probe succeeded: everything passes again.
    Closed,
}

/// One circuit breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: BreakerPolicy,
    failures_in_a_row: u32,
    /// How long it is open; zero while it is closed.
    open_ms: u64,
    opened_at: Instant,
    /// When the probe that is under way began.
    probe_at: Option<Instant>,
    /// Counts openings, closings and probes. What began in an earlier generation is over.
    generation: u64,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            failures_in_a_row: 0,
            open_ms: 0,
            opened_at: Instant::from_micros(0),
            probe_at: None,
            generation: 0,
        }
    }

    /// How it stands.
    #[must_use]
    pub const fn state(&self, now: Instant) -> BreakerState {
        if self.open_ms == 0 {
            BreakerState::Closed
        } else if left_ms(self.opened_at, self.open_ms, now) > 0 {
            BreakerState::Open
        } else {
            BreakerState::HalfOpen
        }
    }

    /// May a call pass? Else: in how many milliseconds to ask again, never zero.
    ///
    /// # Errors
    /// It is open, or half-open and a probe is under way.
    pub fn try_acquire(&mut self, now: Instant) -> Result<Permit, u64> {
        if self.open_ms > 0 {
            self.follow(now);
            let wait = left_ms(self.opened_at, self.open_ms, now);
            if wait > 0 {
                return Err(wait);
            }
            let probing = self.probe_at.map_or(0, |began| left_ms(began, self.policy.probe_ms_max, now));
            if probing > 0 {
                return Err(probing.min(self.policy.open_ms_min).max(1));
            }
            self.probe_at = Some(now);
            self.generation = self.generation.saturating_add(1);
        }
        Ok(Permit { generation: self.generation })
    }

    /// A call ended. What changed by that, if something did.
    #[expect(clippy::needless_pass_by_value, reason = "a call ends once")]
    pub fn ended(&mut self, permit: Permit, how: Ended, now: Instant) -> Option<Change> {
        if permit.generation != self.generation {
            return None;
        }
        if self.open_ms == 0 {
            match how {
                Ended::Succeeded => self.failures_in_a_row = 0,
                Ended::Failed => self.failures_in_a_row = self.failures_in_a_row.saturating_add(1),
                Ended::Unknown => {}
            }
            return (self.failures_in_a_row >= self.policy.failures_max).then(|| self.open(now));
        }
        match how {
            Ended::Succeeded => {
                *self = Self { generation: self.generation.saturating_add(1), ..Self::new(self.policy) };
                Some(Change::Closed)
            }
            Ended::Failed => Some(self.open(now)),
            Ended::Unknown => {
                self.probe_at = None;
                None
            }
        }
    }

    /// Open now, whatever was counted: at first for the shortest time, while it is open or half-open for twice the last.
    pub fn open(&mut self, now: Instant) -> Change {
        let for_ms =
            self.open_ms.saturating_mul(2).clamp(self.policy.open_ms_min.max(1), self.policy.open_ms_max);
        *self = Self {
            open_ms: for_ms,
            opened_at: now,
            generation: self.generation.saturating_add(1),
            ..Self::new(self.policy)
        };
        Change::Opened { for_ms }
    }

    /// When its time is over.
    const fn half_open_at(&self) -> Instant {
        let open_ms = if self.open_ms > i64::MAX as u64 { i64::MAX } else { self.open_ms.cast_signed() };
        self.opened_at.plus_millis(open_ms)
    }

    /// A clock that was set back must not keep it open for longer than its time.
    fn follow(&mut self, now: Instant) {
        self.opened_at = self.opened_at.min(now);
        self.probe_at = self.probe_at.map(|began| began.min(now));
    }
}

/// Milliseconds that are left of `length_ms` since `began`, rounded up.
const fn left_ms(began: Instant, length_ms: u64, now: Instant) -> u64 {
    let passed = now.micros_since(began);
    // In microseconds, or a breaker would be over a millisecond early.
    let passed = if passed > 0 { passed.unsigned_abs() } else { 0 };
    length_ms.saturating_mul(1_000).saturating_sub(passed).div_ceil(1_000)
}
