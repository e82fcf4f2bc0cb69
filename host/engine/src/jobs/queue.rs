//! What everything that makes jobs or works on one stands on: the workers of each queue, the lease on a job, and how long a failed try
//! waits. What kinds there are, and which queue is whose, is in the model (`jobs/kind.rs`).

use std::sync::{Arc, Mutex, PoisonError};

use berth_model::{
    id::{Id, JobId, TenantId},
    jobs::{kind::JobQueue, share::Workers},
    limits,
};
use berth_store::{
    StoreError,
    records::{Claim, JobEnd},
};
use serde_json::Value;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::Engine;

/// The workers of this process: each queue has its own, so that what hangs in one takes none of another.
pub(crate) struct Queues {
    bookings: Arc<QueueWorkers>,
    outbound: Arc<QueueWorkers>,
    upkeep: Arc<QueueWorkers>,
}

/// The workers of one queue.
pub(crate) struct QueueWorkers {
    queue: JobQueue,
    /// Rung when a job was made that may be due now, or a worker is done.
    bell: Notify,
    /// One for each worker.
    places: Arc<Semaphore>,
    held: Mutex<Workers>,
}

/// A worker that is at work; free again when this is dropped.
pub(crate) struct AtWork {
    of: Arc<QueueWorkers>,
    tenant: TenantId,
    _place: OwnedSemaphorePermit,
}

impl Queues {
    pub(crate) fn new() -> Self {
        let of = |queue| Arc::new(QueueWorkers::new(queue));
        Self {
            bookings: of(JobQueue::Bookings),
            outbound: of(JobQueue::Outbound),
            upkeep: of(JobQueue::Upkeep),
        }
    }

    pub(crate) const fn of(&self, queue: JobQueue) -> &Arc<QueueWorkers> {
        match queue {
            JobQueue::Bookings => &self.bookings,
            JobQueue::Outbound => &self.outbound,
            JobQueue::Upkeep => &self.upkeep,
        }
    }

    /// Jobs of any queue may be due now.
    pub(crate) fn ring_all(&self) {
        for queue in JobQueue::ALL {
            self.of(queue).bell.notify_one();
        }
    }
}

impl QueueWorkers {
    fn new(queue: JobQueue) -> Self {
        Self {
            queue,
            bell: Notify::default(),
            places: Arc::new(Semaphore::new(queue.workers())),
            held: Mutex::new(Workers::of(queue)),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Workers) -> T) -> T {
        work(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What may be taken now; none while all workers are at work.
    pub(crate) fn claim(&self) -> Option<Claim> {
        self.with(|workers| {
            let most = workers.free();
            (most > 0).then(|| Claim {
                queue: self.queue,
                most,
                of_one_tenant: workers.room(),
                not_of: workers.full(),
            })
        })
    }

    /// A worker for a job that was claimed. Never waits: only one loop takes workers, and it claimed no more jobs than were free.
    pub(crate) async fn begin(self: &Arc<Self>, tenant: TenantId) -> Option<AtWork> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        self.with(|workers| workers.take(tenant));
        Some(AtWork { of: Arc::clone(self), tenant, _place: place })
    }

    /// Until somebody rings.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Until nobody is at work any more.
    pub(crate) async fn all_done(&self) {
        let all = u32::try_from(self.queue.workers()).unwrap_or(1);
        let _ = self.places.acquire_many(all).await;
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.of.with(|workers| workers.give_back(self.tenant));
        self.of.bell.notify_one();
    }
}

/// What a booking's timeline says when its job is put aside.
pub(crate) const GIVEN_UP: &str = "booking.sync_given_up";
/// A job that this worker or request holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobLease {
    pub(crate) tenant: TenantId,
    pub(crate) job: JobId,
    pub(crate) attempt: i64,
}

impl Engine {
    /// A job of this queue may be due now.
    pub(crate) fn wake_workers(&self, queue: JobQueue) {
        self.inner.queues.of(queue).bell.notify_one();
    }

    /// Between half and all of the doubled wait (the jitter keeps retries of many jobs apart).
    pub(crate) fn backoff_ms(&self, attempt: i64) -> u64 {
        let doublings = u32::try_from(attempt.clamp(1, 30)).unwrap_or(1).saturating_sub(1);
        let most = limits::JOB_BACKOFF_MS_MIN
            .saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX))
            .min(limits::JOB_BACKOFF_MS_MAX);
        let mut bytes = [0; 4];
        self.random().fill(&mut bytes);
        let half = most / 2;
        half.saturating_add(u64::from(u32::from_le_bytes(bytes)) % half.max(1))
    }

    pub(crate) async fn dead_letter_job(&self, held: JobLease, error: &str) -> Result<(), StoreError> {
        let end = JobEnd::Dead { error: error.to_owned() };
        self.store().end_job(held.tenant, held.job, held.attempt, end).await.map(drop)
    }
}

pub(crate) fn id_of<T>(payload: &Value, name: &str) -> Option<Id<T>> {
    payload.get(name)?.as_str()?.parse().ok()
}

/// Is this try the last before the job is put aside for a person?
pub(crate) fn is_last(held: JobLease) -> bool {
    held.attempt >= i64::from(limits::JOB_ATTEMPTS_MAX)
}
