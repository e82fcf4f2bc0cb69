//! Working off what is to be done later.

use std::{panic::AssertUnwindSafe, time::Duration};

use berth_model::{
    inbound::message::WebhookStatus,
    jobs::kind::{JobKind, JobQueue},
    limits,
};
use berth_store::{
    StoreError,
    records::{Claim, Job, JobEnd},
};
use futures_util::FutureExt;
use serde_json::json;
use tokio::{sync::watch, time::Instant as Moment};

use super::queue::{GIVEN_UP, id_of};
use crate::{
    Outcome,
    jobs::{
        Jobs,
        queue::{JobLease, is_last},
    },
};

/// What is kept of a try that panicked.
const PANICKED: &str = "a defect of Berth stopped the work; the log says more";
/// Longest sleep of the worker when nobody rings, in milliseconds: another replica may have made a job.
const IDLE_MS_MAX: u64 = 1_000;

impl Jobs {
    /// Claim jobs that are due and work them off, one after the other: so many at most, those of the queue of bookings first, whoever's they
    /// are. How many were worked on. For tests and simulations.
    pub async fn run_due_jobs(&self, limit: u32) -> Outcome<usize> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut jobs = Vec::new();
        for queue in JobQueue::ALL {
            let claim = Claim::any(queue, limit.saturating_sub(jobs.len()));
            jobs.extend(self.claim(claim).await?);
        }
        let count = jobs.len();
        for job in jobs {
            self.run_job(job).await;
        }
        Ok(count)
    }

    /// Work on the jobs of a queue until told to stop, then finish what is under way.
    pub async fn work(&self, queue: JobQueue, mut stop: watch::Receiver<bool>) {
        // The same after a restart of this task: what was under way then still is.
        let workers = self.queue.workers.of(queue);
        let mut rests_until = Moment::now();
        while !*stop.borrow() {
            let claim = workers.claim().filter(|claim| !claim.passes_over() || rests_until <= Moment::now());
            let jobs = match claim {
                Some(claim) => {
                    let began = Moment::now();
                    let jobs = self.claim(claim).await;
                    if claim.passes_over() {
                        // Hundreds of thousands of jobs of tenants that have their share may be in front of the others'. Looking for
                        // those must not become what the database is busy with.
                        let ended = Moment::now();
                        rests_until = ended
                            + ended.duration_since(began).saturating_mul(limits::JOB_PASSING_OVER_RESTS);
                    }
                    jobs
                }
                None => Ok(Vec::new()),
            };
            let worked = jobs.as_ref().is_ok_and(|jobs| !jobs.is_empty());
            match jobs {
                Ok(jobs) => {
                    for job in jobs {
                        // Taken before the task runs, so that the next round sees who is left.
                        let Some(at_work) = workers.begin(job.tenant).await else { return };
                        let engine = self.clone();
                        tokio::spawn(async move {
                            let _until_done = at_work;
                            engine.run_job(job).await;
                        });
                    }
                }
                // Said by the store, and not once a second here.
                Err(error) if error.trouble().is_some() => tracing::debug!(%error, "jobs were not claimed"),
                Err(error) => tracing::error!(%error, "jobs were not claimed"),
            }
            if !worked {
                let idle = Duration::from_millis(IDLE_MS_MAX);
                let rest = rests_until.saturating_duration_since(Moment::now());
                tokio::select! {
                    () = workers.rung() => {}
                    () = tokio::time::sleep(if rest.is_zero() { idle } else { rest.min(idle) }) => {}
                    _ = stop.changed() => {}
                }
            }
        }
        workers.all_done().await;
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Job>, StoreError> {
        let now = self.base.now();
        let lease = i64::try_from(limits::JOB_LEASE_MS).unwrap_or(i64::MAX);
        self.base.store().claim_jobs(now, now.plus_millis(lease), claim).await
    }

    async fn run_job(&self, job: Job) {
        let held = JobLease { tenant: job.tenant, job: job.id, attempt: job.attempt };
        let result = if job.crashes >= limits::JOB_CRASHES_MAX {
            self.put_aside_crashed(&job, held).await
        } else {
            self.guarded(&job, held).await
        };
        let result = match result {
            Err(StoreError::NotFound(what)) => {
                self.queue.dead_letter_job(held, &format!("the {what} is gone")).await
            }
            other => other,
        };
        let Err(error) = result else { return };
        tracing::error!(%error, job = %job.id, kind = job.kind, "job failed");
        // If not even that can be written, the lease runs out, and the job is taken again.
        if let Err(error) = self.failed(held, "the database failed").await {
            tracing::error!(%error, job = %job.id, kind = job.kind, "the job is held until its lease runs out");
        }
    }

    /// Do what a job is for. What panics has failed like anything else.
    async fn guarded(&self, job: &Job, held: JobLease) -> Result<(), StoreError> {
        if let Ok(result) = AssertUnwindSafe(Box::pin(self.work_on(job, held))).catch_unwind().await {
            return result;
        }
        // The words of the panic are in the log already.
        tracing::error!(job = %job.id, kind = job.kind, "a job panicked");
        metrics::counter!("berth_job_panics_total", "kind" => job.kind.clone()).increment(1);
        self.failed(held, PANICKED).await
    }

    async fn work_on(&self, job: &Job, held: JobLease) -> Result<(), StoreError> {
        let request_id = format!("job:{}", job.id);
        let booking = || id_of(&job.payload, "booking").ok_or("the payload names no booking");
        let connection = || id_of(&job.payload, "connection").ok_or("the payload names no connection");
        let calendar = || id_of(&job.payload, "calendar").ok_or("the payload names no calendar");
        let conflict = || id_of(&job.payload, "conflict").ok_or("the payload names no conflict");
        // Disconnected meanwhile: there is nothing left to do.
        let gone_is_done = async |result| match result {
            Err(StoreError::NotFound(_)) => self.queue.done(held).await,
            other => other,
        };
        match JobKind::named(&job.kind) {
            Some(JobKind::SyncBooking) => match booking() {
                Ok(id) => self.outbound.sync_booking(job.tenant, id, held, &request_id).await.map(drop),
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            Some(JobKind::ProcessWebhooks) => match connection() {
                Ok(id) => self.inbound.process_webhooks(job.tenant, id, held, &request_id).await,
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            Some(JobKind::WriteCalendars) => match booking() {
                Ok(id) => self.calendar_writer.write_calendars(job.tenant, id, held, &request_id).await,
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            Some(JobKind::WriteBlocks) => match calendar() {
                Ok(id) => {
                    gone_is_done(self.calendar_writer.write_blocks(job.tenant, id, held, &request_id).await)
                        .await
                }
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            Some(JobKind::LookAtCalendar) => match calendar() {
                Ok(id) => {
                    gone_is_done(
                        Box::pin(self.calendars.look_at_calendar(job.tenant, id, held, &request_id)).await,
                    )
                    .await
                }
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            Some(JobKind::SyncConnection) => match connection() {
                Ok(id) => Box::pin(self.mirror.run_sync(job.tenant, id, held, &request_id)).await,
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            Some(JobKind::ChangeInBulk) => match id_of(&job.payload, "operation") {
                Some(id) => Box::pin(self.bookings.run_bulk(job.tenant, id, held)).await,
                None => self.queue.dead_letter_job(held, "the payload names no operation").await,
            },
            Some(JobKind::ResolveConflict) => match conflict() {
                Ok(id) => {
                    gone_is_done(Box::pin(self.mirror.end_by_itself(job.tenant, id, held, &request_id)).await)
                        .await
                }
                Err(why) => self.queue.dead_letter_job(held, why).await,
            },
            None => self.queue.dead_letter_job(held, &format!("no such kind of job: {}", job.kind)).await,
        }
    }

    /// The process died during this job again and again: it is not taken up once more, but by a person. What of it can go on without what
    /// did it goes on.
    async fn put_aside_crashed(&self, job: &Job, held: JobLease) -> Result<(), StoreError> {
        let error = format!("the process ended {} times while this was worked on", job.crashes);
        tracing::error!(job = %job.id, kind = job.kind, payload = %job.payload, error, "a job became a dead letter");
        metrics::counter!("berth_jobs_crashed_total", "kind" => job.kind.clone()).increment(1);
        match JobKind::named(&job.kind) {
            Some(JobKind::SyncBooking) => {
                if let Some(id) = id_of(&job.payload, "booking") {
                    let audit = self.base.audit_by(&format!("job:{}", job.id), &format!("job:{}", job.id));
                    let data = json!({ "attempts": job.attempt, "error": error });
                    self.base.store().note_on_booking(job.tenant, id, GIVEN_UP, data, audit).await?;
                }
            }
            // The message that was worked on becomes a dead letter, and those behind it get their turn.
            Some(JobKind::ProcessWebhooks) => {
                if let Some(id) = id_of(&job.payload, "connection")
                    && let Some(message) = self.base.store().waiting_webhooks(job.tenant, id).await?.first()
                {
                    self.base
                        .store()
                        .end_webhook(job.tenant, message.id, WebhookStatus::Failed, Some(error.clone()))
                        .await?;
                    let end = JobEnd::Retry { due_at: self.base.now(), error };
                    self.queue.end(held, end).await?;
                    self.queue.wake_workers(JobQueue::Bookings);
                    return Ok(());
                }
            }
            Some(JobKind::SyncConnection) => {
                if let Some(id) = id_of(&job.payload, "connection") {
                    let mut state = self.base.store().sync_state(job.tenant, id).await?;
                    state.error = Some(error.clone());
                    self.base.store().set_sync_progress(state).await?;
                }
            }
            _ => {}
        }
        self.queue.end(held, JobEnd::Crashed { error }).await
    }

    /// A try that failed for reasons of our own: again later, and not for ever.
    async fn failed(&self, held: JobLease, error: &str) -> Result<(), StoreError> {
        let (now, error) = (self.base.now(), error.to_owned());
        let end = if is_last(held) {
            JobEnd::Dead { error }
        } else {
            let wait = i64::try_from(self.queue.backoff_ms(held.attempt)).unwrap_or(i64::MAX);
            JobEnd::Retry { due_at: now.plus_millis(wait), error }
        };
        self.queue.end(held, end).await
    }
}
