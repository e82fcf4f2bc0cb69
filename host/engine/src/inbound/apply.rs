//! Acting on what a provider says happened. Late, doubled and reordered news is harmless: the booking's own task goes first, what
//! is older than what we know is passed over, and what is so already is left alone.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        change::BookingChange,
    },
    connections::connection::ConnectionRecord,
    mirror::sync::{ConflictKind, SyncMode},
    outbound::provider::{
        CallContext, CallError, ExternalBooking, ExternalStatus, ProviderError, WebhookEvent,
    },
    time::Interval,
};
use berth_store::{StoreError, records::Audit};

use crate::{
    fault::Fault,
    inbound::Inbound,
    mirror::{Theirs, Whose, sync_soon},
    outbound::drive::was_called_off,
};

/// Tries when somebody else changes the booking at the same time.
const TRIES: u32 = 5;

/// Where a booking is after it was to be brought to its counterpart.
pub(crate) enum Brought {
    /// There now: a note for people.
    Moved(String),
    /// It need not move.
    Note(String),
    /// The time is taken here.
    Taken,
}

/// What came of a message, for people.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) text: String,
    /// Did it end in a conflict that is for a person?
    pub(crate) is_conflict: bool,
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self { text, is_conflict: false }
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Inbound {
    /// Act on one event. A note for people. A call that failed: try the message again later.
    pub(crate) async fn apply_event(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        event: WebhookEvent,
    ) -> Result<Note, Fault> {
        let (old_id, external) = match event {
            WebhookEvent::Created(external)
            | WebhookEvent::Cancelled(external)
            | WebhookEvent::Updated(external) => (None, external),
            WebhookEvent::Rescheduled { old_id, booking } => (Some(old_id), booking),
            WebhookEvent::ChangedGoAndSync(Some(id)) => {
                let context = self.contexts.next_call(context);
                match self.providers.get_booking(&context, id.clone()).await {
                    Ok(external) => (None, external),
                    Err(CallError::Provider(ProviderError::NotFound)) => {
                        self.external_bookings.external_gone(connection, &id).await?;
                        return Ok("the booking is gone at the provider".into());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            WebhookEvent::ChangedGoAndSync(None) => {
                sync_soon(&self.queue, connection.tenant, connection.id).await?;
                return Ok("what changed is asked for".into());
            }
            WebhookEvent::SubscriptionEnded => {
                self.connections.subscription_ended(connection).await?;
                return Ok("the subscription ended; another one is made".into());
            }
        };
        for _ in 0..TRIES {
            match self.apply_external(connection, context, old_id.as_deref(), &external).await {
                Err(Fault::Store(StoreError::Stale)) => {}
                other => return other,
            }
        }
        Err(StoreError::Busy.into())
    }

    async fn apply_external(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<Note, Fault> {
        let rules = self.base.store().sync_state(connection.tenant, connection.id).await?.rules;
        if rules.mode == SyncMode::Off {
            return Ok(self.passed_over(connection, old_id, external).await?.into());
        }
        let booking = match self.external_bookings.whose(connection, context, old_id, external).await? {
            Whose::Ours(booking) => booking,
            Whose::Sibling(booking) => {
                self.external_bookings.keep_counterpart(connection, booking, external).await?;
                return Ok(format!("{booking}: another connection to the same account follows it").into());
            }
            Whose::Stranger => {
                self.external_bookings.external_news(connection, old_id, external).await?;
                return Ok(format!("{}: not a booking of ours", external.id).into());
            }
        };
        let note = self.apply_to(connection, context, &booking, old_id, external).await?;
        self.external_bookings.keep_counterpart(connection, booking.id, external).await?;
        Ok(note)
    }

    /// Nothing that happens there is followed, but the answer to what we asked: what is pending is confirmed or declined.
    async fn passed_over(
        &self,
        connection: &ConnectionRecord,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<String, StoreError> {
        let known = self.external_bookings.whose_by_record(connection, old_id, external).await?;
        let Whose::Ours(booking) = known else { return Ok(format!("{}: nothing is followed", external.id)) };
        let is_answer = booking.status == BookingStatus::Pending
            && booking.provider_task.is_none()
            && booking.external_id.as_ref() == Some(&external.id)
            && external.rescheduled_to.is_none()
            && (was_called_off(external) || external.when.start() == booking.when.start());
        if !is_answer {
            return Ok(format!("{}: nothing is followed", booking.id));
        }
        match self.brought_to(connection, &booking, external).await? {
            Brought::Moved(note) | Brought::Note(note) => Ok(note),
            Brought::Taken => Ok(format!("{}: its time is taken here", booking.id)),
        }
    }

    async fn apply_to(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        booking: &Booking,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<Note, Fault> {
        if booking.provider_task.is_some() {
            if moved_meanwhile(booking, old_id, external) {
                self.conflicts.both_changed(connection, booking, external).await?;
            }
            // Our own change is under way and will find the counterpart as it is.
            return Ok(format!("{}: our own change is under way", booking.id).into());
        }
        if !booking.status.is_active() {
            return Ok(format!("{}: over already", booking.id).into());
        }
        if is_next(booking, old_id, external) && !was_called_off(external) {
            return Ok(self.follow(connection, booking, external).await?);
        }
        match self.latest_counterpart(context, booking, old_id, external).await {
            Ok(current) => Ok(self.follow(connection, booking, &current).await?),
            Err(error) if error.is_definite() => Ok(format!("{}: not followed: {error}", booking.id).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The booking's counterpart as it is now. What comes may be news of one that was replaced, or moves may arrive in the wrong order: the provider
    /// knows where ours is. And nothing that is cancelled there is over before it is known that nothing took its place.
    async fn latest_counterpart(
        &self,
        context: &CallContext,
        booking: &Booking,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<ExternalBooking, CallError> {
        let current = if is_next(booking, old_id, external) {
            Ok(external.clone())
        } else {
            let ours = booking.external_id.clone().unwrap_or_default();
            self.deliveries.current_counterpart(context, &ours).await
        };
        let is_over = match &current {
            Ok(current) => was_called_off(current),
            Err(error) => *error == CallError::Provider(ProviderError::NotFound),
        };
        if is_over && let Some(newer) = self.external_bookings.replacement(context, booking).await? {
            return Ok(newer);
        }
        current
    }

    /// News of the booking's counterpart: bring the booking to where it is, or open a conflict.
    async fn follow(
        &self,
        connection: &ConnectionRecord,
        booking: &Booking,
        external: &ExternalBooking,
    ) -> Result<Note, StoreError> {
        let mode = self.base.store().sync_state(connection.tenant, connection.id).await?.rules.mode;
        if let Some(kind) = undone(mode, booking, external) {
            let ends = self
                .conflicts
                .conflict(connection, kind, Some(booking), Some(external), Theirs::Counterpart)
                .await?;
            let end = if ends { "the conflict ends by itself" } else { "it is for a person" };
            return Ok(format!("{}: changes made there are not followed; {end}", booking.id).into());
        }
        match self.brought_to(connection, booking, external).await? {
            Brought::Moved(note) => {
                self.conflicts.agreed(booking, true).await?;
                Ok(note.into())
            }
            Brought::Note(note) => {
                if external.status.is_active() && external.when.start() == booking.when.start() {
                    self.conflicts.agreed(booking, false).await?;
                }
                Ok(note.into())
            }
            Brought::Taken => {
                let kind = if booking.seats > 1 { ConflictKind::Capacity } else { ConflictKind::TimeOverlap };
                if self
                    .conflicts
                    .conflict(connection, kind, Some(booking), Some(external), Theirs::Counterpart)
                    .await?
                {
                    return Ok(format!("{}: the provider is brought back to our time", booking.id).into());
                }
                let place = if external.when.is_empty() {
                    format!("out of the years that are known here, to {} at least", external.when.start())
                } else {
                    format!("to {}, which is taken here", external.when.start())
                };
                let text = format!("conflict: {} was moved at the provider {place}", booking.id);
                Ok(Note { text, is_conflict: true })
            }
        }
    }

    /// Bring the booking to where its counterpart is, if it is free here.
    pub(crate) async fn brought_to(
        &self,
        connection: &ConnectionRecord,
        booking: &Booking,
        external: &ExternalBooking,
    ) -> Result<Brought, StoreError> {
        let audit = || self.base.audit_by(&format!("provider:{}", connection.plugin), "webhook");
        if is_older(booking, external) {
            return Ok(Brought::Note(format!("{}: older than what is known", booking.id)));
        }
        if external.status == ExternalStatus::Cancelled {
            let change = BookingChange::CancelledByProvider { external: external.clone() };
            return self.change(booking, change, audit()).await.map(Brought::Note);
        }
        if !is_followed(booking, external) {
            return Ok(Brought::Note(format!("{}: as it is", booking.id)));
        }
        let padded = self.deliveries.padded(booking, external.when).await?;
        let change = BookingChange::ChangedByProvider { external: external.clone(), padded };
        match self.change(booking, change, audit()).await {
            Err(StoreError::Overlap) => Ok(Brought::Taken),
            Ok(note) => Ok(Brought::Moved(note)),
            Err(error) => Err(error),
        }
    }

    async fn change(
        &self,
        booking: &Booking,
        change: BookingChange,
        audit: Audit,
    ) -> Result<String, StoreError> {
        let changed = self
            .base
            .store()
            .change_booking(booking.tenant, booking.id, booking.sequence, change, None, audit)
            .await;
        match changed {
            Ok(changed) => {
                self.calendar_writer.booking_changed(&changed).await;
                Ok(format!("{}: changed", booking.id))
            }
            Err(StoreError::WrongState) => Ok(format!("{}: its state does not allow it", booking.id)),
            Err(error) => Err(error),
        }
    }
}

/// Is this older than what is known?
fn is_older(booking: &Booking, external: &ExternalBooking) -> bool {
    matches!((external.updated_at, booking.external_updated_at), (Some(new), Some(known)) if new < known)
}

/// Does the counterpart stand anywhere else than the booking?
fn is_followed(booking: &Booking, external: &ExternalBooking) -> bool {
    let known = booking.external_id.as_deref() == Some(external.id.as_str());
    external.status != ExternalStatus::Cancelled
        && !is_older(booking, external)
        && !(known
            && external.when.start() == booking.when.start()
            && !changes_status(booking, external.status))
}

/// Does our own counterpart say something of its status that has not come to us?
pub(crate) fn is_missed(booking: &Booking, external: &ExternalBooking) -> bool {
    booking.provider_task.is_none()
        && booking.status.is_active()
        && booking.external_id.as_ref() == Some(&external.id)
        && (was_called_off(external) || changes_status(booking, external.status))
}

/// Does this news follow on what we know: of our counterpart, or of the one that replaced it?
fn is_next(booking: &Booking, old_id: Option<&str>, external: &ExternalBooking) -> bool {
    let Some(ours) = booking.external_id.as_deref() else { return true };
    external.rescheduled_to.is_none() && (ours == external.id || old_id == Some(ours))
}

/// Was the counterpart moved to a third place while our own move is on its way?
fn moved_meanwhile(booking: &Booking, old_id: Option<&str>, external: &ExternalBooking) -> bool {
    let Some(ours) = booking.external_id.as_deref() else { return false };
    let known = [Some(booking.when.start()), booking.previous_when.map(Interval::start)];
    let ids = [Some(external.id.as_str()), old_id, external.rescheduled_from.as_deref()];
    booking.provider_task == Some(ProviderTask::Reschedule)
        && ids.contains(&Some(ours))
        && external.status.is_active()
        && external.rescheduled_to.is_none()
        && !known.contains(&Some(external.when.start()))
}

/// Is this a change of ours that does not count where only what is done here does? The answer to what is pending is none.
fn undone(mode: SyncMode, booking: &Booking, external: &ExternalBooking) -> Option<ConflictKind> {
    if mode != SyncMode::Export || booking.status != BookingStatus::Confirmed || is_older(booking, external) {
        return None;
    }
    if was_called_off(external) {
        return Some(ConflictKind::VanishedThere);
    }
    (is_followed(booking, external) && external.when.start() != booking.when.start())
        .then_some(ConflictKind::BothChanged)
}

fn changes_status(booking: &Booking, status: ExternalStatus) -> bool {
    use berth_model::bookings::booking::BookingStatus::{Confirmed, Pending};
    match status {
        ExternalStatus::Confirmed => booking.status == Pending,
        ExternalStatus::Completed | ExternalStatus::NoShow => booking.status == Confirmed,
        ExternalStatus::Pending | ExternalStatus::Cancelled => false,
    }
}
