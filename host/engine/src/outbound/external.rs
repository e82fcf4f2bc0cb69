//! What stands at the provider for a booking of ours: found by its id or by our reference.

use std::collections::BTreeSet;

use berth_model::{
    bookings::booking::Booking,
    limits,
    outbound::provider::{
        CallContext, CallError, ExternalBooking, ProviderConflict, ProviderError, ReferenceLookup,
    },
    time::Interval,
};
use berth_store::StoreError;

use crate::outbound::deliveries::Deliveries;

/// How far the lookup by reference reaches back before the booking was made, in seconds: the provider's clock may differ.
const LOOKUP_SLACK_SECONDS: i64 = 600;

impl Deliveries {
    /// Every counterpart that carries our reference, newest first.
    pub(crate) async fn counterparts(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<Vec<ExternalBooking>, CallError> {
        let lookup = ReferenceLookup {
            reference: booking.id.to_string(),
            attendee_email: booking.attendee.email.clone(),
            created_after: booking.created_at.plus_seconds(-LOOKUP_SLACK_SECONDS),
            when: booking.when,
        };
        let mut found = self.providers.find_by_reference(&self.contexts.next_call(cx), lookup).await?;
        if found.is_empty() {
            return Ok(found);
        }
        // What shows it in a member's calendar carries the same reference, and may be in the same account.
        let shown = self.base.store().calendar_entries_of_booking(booking.tenant, booking.id).await;
        let shown =
            shown.map_err(|_| CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }))?;
        found.retain(|counterpart| {
            shown.iter().all(|entry| entry.external_id.as_ref() != Some(&counterpart.id))
        });
        Ok(found)
    }

    /// Counterparts that carry our reference and take their time, newest first. Those that were replaced are inactive.
    pub(crate) async fn active_counterparts(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<Vec<ExternalBooking>, CallError> {
        let mut found = self.counterparts(cx, booking).await?;
        found.retain(|counterpart| counterpart.status.is_active());
        Ok(found)
    }

    /// The counterpart as it stands, followed over reschedules.
    pub(crate) async fn current_counterpart(
        &self,
        cx: &CallContext,
        id: &str,
    ) -> Result<ExternalBooking, CallError> {
        let mut seen = BTreeSet::new();
        let mut next = id.to_owned();
        for _ in 0..limits::COUNTERPART_CHAIN_MAX {
            if !seen.insert(next.clone()) {
                break;
            }
            let mut counterpart = self.providers.get_booking(&self.contexts.next_call(cx), next).await?;
            // What names itself was replaced by nothing.
            match counterpart.rescheduled_to.take().filter(|next| *next != counterpart.id) {
                // It is what it was before the move that made another of it: only the last one says how things are.
                Some(newer) => next = newer,
                None => return Ok(counterpart),
            }
        }
        Err(wrong_state("its moves come to no end there"))
    }

    /// A time of this booking's event type, widened by its buffers.
    pub(crate) async fn padded(&self, booking: &Booking, when: Interval) -> Result<Interval, StoreError> {
        let event_type = self.base.store().event_type(booking.tenant, booking.event_type).await?;
        Ok(when.widened(event_type.buffer_before_minutes, event_type.buffer_after_minutes))
    }
}

pub(crate) fn wrong_state(why: &str) -> CallError {
    CallError::Provider(ProviderError::Conflict(ProviderConflict::WrongState(why.to_owned())))
}
