//! The circuit breakers of one version of a plugin: one for each tenant whose calls trap, and one for all when several tenants' calls do
//! (`berth_model::breaker`). So no tenant alone can open it for others. Another version has breakers of its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use berth_model::{
    connections::breaker::{BreakerPolicy, Breakers, Change, Ended, Permit, SharedBreaker},
    id::TenantId,
    limits,
    time::Instant,
};

/// The breakers of one version.
#[derive(Debug)]
pub(crate) struct VersionBreakers(Mutex<Both>);

#[derive(Debug)]
struct Both {
    tenants: Breakers<TenantId>,
    everybody: SharedBreaker<TenantId>,
}

/// A call that was let through. Dropped without a word, it counted as nothing.
#[derive(Debug)]
#[must_use]
pub(crate) struct Passage<'a> {
    of: &'a VersionBreakers,
    tenant: TenantId,
    began: Instant,
    permits: Option<(Permit, Permit)>,
}

impl Default for VersionBreakers {
    fn default() -> Self {
        let (policy, kept) = (BreakerPolicy::TRAPS, limits::BREAKERS_KEPT_MAX);
        Self(Mutex::new(Both {
            tenants: Breakers::new(policy, kept),
            everybody: SharedBreaker::new(
                policy,
                limits::BREAKER_TENANTS_MAX,
                limits::BREAKER_TENANTS_SECONDS,
            ),
        }))
    }
}

impl VersionBreakers {
    /// May a call of this tenant pass? Else: in how many milliseconds to ask again.
    pub(crate) fn try_acquire(&self, tenant: TenantId, now: Instant) -> Result<Passage<'_>, u64> {
        let mut both = self.both();
        let own = both.tenants.try_acquire(&tenant, now)?;
        match both.everybody.try_acquire(now) {
            Ok(shared) => Ok(Passage { of: self, tenant, began: now, permits: Some((own, shared)) }),
            Err(wait) => {
                both.tenants.ended(&tenant, own, Ended::Unknown, now);
                Err(wait)
            }
        }
    }

    fn both(&self) -> MutexGuard<'_, Both> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(
        &self,
        tenant: TenantId,
        (own, shared): (Permit, Permit),
        how: Ended,
        now: Instant,
    ) -> [(&'static str, Option<Change>); 2] {
        let mut both = self.both();
        [
            ("tenant", both.tenants.ended(&tenant, own, how, now)),
            ("plugin", both.everybody.ended(tenant, shared, how, now)),
        ]
    }
}

impl Passage<'_> {
    /// The call ended.
    pub(crate) fn ended(mut self, how: Ended, now: Instant) {
        let Some(permits) = self.permits.take() else { return };
        for (of, change) in self.of.ended(self.tenant, permits, how, now) {
            let Some(change) = change else { continue };
            let to = match change {
                Change::Opened { .. } => "open",
                Change::Closed => "closed",
            };
            metrics::counter!("berth_breaker_changes_total", "of" => of, "to" => to).increment(1);
            tracing::warn!(of, tenant = %self.tenant, ?change, "a plugin's circuit breaker changed");
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if let Some(permits) = self.permits.take() {
            self.of.ended(self.tenant, permits, Ended::Unknown, self.began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn at(millis: i64) -> Instant {
        Instant::from_seconds(1_000).plus_millis(millis)
    }

    fn trap(breakers: &VersionBreakers, n: u128, now: Instant) {
        breakers.try_acquire(tenant(n), now).expect("passes").ended(Ended::Failed, now);
    }

    #[test]
    fn a_tenant_opens_it_for_itself_alone() {
        let breakers = VersionBreakers::default();
        for _ in 0..limits::BREAKER_TRAPS_MAX {
            trap(&breakers, 1, at(0));
        }
        assert_eq!(breakers.try_acquire(tenant(1), at(0)).unwrap_err(), limits::BREAKER_OPEN_MS_MIN);
        for _ in 0..20 {
            assert!(breakers.try_acquire(tenant(2), at(0)).is_ok());
        }
    }

    #[test]
    fn three_tenants_open_it_for_everybody() {
        let breakers = VersionBreakers::default();
        for n in 1..=3 {
            trap(&breakers, n, at(0));
        }
        assert_eq!(breakers.try_acquire(tenant(4), at(0)).unwrap_err(), limits::BREAKER_OPEN_MS_MIN);
        // Who is refused by the shared one keeps no probe of its own.
        let probe = breakers.try_acquire(tenant(4), at(500)).expect("one tries");
        assert!(breakers.try_acquire(tenant(5), at(500)).is_err());
        probe.ended(Ended::Succeeded, at(501));
        for n in 1..=5 {
            assert!(breakers.try_acquire(tenant(n), at(501)).is_ok());
        }
    }

    #[test]
    fn a_probe_whose_caller_goes_away_lets_the_next_one_try() {
        let breakers = VersionBreakers::default();
        for _ in 0..limits::BREAKER_TRAPS_MAX {
            trap(&breakers, 1, at(0));
        }
        drop(breakers.try_acquire(tenant(1), at(500)).expect("one tries"));
        assert!(breakers.try_acquire(tenant(1), at(500)).is_ok());
    }
}
