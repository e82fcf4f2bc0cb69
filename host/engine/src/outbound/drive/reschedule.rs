//! Moving the twin, and what becomes of the booking when the provider refuses to.

use berth_model::{
    bookings::{booking::Booking, change::BookingChange, place::Place},
    outbound::provider::{CallContext, CallError, ExternalBooking, ProviderError, RescheduleRequest},
    problem::Problem,
};
use berth_store::StoreError;

use super::{RemoteState, idempotency_key};
use crate::{
    Engine,
    jobs::queue::JobLease,
    mirror::Standing,
    outbound::{external::wrong_state, settle::DeliveryOutcome},
};

impl Engine {
    pub(super) async fn drive_reschedule(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<RemoteState, CallError> {
        if booking.external_id.is_none() {
            return Err(CallError::Provider(ProviderError::NotFound));
        }
        let twin = match self.standing(cx, booking).await? {
            Standing::Stands(twin) => *twin,
            // Called off there, which does not count: it is made where it belongs now.
            Standing::Gone(_) if self.keeps_ours(booking).await.map_err(not_now)? => {
                return self.make(cx, booking).await;
            }
            Standing::Gone(Some(twin)) => return Ok(RemoteState::CancelledThere(*twin)),
            Standing::Gone(None) => return Err(CallError::Provider(ProviderError::NotFound)),
        };
        if !twin.status.is_active() {
            return Err(wrong_state("it is over there"));
        }
        if twin.when.start() == booking.when.start() {
            return Ok(RemoteState::Twin(twin));
        }
        self.move_twin(cx, booking, twin).await
    }

    /// A twin that an earlier try made: as it is or, where what was changed there does not count, where the booking is.
    pub(super) async fn keep_or_move(
        &self,
        cx: &CallContext,
        booking: &Booking,
        twin: ExternalBooking,
    ) -> Result<RemoteState, CallError> {
        if twin.when.start() == booking.when.start() || !self.keeps_ours(booking).await.map_err(not_now)? {
            return Ok(RemoteState::Twin(twin));
        }
        Ok(match self.move_twin(cx, booking, twin).await? {
            RemoteState::MoveRefused(twin, _) => RemoteState::Twin(twin),
            other => other,
        })
    }

    async fn move_twin(
        &self,
        cx: &CallContext,
        booking: &Booking,
        twin: ExternalBooking,
    ) -> Result<RemoteState, CallError> {
        let request = RescheduleRequest {
            idempotency_key: idempotency_key(booking, "reschedule"),
            id: twin.id.clone(),
            reference: booking.id.to_string(),
            when: booking.when,
            reason: None,
            requested_by: booking.attendee.email.clone(),
            slot_token: None,
        };
        let twin = match self.providers().reschedule_booking(&self.next_call(cx), request).await {
            Err(error) if error.is_definite() => return Ok(RemoteState::MoveRefused(twin, error)),
            moved => moved?,
        };
        let old = booking.previous_when.filter(|old| old.start() != booking.when.start());
        if old.is_some_and(|old| old.start() == twin.when.start()) {
            // It says yes and shows the old time: perhaps not written everywhere yet. Look again later.
            return Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }));
        }
        Ok(RemoteState::Twin(twin))
    }

    /// The booking is back where the provider has it. That need not be where it was: somebody may have moved it there before, and news of
    /// that is passed over while a change of our own is under way. Where what is changed there does not count, and where we only told our
    /// version again, it is back where it was here.
    pub(super) async fn refuse_move(
        &self,
        booking: &Booking,
        twin: ExternalBooking,
        error: CallError,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        let reason = Problem::from(&error).detail;
        let back_to = async |when| {
            let (reason, external) = (reason.clone(), Some(twin.clone()));
            let padded = self.padded(booking, when).await?;
            let change = BookingChange::RescheduleRefused { reason, place: Place { padded, when }, external };
            self.settle_with(booking, change, Some(twin.clone()), held).await
        };
        let told_again = booking.previous_when.filter(|previous| *previous == booking.when);
        let ours = match booking.previous_when {
            Some(previous) if self.keeps_ours(booking).await? => Some(previous),
            _ => told_again,
        };
        if let Some(ours) = ours {
            let elsewhere = twin.when.start() != ours.start();
            // First: see `refuse`.
            if elsewhere && told_again.is_some() {
                self.refused_again(booking, Some(&twin)).await?;
            }
            let settled = back_to(ours).await?;
            if let DeliveryOutcome::Settled(settled) = &settled
                && elsewhere
                && told_again.is_none()
            {
                self.moved_there(settled, &twin).await?;
            }
            return Ok(if matches!(settled, DeliveryOutcome::Settled(_)) {
                DeliveryOutcome::Refused(error)
            } else {
                settled
            });
        }
        let settled = match (back_to(twin.when).await, booking.previous_when) {
            // That time is taken here: the booking is back at its own, and a person is told.
            (Err(StoreError::Overlap), Some(previous)) => {
                let settled = back_to(previous).await?;
                if let DeliveryOutcome::Settled(settled) = &settled {
                    self.taken_here(settled, &twin).await?;
                }
                settled
            }
            (other, _) => other?,
        };
        Ok(if matches!(settled, DeliveryOutcome::Settled(_)) {
            DeliveryOutcome::Refused(error)
        } else {
            settled
        })
    }
}

/// The store does not answer: to be tried again.
fn not_now(_: StoreError) -> CallError {
    CallError::Provider(ProviderError::Unavailable { retry_after_ms: None })
}
