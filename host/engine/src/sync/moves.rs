//! Moving the twin, and what becomes of the booking when the provider refuses to.

use berth_model::{
    booking::Booking,
    provider::{CallContext, CallError, ExternalBooking, ExternalStatus, ProviderError, RescheduleRequest},
};
use berth_store::{StoreError, records::BookingChange};

use super::{Held, Synced, Verdict, idempotency_key, wrong_state};
use crate::{Engine, problems::of_call};

impl Engine {
    pub(super) async fn drive_reschedule(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<Verdict, CallError> {
        let Some(id) = &booking.external_id else {
            return Err(CallError::Provider(ProviderError::NotFound));
        };
        let twin = self.current_twin(cx, id).await?;
        match twin.status {
            ExternalStatus::Cancelled => return Ok(Verdict::CancelledThere(twin)),
            ExternalStatus::Completed | ExternalStatus::NoShow => {
                return Err(wrong_state("it is over there"));
            }
            ExternalStatus::Pending | ExternalStatus::Confirmed => {}
        }
        if twin.when.start() == booking.when.start() {
            return Ok(Verdict::Twin(twin));
        }
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
            Err(error) if error.is_definite() => return Ok(Verdict::MoveRefused(twin, error)),
            moved => moved?,
        };
        let old = booking.previous_when.filter(|old| old.start() != booking.when.start());
        if old.is_some_and(|old| old.start() == twin.when.start()) {
            // It says yes and shows the old time: perhaps not written everywhere yet. Look again later.
            return Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }));
        }
        Ok(Verdict::Twin(twin))
    }

    /// The booking is back where the provider has it. That need not be where it was: somebody may have moved it there before, and news of
    /// that is passed over while a change of our own is under way.
    pub(super) async fn refuse_move(
        &self,
        booking: &Booking,
        twin: ExternalBooking,
        error: CallError,
        held: Held,
    ) -> Result<Synced, StoreError> {
        let reason = of_call(&error).detail;
        let back_to = async |when| {
            let (reason, external) = (reason.clone(), Some(twin.clone()));
            let blocked = self.blocked(booking, when).await?;
            let change = BookingChange::RescheduleRefused { reason, when, external, blocked };
            self.settle_with(booking, change, Some(twin.clone()), held).await
        };
        let settled = match (back_to(twin.when).await, booking.previous_when) {
            // That time is taken here: the booking is back at its own, and a person is told.
            (Err(StoreError::Overlap), Some(previous)) => {
                let settled = back_to(previous).await?;
                if let Synced::Settled(settled) = &settled {
                    self.taken_here(settled, &twin).await?;
                }
                settled
            }
            (other, _) => other?,
        };
        Ok(if matches!(settled, Synced::Settled(_)) { Synced::Refused(error) } else { settled })
    }
}
