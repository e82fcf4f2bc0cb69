//! How often each of many strangers may do something, in bounded memory: one number for each of those who did it lately, and one place for
//! all others when there is no room.

use std::{collections::HashMap, hash::Hash};

use crate::time::Instant;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So many times at once, and as many in each …
    pub most: u32,
    /// … of these seconds, given back evenly.
    pub window_seconds: u32,
}

impl Quota {
    /// So many in a minute.
    #[must_use]
    pub const fn per_minute(most: u32) -> Self {
        Self { most, window_seconds: 60 }
    }

    /// So many in an hour.
    #[must_use]
    pub const fn per_hour(most: u32) -> Self {
        Self { most, window_seconds: 3_600 }
    }

    fn window(self) -> i64 {
        i64::from(self.window_seconds).saturating_mul(1_000_000)
    }

    /// Microseconds after which one more is given back.
    fn step(self) -> i64 {
        self.window().checked_div(i64::from(self.most.max(1))).unwrap_or(1).max(1)
    }

    fn times(self, times: u32) -> Self {
        Self { most: self.most.saturating_mul(times), ..self }
    }
}

/// A bucket for each key. Of each it keeps when it is full again, in microseconds: who is past that is like somebody who never came.
#[derive(Debug)]
pub struct Buckets<K> {
    full_at: HashMap<K, i64>,
    /// For all keys that there is no room for.
    shared_full_at: i64,
    keys_max: usize,
    shared_times: u32,
    /// When idle ones were last looked for.
    swept_at: i64,
}

/// How long not to look for idle keys again, in microseconds: looking through all of them for each stranger would be what they want.
const SWEEP_MICROS: i64 = 1_000_000;

impl<K: Hash + Eq> Buckets<K> {
    /// Room for so many keys; all others together may do so many times what one may.
    #[must_use]
    pub fn new(keys_max: usize, shared_times: u32) -> Self {
        Self { full_at: HashMap::new(), shared_full_at: 0, keys_max, shared_times, swept_at: i64::MIN }
    }

    /// Once more, for this key.
    ///
    /// # Errors
    /// In how many seconds the next may be, where there was one too many.
    pub fn take(&mut self, key: K, quota: Quota, now: Instant) -> Result<(), u64> {
        if !self.has_room(&key, now) {
            let quota = quota.times(self.shared_times);
            self.shared_full_at = filled(self.shared_full_at, quota, now)?;
            return Ok(());
        }
        let full_at = self.full_at.get(&key).copied().unwrap_or(0);
        self.full_at.insert(key, filled(full_at, quota, now)?);
        Ok(())
    }

    /// What was taken did not come about: it does not count.
    pub fn give_back(&mut self, key: &K, quota: Quota) {
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = full_at.saturating_sub(quota.step());
        }
    }

    fn has_room(&mut self, key: &K, now: Instant) -> bool {
        if self.full_at.len() < self.keys_max || self.full_at.contains_key(key) {
            return true;
        }
        if now.micros().saturating_sub(self.swept_at) >= SWEEP_MICROS {
            self.forget_idle(now);
        }
        self.full_at.len() < self.keys_max
    }

    /// Forget who is like somebody who never came.
    pub fn forget_idle(&mut self, now: Instant) {
        self.swept_at = now.micros();
        self.full_at.retain(|_, full_at| *full_at > now.micros());
        // What a crowd made it grow to is not needed when it has gone.
        if self.full_at.capacity() > self.full_at.len().saturating_mul(4) {
            self.full_at.shrink_to_fit();
        }
    }

    /// How many are told apart at the moment.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Is nobody told apart?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }
}

/// When a bucket is full again after one more was taken.
fn filled(full_at: i64, quota: Quota, now: Instant) -> Result<i64, u64> {
    let now = now.micros();
    let next = full_at.max(now).saturating_add(quota.step());
    let too_far = next.saturating_sub(now).saturating_sub(quota.window());
    // Steps are whole microseconds: some too few of them are none too many.
    if too_far > 0 {
        return Err(u64::try_from(too_far).unwrap_or(0).div_ceil(1_000_000));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        "2026-11-30T12:00:00Z".parse::<Instant>().unwrap().plus_seconds(seconds)
    }

    #[test]
    fn each_key_may_so_often_and_gets_it_back_evenly() {
        let mut buckets = Buckets::new(10, 10);
        let quota = Quota::per_minute(3);
        for _ in 0..3 {
            assert_eq!(buckets.take("a", quota, at(0)), Ok(()));
        }
        assert_eq!(buckets.take("a", quota, at(0)), Err(20));
        assert_eq!(buckets.take("b", quota, at(0)), Ok(()), "another has one of its own");
        assert_eq!(buckets.take("a", quota, at(19)), Err(1));
        assert_eq!(buckets.take("a", quota, at(20)), Ok(()));
        assert_eq!(buckets.take("a", quota, at(20)), Err(20));
        buckets.give_back(&"a", quota);
        assert_eq!(buckets.take("a", quota, at(20)), Ok(()), "what did not come about does not count");
        // An hour later it is as if nobody had come, and never more than a whole bucket.
        for _ in 0..3 {
            assert_eq!(buckets.take("a", quota, at(3_600)), Ok(()));
        }
        assert!(buckets.take("a", quota, at(3_600)).is_err());
        // A clock that goes back gives nothing, and takes nothing for long.
        assert!(buckets.take("a", quota, at(0)).is_err());
    }

    #[test]
    fn odd_numbers_never_allow_less_than_they_say() {
        for most in [1, 7, 60, 200, 9_999, u32::MAX] {
            let quota = Quota::per_hour(most);
            let mut buckets = Buckets::new(1, 1);
            for n in 0..most.min(10_000) {
                assert_eq!(buckets.take((), quota, at(0)), Ok(()), "{n} of {most}");
            }
            assert_eq!(buckets.take((), quota, at(0)).is_err(), most <= 10_000, "{most}");
        }
    }

    #[test]
    fn a_crowd_is_kept_in_bounded_memory_and_shares_what_is_beyond() {
        let mut buckets = Buckets::new(1_000, 10);
        let quota = Quota::per_minute(2);
        let passed = (0..10_000_u32).filter(|n| buckets.take(*n, quota, at(0)).is_ok()).count();
        assert_eq!(
            (buckets.len(), passed),
            (1_000, 1_020),
            "a thousand told apart, twenty shared by the others"
        );
        // Who was there first is not driven out by the crowd.
        assert_eq!(buckets.take(5, quota, at(1)), Ok(()));
        assert!(buckets.take(5, quota, at(1)).is_err());
        // When they have gone there is room again, and it is given back.
        assert_eq!(buckets.take(20_000, quota, at(61)), Ok(()));
        assert!(buckets.len() <= 2 && buckets.full_at.capacity() < 100, "{}", buckets.full_at.capacity());
    }
}
