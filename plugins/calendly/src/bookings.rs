//! Bookings. Calendly has no idempotency keys: the reference travels in the tracking fields and is looked for before a retry. It
//! cannot move a booking by API, and it cancels whole events only, so a cancel looks first whom it would hit.

use std::collections::BTreeSet;

use berth_sdk::{
    Bookings, Result,
    time::MINUTE,
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, Conflict, CreateRequest, Instant, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
};
use serde_json::Value;

use crate::{Calendly, api::EventFilter, map};

/// How far around its start a booking is looked for: whether the bounds belong to the answer is not written.
const AROUND: i64 = MINUTE;
/// Events of one customer at one time that are looked into, and moves that are followed: a call may make 20 requests.
const EVENTS_MAX: usize = 10;
const MOVES_MAX: usize = 3;
/// Longest reason that Calendly takes, in characters.
const REASON_CHARS_MAX: usize = 10_000;

impl Bookings for Calendly {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        let uri = map::event_type_uri(&request.event_type)?;
        let event_type = self.event_type(map::last_part(&uri))?;
        let body = map::create_body(&request, &uri, &event_type)?;
        let invitee = self.api.create_invitee(&body)?;
        let made = map::made_event(&request, &invitee, &event_type)?;
        // The booking is made. The event tells where to meet; if it cannot be read now, what was asked for is known.
        let event = self.api.event(&made.id).unwrap_or(made.event);
        map::booking(&event, &invitee)
    }

    fn get(&self, id: String) -> Result<Booking> {
        let (event, invitee) = self.read(&id)?;
        map::booking(&event, &invitee)
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        let owner = self.owner()?;
        let filter = EventFilter {
            invitee_email: lookup.attendee_email.as_deref(),
            after: Some(lookup.when.start.saturating_sub(AROUND)),
            before: Some(lookup.when.start.saturating_add(AROUND)),
            active_only: false,
        };
        // A minute of one customer's bookings is one page.
        let events = self.api.events(&owner, self.scope, &filter, None)?.items;
        if events.len() > EVENTS_MAX {
            let message = format!("there are more than {EVENTS_MAX} events at this time");
            return Err(ProviderError::vendor(200, "too-many-events", message));
        }
        let mut found: Vec<(Instant, Booking)> = Vec::new();
        for event in &events {
            let id = map::event_id(event)?;
            let invitees = self.api.invitees(id, lookup.attendee_email.as_deref(), None)?.items;
            for invitee in invitees.iter().filter(|i| map::reference(i).as_ref() == Some(&lookup.reference)) {
                let booking = map::booking(event, invitee)?;
                found.extend(self.successors(&booking)?);
                found.push((map::created_at(invitee), booking));
            }
        }
        // One that was moved away and back is in the list and a successor too.
        let mut seen = BTreeSet::new();
        found.retain(|(_, booking)| seen.insert(booking.id.clone()));
        found.sort_by_key(|(made, _)| std::cmp::Reverse(*made));
        Ok(found.into_iter().map(|(_, booking)| booking).collect())
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let (event, invitee) = self.read(&request.id)?;
        let booking = map::booking(&event, &invitee)?;
        if booking.status == BookingStatus::Cancelled {
            return Ok(booking);
        }
        if map::others_take_part(&event) {
            // Cancelling the event would cancel everybody. The customer can leave by a page.
            return Err(ProviderError::Unsupported(map::page(&invitee, "cancel_url")));
        }
        let reason = request.reason.map(|r| r.chars().take(REASON_CHARS_MAX).collect::<String>());
        match self.api.cancel_event(map::event_id(&event)?, reason.as_deref()) {
            Ok(()) => {
                let status = BookingStatus::Cancelled;
                Ok(Booking { status, cancellation_reason: reason, updated_at: None, ..booking })
            }
            Err(refused) if is_definite(&refused) => self.cancelled_already(&booking, refused),
            Err(other) => Err(other),
        }
    }

    /// Only a person can move a booking, on a page of Calendly's.
    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        let (_, invitee) = self.read(&request.id)?;
        Err(ProviderError::Unsupported(map::page(&invitee, "reschedule_url")))
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        self.changes(cursor.as_deref(), limit)
    }
}

impl Calendly {
    /// A booking's event and invitee. An id without the invitee is an event's; it stands for its first invitee.
    fn read(&self, id: &str) -> Result<(Value, Value)> {
        let (event, invitee) = map::split_id(id);
        let invitee = if let Some(invitee) = invitee {
            self.api.invitee(event, invitee)?
        } else {
            let all = self.api.invitees(event, None, None)?.items;
            all.into_iter().next().ok_or(ProviderError::NotFound)?
        };
        Ok((self.api.event(event)?, invitee))
    }

    /// The bookings that replaced this one, with when they were made.
    fn successors(&self, booking: &Booking) -> Result<Vec<(Instant, Booking)>> {
        let mut found = Vec::new();
        let mut next = booking.rescheduled_to.clone();
        while let Some(id) = next.take() {
            if found.len() == MOVES_MAX {
                let message = format!("the booking was moved more than {MOVES_MAX} times");
                return Err(ProviderError::vendor(200, "too-many-moves", message));
            }
            let (event, invitee) = self.read(&id)?;
            let successor = map::booking(&event, &invitee)?;
            next.clone_from(&successor.rescheduled_to);
            found.push((map::created_at(&invitee), successor));
        }
        Ok(found)
    }

    /// A cancel was refused. If the event is cancelled, by an earlier try or somebody else, all is well; if it is over, its state
    /// does not allow it; else the refusal stands.
    fn cancelled_already(&self, booking: &Booking, refused: ProviderError) -> Result<Booking> {
        let now = self.get(booking.id.clone())?;
        if now.status == BookingStatus::Cancelled {
            return Ok(now);
        }
        if now.when.end <= self.api.now() {
            return Err(ProviderError::wrong_state("The meeting is over."));
        }
        Err(match refused {
            ProviderError::Invalid(problems) => {
                let messages: Vec<String> = problems.into_iter().map(|p| p.message).collect();
                ProviderError::wrong_state(messages.join("; "))
            }
            other => other,
        })
    }
}

/// A refusal that says something about the event, not about the connection.
const fn is_definite(error: &ProviderError) -> bool {
    use ProviderError::{Conflict as Refused, Forbidden, Invalid, NotFound};
    matches!(error, Forbidden(_) | Invalid(_) | NotFound | Refused(Conflict::WrongState(_)))
}
