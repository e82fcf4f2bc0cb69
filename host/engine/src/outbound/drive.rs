//! Driving a booking's twin at the provider to where the booking says it should be.
//!
//! A booking with a `provider_task` has exactly one open job, and this is what the job does, first inside the request that made
//! it and, if need be, later and elsewhere. It reads the booking, asks the provider, and settles in one transaction. Nothing is
//! needed to go on after a crash but the store; nothing is created twice, because every try after the first looks the twin up.

mod cancel;
mod elsewhere;
mod reschedule;
mod tries;

use std::collections::BTreeSet;

use berth_model::{
    bookings::booking::{Booking, BookingStatus, ProviderTask},
    connections::connection::{ConnectionState, ConnectionStatus, Stopped},
    id::{BookingId, JobId, TenantId},
    limits,
    outbound::provider::{
        CallContext, CallError, CreateRequest, ExternalBooking, ExternalStatus, ProviderConflict,
        ProviderError, ReferenceLookup,
    },
    time::Interval,
};
use berth_store::{
    StoreError,
    records::{BookingChange, JobEnd},
};

pub(crate) use self::tries::is_last;
use crate::{Engine, problems::of_call};

/// How far the lookup by reference reaches back before the booking was made, in seconds: the provider's clock may differ.
const LOOKUP_SLACK_SECONDS: i64 = 600;
/// The highest sequence that a booking has when it is first told to the provider: after its confirmation by the tenant.
const FIRST_CREATE_SEQUENCE_MAX: i64 = 1;

/// What one try came to.
#[derive(Debug)]
pub(crate) enum Synced {
    /// Settled: nothing is left to do.
    Settled(Box<Booking>),
    /// The provider refused for good; the booking says why.
    Refused(CallError),
    /// Not settled; the job goes on.
    Later,
    /// The desired state moved on, or somebody else holds the job; the job goes on.
    Overtaken,
}

/// A job that this worker or request holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) job: JobId,
    pub(crate) attempt: i64,
}

enum Verdict {
    /// The twin is as it should be.
    Twin(ExternalBooking),
    /// There is no active twin, as it should be.
    NoTwin(Option<ExternalBooking>),
    /// The twin that was to be moved was cancelled at the provider in between.
    CancelledThere(ExternalBooking),
    /// The provider will not cancel this twin.
    CancelRefused(ExternalBooking, CallError),
    /// The provider will not move this twin, which stands as it is.
    MoveRefused(ExternalBooking, CallError),
}

impl Engine {
    /// One try. `Err` only for faults of our own (the store): the lease runs out and somebody tries again.
    pub(crate) async fn sync_booking(
        &self,
        tenant: TenantId,
        id: BookingId,
        held: Held,
        request_id: &str,
    ) -> Result<Synced, StoreError> {
        let booking = self.store().booking(tenant, id).await?;
        let (Some(task), Some(connection)) = (booking.provider_task, booking.connection) else {
            self.store().end_job(held.job, held.attempt, JobEnd::Done).await?;
            return Ok(Synced::Settled(Box::new(booking)));
        };
        let connection = self.store().connection(tenant, connection).await?;
        if connection.state == ConnectionState::Disconnected {
            let change = self.settled_here(&booking).await?;
            return self.settle_with(&booking, change, None, held).await;
        }
        let context = self.call_context(&connection, Some(booking.listing), request_id).await;
        let result = match &context {
            Ok(context) => self.drive(context, &booking, task, held.attempt).await,
            // A plugin that was disabled may be enabled again: not definite.
            Err(_) => Err(CallError::NotActive(connection.plugin.clone())),
        };
        let result = match (result, &context) {
            (Err(CallError::Provider(ProviderError::Unauthorised)), Ok(refused)) => {
                match self.call_context(&connection, Some(booking.listing), request_id).await {
                    // Exchanged since this try began: what was refused was the one before.
                    Ok(fresh) if fresh.credentials != refused.credentials => {
                        self.drive(&fresh, &booking, task, held.attempt).await
                    }
                    _ => Err(CallError::Provider(ProviderError::Unauthorised)),
                }
            }
            (result, _) => result,
        };
        let status = match &result {
            Err(CallError::Provider(ProviderError::Unauthorised)) => Some(ConnectionStatus::Unauthorised),
            Err(CallError::Provider(ProviderError::Unavailable { .. })) => {
                Some(ConnectionStatus::Unavailable)
            }
            Ok(_) => Some(ConnectionStatus::Healthy),
            Err(_) => None,
        };
        if let Some(status) = status.filter(|s| *s != connection.status)
            && let Err(error) =
                self.store().set_connection_health(tenant, connection.id, status, None, self.now()).await
        {
            // What the provider answered matters more than this note of it.
            tracing::warn!(%error, connection = %connection.id, "the connection's health was not written");
        }
        self.forget_availability(connection.id);
        match result {
            Ok(verdict) => {
                let settled = self.settle(&booking, task, verdict, held).await;
                if connection.status == ConnectionStatus::Unauthorised {
                    self.connection_recovered(connection.id).await;
                }
                settled
            }
            Err(error) if error.is_definite() => self.refuse(&booking, task, error, held).await,
            // Disconnected in this moment: the next try finds it so.
            Err(CallError::Stopped(Stopped::Disconnected)) => {
                self.overtaken(&booking, None, held).await?;
                Ok(Synced::Overtaken)
            }
            Err(CallError::Stopped(stopped)) => {
                self.note_waiting(&booking, task, held, stopped, request_id).await?;
                self.park(held, connection.id, stopped).await?;
                Ok(Synced::Later)
            }
            Err(error) => {
                tracing::info!(booking = %id, attempt = held.attempt, outcome = error.outcome(), "the provider was not told yet");
                let next = self.next_try(held, &connection, &error).await?;
                self.note_try(&booking, task, held, &error, next, request_id).await?;
                self.end_try(held, &connection, &error, next).await?;
                Ok(Synced::Later)
            }
        }
    }

    async fn drive(
        &self,
        cx: &CallContext,
        booking: &Booking,
        task: ProviderTask,
        attempt: i64,
    ) -> Result<Verdict, CallError> {
        match task {
            ProviderTask::Create => self.drive_create(cx, booking, attempt).await,
            ProviderTask::Cancel => self.drive_cancel(cx, booking).await,
            ProviderTask::Reschedule => self.drive_reschedule(cx, booking).await,
        }
    }

    async fn drive_create(
        &self,
        cx: &CallContext,
        booking: &Booking,
        attempt: i64,
    ) -> Result<Verdict, CallError> {
        if attempt > 1 {
            // An earlier try may have reached the provider: look before making another.
            let found = match self.twins(cx, booking).await {
                // Who knows keys need not look anything up.
                Err(CallError::Provider(ProviderError::Unsupported { .. }) | CallError::NotOffered(_)) => {
                    Vec::new()
                }
                // Refused is the lookup, not the booking: an earlier try may have made it.
                Err(error) if error.is_definite() => {
                    return Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }));
                }
                found => found?,
            };
            let (mut twins, over): (Vec<_>, Vec<_>) = found.into_iter().partition(|t| t.status.is_active());
            if let Some(first) = twins.pop() {
                for double in twins {
                    self.cancel_twin(cx, booking, &double.id).await?;
                }
                return self.keep_or_move(cx, booking, first).await;
            }
            // Made, and called off there before we heard of it: another one would bring it back. One that is told again was called off before.
            if let Some(gone) = over.into_iter().find(was_called_off).filter(|_| !was_there(booking)) {
                return Ok(Verdict::CancelledThere(gone));
            }
        }
        self.make(cx, booking).await
    }

    /// Make the twin.
    async fn make(&self, cx: &CallContext, booking: &Booking) -> Result<Verdict, CallError> {
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
        let twin = self.providers().create_booking(&self.next_call(cx), request).await?;
        // A provider that knows the key of an earlier try shows what became of it.
        match was_called_off(&twin) {
            true if was_there(booking) => Err(wrong_state("it was cancelled there")),
            true => Ok(Verdict::CancelledThere(twin)),
            false => Ok(Verdict::Twin(twin)),
        }
    }

    /// Twins that carry our reference and take their time, newest first. Those that were replaced are inactive.
    pub(crate) async fn active_twins(
        &self,
        cx: &CallContext,
        booking: &Booking,
    ) -> Result<Vec<ExternalBooking>, CallError> {
        let mut found = self.twins(cx, booking).await?;
        found.retain(|twin| twin.status.is_active());
        Ok(found)
    }

    /// Every twin that carries our reference, newest first.
    async fn twins(&self, cx: &CallContext, booking: &Booking) -> Result<Vec<ExternalBooking>, CallError> {
        let lookup = ReferenceLookup {
            reference: booking.id.to_string(),
            attendee_email: booking.attendee.email.clone(),
            created_after: booking.created_at.plus_seconds(-LOOKUP_SLACK_SECONDS),
            when: booking.when,
        };
        let mut found = self.providers().find_by_reference(&self.next_call(cx), lookup).await?;
        if found.is_empty() {
            return Ok(found);
        }
        // What shows it in a member's calendar carries the same reference, and may be in the same account.
        let shown = self.store().calendar_entries_of_booking(booking.tenant, booking.id).await;
        let shown =
            shown.map_err(|_| CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }))?;
        found.retain(|twin| shown.iter().all(|entry| entry.external_id.as_ref() != Some(&twin.id)));
        Ok(found)
    }

    /// The twin as it stands, followed over reschedules.
    pub(crate) async fn current_twin(
        &self,
        cx: &CallContext,
        id: &str,
    ) -> Result<ExternalBooking, CallError> {
        let mut seen = BTreeSet::new();
        let mut next = id.to_owned();
        for _ in 0..limits::TWIN_CHAIN_MAX {
            if !seen.insert(next.clone()) {
                break;
            }
            let mut twin = self.providers().get_booking(&self.next_call(cx), next).await?;
            // What names itself was replaced by nothing.
            match twin.rescheduled_to.take().filter(|next| *next != twin.id) {
                // It is what it was before the move that made another of it: only the last one says how things are.
                Some(newer) => next = newer,
                None => return Ok(twin),
            }
        }
        Err(wrong_state("its moves come to no end there"))
    }

    async fn external_event_type(&self, booking: &Booking) -> Result<String, CallError> {
        let event_type = self.store().event_type(booking.tenant, booking.event_type).await;
        event_type.ok().and_then(|e| e.external_id).ok_or_else(|| {
            CallError::Provider(ProviderError::Vendor {
                status: 422,
                code: "no_external_event_type".to_owned(),
                message: "the event type names no event type of the provider (external_id)".to_owned(),
            })
        })
    }

    /// A context of its own for each call, so that each can be told apart.
    pub(crate) fn next_call(&self, cx: &CallContext) -> CallContext {
        CallContext { call: self.new_id(), ..cx.clone() }
    }

    async fn settle(
        &self,
        booking: &Booking,
        task: ProviderTask,
        verdict: Verdict,
        held: Held,
    ) -> Result<Synced, StoreError> {
        let (change, external) = match (task, verdict) {
            (ProviderTask::Cancel, Verdict::NoTwin(external)) => {
                (BookingChange::CancelSynced { external: external.clone() }, external)
            }
            (_, Verdict::CancelledThere(external)) => {
                let change = BookingChange::CancelledByProvider { external: external.clone() };
                let settled = self.settle_with(booking, change, Some(external), held).await?;
                let refused = wrong_state("it was cancelled there");
                return Ok(if matches!(settled, Synced::Settled(_)) {
                    Synced::Refused(refused)
                } else {
                    settled
                });
            }
            (_, Verdict::CancelRefused(twin, error)) => {
                return self.refuse_cancel(booking, Some(twin), error, held).await;
            }
            (_, Verdict::MoveRefused(twin, error)) => {
                return self.refuse_move(booking, twin, error, held).await;
            }
            (_, Verdict::Twin(external)) if external.when.start() == booking.when.start() => {
                (self.synced(booking, &external).await?, Some(external))
            }
            (_, Verdict::Twin(external)) => return self.settle_elsewhere(booking, external, held).await,
            (_, Verdict::NoTwin(_)) => return Ok(Synced::Overtaken),
        };
        self.settle_with(booking, change, external, held).await
    }

    async fn synced(
        &self,
        booking: &Booking,
        external: &ExternalBooking,
    ) -> Result<BookingChange, StoreError> {
        let blocked = self.blocked(booking, booking.when).await?;
        Ok(BookingChange::Synced { external: external.clone(), blocked })
    }

    async fn settle_with(
        &self,
        booking: &Booking,
        change: BookingChange,
        external: Option<ExternalBooking>,
        held: Held,
    ) -> Result<Synced, StoreError> {
        match self.change_as_job(booking, change, held).await {
            Ok(booking) => Ok(Synced::Settled(Box::new(booking))),
            Err(StoreError::Stale) => {
                self.overtaken(booking, external, held).await?;
                Ok(Synced::Overtaken)
            }
            Err(error) => Err(error),
        }
    }

    async fn refuse(
        &self,
        booking: &Booking,
        task: ProviderTask,
        error: CallError,
        held: Held,
    ) -> Result<Synced, StoreError> {
        if task == ProviderTask::Cancel {
            return self.refuse_cancel(booking, None, error, held).await;
        }
        let reason = of_call(&error).detail;
        let change = match (task, booking.previous_when) {
            (ProviderTask::Reschedule, Some(previous)) => {
                let blocked = self.blocked(booking, previous).await?;
                BookingChange::RescheduleRefused { reason, when: previous, external: None, blocked }
            }
            _ => BookingChange::Refused { reason },
        };
        // First: whoever dies in between leaves a conflict too many, which ends when both agree, and none too few.
        if task == ProviderTask::Create && was_there(booking) {
            self.refused_again(booking, None).await?;
        }
        match self.change_as_job(booking, change, held).await {
            Ok(_) => Ok(Synced::Refused(error)),
            Err(StoreError::Stale) => {
                self.overtaken(booking, None, held).await?;
                Ok(Synced::Overtaken)
            }
            Err(error) => Err(error),
        }
    }

    async fn change_as_job(
        &self,
        booking: &Booking,
        change: BookingChange,
        held: Held,
    ) -> Result<Booking, StoreError> {
        let audit = self.audit_by(&format!("job:{}", held.job), &format!("job:{}", held.job));
        let done = Some((held.job, held.attempt));
        self.store().change_booking(booking.tenant, booking.id, booking.sequence, change, done, audit).await
    }

    /// The booking changed while the provider was asked: remember the twin, and go on from the new state at once.
    async fn overtaken(
        &self,
        booking: &Booking,
        external: Option<ExternalBooking>,
        held: Held,
    ) -> Result<(), StoreError> {
        if let Some(external) = external {
            let audit = self.audit_by(&format!("job:{}", held.job), &format!("job:{}", held.job));
            self.store().note_external_id(booking.tenant, booking.id, external, audit).await?;
        }
        let again = JobEnd::Retry { due_at: self.now(), error: "the booking changed in between".to_owned() };
        self.store().end_job(held.job, held.attempt, again).await?;
        self.ring();
        Ok(())
    }

    /// A time of this booking's event type, widened by its buffers.
    pub(crate) async fn blocked(&self, booking: &Booking, when: Interval) -> Result<Interval, StoreError> {
        let event_type = self.store().event_type(booking.tenant, booking.event_type).await?;
        Ok(when.widened(event_type.buffer_before_minutes, event_type.buffer_after_minutes))
    }
}

/// Is it told again? What is new waits for its provider before it is confirmed.
fn was_there(booking: &Booking) -> bool {
    booking.status == BookingStatus::Confirmed
}

/// Cancelled, and not because another one took its place.
pub(crate) fn was_called_off(twin: &ExternalBooking) -> bool {
    twin.status == ExternalStatus::Cancelled && twin.rescheduled_to.is_none()
}

fn wrong_state(why: &str) -> CallError {
    CallError::Provider(ProviderError::Conflict(ProviderConflict::WrongState(why.to_owned())))
}

/// The same for every try of this change of this booking.
fn idempotency_key(booking: &Booking, task: &str) -> String {
    match task {
        // Told again after the provider lost it: under the old key it would get back what was lost.
        "create" if booking.sequence > FIRST_CREATE_SEQUENCE_MAX => {
            format!("{}-create-{}", booking.id, booking.sequence)
        }
        "create" => format!("{}-create", booking.id),
        _ => format!("{}-{task}-{}", booking.id, booking.sequence),
    }
}
