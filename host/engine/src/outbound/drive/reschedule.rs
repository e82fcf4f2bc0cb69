//! Moving the counterpart, and what becomes of the booking when the provider refuses to.

use berth_model::{
    bookings::{booking::Booking, change::BookingChange, occupancy::Occupancy},
    outbound::provider::{CallContext, CallError, ExternalBooking, ProviderError, RescheduleRequest},
    problem::Problem,
};
use berth_store::StoreError;

use super::{RemoteState, idempotency_key};
use crate::{
    jobs::queue::JobLease,
    mirror::Standing,
    outbound::{Outbound, external::wrong_state, settle::DeliveryOutcome},
};

impl Outbound {
    pub(super) async fn drive_reschedule(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<RemoteState, CallError> {
        if booking.external_id.is_none() {
            return Err(CallError::Provider(ProviderError::NotFound));
        }
        let counterpart = match self.external_bookings.standing(cx, booking).await? {
            Standing::Stands(counterpart) => *counterpart,
            // Called off there, which does not count: it is made where it belongs now.
            Standing::Gone(_) if self.keeps_ours(booking).await.map_err(not_now)? => {
                return self.make(cx, booking).await;
            }
            Standing::Gone(Some(counterpart)) => return Ok(RemoteState::CancelledThere(*counterpart)),
            Standing::Gone(None) => return Err(CallError::Provider(ProviderError::NotFound)),
        };
        if !counterpart.status.is_active() {
            return Err(wrong_state("it is over there"));
        }
        if counterpart.when.start() == booking.when.start() {
            return Ok(RemoteState::Counterpart(counterpart));
        }
        self.move_counterpart(cx, booking, counterpart).await
    }

    /// A counterpart that an earlier try made: as it is or, where what was changed there does not count, where the booking is.
    pub(super) async fn keep_or_move(
        &self,
        cx: &CallContext,
        booking: &Booking,
        counterpart: ExternalBooking,
    ) -> Result<RemoteState, CallError> {
        if counterpart.when.start() == booking.when.start()
            || !self.keeps_ours(booking).await.map_err(not_now)?
        {
            return Ok(RemoteState::Counterpart(counterpart));
        }
        Ok(match self.move_counterpart(cx, booking, counterpart).await? {
            RemoteState::MoveRefused(counterpart, _) => RemoteState::Counterpart(counterpart),
            other => other,
        })
    }

    async fn move_counterpart(
        &self,
        cx: &CallContext,
        booking: &Booking,
        counterpart: ExternalBooking,
    ) -> Result<RemoteState, CallError> {
        let request = RescheduleRequest {
            idempotency_key: idempotency_key(booking, "reschedule"),
            id: counterpart.id.clone(),
            reference: booking.id.to_string(),
            when: booking.when,
            reason: None,
            requested_by: booking.attendee.email.clone(),
            slot_token: None,
        };
        let counterpart = match self.providers.reschedule_booking(&self.contexts.next_call(cx), request).await
        {
            Err(error) if error.is_definite() => return Ok(RemoteState::MoveRefused(counterpart, error)),
            moved => moved?,
        };
        let old = booking.previous_when.filter(|old| old.start() != booking.when.start());
        if old.is_some_and(|old| old.start() == counterpart.when.start()) {
            // It says yes and shows the old time: perhaps not written everywhere yet. Look again later.
            return Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }));
        }
        Ok(RemoteState::Counterpart(counterpart))
    }

    /// The booking is back where the provider has it. That need not be where it was: somebody may have moved it there before, and news of
    /// that is passed over while a change of our own is under way. Where what is changed there does not count, and where we only told our
    /// version again, it is back where it was here.
    pub(super) async fn refuse_move(
        &self,
        booking: &Booking,
        counterpart: ExternalBooking,
        error: CallError,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        let reason = Problem::from(&error).detail;
        let back_to = async |when| {
            let (reason, external) = (reason.clone(), Some(counterpart.clone()));
            let padded = self.deliveries.padded(booking, when).await?;
            let change =
                BookingChange::RescheduleRefused { reason, occupancy: Occupancy { padded, when }, external };
            self.deliveries.settle_with(booking, change, Some(counterpart.clone()), held).await
        };
        let told_again = booking.previous_when.filter(|previous| *previous == booking.when);
        let ours = match booking.previous_when {
            Some(previous) if self.keeps_ours(booking).await? => Some(previous),
            _ => told_again,
        };
        if let Some(ours) = ours {
            let elsewhere = counterpart.when.start() != ours.start();
            // First: see `refuse`.
            if elsewhere && told_again.is_some() {
                self.refused_again(booking, Some(&counterpart)).await?;
            }
            let settled = back_to(ours).await?;
            if let DeliveryOutcome::Settled(settled) = &settled
                && elsewhere
                && told_again.is_none()
            {
                self.moved_there(settled, &counterpart).await?;
            }
            return Ok(if matches!(settled, DeliveryOutcome::Settled(_)) {
                DeliveryOutcome::Refused(error)
            } else {
                settled
            });
        }
        let settled = match (back_to(counterpart.when).await, booking.previous_when) {
            // That time is taken here: the booking is back at its own, and a person is told.
            (Err(StoreError::Overlap), Some(previous)) => {
                let settled = back_to(previous).await?;
                if let DeliveryOutcome::Settled(settled) = &settled {
                    self.taken_here(settled, &counterpart).await?;
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
pub(super) fn not_now(_: StoreError) -> CallError {
    CallError::Provider(ProviderError::Unavailable { retry_after_ms: None })
}
