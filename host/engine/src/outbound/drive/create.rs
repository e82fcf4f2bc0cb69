//! Making a booking at its provider.

use berth_model::{
    bookings::booking::Booking,
    catalog::event_type::EventTypeRecord,
    outbound::provider::{CallContext, CallError, CreateRequest, ProviderError},
};

use super::{RemoteState, idempotency_key, was_called_off, was_there};
use crate::outbound::{Outbound, external::wrong_state};

impl Outbound {
    /// Make the counterpart.
    pub(super) async fn make(&self, cx: &CallContext, booking: &Booking) -> Result<RemoteState, CallError> {
        let event_type = self.external_event_type(booking).await?;
        let request = CreateRequest {
            idempotency_key: idempotency_key(booking, "create"),
            reference: booking.id.to_string(),
            event_type,
            when: booking.when,
            attendee: booking.attendee.clone(),
            guests: booking.guests.clone(),
            answers: booking.answers.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            notes: booking.notes.clone(),
            slot_token: None,
        };
        let counterpart = self.providers.create_booking(&self.contexts.next_call(cx), request).await?;
        // A provider that knows the key of an earlier try shows what became of it.
        match was_called_off(&counterpart) {
            true if was_there(booking) => Err(wrong_state("it was cancelled there")),
            true => Ok(RemoteState::CancelledThere(counterpart)),
            false => Ok(RemoteState::Counterpart(counterpart)),
        }
    }

    async fn external_event_type(&self, booking: &Booking) -> Result<String, CallError> {
        let event_type = self.base.store().event_type(booking.tenant, booking.event_type).await;
        let over = |e: EventTypeRecord| e.external_over(booking.connection?).map(str::to_owned);
        event_type.ok().and_then(over).ok_or_else(|| {
            CallError::Provider(ProviderError::Vendor {
                status: 422,
                code: "no_external_event_type".to_owned(),
                message: "the event type names no event type of the provider (external_id)".to_owned(),
            })
        })
    }
}
