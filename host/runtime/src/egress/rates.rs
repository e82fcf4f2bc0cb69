//! How often a provider may be asked: over one connection, and over all of them.
//!
//! A request takes a token from both buckets or from neither. Requests that read everything leave a part of each bucket to those that
//! somebody waits for, so that the full synchronisation of one tenant does not hold up the bookings of another.

mod bucket;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use berth_model::{
    id::ConnectionId,
    limits,
    manifest::{Manifest, PluginId, RateLimit},
    time::{Clock, Instant},
};

use self::bucket::{Bucket, part};
use super::config::EgressLimits;

/// Who wants to ask whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) connection: ConnectionId,
    pub(super) manifest: &'a Manifest,
    /// It reads everything, and nobody waits for it.
    pub(super) is_bulk: bool,
}

/// Why a request has to wait, and how long. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// For a token.
    Token(Duration),
    /// Until the time that the provider named.
    Pause(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Connection(ConnectionId),
    Provider(PluginId),
}

#[derive(Default)]
struct Kept {
    bucket: Option<Bucket>,
    paused_until: Option<Instant>,
    used: u64,
}

struct Table {
    kept: HashMap<Whose, Kept>,
    kept_max: usize,
    turns: u64,
}

impl Table {
    fn kept(&mut self, whose: Whose) -> &mut Kept {
        self.turns += 1;
        let used = self.turns;
        if self.kept.len() >= self.kept_max && !self.kept.contains_key(&whose) {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(whose, _)| whose.clone());
            oldest.map(|whose| self.kept.remove(&whose));
        }
        let kept = self.kept.entry(whose).or_default();
        kept.used = used;
        kept
    }

    /// The bucket as it is now.
    fn bucket(&mut self, whose: &Whose, rate: RateLimit, now: Instant) -> &mut Bucket {
        let bucket = self.kept(whose.clone()).bucket.get_or_insert_with(|| Bucket::full(rate, now));
        bucket.fill(now);
        bucket.change(rate);
        bucket
    }
}

/// The buckets of all connections and providers, by the manifests' numbers.
pub(super) struct Rates {
    clock: Arc<dyn Clock>,
    /// Processes that share each rate.
    replicas: AtomicU32,
    table: Mutex<Table>,
}

impl Rates {
    pub(super) fn new(clock: Arc<dyn Clock>, limits: &EgressLimits) -> Self {
        let table = Table { kept: HashMap::new(), kept_max: limits.rate_limiters, turns: 0 };
        Self { clock, replicas: AtomicU32::new(1), table: Mutex::new(table) }
    }

    /// So many processes ask the same providers: each takes its part of every rate.
    pub(super) fn share_with(&self, replicas: u32) {
        self.replicas.store(replicas.max(1), Ordering::Relaxed);
    }

    /// Nobody asks over this connection for so long: its provider said so. Other connections go on, since a limit is mostly that of
    /// an account, and one tenant must not be able to stop another.
    pub(super) fn pause(&self, connection: ConnectionId, retry_after_ms: Option<u64>) {
        let wait = retry_after_ms
            .unwrap_or(limits::EGRESS_PAUSE_MS_MIN)
            .clamp(limits::EGRESS_PAUSE_MS_MIN, limits::EGRESS_PAUSE_MS_MAX);
        let until = self.clock.now().plus_millis(i64::try_from(wait).unwrap_or(i64::MAX));
        let mut table = self.table();
        let kept = table.kept(Whose::Connection(connection));
        kept.paused_until = kept.paused_until.max(Some(until));
    }

    /// Wait for a turn, at most `wait_max`; otherwise answer how long it would still take. A pause is not waited for: until it is over the
    /// provider would say no.
    pub(super) async fn enter(&self, turn: Turn<'_>, wait_max: Duration) -> Result<(), Duration> {
        let mut wait_left = wait_max;
        loop {
            let wait = match self.try_enter(turn) {
                Ok(()) => return Ok(()),
                Err(Wait::Pause(wait)) => return Err(wait),
                Err(Wait::Token(wait)) => wait,
            };
            // Each turn uses up some of the bounded wait, so this ends.
            wait_left = wait_left.checked_sub(wait).ok_or(wait)?;
            tokio::time::sleep(wait).await;
        }
    }

    /// Take a token of the connection and one of the provider, or neither.
    fn try_enter(&self, turn: Turn<'_>) -> Result<(), Wait> {
        let replicas = self.replicas.load(Ordering::Relaxed);
        let rates = [
            (turn.manifest.rate_limit, Whose::Connection(turn.connection)),
            (turn.manifest.provider_rate_limit, Whose::Provider(turn.manifest.id.clone())),
        ];
        let now = self.clock.now();
        let mut table = self.table();
        if let Some(wait) = paused(&mut table, turn.connection, now) {
            return Err(Wait::Pause(wait));
        }
        let mut longest = Duration::ZERO;
        for (rate, whose) in &rates {
            let Some(rate) = rate else { continue };
            longest = longest.max(table.bucket(whose, part(*rate, replicas), now).wait(turn.is_bulk));
        }
        if longest > Duration::ZERO {
            return Err(Wait::Token(longest.max(Duration::from_millis(1))));
        }
        for (rate, whose) in &rates {
            let Some(rate) = rate else { continue };
            table.bucket(whose, part(*rate, replicas), now).take();
        }
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the connection is still paused.
fn paused(table: &mut Table, connection: ConnectionId, now: Instant) -> Option<Duration> {
    let kept = table.kept.get_mut(&Whose::Connection(connection))?;
    let micros = kept.paused_until?.micros_since(now);
    let longest = i64::try_from(limits::EGRESS_PAUSE_MS_MAX).unwrap_or(i64::MAX).saturating_mul(1_000);
    // Longer than any pause is: the clock was set back.
    if micros <= 0 || micros > longest {
        kept.paused_until = None;
        return None;
    }
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
