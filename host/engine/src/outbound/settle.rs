//! Writing down what a try came to, in one transaction with its job.

use berth_model::{
    bookings::{booking::Booking, change::BookingChange},
    jobs::kind::JobQueue,
    outbound::provider::{CallError, ExternalBooking},
};
use berth_store::{StoreError, records::JobEnd};

use crate::jobs::queue::JobLease;
use crate::outbound::deliveries::Deliveries;

/// What one try came to.
#[derive(Debug)]
pub(crate) enum DeliveryOutcome {
    /// Settled: nothing is left to do.
    Settled(Box<Booking>),
    /// The provider refused for good; the booking says why.
    Refused(CallError),
    /// Not settled; the job goes on.
    Deferred,
    /// The desired state moved on, or somebody else holds the job; the job goes on.
    Superseded,
}

impl Deliveries {
    pub(crate) async fn delivered(
        &self,
        booking: &Booking,
        external: &ExternalBooking,
    ) -> Result<BookingChange, StoreError> {
        let padded = self.padded(booking, booking.when).await?;
        Ok(BookingChange::Delivered { external: external.clone(), padded })
    }

    pub(crate) async fn settle_with(
        &self,
        booking: &Booking,
        change: BookingChange,
        external: Option<ExternalBooking>,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        match self.change_as_job(booking, change, held).await {
            Ok(booking) => Ok(DeliveryOutcome::Settled(Box::new(booking))),
            Err(StoreError::Stale) => {
                self.superseded(booking, external, held).await?;
                Ok(DeliveryOutcome::Superseded)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn change_as_job(
        &self,
        booking: &Booking,
        change: BookingChange,
        held: JobLease,
    ) -> Result<Booking, StoreError> {
        let audit = self.base.audit_by(&format!("job:{}", held.job), &format!("job:{}", held.job));
        let done = Some((held.job, held.attempt));
        self.base
            .store()
            .change_booking(booking.tenant, booking.id, booking.sequence, change, done, audit)
            .await
    }

    /// The booking changed while the provider was asked: remember the counterpart, and go on from the new state at once.
    pub(crate) async fn superseded(
        &self,
        booking: &Booking,
        external: Option<ExternalBooking>,
        held: JobLease,
    ) -> Result<(), StoreError> {
        if let Some(external) = external {
            let audit = self.base.audit_by(&format!("job:{}", held.job), &format!("job:{}", held.job));
            self.base.store().note_external_id(booking.tenant, booking.id, external, audit).await?;
        }
        let again =
            JobEnd::Retry { due_at: self.base.now(), error: "the booking changed in between".to_owned() };
        self.queue.end(held, again).await?;
        self.queue.wake_workers(JobQueue::Bookings);
        Ok(())
    }

    /// What becomes of a booking whose provider nobody can tell of a change any more: it is as it was asked here.
    pub(crate) async fn settled_here(&self, booking: &Booking) -> Result<BookingChange, StoreError> {
        Ok(BookingChange::SettledHere { padded: self.padded(booking, booking.when).await? })
    }
}
