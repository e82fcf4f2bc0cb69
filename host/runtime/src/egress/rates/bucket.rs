//! A bucket of tokens, in whole numbers.

use std::time::Duration;

use berth_model::{limits, manifest::RateLimit, time::Instant};

const MICROS_PER_SECOND: u128 = 1_000_000;

/// So many requests at once, and as many again over so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    rate: RateLimit,
    /// What is in it. Each microsecond adds `requests` to it, so that a request costs `per_seconds` million and nothing is ever
    /// rounded.
    level: u128,
    filled_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(rate: RateLimit, now: Instant) -> Self {
        Self { rate, level: capacity(rate), filled_at: now }
    }

    /// Let in what came since it was filled last; nothing, if the clock was set back.
    pub(super) fn fill(&mut self, now: Instant) {
        let elapsed = u128::try_from(now.micros_since(self.filled_at)).unwrap_or(0);
        let came = elapsed.saturating_mul(u128::from(self.rate.requests));
        self.level = self.level.saturating_add(came).min(capacity(self.rate));
        self.filled_at = now;
    }

    /// Take over another rate. It stays as full as it was, so that a change gives nobody a second helping.
    pub(super) fn change(&mut self, rate: RateLimit) {
        if rate != self.rate {
            let (old, new) = (capacity(self.rate), capacity(rate));
            let scaled = self.level.checked_mul(new).and_then(|product| product.checked_div(old));
            self.level = scaled.unwrap_or(self.level).min(new);
            self.rate = rate;
        }
    }

    /// How long until a request may take its token; zero if it may now. Bulk requests leave the reserve to the others.
    pub(super) fn wait(&self, is_bulk: bool) -> Duration {
        let reserved = if is_bulk { self.rate.requests / limits::EGRESS_RATE_RESERVE_PARTS } else { 0 };
        let wanted = cost(self.rate).saturating_mul(u128::from(reserved) + 1);
        let missing = wanted.saturating_sub(self.level);
        let micros = missing.div_ceil(u128::from(self.rate.requests.max(1)));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Take one token; for who does not have to wait.
    pub(super) fn take(&mut self) {
        self.level = self.level.saturating_sub(cost(self.rate));
    }
}

fn cost(rate: RateLimit) -> u128 {
    u128::from(rate.per_seconds) * MICROS_PER_SECOND
}

fn capacity(rate: RateLimit) -> u128 {
    cost(rate) * u128::from(rate.requests)
}

/// One replica's part of a rate. All parts together are never more than the whole.
pub(super) fn part(rate: RateLimit, replicas: u32) -> RateLimit {
    let replicas = replicas.max(1);
    if rate.requests >= replicas {
        return RateLimit { requests: rate.requests / replicas, ..rate };
    }
    // Less than one request each: one, and less often.
    let per_seconds = rate.per_seconds.saturating_mul(replicas).div_ceil(rate.requests.max(1));
    RateLimit { requests: 1, per_seconds }
}
