//! Working off what is to be done later.

use std::{sync::Arc, time::Duration};

use berth_model::{
    id::{BookingId, CalendarId, ConnectionId, Id},
    limits,
};
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
        let result = match job.kind.as_str() {
            SYNC_BOOKING => match id_of::<berth_model::id::Booking>(&job.payload, "booking") {
                Some(booking) => self.run_sync_booking(&job, booking, held, &request_id).await,
                None => self.bury(held, "the payload names no booking").await,
            },
            PROCESS_WEBHOOKS => match id_of::<berth_model::id::Connection>(&job.payload, "connection") {
                Some(connection) => self.run_process_webhooks(&job, connection, held, &request_id).await,
                None => self.bury(held, "the payload names no connection").await,
            },
            WRITE_CALENDARS => match id_of::<berth_model::id::Booking>(&job.payload, "booking") {
                Some(booking) => self.run_write_calendars(&job, booking, held, &request_id).await,
                None => self.bury(held, "the payload names no booking").await,
            },
            WRITE_BLOCKS => match id_of::<berth_model::id::Calendar>(&job.payload, "calendar") {
                Some(calendar) => self.run_write_blocks(&job, calendar, held, &request_id).await,
                None => self.bury(held, "the payload names no calendar").await,
            },
            SYNC_CONNECTION => match id_of::<berth_model::id::Connection>(&job.payload, "connection") {
                Some(connection) => self.run_sync_connection(&job, connection, held, &request_id).await,
                None => self.bury(held, "the payload names no connection").await,
            },
            other => self.bury(held, &format!("no such kind of job: {other}")).await,
        };
        if let Err(error) = result {
            // The lease runs out, and the job is taken again.
            tracing::error!(%error, job = %job.id, kind = job.kind, "job failed");
        }
    }

    async fn run_sync_booking(
        &self,
        job: &Job,
        booking: BookingId,
        held: Held,
        request_id: &str,
    ) -> Result<(), StoreError> {
        match self.sync_booking(job.tenant, booking, held, request_id).await {
            Err(StoreError::NotFound(_)) => self.bury(held, "the booking is gone").await,
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    async fn run_process_webhooks(
        &self,
        job: &Job,
        connection: ConnectionId,
        held: Held,
        request_id: &str,
    ) -> Result<(), StoreError> {
        match self.process_webhooks(job.tenant, connection, held, request_id).await {
            Err(StoreError::NotFound(_)) => self.bury(held, "the connection is gone").await,
            other => other,
        }
    }

    async fn run_write_calendars(
        &self,
        job: &Job,
        booking: BookingId,
        held: Held,
        request_id: &str,
    ) -> Result<(), StoreError> {
        match self.write_calendars(job.tenant, booking, held, request_id).await {
            Err(StoreError::NotFound(_)) => self.bury(held, "the booking or its calendar is gone").await,
            other => other,
        }
    }

    async fn run_write_blocks(
        &self,
        job: &Job,
        calendar: CalendarId,
        held: Held,
        request_id: &str,
    ) -> Result<(), StoreError> {
        match self.write_blocks(job.tenant, calendar, held, request_id).await {
            // Disconnected meanwhile: there is nothing left to do.
            Err(StoreError::NotFound(_)) => {
                self.store().end_job(held.job, held.attempt, JobEnd::Done).await.map(drop)
            }
            other => other,
        }
    }

    async fn run_sync_connection(
        &self,
        job: &Job,
        connection: ConnectionId,
        held: Held,
        request_id: &str,
    ) -> Result<(), StoreError> {
        match self.run_sync(job.tenant, connection, held, request_id).await {
            Err(StoreError::NotFound(_)) => self.bury(held, "the connection is gone").await,
            other => other,
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
