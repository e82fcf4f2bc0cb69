//! The workers of this process, queue by queue, and whose jobs they are at. What kinds of jobs there are, and which queue is whose, is in
//! the model (`jobs/kind.rs`).

use std::sync::{Arc, Mutex, PoisonError};

use berth_model::{
    id::TenantId,
    jobs::{kind::JobQueue, share::Workers},
};
use berth_store::records::Claim;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

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
    work_available: Notify,
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

    /// A job of this queue may be due now.
    pub(crate) fn ring(&self, queue: JobQueue) {
        self.of(queue).work_available.notify_one();
    }

    /// Jobs of any queue may be due now.
    pub(crate) fn ring_all(&self) {
        for queue in JobQueue::ALL {
            self.ring(queue);
        }
    }
}

impl QueueWorkers {
    fn new(queue: JobQueue) -> Self {
        Self {
            queue,
            work_available: Notify::default(),
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
        self.work_available.notified().await;
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
        self.of.work_available.notify_one();
    }
}
