//! Working off what is to be done later.

use std::{sync::Arc, time::Duration};

use berth_model::{id::Id, limits};
use berth_store::{
    StoreError,
    records::{Job, JobEnd},
};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::{Engine, Outcome, problems::of_store, sync::Held};

/// Kinds of jobs.
pub(crate) const SYNC_BOOKING: &str = "sync_booking";
/// See [`SYNC_BOOKING`].
pub(crate) const PROCESS_WEBHOOKS: &str = "process_webhooks";
/// See [`SYNC_BOOKING`].
pub(crate) const SYNC_CONNECTION: &str = "sync_connection";
/// See [`SYNC_BOOKING`].
pub(crate) const WRITE_CALENDARS: &str = "write_calendars";
/// See [`SYNC_BOOKING`].
pub(crate) const WRITE_BLOCKS: &str = "write_blocks";
/// Longest sleep of the worker when nobody rings, in milliseconds: another replica may have made a job.
const IDLE_MS_MAX: u64 = 1_000;

impl Engine {
    /// Claim jobs that are due and work them off, one after the other. How many were worked on. For workers, tests and
    /// simulations.
    pub async fn run_due_jobs(&self, limit: u32) -> Outcome<usize> {
        let jobs = self.claim(limit).await.map_err(of_store)?;
        let count = jobs.len();
        for job in jobs {
            self.run_job(job).await;
        }
        Ok(count)
    }

    /// Work until told to stop, then finish what is under way.
    pub async fn work(&self, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(limits::JOBS_CONCURRENT_MAX));
        while !*stop.borrow() {
            let free = u32::try_from(places.available_permits()).unwrap_or(1);
            let jobs = if free == 0 { Ok(Vec::new()) } else { self.claim(free).await };
            let worked = jobs.as_ref().is_ok_and(|jobs| !jobs.is_empty());
            match jobs {
                Ok(jobs) => {
                    for job in jobs {
                        // Taken before the task runs, so that the next round sees how many are left. Never waits: only this
                        // loop takes places, and it claimed no more jobs than were free.
                        let Ok(place) = places.clone().acquire_owned().await else { return };
                        let engine = self.clone();
                        tokio::spawn(async move {
                            let _place = place;
                            engine.run_job(job).await;
                            engine.ring();
                        });
                    }
                }
                Err(error) => tracing::error!(%error, "jobs were not claimed"),
            }
            if !worked {
                tokio::select! {
                    () = self.inner.bell.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(IDLE_MS_MAX)) => {}
                    _ = stop.changed() => {}
                }
            }
        }
        let all = u32::try_from(limits::JOBS_CONCURRENT_MAX).unwrap_or(1);
        let _ = places.acquire_many(all).await;
    }

    /// Wake the worker.
    pub(crate) fn ring(&self) {
        self.inner.bell.notify_one();
    }

    async fn claim(&self, limit: u32) -> Result<Vec<Job>, StoreError> {
        let now = self.now();
        let lease = i64::try_from(limits::JOB_LEASE_MS).unwrap_or(i64::MAX);
        self.store().claim_jobs(now, now.plus_millis(lease), limit).await
    }

    async fn run_job(&self, job: Job) {
        let held = Held { job: job.id, attempt: job.attempt };
        let request_id = format!("job:{}", job.id);
        let booking = || id_of(&job.payload, "booking").ok_or("the payload names no booking");
        let connection = || id_of(&job.payload, "connection").ok_or("the payload names no connection");
        let calendar = || id_of(&job.payload, "calendar").ok_or("the payload names no calendar");
        let result = match job.kind.as_str() {
            SYNC_BOOKING => match booking() {
                Ok(id) => self.sync_booking(job.tenant, id, held, &request_id).await.map(drop),
                Err(why) => self.bury(held, why).await,
            },
            PROCESS_WEBHOOKS => match connection() {
                Ok(id) => self.process_webhooks(job.tenant, id, held, &request_id).await,
                Err(why) => self.bury(held, why).await,
            },
            WRITE_CALENDARS => match booking() {
                Ok(id) => self.write_calendars(job.tenant, id, held, &request_id).await,
                Err(why) => self.bury(held, why).await,
            },
            WRITE_BLOCKS => match calendar() {
                Ok(id) => match self.write_blocks(job.tenant, id, held, &request_id).await {
                    // Disconnected meanwhile: there is nothing left to do.
                    Err(StoreError::NotFound(_)) => {
                        self.store().end_job(held.job, held.attempt, JobEnd::Done).await.map(drop)
                    }
                    other => other,
                },
                Err(why) => self.bury(held, why).await,
            },
            SYNC_CONNECTION => match connection() {
                Ok(id) => self.run_sync(job.tenant, id, held, &request_id).await,
                Err(why) => self.bury(held, why).await,
            },
            other => self.bury(held, &format!("no such kind of job: {other}")).await,
        };
        let result = match result {
            Err(StoreError::NotFound(what)) => self.bury(held, &format!("the {what} is gone")).await,
            other => other,
        };
        if let Err(error) = result {
            // The lease runs out, and the job is taken again.
            tracing::error!(%error, job = %job.id, kind = job.kind, "job failed");
        }
    }

    async fn bury(&self, held: Held, error: &str) -> Result<(), StoreError> {
        let end = JobEnd::Dead { error: error.to_owned() };
        self.store().end_job(held.job, held.attempt, end).await.map(drop)
    }
}

fn id_of<T>(payload: &Value, name: &str) -> Option<Id<T>> {
    payload.get(name)?.as_str()?.parse().ok()
}
