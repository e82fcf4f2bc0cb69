//! How many calls run at the same time: in the process, and for one tenant.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_model::{id::TenantId, limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::egress::Urgency;

/// The permits of a process.
pub(crate) struct Permits {
    process: Arc<Semaphore>,
    /// More of them, for tenants none of whose calls runs.
    first: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, Arc<Own>>>,
    per_tenant: usize,
    wait: Duration,
}

/// The permits of a tenant.
struct Own {
    all: Arc<Semaphore>,
    /// Those of them that calls in the background may have.
    background: Arc<Semaphore>,
}

/// The right to run one call; given back when dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Permit {
    _process: OwnedSemaphorePermit,
    _tenant: OwnedSemaphorePermit,
    _background: Option<OwnedSemaphorePermit>,
}

/// No permit became free in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    /// When to try again, in milliseconds.
    pub(crate) retry_after_ms: u64,
}

impl Permits {
    /// So many permits for all, a part more for those who have none, and so many of them for one tenant.
    pub(crate) fn new(process: usize, per_tenant: usize, wait_ms: u64) -> Self {
        Self {
            process: Arc::new(Semaphore::new(process)),
            first: Arc::new(Semaphore::new(process / limits::CALLS_FIRST_PARTS)),
            tenants: Mutex::default(),
            per_tenant,
            wait: Duration::from_millis(wait_ms),
        }
    }

    /// A permit for a call of this tenant, waited for if it must be. The tenant's own comes first, so that its queue
    /// holds none of everybody's; and what nobody waits for leaves some of them to bookings and customers.
    pub(crate) async fn take(&self, tenant: TenantId, urgency: Urgency) -> Result<Permit, Busy> {
        let own = self.of(tenant);
        let both = async {
            let background = match urgency {
                Urgency::Booking | Urgency::Availability => None,
                Urgency::Upkeep | Urgency::Bulk => {
                    Some(Arc::clone(&own.background).acquire_owned().await.ok()?)
                }
            };
            let tenant = Arc::clone(&own.all).acquire_owned().await.ok()?;
            let none_runs = own.all.available_permits().saturating_add(1) >= self.per_tenant;
            let process = Arc::clone(&self.process).acquire_owned();
            let process = if none_runs {
                // Whichever comes first, everybody's before these.
                tokio::select! {
                    biased;
                    permit = process => permit,
                    permit = Arc::clone(&self.first).acquire_owned() => permit,
                }
            } else {
                process.await
            };
            Some(Permit { _process: process.ok()?, _tenant: tenant, _background: background })
        };
        match tokio::time::timeout(self.wait, both).await {
            Ok(Some(permit)) => Ok(permit),
            // The semaphores are never closed, so `None` does not happen; busy would be true of it.
            Ok(None) | Err(_) => Err(Busy { retry_after_ms: limits::CALL_PERMIT_WAIT_MS_MAX }),
        }
    }

    fn of(&self, tenant: TenantId) -> Arc<Own> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= limits::TENANT_PERMITS_KEPT_MAX {
            // One that nobody else holds is idle: all its permits are home.
            tenants.retain(|_, own| Arc::strong_count(&own.all) > 1 || Arc::strong_count(own) > 1);
        }
        Arc::clone(tenants.entry(tenant).or_insert_with(|| {
            let background = self.per_tenant.min(limits::CALLS_BACKGROUND_PER_TENANT_MAX);
            Arc::new(Own {
                all: Arc::new(Semaphore::new(self.per_tenant)),
                background: Arc::new(Semaphore::new(background)),
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: u8) -> TenantId {
        format!("00000000-0000-0000-0000-0000000000{n:02x}").parse().expect("a UUID")
    }

    #[tokio::test(start_paused = true)]
    async fn one_tenant_cannot_take_all() {
        let permits = Permits::new(3, 2, 100);
        let _first = permits.take(tenant(1), Urgency::Booking).await.expect("free");
        let second = permits.take(tenant(1), Urgency::Booking).await.expect("free");
        assert!(permits.take(tenant(1), Urgency::Booking).await.is_err());
        let _other = permits.take(tenant(2), Urgency::Booking).await.expect("free for another tenant");
        drop(second);
        let _again = permits.take(tenant(1), Urgency::Booking).await.expect("given back");
    }

    /// Calendar writes that hung had all permits of a tenant, and its bookings were told to come back later.
    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_leaves_permits_to_bookings() {
        let permits = Permits::new(100, limits::CALLS_CONCURRENT_PER_TENANT_MAX, 100);
        let mut hanging = Vec::new();
        while let Ok(permit) = permits.take(tenant(1), Urgency::Upkeep).await {
            hanging.push(permit);
        }
        assert_eq!(hanging.len(), limits::CALLS_BACKGROUND_PER_TENANT_MAX);
        assert!(permits.take(tenant(1), Urgency::Bulk).await.is_err());
        let _booking = permits.take(tenant(1), Urgency::Booking).await.expect("left to bookings");
        let _customer = permits.take(tenant(1), Urgency::Availability).await.expect("left to customers");
        hanging.pop();
        let _again = permits.take(tenant(1), Urgency::Bulk).await.expect("given back");
    }

    #[tokio::test(start_paused = true)]
    async fn the_process_has_a_ceiling() {
        let permits = Permits::new(1, 2, 100);
        let _held = permits.take(tenant(1), Urgency::Booking).await.expect("free");
        let busy = permits.take(tenant(2), Urgency::Booking).await.expect_err("the only permit is out");
        assert_eq!(busy.retry_after_ms, limits::CALL_PERMIT_WAIT_MS_MAX);
    }

    /// Sleeping calls of twenty-five tenants kept everybody else out.
    #[tokio::test(start_paused = true)]
    async fn a_tenant_without_a_call_finds_room_when_others_have_all() {
        let permits = Permits::new(8, 4, 100);
        let mut held = Vec::new();
        for n in [1, 1, 1, 1, 2, 2, 2, 2] {
            held.push(permits.take(tenant(n), Urgency::Booking).await.expect("free"));
        }
        let third = permits.take(tenant(3), Urgency::Booking).await.expect("its first");
        assert!(permits.take(tenant(3), Urgency::Booking).await.is_err(), "a second waits like everybody");
        assert!(permits.take(tenant(1), Urgency::Booking).await.is_err());
        let _fourth = permits.take(tenant(4), Urgency::Booking).await.expect("its first");
        assert!(permits.take(tenant(5), Urgency::Booking).await.is_err(), "there is an end");
        drop(third);
        let _fifth = permits.take(tenant(5), Urgency::Booking).await.expect("given back");
        drop(held);
        let _again = permits.take(tenant(1), Urgency::Booking).await.expect("given back");
    }

    #[tokio::test]
    async fn a_waiting_call_gets_the_next_permit() {
        let permits = Arc::new(Permits::new(1, 1, 60_000));
        let held = permits.take(tenant(1), Urgency::Booking).await.expect("free");
        let waiting = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move { permits.take(tenant(1), Urgency::Booking).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert!(waiting.await.expect("ended"));
    }
}
