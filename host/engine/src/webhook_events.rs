//! Acting on what a provider says happened. Late, doubled and reordered news is harmless: the booking's own task goes first, what
//! is older than what we know is passed over, and what is so already is left alone.

use berth_model::{
    booking::Booking,
    connection::ConnectionRecord,
    id::BookingId,
    provider::{CallContext, CallError, ExternalBooking, ExternalStatus, ProviderError, WebhookEvent},
};
use berth_store::{
    StoreError,
    records::{Audit, BookingChange},
};

use crate::Engine;

/// Tries when somebody else changes the booking at the same time.
const TRIES: u32 = 5;

impl Engine {
    /// Act on one event. A note for people; the inner error: try the message again later.
    pub(crate) async fn apply_event(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        event: WebhookEvent,
    ) -> Result<Result<String, CallError>, StoreError> {
        let (old_id, twin) = match event {
            WebhookEvent::Created(twin) | WebhookEvent::Cancelled(twin) | WebhookEvent::Updated(twin) => {
                (None, twin)
            }
            WebhookEvent::Rescheduled { old_id, booking } => (Some(old_id), booking),
            WebhookEvent::ChangedGoAndSync(Some(id)) => {
                let context = CallContext { call: self.new_id(), ..context.clone() };
                match self.providers().get_booking(&context, id).await {
                    Ok(twin) => (None, twin),
                    Err(CallError::Provider(ProviderError::NotFound)) => {
                        return Ok(Ok("the booking is gone at the provider".to_owned()));
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
            WebhookEvent::ChangedGoAndSync(None) => return Ok(Ok("availability is asked anew".to_owned())),
            WebhookEvent::SubscriptionEnded => return Ok(Ok("the subscription ended".to_owned())),
        };
        for _ in 0..TRIES {
            match self.apply_twin(connection, old_id.as_deref(), &twin).await {
                Err(StoreError::Stale) => {}
                other => return other.map(Ok),
            }
        }
        Err(StoreError::Busy)
    }

    async fn apply_twin(
        &self,
        connection: &ConnectionRecord,
        old_id: Option<&str>,
        twin: &ExternalBooking,
    ) -> Result<String, StoreError> {
        let Some(booking) = self.booking_of_twin(connection, old_id, twin).await? else {
            return Ok(format!("{}: not a booking of ours", twin.id));
        };
        let audit = self.audit_by(&format!("provider:{}", connection.plugin), "webhook");
        if booking.provider_task.is_some() {
            // Our own change is under way and will find the twin as it is.
            return Ok(format!("{}: our own change is under way", booking.id));
        }
        if !booking.status.is_active() {
            return Ok(format!("{}: over already", booking.id));
        }
        let replaced = twin.rescheduled_to.is_some() && old_id.is_none();
        let current = booking.external_id.as_deref() == Some(twin.id.as_str());
        if replaced || (!current && old_id.is_none() && booking.external_id.is_some()) {
            return Ok(format!("{}: news of a twin that was replaced", booking.id));
        }
        if !current && old_id.is_some_and(|old| booking.external_id.as_deref() != Some(old)) {
            return Ok(format!("{}: news of a move that is past", booking.id));
        }
        let older =
            matches!((twin.updated_at, booking.external_updated_at), (Some(new), Some(known)) if new < known);
        if older {
            return Ok(format!("{}: older than what is known", booking.id));
        }
        if twin.status == ExternalStatus::Cancelled {
            return self
                .change(&booking, BookingChange::CancelledByProvider { external: twin.clone() }, audit)
                .await;
        }
        if current && twin.when.start() == booking.when.start() && !changes_status(&booking, twin.status) {
            return Ok(format!("{}: as it is", booking.id));
        }
        let blocked = self.blocked(&booking, twin.when).await?;
        let change = BookingChange::ChangedByProvider { external: twin.clone(), blocked };
        match self.change(&booking, change, audit).await {
            Err(StoreError::Overlap) => Ok(format!(
                "conflict: {} was moved at the provider to {}, which is taken here",
                booking.id,
                twin.when.start()
            )),
            other => other,
        }
    }

    async fn change(
        &self,
        booking: &Booking,
        change: BookingChange,
        audit: Audit,
    ) -> Result<String, StoreError> {
        let changed = self
            .store()
            .change_booking(booking.tenant, booking.id, booking.sequence, change, None, audit)
            .await;
        match changed {
            Ok(_) => Ok(format!("{}: changed", booking.id)),
            Err(StoreError::WrongState) => Ok(format!("{}: its state does not allow it", booking.id)),
            Err(error) => Err(error),
        }
    }

    /// The booking that a twin belongs to: by its id, by the id it replaced, or by our reference in it.
    async fn booking_of_twin(
        &self,
        connection: &ConnectionRecord,
        old_id: Option<&str>,
        twin: &ExternalBooking,
    ) -> Result<Option<Booking>, StoreError> {
        let ids = [Some(twin.id.as_str()), old_id, twin.rescheduled_from.as_deref()];
        for id in ids.into_iter().flatten() {
            let found = self.store().booking_by_external_id(connection.tenant, connection.id, id).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let Some(reference) = twin.reference.as_ref().and_then(|r| r.parse::<BookingId>().ok()) else {
            return Ok(None);
        };
        match self.store().booking(connection.tenant, reference).await {
            Ok(booking) => Ok(Some(booking).filter(|b| b.connection == Some(connection.id))),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn changes_status(booking: &Booking, status: ExternalStatus) -> bool {
    use berth_model::booking::BookingStatus::{Confirmed, Pending};
    match status {
        ExternalStatus::Confirmed => booking.status == Pending,
        ExternalStatus::Completed | ExternalStatus::NoShow => booking.status == Confirmed,
        ExternalStatus::Pending | ExternalStatus::Cancelled => false,
    }
}
