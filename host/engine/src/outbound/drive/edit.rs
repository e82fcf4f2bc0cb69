//! Writing on the counterpart what is written on the booking, and giving it to whoever the booking is with; and what becomes of the booking when
//! the provider refuses to.

use berth_model::{
    bookings::{
        booking::{Booking, ProviderTask},
        change::BookingChange,
        location::{Location, LocationKind},
        occupancy::Occupancy,
    },
    outbound::provider::{
        CallContext, CallError, ExternalBooking, ExternalFieldProblem, MeetingPlace, ProviderError,
        ReassignRequest, UpdateRequest,
    },
    problem::Problem,
};
use berth_store::StoreError;

use super::{RemoteState, idempotency_key, reschedule::not_now};
use crate::{
    jobs::queue::JobLease,
    mirror::Standing,
    outbound::{Outbound, external::wrong_state, settle::DeliveryOutcome},
};

impl Outbound {
    pub(super) async fn drive_edit(
        &self,
        cx: &CallContext,
        booking: &Booking,
        task: ProviderTask,
    ) -> Result<RemoteState, CallError> {
        let counterpart = match self.external_bookings.standing(cx, booking).await? {
            Standing::Stands(counterpart) => *counterpart,
            // Called off there, which does not count: it is made of what is written here now.
            Standing::Gone(_) if self.keeps_ours(booking).await.map_err(not_now)? => {
                return self.make(cx, booking).await;
            }
            Standing::Gone(Some(counterpart)) => return Ok(RemoteState::CancelledThere(*counterpart)),
            Standing::Gone(None) => return Err(CallError::Provider(ProviderError::NotFound)),
        };
        if !counterpart.status.is_active() {
            return Err(wrong_state("it is over there"));
        }
        let cx = &self.contexts.next_call(cx);
        let edited = if task == ProviderTask::Update {
            self.providers.update_booking(cx, update_of(booking, &counterpart)).await
        } else {
            let Some(host) = self.host_there(booking).await.map_err(not_now)? else {
                return Ok(RemoteState::EditRefused(counterpart, unknown_host()));
            };
            let request = ReassignRequest {
                idempotency_key: idempotency_key(booking, "reassign"),
                id: counterpart.id.clone(),
                reference: booking.id.to_string(),
                host,
            };
            self.providers.reassign_booking(cx, request).await
        };
        match edited {
            Err(error) if error.is_definite() => Ok(RemoteState::EditRefused(counterpart, error)),
            edited => Ok(RemoteState::Counterpart(edited?)),
        }
    }

    /// Who the organiser is at the provider: the calendar of theirs that is connected over the booking's connection.
    pub(crate) async fn host_there(&self, booking: &Booking) -> Result<Option<String>, StoreError> {
        let Some(connection) = booking.connection else { return Ok(None) };
        let theirs = self.base.store().calendars_of(booking.tenant, vec![booking.member]).await?;
        let over = theirs.into_iter().filter(|calendar| calendar.connection == connection);
        Ok(over.map(|calendar| calendar.calendar).find(|id| !id.is_empty()))
    }

    /// The booking is again as both sides had it, and its timeline says why.
    pub(super) async fn refuse_edit(
        &self,
        booking: &Booking,
        counterpart: Option<ExternalBooking>,
        error: CallError,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        let reason = Problem::from(&error).detail;
        let padded = self.deliveries.padded(booking, booking.when).await?;
        let occupancy = Occupancy { padded, when: booking.when };
        let change = BookingChange::EditRefused { reason, occupancy, external: counterpart.clone() };
        Ok(match self.deliveries.settle_with(booking, change, counterpart, held).await? {
            DeliveryOutcome::Settled(settled) => {
                self.calendar_writer.booking_changed(&settled).await;
                // Whoever was to have it has the time back.
                self.cache.invalidate_of(booking);
                self.calendar_writer.booking_changed(booking).await;
                DeliveryOutcome::Refused(error)
            }
            other => other,
        })
    }
}

fn update_of(booking: &Booking, counterpart: &ExternalBooking) -> UpdateRequest {
    UpdateRequest {
        idempotency_key: idempotency_key(booking, "update"),
        id: counterpart.id.clone(),
        reference: booking.id.to_string(),
        changed: booking.undelivered.as_ref().map(|u| u.parts.clone()).unwrap_or_default(),
        attendee: booking.attendee.clone(),
        guests: booking.guests.clone(),
        answers: booking.answers.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        notes: booking.notes.clone(),
        location: booking.location.as_ref().map(place_of),
    }
}

/// A location as providers are told of it.
fn place_of(location: &Location) -> MeetingPlace {
    let named = || location.label.clone().unwrap_or_else(|| location.key.clone());
    match location.kind {
        LocationKind::InPerson => MeetingPlace::Address(location.address.clone().unwrap_or_else(named)),
        LocationKind::Phone => MeetingPlace::Phone(location.phone.clone()),
        LocationKind::Link => MeetingPlace::Link(location.url.clone().unwrap_or_default()),
        LocationKind::Provider => MeetingPlace::Conferencing,
    }
}

/// Their calendar there was disconnected meanwhile.
fn unknown_host() -> CallError {
    let message = "has no calendar over the booking's connection".to_owned();
    CallError::Provider(ProviderError::Invalid(vec![ExternalFieldProblem {
        field: "host".to_owned(),
        message,
    }]))
}
