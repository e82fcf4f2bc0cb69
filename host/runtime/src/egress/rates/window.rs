//! What was sent over the last stretch of a rate's length, so that no such stretch ever holds more than the rate allows.

use std::{collections::VecDeque, time::Duration};

use berth_model::{limits, plugins::manifest::RateLimit, time::Instant};

use crate::egress::urgency::Urgency;

/// The requests that count, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    sent: VecDeque<Sent>,
    /// The longest stretch that was asked about: what is older is forgotten.
    longest_seconds: u32,
}

/// Requests that were sent close together. They count until the last of them is old enough.
#[derive(Debug, Clone, Copy)]
struct Sent {
    first: Instant,
    last: Instant,
    count: u32,
}

impl Window {
    /// How long until a request of this urgency may be sent; zero if it may now.
    pub(super) fn wait(&mut self, rate: RateLimit, urgency: Urgency, now: Instant) -> Duration {
        self.forget(rate, now);
        let allowed = allowed(rate.requests, urgency);
        let mut counted: u64 = self.sent.iter().map(|sent| u64::from(sent.count)).sum();
        let mut wait = 0;
        for sent in &self.sent {
            let over_at = sent.last.plus_seconds(i64::from(rate.per_seconds));
            let left = over_at.micros_since(now);
            if left > 0 {
                if counted < u64::from(allowed) {
                    break;
                }
                wait = left;
            }
            counted = counted.saturating_sub(u64::from(sent.count));
        }
        Duration::from_micros(u64::try_from(wait).unwrap_or(0))
    }

    /// Note a request; for who does not have to wait.
    pub(super) fn note(&mut self, rate: RateLimit, now: Instant) {
        let together = i64::from(rate.per_seconds).saturating_mul(1_000_000) / limits::EGRESS_RATE_PARTS;
        match self.sent.back_mut() {
            // A rate of few requests is kept exactly.
            Some(newest)
                if i64::from(rate.requests) > limits::EGRESS_RATE_PARTS
                    && now.micros_since(newest.first) < together =>
            {
                newest.last = now;
                newest.count = newest.count.saturating_add(1);
            }
            _ => self.sent.push_back(Sent { first: now, last: now, count: 1 }),
        }
    }

    /// How many entries it has.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    fn forget(&mut self, rate: RateLimit, now: Instant) {
        self.longest_seconds = self.longest_seconds.max(rate.per_seconds);
        for sent in &mut self.sent {
            // A clock that was set back must not make it count for longer than the rate's length.
            sent.last = sent.last.min(now);
            sent.first = sent.first.min(now);
        }
        let oldest = now.plus_seconds(-i64::from(self.longest_seconds));
        while self.sent.front().is_some_and(|sent| sent.last <= oldest) {
            self.sent.pop_front();
        }
    }
}

/// How many requests of a rate may have been sent, by whomever, before one of this urgency has to wait. What is more urgent finds the rest.
pub(super) const fn allowed(requests: u32, urgency: Urgency) -> u32 {
    // Of two or more at least one is kept.
    let kept = match requests / limits::EGRESS_RATE_RESERVE_PARTS {
        0 if requests > 1 => 1,
        kept => kept,
    };
    requests
        - match urgency {
            Urgency::Booking => 0,
            Urgency::Availability => kept.div_ceil(2),
            Urgency::Upkeep => kept - kept / 4,
            Urgency::Bulk => kept,
        }
}

/// One replica's part of a rate. All parts together are never more than the whole; where there are fewer requests than replicas, that is so
/// over the longer time only, since nobody knows whose turn it is.
pub(super) fn part(rate: RateLimit, replicas: u32) -> RateLimit {
    let replicas = replicas.max(1);
    if rate.requests >= replicas {
        return RateLimit { requests: rate.requests / replicas, ..rate };
    }
    // Less than one request each: one, and less often.
    let per_seconds = rate.per_seconds.saturating_mul(replicas).div_ceil(rate.requests.max(1));
    RateLimit { requests: 1, per_seconds }
}
