//! How often a provider may be asked: over one connection, and over all of them.
//!
//! A rate holds in every stretch of its length: what was sent is remembered for as long (`window`), and a request that would be one too many
//! in the last such stretch waits. It counts for both rates or for neither. What is less urgent leaves a part of each rate to what is more
//! urgent, so that a booking waits neither behind health checks nor behind the full synchronisation of another tenant.

mod shares;
mod window;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use berth_model::{
    id::ConnectionId,
    limits,
    plugins::manifest::{Manifest, PluginId, RateLimit},
    time::{Clock, Instant},
};

use self::{
    shares::Shares,
    window::{Window, part},
};
use super::{config::EgressLimits, urgency::Urgency};

/// Who wants to ask whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct PermitRequest<'a> {
    pub(super) connection: ConnectionId,
    pub(super) manifest: &'a Manifest,
    pub(super) urgency: Urgency,
}

/// Why a request has to wait, and how long. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Until the rate allows it.
    Rate(Duration),
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
    window: Window,
    paused_until: Option<Instant>,
    used: u64,
}

struct Table {
    kept: HashMap<Whose, Kept>,
    kept_max: usize,
    uses: u64,
}

impl Table {
    fn kept(&mut self, whose: Whose) -> &mut Kept {
        self.uses += 1;
        let used = self.uses;
        if self.kept.len() >= self.kept_max && !self.kept.contains_key(&whose) {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(whose, _)| whose.clone());
            oldest.map(|whose| self.kept.remove(&whose));
        }
        let kept = self.kept.entry(whose).or_default();
        kept.used = used;
        kept
    }
}

/// What was sent over all connections and to all providers, by the manifests' numbers.
pub(super) struct Rates {
    clock: Arc<dyn Clock>,
    /// Processes that share each rate.
    shares: Mutex<Shares>,
    table: Mutex<Table>,
}

impl Rates {
    pub(super) fn new(clock: Arc<dyn Clock>, limits: &EgressLimits) -> Self {
        let table = Table { kept: HashMap::new(), kept_max: limits.rate_limiters, uses: 0 };
        Self { clock, shares: Mutex::default(), table: Mutex::new(table) }
    }

    /// So many processes ask the same providers: each takes its part of every rate. A smaller part holds from now on, a larger one when what
    /// the others may have sent is as old as the rate is long.
    pub(super) fn share_with(&self, replicas: u32) {
        self.shares().change(replicas, self.clock.now());
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
    pub(super) async fn enter(&self, permit: PermitRequest<'_>, wait_max: Duration) -> Result<(), Duration> {
        let mut wait_left = wait_max;
        loop {
            let wait = match self.try_enter(permit) {
                Ok(()) => return Ok(()),
                Err(Wait::Pause(wait)) => return Err(wait),
                Err(Wait::Rate(wait)) => wait,
            };
            // Each turn uses up some of the bounded wait, so this ends.
            wait_left = wait_left.checked_sub(wait).ok_or(wait)?;
            tokio::time::sleep(wait).await;
        }
    }

    /// Send over the connection and to the provider, or neither.
    fn try_enter(&self, permit: PermitRequest<'_>) -> Result<(), Wait> {
        let now = self.clock.now();
        let part = |rate: RateLimit| part(rate, self.shares().replicas(rate.per_seconds, now));
        let rates = [
            (permit.manifest.rate_limit.map(part), Whose::Connection(permit.connection)),
            (permit.manifest.provider_rate_limit.map(part), Whose::Provider(permit.manifest.id.clone())),
        ];
        let mut table = self.table();
        if let Some(wait) = paused(&mut table, permit.connection, now) {
            return Err(Wait::Pause(wait));
        }
        let mut longest = Duration::ZERO;
        for (rate, whose) in &rates {
            let Some(rate) = rate else { continue };
            longest = longest.max(table.kept(whose.clone()).window.wait(*rate, permit.urgency, now));
        }
        if longest > Duration::ZERO {
            return Err(Wait::Rate(longest.max(Duration::from_millis(1))));
        }
        for (rate, whose) in rates {
            let Some(rate) = rate else { continue };
            table.kept(whose).window.note(rate, now);
        }
        Ok(())
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
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
