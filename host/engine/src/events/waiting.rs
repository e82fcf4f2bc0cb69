//! Who waits for events. A place is some bytes of memory; the database is asked for all of them together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use berth_model::{id::TenantId, limits};
use tokio::sync::watch;

/// Everybody who waits in this process.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The process ends: nobody waits any more.
    closed: bool,
    all: usize,
    tenants: BTreeMap<TenantId, Tenant>,
}

#[derive(Debug)]
struct Tenant {
    waiting: usize,
    /// Position of its last event, as it is known here.
    position: watch::Sender<i64>,
}

/// Why nobody else may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// So many of the tenant's requests do.
    OfTenant,
    /// So many do in all.
    InAll,
}

/// A place among those who wait for a tenant's events.
#[derive(Debug)]
pub struct EventWait {
    of: Arc<Waits>,
    tenant: TenantId,
    /// None once the process ends.
    position: Option<watch::Receiver<i64>>,
}

impl EventWait {
    /// Wait until there may be something new, at most so long. False once there is no use in waiting any longer: the process ends.
    pub async fn news(&mut self, longest: Duration) -> bool {
        let Some(position) = &mut self.position else { return false };
        match tokio::time::timeout(longest, position.changed()).await {
            Err(_) | Ok(Ok(())) => true,
            Ok(Err(_)) => false,
        }
    }
}

impl Drop for EventWait {
    fn drop(&mut self) {
        self.of.leave(self.tenant);
    }
}

impl Waits {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Take a place. What is told from now on is not missed.
    pub(crate) fn enter(self: &Arc<Self>, tenant: TenantId) -> Result<EventWait, NoRoom> {
        let mut state = self.state();
        if state.all >= limits::EVENT_WAITS_MAX {
            return Err(NoRoom::InAll);
        }
        let closed = state.closed;
        let of = state
            .tenants
            .entry(tenant)
            .or_insert_with(|| Tenant { waiting: 0, position: watch::Sender::new(0) });
        if of.waiting >= limits::EVENT_WAITS_PER_TENANT_MAX {
            return Err(NoRoom::OfTenant);
        }
        of.waiting = of.waiting.saturating_add(1);
        let position = (!closed).then(|| of.position.subscribe());
        state.all = state.all.saturating_add(1);
        Ok(EventWait { of: self.clone(), tenant, position })
    }

    fn leave(&self, tenant: TenantId) {
        let mut state = self.state();
        state.all = state.all.saturating_sub(1);
        if let Some(of) = state.tenants.get_mut(&tenant) {
            of.waiting = of.waiting.saturating_sub(1);
            if of.waiting == 0 {
                state.tenants.remove(&tenant);
            }
        }
    }

    /// A tenant's events end here now.
    pub(crate) fn moved(&self, tenant: TenantId, to: i64) {
        if let Some(of) = self.state().tenants.get(&tenant) {
            of.position.send_if_modified(|position| {
                let is_new = *position < to;
                *position = to.max(*position);
                is_new
            });
        }
    }

    /// Tenants of whom somebody waits.
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.state().tenants.keys().copied().collect()
    }

    /// Nobody waits any longer.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        for of in state.tenants.values_mut() {
            of.position = watch::Sender::new(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn those_of_the_tenant_are_told_and_once() {
        let waits = Arc::new(Waits::default());
        let (mut one, mut two) = (waits.enter(tenant(1)).unwrap(), waits.enter(tenant(1)).unwrap());
        let mut other = waits.enter(tenant(2)).unwrap();
        assert_eq!(waits.tenants(), [tenant(1), tenant(2)]);
        waits.moved(tenant(1), 5);
        waits.moved(tenant(1), 4);
        waits.moved(tenant(3), 4);
        let is_told = async |wait: &mut EventWait| {
            let position = wait.position.as_mut().unwrap();
            tokio::time::timeout(NOW, position.changed()).await.is_ok()
        };
        assert!(is_told(&mut one).await && is_told(&mut two).await && !is_told(&mut other).await);
        assert!(!is_told(&mut one).await, "it knows");
        drop((one, two, other));
        assert_eq!(waits.tenants(), []);
    }

    #[tokio::test]
    async fn there_is_so_much_room() {
        let waits = Arc::new(Waits::default());
        let mut inside = Vec::new();
        for _ in 0..limits::EVENT_WAITS_PER_TENANT_MAX {
            inside.push(waits.enter(tenant(1)).unwrap());
        }
        assert_eq!(waits.enter(tenant(1)).unwrap_err(), NoRoom::OfTenant);
        inside.pop();
        inside.push(waits.enter(tenant(1)).unwrap());
        for n in 0..limits::EVENT_WAITS_MAX {
            let Ok(wait) = waits.enter(tenant(10 + n as u128)) else { break };
            inside.push(wait);
        }
        assert_eq!(inside.len(), limits::EVENT_WAITS_MAX);
        assert_eq!(waits.enter(tenant(2)).unwrap_err(), NoRoom::InAll);
    }

    #[tokio::test]
    async fn at_the_end_nobody_waits() {
        let waits = Arc::new(Waits::default());
        let mut wait = waits.enter(tenant(1)).unwrap();
        waits.close();
        assert!(!wait.news(Duration::from_mins(1)).await);
        assert!(
            !waits.enter(tenant(1)).unwrap().news(Duration::from_mins(1)).await,
            "who comes then, neither"
        );
    }
}
