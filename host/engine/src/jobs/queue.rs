//! What everything that makes jobs or works on one stands on: the lease on a job, and how long a failed try waits.

use std::sync::Arc;

use berth_model::{
    id::{Id, JobId, TenantId},
    jobs::kind::{JobKind, JobQueue},
    limits,
};
use berth_store::{
    StoreError,
    records::{JobEnd, NewJob},
};
use serde_json::Value;

use crate::{base::Base, connections::recovery::Recovery, jobs::workers::Queues};

/// What a booking's timeline says when its job becomes a dead letter.
pub(crate) const GIVEN_UP: &str = "booking.sync_given_up";
/// A job that this worker or request holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobLease {
    pub(crate) tenant: TenantId,
    pub(crate) job: JobId,
    pub(crate) attempt: i64,
}

/// The jobs of all: made, put off, given up.
pub(crate) struct Queue {
    pub(crate) base: Base,
    pub(crate) recovery: Arc<Recovery>,
    pub(crate) workers: Arc<Queues>,
}

impl Queue {
    /// A job of this queue may be due now.
    pub(crate) fn wake_workers(&self, queue: JobQueue) {
        self.workers.ring(queue);
    }

    /// Between half and all of the doubled wait (the jitter keeps retries of many jobs apart).
    pub(crate) fn backoff_ms(&self, attempt: i64) -> u64 {
        let doublings = u32::try_from(attempt.clamp(1, 30)).unwrap_or(1).saturating_sub(1);
        let most = limits::JOB_BACKOFF_MS_MIN
            .saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX))
            .min(limits::JOB_BACKOFF_MS_MAX);
        let mut bytes = [0; 4];
        self.base.random().fill(&mut bytes);
        let half = most / 2;
        half.saturating_add(u64::from(u32::from_le_bytes(bytes)) % half.max(1))
    }

    /// A job that is due now and that nobody works on yet.
    pub(crate) fn job(&self, tenant: TenantId, kind: JobKind, payload: Value, dedup_key: String) -> NewJob {
        let (id, due_at) = (self.base.new_id(), self.base.now());
        NewJob { id, tenant, kind, payload, due_at, dedup_key, leased_until: None }
    }

    /// Have it worked on by the next worker of its queue that is free, unless one with its key waits already.
    pub(crate) async fn enqueue(&self, job: NewJob) -> Result<(), StoreError> {
        let queue = job.kind.queue();
        self.base.store().enqueue_job(job).await?;
        self.wake_workers(queue);
        Ok(())
    }

    /// A try is over. What is said of a job that another has taken meanwhile changes nothing.
    pub(crate) async fn end(&self, held: JobLease, end: JobEnd) -> Result<(), StoreError> {
        self.base.store().end_job(held.tenant, held.job, held.attempt, end).await.map(drop)
    }

    /// There is nothing left to do.
    pub(crate) async fn done(&self, held: JobLease) -> Result<(), StoreError> {
        self.end(held, JobEnd::Done).await
    }

    pub(crate) async fn dead_letter_job(&self, held: JobLease, error: &str) -> Result<(), StoreError> {
        self.end(held, JobEnd::Dead { error: error.to_owned() }).await
    }
}

pub(crate) fn id_of<T>(payload: &Value, name: &str) -> Option<Id<T>> {
    payload.get(name)?.as_str()?.parse().ok()
}

/// Is this try the last before the job becomes a dead letter, which waits for a person?
pub(crate) fn is_last(held: JobLease) -> bool {
    held.attempt >= i64::from(limits::JOB_ATTEMPTS_MAX)
}
