//! Cancelling the counterpart, and what becomes of the booking when the provider refuses to.

use berth_model::{
    bookings::{booking::Booking, change::BookingChange},
    outbound::provider::{CallContext, CallError, CancelRequest, ExternalBooking, ProviderError},
    problem::Problem,
};
use berth_store::StoreError;

use super::{RemoteState, idempotency_key};
use crate::{
    jobs::queue::JobLease,
    outbound::{Outbound, settle::DeliveryOutcome},
};

impl Outbound {
    /// Cancel every active counterpart. A definite refusal ends it: asking again would be refused again.
    pub(super) async fn drive_cancel(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<RemoteState, CallError> {
        let mut last = None;
        let mut counterparts = Vec::new();
        if let Some(id) = &booking.external_id {
            match self.deliveries.current_counterpart(cx, id).await {
                Ok(counterpart) if counterpart.status.is_active() => counterparts.push(counterpart),
                Ok(counterpart) => last = Some(counterpart),
                Err(CallError::Provider(ProviderError::NotFound)) => {}
                Err(error) => return Err(error),
            }
        }
        let stood = !counterparts.is_empty();
        if let Some(refused) = self.cancel_all(cx, booking, counterparts, &mut last).await? {
            return Ok(refused);
        }
        let others = match self.deliveries.active_counterparts(cx, booking).await {
            Ok(others) => others,
            // The counterpart that we know is cancelled; a provider that cannot search shows no others.
            Err(error) if error.is_definite() && booking.external_id.is_some() => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut own = Vec::new();
        for counterpart in others {
            if self.is_counterpart(cx, booking, &counterpart.id, stood).await? {
                own.push(counterpart);
            }
        }
        if let Some(refused) = self.cancel_all(cx, booking, own, &mut last).await? {
            return Ok(refused);
        }
        Ok(RemoteState::NoCounterpart(last))
    }

    /// Does what carries our reference go with the booking? Whoever copies a booking copies its reference: it is ours by our own record, or
    /// where ours did not stand where we knew it and this was nobody else's before (ADR 0023).
    async fn is_counterpart(
        &self,
        cx: &CallContext,
        booking: &Booking,
        id: &str,
        stood: bool,
    ) -> Result<bool, CallError> {
        let unread = |_| CallError::Provider(ProviderError::Unavailable { retry_after_ms: None });
        let of = self
            .base
            .store()
            .bookings_of_counterpart(booking.tenant, cx.connection, id)
            .await
            .map_err(unread)?;
        if of.iter().any(|known| known.id == booking.id) {
            return Ok(true);
        }
        let kept = self.base.store().mirrored(booking.tenant, cx.connection, id).await.map_err(unread)?;
        Ok(!stood && kept.is_none_or(|kept| kept.booking.is_some()))
    }

    async fn cancel_all(
        &self,
        cx: &CallContext,
        booking: &Booking,
        counterparts: Vec<ExternalBooking>,
        last: &mut Option<ExternalBooking>,
    ) -> Result<Option<RemoteState>, CallError> {
        for counterpart in counterparts {
            match self.cancel_counterpart(cx, booking, &counterpart.id).await {
                Ok(cancelled) => *last = cancelled.or(last.take()),
                Err(error) if error.is_definite() => {
                    return Ok(Some(RemoteState::CancelRefused(counterpart, error)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    pub(super) async fn cancel_counterpart(
        &self,
        cx: &CallContext,
        booking: &Booking,
        id: &str,
    ) -> Result<Option<ExternalBooking>, CallError> {
        let request = CancelRequest {
            idempotency_key: idempotency_key(booking, "cancel"),
            id: id.to_owned(),
            reason: booking.reason.clone(),
        };
        match self.providers.cancel_booking(&self.contexts.next_call(cx), request).await {
            Ok(counterpart) => Ok(Some(counterpart)),
            Err(CallError::Provider(ProviderError::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The provider keeps the booking, so it stands here as well, at the provider's time where that counts; its timeline says why. A booking
    /// whose counterpart nobody knows stays cancelled.
    pub(super) async fn refuse_cancel(
        &self,
        booking: &Booking,
        counterpart: Option<ExternalBooking>,
        error: CallError,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        let reason = Problem::from(&error).detail;
        // Where it is there does not count: it stands where it was here.
        let elsewhere = match &counterpart {
            Some(counterpart) if counterpart.when.start() != booking.when.start() => {
                self.keeps_ours(booking).await?
            }
            _ => false,
        };
        let external = counterpart.clone().filter(|_| !elsewhere);
        let when = external.as_ref().map_or(booking.when, |counterpart| counterpart.when);
        let padded = self.deliveries.padded(booking, when).await?;
        let change = BookingChange::CancelRefused { reason: reason.clone(), external, padded };
        let settled = match self.deliveries.settle_with(booking, change, counterpart.clone(), held).await {
            // The provider has it at a time that is taken here: the booking keeps its own, and a person is told.
            Err(StoreError::Overlap) => {
                let padded = self.deliveries.padded(booking, booking.when).await?;
                let change = BookingChange::CancelRefused { reason, external: None, padded };
                let settled = self.deliveries.settle_with(booking, change, None, held).await?;
                if let (Some(counterpart), DeliveryOutcome::Settled(settled)) = (&counterpart, &settled) {
                    self.taken_here(settled, counterpart).await?;
                }
                settled
            }
            other => other?,
        };
        if let (Some(counterpart), DeliveryOutcome::Settled(settled), true) =
            (&counterpart, &settled, elsewhere)
        {
            self.moved_there(settled, counterpart).await?;
        }
        Ok(if matches!(settled, DeliveryOutcome::Settled(_)) {
            DeliveryOutcome::Refused(error)
        } else {
            settled
        })
    }
}
