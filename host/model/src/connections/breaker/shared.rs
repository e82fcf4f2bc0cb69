//! One breaker for what several parties use: no party alone can open it for the others.

use super::{Breaker, BreakerPolicy, BreakerState, Change, Ended, Permit};
use crate::time::Instant;

/// Opens when so many different parties had a failure within so many seconds. From then on it is a breaker like any other.
#[derive(Debug)]
pub struct SharedBreaker<K> {
    breaker: Breaker,
    parties_max: usize,
    within_seconds: i64,
    /// Parties with a failure lately, each once with its last.
    failed: Vec<(K, Instant)>,
}

impl<K: Eq> SharedBreaker<K> {
    /// A closed one. Of the policy only the times count.
    #[must_use]
    pub const fn new(policy: BreakerPolicy, parties_max: usize, within_seconds: i64) -> Self {
        Self { breaker: Breaker::new(policy), parties_max, within_seconds, failed: Vec::new() }
    }

    /// How it stands.
    #[must_use]
    pub const fn state(&self, now: Instant) -> BreakerState {
        self.breaker.state(now)
    }

    /// May a call pass? Else: in how many milliseconds to ask again.
    ///
    /// # Errors
    /// See [`Breaker::try_acquire`].
    pub fn try_acquire(&mut self, now: Instant) -> Result<Permit, u64> {
        self.breaker.try_acquire(now)
    }

    /// A call of this party ended. What changed by that, if something did.
    pub fn ended(&mut self, party: K, permit: Permit, how: Ended, now: Instant) -> Option<Change> {
        if self.breaker.state(now) != BreakerState::Closed {
            return self.breaker.ended(permit, how, now);
        }
        // What began before it opened says nothing new after it closed.
        if how != Ended::Failed || permit.generation != self.breaker.generation {
            return None;
        }
        let since = now.plus_seconds(-self.within_seconds);
        self.failed.retain(|(other, at)| *other != party && *at > since && *at <= now);
        self.failed.push((party, now));
        if self.failed.len() < self.parties_max {
            return None;
        }
        self.failed.clear();
        Some(self.breaker.open(now))
    }
}
