//! How much a call may ask for, and how often a connection's provider may be asked.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use berth_model::{id::ConnectionId, manifest::RateLimit, time::Clock};
use governor::{
    Quota, RateLimiter,
    clock::Clock as GovernorClock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{config::EgressLimits, failure::Failure};

/// What is left to one call.
#[derive(Debug)]
pub(super) struct CallQuota {
    requests: AtomicU32,
    concurrent: Semaphore,
    body_in_bytes: AtomicUsize,
}

impl CallQuota {
    pub(super) fn new(limits: &EgressLimits) -> Self {
        Self {
            requests: AtomicU32::new(limits.requests),
            concurrent: Semaphore::new(limits.concurrent),
            body_in_bytes: AtomicUsize::new(limits.call_body_in_bytes),
        }
    }

    /// Count a request, and wait until it may run beside the others. They wait in order, and there are never more of them
    /// than requests are left.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map_err(|_| Failure::TooManyRequests)?;
        self.concurrent.acquire().await.map_err(|_| Failure::TooManyRequests)
    }

    /// Count bytes of an answer.
    pub(super) fn take_body_in(&self, bytes: usize) -> Result<(), Failure> {
        self.body_in_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map(|_| ())
            .map_err(|_| Failure::CallBodyInExhausted)
    }
}

/// The host's clock for the rate limiters.
#[derive(Clone)]
struct LimiterClock(Arc<dyn Clock>);

impl GovernorClock for LimiterClock {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        Nanos::from(u64::try_from(self.0.now().micros()).unwrap_or(0).saturating_mul(1_000))
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, LimiterClock, NoOpMiddleware<Nanos>>;

struct Kept {
    limiter: Arc<Limiter>,
    rate: RateLimit,
    used: u64,
}

#[derive(Default)]
struct Table {
    by_connection: HashMap<ConnectionId, Kept>,
    turns: u64,
}

/// The rate limiters of all connections, by the manifest's numbers.
pub(super) struct RateLimiters {
    clock: LimiterClock,
    kept_max: usize,
    /// Processes that share each rate.
    replicas: AtomicU32,
    table: Mutex<Table>,
}

impl RateLimiters {
    pub(super) fn new(clock: Arc<dyn Clock>, limits: &EgressLimits) -> Self {
        Self {
            clock: LimiterClock(clock),
            kept_max: limits.rate_limiters,
            replicas: AtomicU32::new(1),
            table: Mutex::default(),
        }
    }

    /// So many processes ask the same providers: each takes its part of every rate.
    pub(super) fn share_with(&self, replicas: u32) {
        self.replicas.store(replicas.max(1), Ordering::Relaxed);
    }

    /// Wait for the connection's turn, at most `wait_max`; otherwise answer how long it would still take.
    pub(super) async fn enter(
        &self,
        connection: ConnectionId,
        rate: RateLimit,
        wait_max: Duration,
    ) -> Result<(), Duration> {
        let rate = part(rate, self.replicas.load(Ordering::Relaxed));
        let mut wait_left = wait_max;
        loop {
            let Err(wait) = self.try_enter(connection, rate) else { return Ok(()) };
            // Each turn uses up some of the bounded wait, so this ends.
            wait_left = wait_left.checked_sub(wait).ok_or(wait)?;
            tokio::time::sleep(wait).await;
        }
    }

    /// Take a turn now, or answer how long to wait for one. Never zero.
    fn try_enter(&self, connection: ConnectionId, rate: RateLimit) -> Result<(), Duration> {
        let Some(quota) = quota(rate) else { return Ok(()) };
        let limiter = self.limiter(connection, rate, quota);
        let Err(refused) = limiter.check() else { return Ok(()) };
        let wait = refused.wait_time_from(self.clock.now());
        if wait > quota.replenish_interval() {
            // One turn never takes longer than that: the clock was set back. Begin anew rather than wait for it.
            self.forget(connection);
        }
        Err(wait.clamp(Duration::from_millis(1), quota.replenish_interval().max(Duration::from_millis(1))))
    }

    fn limiter(&self, connection: ConnectionId, rate: RateLimit, quota: Quota) -> Arc<Limiter> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.turns += 1;
        let used = table.turns;
        if let Some(kept) = table.by_connection.get_mut(&connection).filter(|k| k.rate == rate) {
            kept.used = used;
            return Arc::clone(&kept.limiter);
        }
        if table.by_connection.len() >= self.kept_max {
            let oldest = table.by_connection.iter().min_by_key(|(_, k)| k.used).map(|(id, _)| *id);
            oldest.map(|id| table.by_connection.remove(&id));
        }
        let limiter = Arc::new(RateLimiter::direct_with_clock(quota, self.clock.clone()));
        table.by_connection.insert(connection, Kept { limiter: Arc::clone(&limiter), rate, used });
        limiter
    }

    fn forget(&self, connection: ConnectionId) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).by_connection.remove(&connection);
    }
}

/// One replica's part of a rate. All parts together are never more than the whole.
fn part(rate: RateLimit, replicas: u32) -> RateLimit {
    let replicas = replicas.max(1);
    if rate.requests >= replicas {
        return RateLimit { requests: rate.requests / replicas, ..rate };
    }
    // Less than one request each: one, and less often.
    let per_seconds = rate.per_seconds.saturating_mul(replicas).div_ceil(rate.requests.max(1));
    RateLimit { requests: 1, per_seconds }
}

/// So many requests at once, and as many again over so many seconds.
fn quota(rate: RateLimit) -> Option<Quota> {
    let burst = NonZeroU32::new(rate.requests)?;
    let period = Duration::from_secs(u64::from(rate.per_seconds)) / rate.requests;
    Quota::with_period(period).map(|q| q.allow_burst(burst))
}

#[cfg(test)]
mod tests;
