//! How the workers of a queue are shared between tenants: no tenant has more than a part of them, so that whoever has thousands of jobs, or a
//! provider that hangs, leaves workers to the others.
//!
//! Each process counts what it works on itself. Where no process gives a tenant more than its part, all of them together do not.

use std::collections::BTreeMap;

use super::kind::JobQueue;
use crate::{id::TenantId, limits};

/// Tenants that can have their whole share while a worker is free: one fewer than there are shares.
pub const FULL_MAX: usize = limits::JOB_QUEUE_SHARES - 1;

/// Who holds the workers of a queue in this process.
#[derive(Debug)]
pub struct Workers {
    all: usize,
    share: usize,
    held: BTreeMap<TenantId, usize>,
}

impl Workers {
    /// All of a queue's are free.
    #[must_use]
    pub const fn of(queue: JobQueue) -> Self {
        let all = queue.workers();
        let part = all / limits::JOB_QUEUE_SHARES;
        Self { all, share: if part == 0 { 1 } else { part }, held: BTreeMap::new() }
    }

    /// Workers that nobody holds.
    #[must_use]
    pub fn free(&self) -> usize {
        self.all.saturating_sub(self.held.values().sum())
    }

    /// Tenants that have their share. While a worker is free, there are at most [`FULL_MAX`].
    #[must_use]
    pub fn full(&self) -> [Option<TenantId>; FULL_MAX] {
        let mut full = [None; FULL_MAX];
        let who = self.held.iter().filter(|(_, held)| **held >= self.share);
        for (place, (tenant, _)) in full.iter_mut().zip(who) {
            *place = Some(*tenant);
        }
        full
    }

    /// How many jobs of any one tenant that has not its share yet may be taken at once.
    #[must_use]
    pub fn room(&self) -> usize {
        let left = self.held.values().map(|held| self.share.saturating_sub(*held)).filter(|left| *left > 0);
        left.min().unwrap_or(self.share)
    }

    /// A worker begins with a job of this tenant.
    pub fn take(&mut self, tenant: TenantId) {
        let held = self.held.entry(tenant).or_default();
        *held = held.saturating_add(1);
    }

    /// A worker is done with a job of this tenant.
    pub fn give_back(&mut self, tenant: TenantId) {
        if let Some(held) = self.held.get_mut(&tenant) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.held.remove(&tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(n + 1))
    }

    #[test]
    fn one_tenant_alone_has_a_quarter() {
        for (queue, share) in [(JobQueue::Bookings, 2), (JobQueue::Outbound, 8), (JobQueue::Upkeep, 1)] {
            let mut workers = Workers::of(queue);
            assert_eq!((workers.room(), workers.full()), (share, [None; FULL_MAX]));
            for _ in 0..share {
                workers.take(tenant(1));
            }
            assert_eq!(workers.full()[0], Some(tenant(1)));
            assert_eq!(workers.free(), queue.workers() - share);
            workers.give_back(tenant(1));
            assert_eq!(workers.full(), [None; FULL_MAX]);
        }
    }

    proptest! {
        /// Whatever is due, and however it ends: who claims no more than is free and than there is room for, and leaves out who has their
        /// share, never gives a tenant more than that; and all who have it are named as long as a worker is free.
        #[test]
        fn nobody_has_more_than_a_share(
            queue in prop::sample::select(JobQueue::ALL.to_vec()),
            steps in prop::collection::vec((0_u128..6, 0_usize..40, any::<bool>()), 1..80),
        ) {
            let mut workers = Workers::of(queue);
            let share = (queue.workers() / 4).max(1);
            let mut held: BTreeMap<TenantId, usize> = BTreeMap::new();
            for (who, due, ends) in steps {
                let who = tenant(who);
                if ends {
                    if let Some(count) = held.get_mut(&who).filter(|count| **count > 0) {
                        *count -= 1;
                        workers.give_back(who);
                    }
                    continue;
                }
                if workers.free() > 0 && !workers.full().contains(&Some(who)) {
                    prop_assert!(workers.room() > 0);
                    for _ in 0..due.min(workers.free()).min(workers.room()) {
                        *held.entry(who).or_default() += 1;
                        workers.take(who);
                    }
                }
                prop_assert!(held.values().all(|count| *count <= share));
                prop_assert_eq!(workers.free(), queue.workers() - held.values().sum::<usize>());
                if workers.free() > 0 {
                    let full: Vec<_> = held.iter().filter(|(_, n)| **n >= share).map(|(t, _)| Some(*t)).collect();
                    prop_assert!(full.iter().all(|t| workers.full().contains(t)));
                }
            }
        }
    }
}
