//! Driving a booking's counterpart at the provider to where the booking says it should be.
//!
//! A booking with a `provider_task` has exactly one open job, and this is what the job does, first inside the request that made
//! it and, if need be, later and elsewhere. It reads the booking, asks the provider, and settles in one transaction. Nothing is
//! needed to go on after a crash but the store; nothing is created twice, because every try after the first looks the counterpart up.

mod cancel;
mod create;
mod edit;
mod elsewhere;
mod reschedule;

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        change::BookingChange,
        occupancy::Occupancy,
    },
    connections::connection::{ConnectionState, ConnectionStatus, Stopped},
    id::{BookingId, TenantId},
    outbound::provider::{CallContext, CallError, ExternalBooking, ExternalStatus, ProviderError},
    problem::Problem,
};
use berth_store::StoreError;

use crate::{
    jobs::queue::JobLease,
    outbound::{Outbound, external::wrong_state, settle::DeliveryOutcome},
};

/// The highest sequence that a booking has when it is first told to the provider: after its confirmation by the tenant.
const FIRST_CREATE_SEQUENCE_MAX: i64 = 1;

enum RemoteState {
    /// The counterpart is as it should be.
    Counterpart(ExternalBooking),
    /// There is no active counterpart, as it should be.
    NoCounterpart(Option<ExternalBooking>),
    /// The counterpart that was to be moved was cancelled at the provider in between.
    CancelledThere(ExternalBooking),
    /// The provider will not cancel this counterpart.
    CancelRefused(ExternalBooking, CallError),
    /// The provider will not move this counterpart, which stands as it is.
    MoveRefused(ExternalBooking, CallError),
    /// The provider will not write this on its counterpart, or give it to others; it stands as it is.
    EditRefused(ExternalBooking, CallError),
}

impl Outbound {
    /// One try. `Err` only for faults of our own (the store): the lease runs out and somebody tries again.
    pub(crate) async fn sync_booking(
        &self,
        tenant: TenantId,
        id: BookingId,
        held: JobLease,
        request_id: &str,
    ) -> Result<DeliveryOutcome, StoreError> {
        let booking = self.base.store().booking(tenant, id).await?;
        let (Some(task), Some(connection)) = (booking.provider_task, booking.connection) else {
            self.queue.done(held).await?;
            return Ok(DeliveryOutcome::Settled(Box::new(booking)));
        };
        let connection = self.base.store().connection(tenant, connection).await?;
        if connection.state == ConnectionState::Disconnected {
            let change = self.deliveries.settled_here(&booking).await?;
            return self.deliveries.settle_with(&booking, change, None, held).await;
        }
        let context = self.contexts.call_context(&connection, Some(booking.listing), request_id).await;
        let result = match &context {
            Ok(context) => self.drive(context, &booking, task, held.attempt).await,
            // A plugin that was disabled may be enabled again: not definite.
            Err(_) => Err(CallError::NotActive(connection.plugin.clone())),
        };
        let result = match (result, &context) {
            (Err(CallError::Provider(ProviderError::Unauthorised)), Ok(refused)) => {
                match self.contexts.call_context(&connection, Some(booking.listing), request_id).await {
                    // Rotated since this try began: what was refused was the one before.
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
            && let Err(error) = self
                .base
                .store()
                .set_connection_health(tenant, connection.id, status, None, self.base.now())
                .await
        {
            // What the provider answered matters more than this note of it.
            tracing::warn!(%error, connection = %connection.id, "the connection's health was not written");
        }
        self.cache.invalidate(connection.id);
        match result {
            Ok(state) => {
                let settled = self.settle(&booking, task, state, held).await;
                if connection.status == ConnectionStatus::Unauthorised {
                    self.recovery.connection(tenant, connection.id).await;
                }
                settled
            }
            Err(error) if error.is_definite() => self.refuse(&booking, task, error, held).await,
            // Disconnected in this moment: the next try finds it so.
            Err(CallError::Stopped(Stopped::Disconnected)) => {
                self.deliveries.superseded(&booking, None, held).await?;
                Ok(DeliveryOutcome::Superseded)
            }
            Err(CallError::Stopped(stopped)) => {
                self.queue.note_waiting(&booking, task, held, stopped, request_id).await?;
                self.queue.park(held, connection.id, stopped).await?;
                Ok(DeliveryOutcome::Deferred)
            }
            Err(error) => {
                tracing::info!(booking = %id, attempt = held.attempt, outcome = error.outcome(), "the change was not delivered to the provider yet");
                let next = self.queue.next_try(held, &connection, &error).await?;
                self.queue.note_try(&booking, task, held, &error, next, request_id).await?;
                self.queue.end_try(held, &connection, &error, next).await?;
                Ok(DeliveryOutcome::Deferred)
            }
        }
    }

    async fn drive(
        &self,
        cx: &CallContext,
        booking: &Booking,
        task: ProviderTask,
        attempt: i64,
    ) -> Result<RemoteState, CallError> {
        match task {
            ProviderTask::Create => self.drive_create(cx, booking, attempt).await,
            ProviderTask::Cancel => self.drive_cancel(cx, booking).await,
            ProviderTask::Reschedule => self.drive_reschedule(cx, booking).await,
            ProviderTask::Update | ProviderTask::Reassign => self.drive_edit(cx, booking, task).await,
        }
    }

    async fn drive_create(
        &self,
        cx: &CallContext,
        booking: &Booking,
        attempt: i64,
    ) -> Result<RemoteState, CallError> {
        if attempt > 1 {
            // An earlier try may have reached the provider: look before making another.
            let found = match self.deliveries.counterparts(cx, booking).await {
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
            let (mut counterparts, over): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|t| t.status.is_active());
            if let Some(first) = counterparts.pop() {
                for double in counterparts {
                    self.cancel_counterpart(cx, booking, &double.id).await?;
                }
                return self.keep_or_move(cx, booking, first).await;
            }
            // Made, and called off there before we heard of it: another one would bring it back. One that is told again was called off before.
            if let Some(gone) = over.into_iter().find(was_called_off).filter(|_| !was_there(booking)) {
                return Ok(RemoteState::CancelledThere(gone));
            }
        }
        self.make(cx, booking).await
    }

    async fn settle(
        &self,
        booking: &Booking,
        task: ProviderTask,
        state: RemoteState,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        let (change, external) = match (task, state) {
            (ProviderTask::Cancel, RemoteState::NoCounterpart(external)) => {
                (BookingChange::CancelDelivered { external: external.clone() }, external)
            }
            (_, RemoteState::CancelledThere(external)) => {
                let change = BookingChange::CancelledByProvider { external: external.clone() };
                let settled = self.deliveries.settle_with(booking, change, Some(external), held).await?;
                let refused = wrong_state("it was cancelled there");
                return Ok(if matches!(settled, DeliveryOutcome::Settled(_)) {
                    DeliveryOutcome::Refused(refused)
                } else {
                    settled
                });
            }
            (_, RemoteState::CancelRefused(counterpart, error)) => {
                return self.refuse_cancel(booking, Some(counterpart), error, held).await;
            }
            (_, RemoteState::MoveRefused(counterpart, error)) => {
                return self.refuse_move(booking, counterpart, error, held).await;
            }
            (_, RemoteState::EditRefused(counterpart, error)) => {
                return self.refuse_edit(booking, Some(counterpart), error, held).await;
            }
            (_, RemoteState::Counterpart(external)) if external.when.start() == booking.when.start() => {
                (self.deliveries.delivered(booking, &external).await?, Some(external))
            }
            (_, RemoteState::Counterpart(external)) => {
                return self.settle_elsewhere(booking, external, held).await;
            }
            (_, RemoteState::NoCounterpart(_)) => return Ok(DeliveryOutcome::Superseded),
        };
        self.deliveries.settle_with(booking, change, external, held).await
    }

    async fn refuse(
        &self,
        booking: &Booking,
        task: ProviderTask,
        error: CallError,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        match task {
            ProviderTask::Cancel => return self.refuse_cancel(booking, None, error, held).await,
            ProviderTask::Update | ProviderTask::Reassign => {
                return self.refuse_edit(booking, None, error, held).await;
            }
            ProviderTask::Create | ProviderTask::Reschedule => {}
        }
        let reason = Problem::from(&error).detail;
        let change = match (task, booking.previous_when) {
            (ProviderTask::Reschedule, Some(previous)) => {
                let padded = self.deliveries.padded(booking, previous).await?;
                BookingChange::RescheduleRefused {
                    reason,
                    occupancy: Occupancy { padded, when: previous },
                    external: None,
                }
            }
            _ => BookingChange::Refused { reason },
        };
        // First: whoever dies in between leaves a conflict too many, which ends when both agree, and none too few.
        if task == ProviderTask::Create && was_there(booking) {
            self.refused_again(booking, None).await?;
        }
        match self.deliveries.change_as_job(booking, change, held).await {
            Ok(_) => Ok(DeliveryOutcome::Refused(error)),
            Err(StoreError::Stale) => {
                self.deliveries.superseded(booking, None, held).await?;
                Ok(DeliveryOutcome::Superseded)
            }
            Err(error) => Err(error),
        }
    }
}

/// Is it told again? What is new waits for its provider before it is confirmed.
fn was_there(booking: &Booking) -> bool {
    booking.status == BookingStatus::Confirmed
}

/// Cancelled, and not because another one took its place.
pub(crate) fn was_called_off(counterpart: &ExternalBooking) -> bool {
    counterpart.status == ExternalStatus::Cancelled && counterpart.rescheduled_to.is_none()
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
