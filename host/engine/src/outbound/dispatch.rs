//! Dispatching a change to the provider: the job, and the first try inside the request that made it.

use berth_model::{
    bookings::booking::Booking,
    id::{BookingId, JobId, TenantId},
    jobs::kind::{JobKind, JobQueue},
    limits,
    problem::Problem,
};
use berth_store::records::NewJob;
use serde_json::json;

use super::settle::DeliveryOutcome;
use crate::{BookOutcome, Caller, Outcome, jobs::queue::JobLease, outbound::Outbound};

/// The key of the one job that delivers a booking's changes.
pub(crate) fn job_key(booking: BookingId) -> String {
    format!("booking:{booking}")
}

impl Outbound {
    /// The job that delivers a booking to its provider, leased to this request if `ours`; none where there is no provider.
    pub(crate) fn job_of(&self, booking: &Booking, ours: bool) -> (Option<NewJob>, Option<JobLease>) {
        if booking.connection.is_none() {
            return (None, None);
        }
        let now = self.base.now();
        let id: JobId = self.base.new_id();
        let lease = now.plus_millis(i64::try_from(limits::JOB_LEASE_MS).unwrap_or(i64::MAX));
        let job = NewJob {
            id,
            tenant: booking.tenant,
            kind: JobKind::SyncBooking,
            payload: json!({ "booking": booking.id }),
            due_at: now,
            dedup_key: job_key(booking.id),
            leased_until: ours.then_some(lease),
        };
        (Some(job), Some(JobLease { tenant: booking.tenant, job: id, attempt: 1 }))
    }

    /// One try at the provider, if this request holds the job; else the job is on its way.
    pub(crate) async fn dispatch_now(
        &self,
        caller: &Caller,
        booking: Booking,
        held: Option<JobLease>,
    ) -> Outcome<BookOutcome> {
        self.cache.invalidate_of(&booking);
        self.calendar_writer.booking_changed(&booking).await;
        let Some(held) = held else {
            self.queue.wake_workers(JobQueue::Bookings);
            return Ok(booking.into());
        };
        let (engine, request_id) = (self.clone(), caller.request_id.clone());
        let (tenant, id): (TenantId, BookingId) = (booking.tenant, booking.id);
        // A task of its own: a caller who hangs up does not stop it half-way. The call's wall limit bounds it.
        let task = tokio::spawn(async move { engine.sync_booking(tenant, id, held, &request_id).await });
        match task.await {
            Ok(Ok(DeliveryOutcome::Settled(booking))) => {
                self.calendar_writer.booking_changed(&booking).await;
                Ok((*booking).into())
            }
            Ok(Ok(DeliveryOutcome::Refused(error))) => Err(Problem::from(&error)),
            Ok(Ok(DeliveryOutcome::Deferred | DeliveryOutcome::Superseded)) => {
                self.queue.wake_workers(JobQueue::Bookings);
                Ok(self.base.store().booking(caller.tenant, id).await?.into())
            }
            // The booking is safe and its job will be taken again when the lease runs out.
            Ok(Err(error)) => {
                tracing::error!(%error, booking = %id, "the change was not delivered to the provider yet");
                Ok(booking.into())
            }
            Err(error) => {
                tracing::error!(%error, booking = %id, "the change was not delivered to the provider yet");
                Ok(booking.into())
            }
        }
    }
}
