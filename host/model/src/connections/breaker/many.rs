//! Many breakers of one kind, by key, in bounded memory.

use std::collections::BTreeMap;

use super::{Breaker, BreakerPolicy, BreakerState, Change, Ended, Permit};
use crate::time::Instant;

/// A breaker for each key. Only those that had a failure are kept. When there are too many, the closed one goes that was used least recently,
/// and only if all are open the one that would be half-open first.
#[derive(Debug)]
pub struct Breakers<K> {
    policy: BreakerPolicy,
    kept: BTreeMap<K, Kept>,
    kept_max: usize,
    uses: u64,
}

#[derive(Debug)]
struct Kept {
    breaker: Breaker,
    used: u64,
}

impl<K: Ord + Clone> Breakers<K> {
    /// None yet; at most so many are kept.
    #[must_use]
    pub const fn new(policy: BreakerPolicy, kept_max: usize) -> Self {
        Self { policy, kept: BTreeMap::new(), kept_max, uses: 0 }
    }

    /// How this one stands.
    #[must_use]
    pub fn state(&self, key: &K, now: Instant) -> BreakerState {
        self.kept.get(key).map_or(BreakerState::Closed, |kept| kept.breaker.state(now))
    }

    /// May a call pass? Else: in how many milliseconds to ask again.
    ///
    /// # Errors
    /// See [`Breaker::try_acquire`].
    pub fn try_acquire(&mut self, key: &K, now: Instant) -> Result<Permit, u64> {
        let used = self.next_use();
        match self.kept.get_mut(key) {
            Some(kept) => {
                kept.used = used;
                kept.breaker.try_acquire(now)
            }
            // One that nothing is known of is closed, and its generation is the first.
            None => Breaker::new(self.policy).try_acquire(now),
        }
    }

    /// A call ended. What changed by that, if something did.
    pub fn ended(&mut self, key: &K, permit: Permit, how: Ended, now: Instant) -> Option<Change> {
        let used = self.next_use();
        if let Some(kept) = self.kept.get_mut(key) {
            kept.used = used;
            return kept.breaker.ended(permit, how, now);
        }
        if how != Ended::Failed {
            return None;
        }
        self.make_room(now);
        let mut breaker = Breaker::new(self.policy);
        let change = breaker.ended(permit, how, now);
        self.kept.insert(key.clone(), Kept { breaker, used });
        change
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Is none kept?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many are not closed.
    #[must_use]
    pub fn open_count(&self, now: Instant) -> usize {
        self.kept.values().filter(|kept| kept.breaker.state(now) != BreakerState::Closed).count()
    }

    const fn next_use(&mut self) -> u64 {
        self.uses = self.uses.saturating_add(1);
        self.uses
    }

    fn make_room(&mut self, now: Instant) {
        if self.kept.len() < self.kept_max {
            return;
        }
        let worth = |kept: &Kept| {
            let open = kept.breaker.state(now) != BreakerState::Closed;
            (open, if open { kept.breaker.half_open_at().micros().unsigned_abs() } else { kept.used })
        };
        let least = self.kept.iter().min_by_key(|(_, kept)| worth(kept)).map(|(key, _)| key.clone());
        least.map(|key| self.kept.remove(&key));
    }
}
