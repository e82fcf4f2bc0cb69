//! Tries that failed: when the next one is, and who is told.

use berth_model::{
    bookings::booking::{Booking, ProviderTask},
    connections::connection::{ConnectionRecord, Stopped},
    id::ConnectionId,
    limits,
    outbound::provider::{CallError, ProviderError},
    problem::Problem,
    time::Instant,
};
use berth_store::{StoreError, records::JobEnd};
use serde_json::json;

use crate::jobs::queue::{GIVEN_UP, JobLease, Queue, is_last};

impl Queue {
    /// Try again later, or as soon as the connection recovers, as it was when the try began; or put it aside for a person.
    pub(crate) async fn postpone(
        &self,
        held: JobLease,
        connection: &ConnectionRecord,
        error: &CallError,
    ) -> Result<(), StoreError> {
        if let CallError::Stopped(stopped) = error {
            return self.park(held, connection.id, *stopped).await;
        }
        let next = self.next_try(held, connection, error).await?;
        self.end_try(held, connection, error, next).await
    }

    /// Nothing goes over the connection: that was no try. It waits until the connection is resumed; for one that is over there is nothing
    /// left to do.
    pub(crate) async fn park(
        &self,
        held: JobLease,
        by: ConnectionId,
        stopped: Stopped,
    ) -> Result<(), StoreError> {
        if stopped == Stopped::Disconnected {
            return self.done(held).await;
        }
        let due_at = self.base.now().plus_seconds(limits::PARKED_SECONDS);
        let end = JobEnd::Parked { by, due_at, error: stopped.to_string() };
        self.end(held, end).await?;
        // Resumed in this moment: whoever did that did not see this job.
        if self.base.store().stopped(held.tenant, by).await?.is_none() {
            self.recovery.connection(held.tenant, by).await;
        }
        Ok(())
    }

    /// When to try again: exponential backoff with jitter, never before the provider's own word. None if this try was the last.
    pub(crate) async fn next_try(
        &self,
        held: JobLease,
        connection: &ConnectionRecord,
        error: &CallError,
    ) -> Result<Option<Instant>, StoreError> {
        if is_last(held) {
            return Ok(None);
        }
        let asked = match error {
            // Only a person can mend it, and each try counts against the account.
            CallError::Provider(ProviderError::Unauthorised) if !self.was_changed(connection).await? => {
                limits::JOB_BACKOFF_MS_MAX
            }
            error => error.retry_after_ms().unwrap_or(0).min(limits::JOB_RETRY_AFTER_MS_MAX),
        };
        let wait = self.backoff_ms(held.attempt).max(asked);
        Ok(Some(self.base.now().plus_millis(i64::try_from(wait).unwrap_or(i64::MAX))))
    }

    /// Did somebody change the connection since it was read? Then what the provider refused were the credentials before.
    async fn was_changed(&self, connection: &ConnectionRecord) -> Result<bool, StoreError> {
        let now = self.base.store().connection(connection.tenant, connection.id).await?;
        Ok(now.revision != connection.revision)
    }

    pub(crate) async fn end_try(
        &self,
        held: JobLease,
        connection: &ConnectionRecord,
        failure: &CallError,
        next: Option<Instant>,
    ) -> Result<(), StoreError> {
        let error = Problem::from(failure).detail;
        let end = match next {
            Some(due_at) if failure.is_mended_by_recovery() => {
                JobEnd::Stopped { by: connection.id, due_at, error }
            }
            Some(due_at) => JobEnd::Retry { due_at, error },
            None => JobEnd::Dead { error },
        };
        self.end(held, end).await
    }

    /// Why a booking is still pending, in its timeline: after the 1st, 2nd, 4th … try that failed, and when it is given up.
    pub(crate) async fn note_try(
        &self,
        booking: &Booking,
        task: ProviderTask,
        held: JobLease,
        error: &CallError,
        next: Option<Instant>,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let audit = self.base.audit_by(&format!("job:{}", held.job), request_id);
        let action = match next {
            None => GIVEN_UP,
            Some(_) if u64::try_from(held.attempt).is_ok_and(u64::is_power_of_two) => "booking.sync_failed",
            Some(_) => return Ok(()),
        };
        let data = json!({
            "provider_task": task.as_str(), "attempts": held.attempt, "error": Problem::from(error).detail, "next_try_at": next,
        });
        self.base.store().note_on_booking(booking.tenant, booking.id, action, data, audit).await
    }

    /// Why a booking is still pending, in its timeline: once, since only a person goes on.
    pub(crate) async fn note_waiting(
        &self,
        booking: &Booking,
        task: ProviderTask,
        held: JobLease,
        stopped: Stopped,
        request_id: &str,
    ) -> Result<(), StoreError> {
        if held.attempt > 1 {
            return Ok(());
        }
        let audit = self.base.audit_by(&format!("job:{}", held.job), request_id);
        let data = json!({ "provider_task": task.as_str(), "because": stopped.as_str(), "error": stopped.to_string() });
        self.base.store().note_on_booking(booking.tenant, booking.id, "booking.sync_waits", data, audit).await
    }
}
