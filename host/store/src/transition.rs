//! What each change makes of a booking and of the places it holds. Pure: the queries write down what this decides.

use berth_model::{
    bookings::booking::{Booking, BookingStatus, ProviderTask},
    outbound::provider::{ExternalBooking, ExternalStatus},
    time::{Instant, Interval},
};
use serde_json::{Value, json};

use crate::{
    StoreError,
    records::{BookingChange, Hosts},
};

/// A place that a booking holds: what is blocked, and the meeting inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) blocked: Interval,
    pub(crate) when: Interval,
}

impl Place {
    /// A time that is none here, since the provider has it beyond the years that are known, can be had as little as one that is taken.
    fn takes_time(self) -> Result<(), StoreError> {
        if self.when.is_empty() { Err(StoreError::Overlap) } else { Ok(()) }
    }
}

/// What becomes of the places that a booking holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// They stay.
    Keep,
    /// All are free again.
    Release,
    /// Only this one is held from now on.
    Only(Place),
    /// This one is held as well (as one, if it touches the old one).
    Also(Place),
}

/// The outcome of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) booking: Booking,
    pub(crate) places: Places,
    /// For the audit log.
    pub(crate) action: &'static str,
    /// See `action`.
    pub(crate) data: Value,
}

/// Apply a change. `WrongState` if the booking's state does not allow it.
pub(crate) fn apply(old: &Booking, change: &BookingChange, at: Instant) -> Result<Step, StoreError> {
    let mut booking = old.clone();
    let (places, action) = match change {
        BookingChange::Cancel { reason, job } => {
            become_status(&mut booking, BookingStatus::Cancelled)?;
            booking.reason.clone_from(reason);
            booking.provider_task = job.is_some().then_some(ProviderTask::Cancel);
            booking.previous_when = None;
            (if job.is_some() { Places::Keep } else { Places::Release }, "booking.cancelled")
        }
        BookingChange::Reschedule { when, blocked, job, hosts, .. } => {
            let place = Place { blocked: *blocked, when: *when };
            (rescheduled(&mut booking, place, hosts.as_ref(), job.is_some())?, "booking.rescheduled")
        }
        BookingChange::Synced { external, blocked } => synced(&mut booking, external, *blocked)?,
        BookingChange::Refused { reason } => refused(&mut booking, reason)?,
        BookingChange::RescheduleRefused { reason, when, external, blocked } => {
            require(booking.status.is_active() && booking.provider_task == Some(ProviderTask::Reschedule))?;
            booking.when = *when;
            booking.reason = Some(reason.clone());
            give_back(&mut booking);
            settle(&mut booking);
            if let Some(external) = external {
                adopt(&mut booking, external);
            }
            (Places::Only(Place { blocked: *blocked, when: booking.when }), "booking.reschedule_refused")
        }
        BookingChange::CancelSynced { external } => {
            require(booking.provider_task == Some(ProviderTask::Cancel))?;
            settle(&mut booking);
            if let Some(external) = external {
                adopt(&mut booking, external);
            }
            (Places::Release, "booking.cancel_synced")
        }
        BookingChange::CancelRefused { reason, external, blocked } => {
            require(booking.provider_task == Some(ProviderTask::Cancel))?;
            (cancel_refused(&mut booking, reason, external.as_ref(), *blocked), "booking.cancel_refused")
        }
        BookingChange::CancelledByProvider { external } => {
            // Cancelled on both sides at once: nothing is left to tell.
            if booking.provider_task != Some(ProviderTask::Cancel) {
                become_status(&mut booking, BookingStatus::Cancelled)?;
                booking.reason.clone_from(&external.cancellation_reason);
            }
            settle(&mut booking);
            adopt(&mut booking, external);
            (Places::Release, "booking.cancelled_by_provider")
        }
        BookingChange::ChangedByProvider { external, blocked } => {
            (changed_by_provider(&mut booking, external, *blocked)?, "booking.changed_by_provider")
        }
        BookingChange::Confirm { job } => (Places::Keep, confirm(&mut booking, job.is_some())?),
        BookingChange::Retell { task, .. } => {
            require(booking.status == BookingStatus::Confirmed && booking.provider_task.is_none())?;
            booking.provider_task = Some(*task);
            if *task == ProviderTask::Reschedule {
                // A refusal leaves it where it is.
                booking.previous_when = Some(booking.when);
            }
            (Places::Keep, "booking.told_again")
        }
        BookingChange::SettledHere { blocked } => {
            (settled_here(&mut booking, *blocked)?, "booking.provider_not_told")
        }
        BookingChange::Decline { reason } => {
            require(booking.awaits_confirmation())?;
            become_status(&mut booking, BookingStatus::Cancelled)?;
            booking.reason.clone_from(reason);
            (Places::Release, "booking.declined")
        }
        BookingChange::Finished { status } => {
            let noted = matches!(status, BookingStatus::Completed | BookingStatus::NoShow);
            require(noted && booking.provider_task.is_none())?;
            become_status(&mut booking, *status)?;
            let no_show = *status == BookingStatus::NoShow;
            // Its place stays: limits count what took place.
            (Places::Keep, if no_show { "booking.no_show" } else { "booking.completed" })
        }
    };
    if let Places::Only(place) | Places::Also(place) = places {
        place.takes_time()?;
    }
    Ok(step(old, booking, places, action, at))
}

fn step(old: &Booking, mut booking: Booking, places: Places, action: &'static str, at: Instant) -> Step {
    booking.sequence += 1;
    booking.updated_at = at;
    let data = summary(old, &booking);
    Step { booking, places, action, data }
}

/// At another time, and maybe with others; its provider, if it has one, is still to be told.
fn rescheduled(
    booking: &mut Booking,
    place: Place,
    hosts: Option<&Hosts>,
    told_later: bool,
) -> Result<Places, StoreError> {
    require(booking.status == BookingStatus::Confirmed && booking.provider_task.is_none())?;
    if let Some(hosts) = hosts {
        give_to(booking, hosts);
    }
    let old_when = std::mem::replace(&mut booking.when, place.when);
    if !told_later {
        settle(booking);
        return Ok(Places::Only(place));
    }
    booking.previous_when = Some(old_when);
    booking.provider_task = Some(ProviderTask::Reschedule);
    Ok(Places::Also(place))
}

/// Both sides have it now.
fn synced(
    booking: &mut Booking,
    external: &ExternalBooking,
    blocked: Interval,
) -> Result<(Places, &'static str), StoreError> {
    let action = match booking.provider_task {
        Some(ProviderTask::Create) => "booking.confirmed",
        Some(ProviderTask::Reschedule) => "booking.reschedule_confirmed",
        _ => return Err(StoreError::WrongState),
    };
    require(booking.status.is_active())?;
    // A provider that wants a person's confirmation first answers `pending`; the booking waits with it.
    if external.status != ExternalStatus::Pending {
        booking.status = BookingStatus::Confirmed;
    }
    settle(booking);
    adopt(booking, external);
    Ok((Places::Only(Place { blocked, when: booking.when }), action))
}

/// The provider will not make it. One that is told again stands: that nothing is there is for a person.
fn refused(booking: &mut Booking, reason: &str) -> Result<(Places, &'static str), StoreError> {
    let (places, action) = if booking.status == BookingStatus::Confirmed {
        (Places::Keep, "booking.told_again_refused")
    } else {
        become_status(booking, BookingStatus::Failed)?;
        (Places::Release, "booking.refused")
    };
    booking.reason = Some(reason.to_owned());
    settle(booking);
    Ok((places, action))
}

/// The tenant agrees: both sides have it, or the provider is to be told.
fn confirm(booking: &mut Booking, is_told: bool) -> Result<&'static str, StoreError> {
    require(booking.awaits_confirmation())?;
    if is_told {
        booking.provider_task = Some(ProviderTask::Create);
        return Ok("booking.accepted");
    }
    become_status(booking, BookingStatus::Confirmed)?;
    Ok("booking.confirmed")
}

/// What was asked here is so, whatever the provider has: nobody can tell it.
fn settled_here(booking: &mut Booking, blocked: Interval) -> Result<Places, StoreError> {
    let task = booking.provider_task.ok_or(StoreError::WrongState)?;
    settle(booking);
    if task == ProviderTask::Cancel {
        return Ok(Places::Release);
    }
    require(booking.status.is_active())?;
    booking.status = BookingStatus::Confirmed;
    Ok(Places::Only(Place { blocked, when: booking.when }))
}

/// The one way back from `cancelled`: the attendee was never told that it is over, since the provider did not agree.
fn cancel_refused(
    booking: &mut Booking,
    reason: &str,
    external: Option<&ExternalBooking>,
    blocked: Interval,
) -> Places {
    settle(booking);
    booking.reason = Some(reason.to_owned());
    if let Some(external) = external {
        adopt(booking, external);
        booking.when = external.when;
    }
    if booking.external_id.is_none() {
        return Places::Release;
    }
    let waits = external.is_some_and(|twin| twin.status == ExternalStatus::Pending);
    booking.status = if waits { BookingStatus::Pending } else { BookingStatus::Confirmed };
    Places::Only(Place { blocked, when: booking.when })
}

/// The provider's news wins, except over a move that the provider has not been told of yet.
fn changed_by_provider(
    booking: &mut Booking,
    external: &ExternalBooking,
    blocked: Interval,
) -> Result<Places, StoreError> {
    require(booking.status.is_active() && external.status != ExternalStatus::Cancelled)?;
    let untold = booking.provider_task == Some(ProviderTask::Reschedule)
        && booking.previous_when == Some(external.when)
        && external.status.is_active();
    adopt(booking, external);
    if untold {
        return Ok(Places::Keep);
    }
    // What is over stays where it was, if the provider has it at no time that is known here.
    let when =
        if external.when.is_empty() && !external.status.is_active() { booking.when } else { external.when };
    let stays = booking.when == when && booking.previous_when.is_none();
    settle(booking);
    booking.when = when;
    booking.status = match external.status {
        ExternalStatus::Completed => BookingStatus::Completed,
        ExternalStatus::NoShow => BookingStatus::NoShow,
        ExternalStatus::Confirmed => BookingStatus::Confirmed,
        ExternalStatus::Pending | ExternalStatus::Cancelled => booking.status,
    };
    let place = Place { blocked, when };
    Ok(match (booking.status.is_active(), stays) {
        (true, _) => Places::Only(place),
        (false, true) => Places::Keep,
        (false, false) => Places::Release,
    })
}

fn require(condition: bool) -> Result<(), StoreError> {
    if condition { Ok(()) } else { Err(StoreError::WrongState) }
}

fn become_status(booking: &mut Booking, next: BookingStatus) -> Result<(), StoreError> {
    require(booking.status.may_become(next))?;
    booking.status = next;
    Ok(())
}

/// Member of an assignment: who took part before a move that the provider has not agreed to yet.
const BEFORE: &str = "before";

/// Others take part. Who did before is kept for as long as the provider may refuse the move.
fn give_to(booking: &mut Booking, hosts: &Hosts) {
    let before = Hosts {
        member: booking.member,
        other_members: std::mem::take(&mut booking.other_members),
        assignment: booking.assignment.take(),
    };
    booking.member = hosts.member;
    booking.other_members.clone_from(&hosts.other_members);
    let mut assignment = hosts.assignment.clone().unwrap_or_else(|| json!({}));
    if let Some(fields) = assignment.as_object_mut() {
        fields.insert(BEFORE.to_owned(), json!(before));
    }
    booking.assignment = Some(assignment);
}

/// The move was refused: whoever took part before does so again.
fn give_back(booking: &mut Booking) {
    let before = booking.assignment.as_mut().and_then(Value::as_object_mut).and_then(|a| a.remove(BEFORE));
    if let Some(before) = before.and_then(|before| serde_json::from_value::<Hosts>(before).ok()) {
        booking.member = before.member;
        booking.other_members = before.other_members;
        booking.assignment = before.assignment;
    }
}

/// Nothing is left to be told to the provider.
fn settle(booking: &mut Booking) {
    booking.provider_task = None;
    booking.previous_when = None;
    if let Some(assignment) = booking.assignment.as_mut().and_then(Value::as_object_mut) {
        assignment.remove(BEFORE);
    }
}

/// Remember the twin and the latest time of its news.
pub(crate) fn adopt(booking: &mut Booking, external: &ExternalBooking) {
    booking.external_id = Some(external.id.clone());
    booking.external = serde_json::to_value(external).ok();
    booking.external_updated_at = external.updated_at.max(booking.external_updated_at);
}

/// What changed, for the audit log: no personal data.
fn summary(old: &Booking, new: &Booking) -> Value {
    let mut data = json!({ "status": new.status.as_str(), "sequence": new.sequence });
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = data.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    if old.status != new.status {
        put("from", old.status.as_str().into());
    }
    if old.when != new.when {
        put("when", json!(new.when));
        put("previous", json!(old.when));
    }
    if !old.members().eq(new.members()) {
        put("member", json!(new.member));
        put("other_members", json!(new.other_members));
        put("previous_member", json!(old.member));
        put("assignment", json!(new.assignment));
    }
    if let Some(task) = new.provider_task {
        put("provider_task", task.as_str().into());
    }
    if old.external_id != new.external_id {
        put("external_id", json!(new.external_id));
    }
    if old.reason != new.reason {
        put("reason", json!(new.reason));
    }
    data
}
