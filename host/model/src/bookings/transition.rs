//! The state machine of a booking: what each change makes of it and of the places it holds. Pure; whoever stores bookings writes down what
//! this decides, and nothing else changes a booking's state.

mod edits;

use serde_json::{Value, json};

use super::{
    booking::{Booking, BookingStatus, ProviderTask},
    change::{BookingChange, Hosts},
    edit::{Contents, SeatsTaken},
    occupancy::{Occupancy, OccupancyChange},
    role::Role,
};
use crate::{
    outbound::provider::{ExternalBooking, ExternalStatus},
    time::{Instant, Interval},
};

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The booking's state does not allow it, or whoever asks may not.
    WrongState,
    /// There is no time to take: the provider has it beyond the years that are known here. It can be had as little as one that is taken.
    NoTime,
}

/// What a change comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// As it is from now on.
    pub booking: Booking,
    /// What it holds from now on.
    pub occupancies: OccupancyChange,
    /// Has its provider to be told? Then a job does it, which goes with the change into one transaction.
    pub is_dispatched: bool,
    /// In whose name.
    pub by: Role,
    /// For the audit log.
    pub action: &'static str,
    /// See `action`.
    pub data: Value,
}

type Made = (OccupancyChange, &'static str);

/// Apply a change that this role brings about.
pub fn apply(old: &Booking, change: &BookingChange, asks: Role, at: Instant) -> Result<Transition, Refusal> {
    let by = change.by(asks).ok_or(Refusal::WrongState)?;
    // Nobody has news of what no provider knows.
    require(old.connection.is_some() || !change.is_news())?;
    let mut booking = old.clone();
    let b = &mut booking;
    let (occupancies, action) = match change {
        BookingChange::Cancel { reason } => cancel(b, reason.as_ref(), by)?,
        BookingChange::Reschedule { occupancy, hosts } => {
            (reschedule(b, *occupancy, hosts.as_ref())?, "booking.rescheduled")
        }
        BookingChange::Edit(edit) => (edits::change_contents(b, edit, at)?, "booking.edited"),
        BookingChange::Reassign { occupancy, hosts, local_only } => {
            (edits::reassign(b, *occupancy, hosts, *local_only, at)?, "booking.reassigned")
        }
        BookingChange::Confirm => confirm(b, by)?,
        BookingChange::Decline { reason } => {
            require(b.awaits_confirmation())?;
            become_status(b, BookingStatus::Cancelled, by)?;
            b.reason.clone_from(reason);
            (OccupancyChange::Release, "booking.declined")
        }
        BookingChange::Complete => (finish(b, BookingStatus::Completed, by)?, "booking.completed"),
        BookingChange::NoShow => (finish(b, BookingStatus::NoShow, by)?, "booking.no_show"),
        BookingChange::Redeliver(task) => (redeliver(b, *task)?, "booking.told_again"),
        BookingChange::Delivered { external, padded } => delivered(b, external, *padded, by)?,
        BookingChange::Refused { reason } => refused(b, reason, by)?,
        BookingChange::RescheduleRefused { reason, occupancy, external } => {
            require(b.status.is_active() && b.provider_task == Some(ProviderTask::Reschedule))?;
            b.when = occupancy.when;
            b.reason = Some(reason.clone());
            give_back(b);
            settle(b);
            adopt_if_seen(b, external.as_ref());
            (OccupancyChange::Only(*occupancy), "booking.reschedule_refused")
        }
        BookingChange::EditRefused { reason, occupancy, external } => {
            edits::refused(b, reason, *occupancy, external.as_ref())?
        }
        BookingChange::CancelDelivered { external } => {
            require(b.provider_task == Some(ProviderTask::Cancel))?;
            settle(b);
            adopt_if_seen(b, external.as_ref());
            (OccupancyChange::Release, "booking.cancel_synced")
        }
        BookingChange::CancelRefused { reason, external, padded } => {
            require(b.provider_task == Some(ProviderTask::Cancel))?;
            (cancel_refused(b, reason, external.as_ref(), *padded, by)?, "booking.cancel_refused")
        }
        BookingChange::CancelledByProvider { external } => {
            // Cancelled on both sides at once: nothing is left to tell.
            if b.provider_task != Some(ProviderTask::Cancel) {
                become_status(b, BookingStatus::Cancelled, by)?;
                b.reason.clone_from(&external.cancellation_reason);
            }
            settle(b);
            adopt(b, external);
            (OccupancyChange::Release, "booking.cancelled_by_provider")
        }
        BookingChange::ChangedByProvider { external, padded } => {
            (changed_by_provider(b, external, *padded, by)?, "booking.changed_by_provider")
        }
        BookingChange::SettledHere { padded } => (settled_here(b, *padded, by)?, "booking.provider_not_told"),
    };
    if let OccupancyChange::Only(occupancy) | OccupancyChange::Also(occupancy) = occupancies {
        require_time(occupancy)?;
    }
    Ok(transition(old, booking, occupancies, by, action, at))
}

fn transition(
    old: &Booking,
    mut booking: Booking,
    occupancies: OccupancyChange,
    by: Role,
    action: &'static str,
    at: Instant,
) -> Transition {
    booking.sequence = old.sequence.saturating_add(1);
    booking.updated_at = at;
    let start = booking.when.start();
    if start != old.when.start() {
        // Whoever is told of the new time is told what clocks show then.
        booking.clocks = old.clocks.as_ref().map(|clocks| clocks.showing(start));
    }
    // A move counts when both sides agree, and not while it is asked for.
    let agreed = old.previous_when.unwrap_or(old.when);
    let stands = !matches!(booking.status, BookingStatus::Cancelled | BookingStatus::Failed);
    if stands && booking.previous_when.is_none() && booking.when != agreed {
        booking.rescheduled_at = Some(at);
    }
    let is_dispatched = by != Role::Provider && booking.provider_task.is_some();
    let data = summary(old, &booking);
    Transition { booking, occupancies, is_dispatched, by, action, data }
}

/// The one door to another state.
fn become_status(booking: &mut Booking, next: BookingStatus, by: Role) -> Result<(), Refusal> {
    require(booking.status.may_become(next, by))?;
    booking.status = next;
    Ok(())
}

/// The same where it may be there already.
fn stay_or_become(booking: &mut Booking, next: BookingStatus, by: Role) -> Result<(), Refusal> {
    if booking.status == next { Ok(()) } else { become_status(booking, next, by) }
}

const fn require(condition: bool) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(Refusal::WrongState) }
}

fn require_time(occupancy: Occupancy) -> Result<(), Refusal> {
    if occupancy.when.is_empty() { Err(Refusal::NoTime) } else { Ok(()) }
}

/// What waits for the tenant is not known to its provider: nobody has to be told.
fn cancel(booking: &mut Booking, reason: Option<&String>, by: Role) -> Result<Made, Refusal> {
    let is_dispatched = booking.connection.is_some() && !booking.awaits_confirmation();
    become_status(booking, BookingStatus::Cancelled, by)?;
    booking.reason = reason.cloned();
    edits::differs_there(booking);
    booking.provider_task = is_dispatched.then_some(ProviderTask::Cancel);
    booking.previous_when = None;
    Ok((if is_dispatched { OccupancyChange::Keep } else { OccupancyChange::Release }, "booking.cancelled"))
}

/// At another time, and maybe with others; its provider, if it has one, is still to be told.
fn reschedule(
    booking: &mut Booking,
    occupancy: Occupancy,
    hosts: Option<&Hosts>,
) -> Result<OccupancyChange, Refusal> {
    require(booking.status == BookingStatus::Confirmed && booking.provider_task.is_none())?;
    if let Some(hosts) = hosts {
        give_to(booking, hosts);
    }
    let old_when = std::mem::replace(&mut booking.when, occupancy.when);
    if booking.connection.is_none() {
        settle(booking);
        return Ok(OccupancyChange::Only(occupancy));
    }
    booking.previous_when = Some(old_when);
    booking.provider_task = Some(ProviderTask::Reschedule);
    Ok(OccupancyChange::Also(occupancy))
}

/// The tenant agrees: it stands, or the provider is to be told.
fn confirm(booking: &mut Booking, by: Role) -> Result<Made, Refusal> {
    require(booking.awaits_confirmation())?;
    if booking.connection.is_some() {
        booking.provider_task = Some(ProviderTask::Create);
        return Ok((OccupancyChange::Keep, "booking.accepted"));
    }
    become_status(booking, BookingStatus::Confirmed, by)?;
    Ok((OccupancyChange::Keep, "booking.confirmed"))
}

/// Its place stays: limits count what took place.
fn finish(booking: &mut Booking, status: BookingStatus, by: Role) -> Result<OccupancyChange, Refusal> {
    require(booking.provider_task.is_none())?;
    become_status(booking, status, by)?;
    Ok(OccupancyChange::Keep)
}

fn redeliver(booking: &mut Booking, task: ProviderTask) -> Result<OccupancyChange, Refusal> {
    require(booking.status == BookingStatus::Confirmed && booking.provider_task.is_none())?;
    require(booking.connection.is_some())?;
    require(matches!(task, ProviderTask::Create | ProviderTask::Reschedule))?;
    booking.provider_task = Some(task);
    if task == ProviderTask::Reschedule {
        // A refusal leaves it where it is.
        booking.previous_when = Some(booking.when);
    }
    Ok(OccupancyChange::Keep)
}

/// Both sides have it now.
fn delivered(
    booking: &mut Booking,
    external: &ExternalBooking,
    padded: Interval,
    by: Role,
) -> Result<Made, Refusal> {
    let action = match booking.provider_task {
        Some(ProviderTask::Create) => {
            // The counterpart was made of what is written here.
            booking.local_changes.clear();
            "booking.confirmed"
        }
        Some(ProviderTask::Reschedule) => "booking.reschedule_confirmed",
        Some(ProviderTask::Update) => "booking.update_delivered",
        Some(ProviderTask::Reassign) => "booking.reassign_delivered",
        _ => return Err(Refusal::WrongState),
    };
    require(booking.status.is_active())?;
    // A provider that wants a person's confirmation first answers `pending`; the booking waits with it.
    if external.status != ExternalStatus::Pending {
        stay_or_become(booking, BookingStatus::Confirmed, by)?;
    }
    edits::agrees_there(booking);
    settle(booking);
    adopt(booking, external);
    Ok((OccupancyChange::Only(Occupancy { padded, when: booking.when }), action))
}

/// The provider will not make it. One that is delivered once more stands: that nothing is there is for a person.
fn refused(booking: &mut Booking, reason: &str, by: Role) -> Result<Made, Refusal> {
    require(matches!(booking.provider_task, Some(ProviderTask::Create | ProviderTask::Reschedule)))?;
    let made = if booking.status == BookingStatus::Confirmed {
        (OccupancyChange::Keep, "booking.told_again_refused")
    } else {
        become_status(booking, BookingStatus::Failed, by)?;
        (OccupancyChange::Release, "booking.refused")
    };
    booking.reason = Some(reason.to_owned());
    settle(booking);
    Ok(made)
}

/// What was asked here is so, whatever the provider has: nobody can tell it.
fn settled_here(booking: &mut Booking, padded: Interval, by: Role) -> Result<OccupancyChange, Refusal> {
    let task = booking.provider_task.ok_or(Refusal::WrongState)?;
    edits::differs_there(booking);
    settle(booking);
    if task == ProviderTask::Cancel {
        return Ok(OccupancyChange::Release);
    }
    require(booking.status.is_active())?;
    if !matches!(task, ProviderTask::Update | ProviderTask::Reassign) {
        stay_or_become(booking, BookingStatus::Confirmed, by)?;
    }
    Ok(OccupancyChange::Only(Occupancy { padded, when: booking.when }))
}

/// The one way back from `cancelled`: the attendee was never told that it is over, since the provider did not agree.
fn cancel_refused(
    booking: &mut Booking,
    reason: &str,
    external: Option<&ExternalBooking>,
    padded: Interval,
    by: Role,
) -> Result<OccupancyChange, Refusal> {
    settle(booking);
    booking.reason = Some(reason.to_owned());
    if let Some(external) = external {
        adopt(booking, external);
        booking.when = external.when;
    }
    if booking.external_id.is_none() {
        return Ok(OccupancyChange::Release);
    }
    let waits = external.is_some_and(|there| there.status == ExternalStatus::Pending);
    become_status(booking, if waits { BookingStatus::Pending } else { BookingStatus::Confirmed }, by)?;
    Ok(OccupancyChange::Only(Occupancy { padded, when: booking.when }))
}

/// The provider's news wins, except over a move that the provider has not been told of yet.
fn changed_by_provider(
    booking: &mut Booking,
    external: &ExternalBooking,
    padded: Interval,
    by: Role,
) -> Result<OccupancyChange, Refusal> {
    require(booking.status.is_active() && external.status != ExternalStatus::Cancelled)?;
    let is_ahead = booking.provider_task == Some(ProviderTask::Reschedule)
        && booking.previous_when == Some(external.when)
        && external.status.is_active();
    adopt(booking, external);
    if is_ahead {
        return Ok(OccupancyChange::Keep);
    }
    // What is over stays where it was, if the provider has it at no time that is known here.
    let when =
        if external.when.is_empty() && !external.status.is_active() { booking.when } else { external.when };
    let stays = booking.when == when && booking.previous_when.is_none();
    // While what is written here is on its way, only its delivery brings news.
    edits::agrees_there(booking);
    settle(booking);
    booking.when = when;
    let next = match external.status {
        ExternalStatus::Completed => BookingStatus::Completed,
        ExternalStatus::NoShow => BookingStatus::NoShow,
        ExternalStatus::Confirmed => BookingStatus::Confirmed,
        ExternalStatus::Pending | ExternalStatus::Cancelled => booking.status,
    };
    stay_or_become(booking, next, by)?;
    Ok(match (booking.status.is_active(), stays) {
        (true, _) => OccupancyChange::Only(Occupancy { padded, when }),
        (false, true) => OccupancyChange::Keep,
        (false, false) => OccupancyChange::Release,
    })
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
    booking.undelivered = None;
    if let Some(assignment) = booking.assignment.as_mut().and_then(Value::as_object_mut) {
        assignment.remove(BEFORE);
    }
}

fn adopt_if_seen(booking: &mut Booking, external: Option<&ExternalBooking>) {
    if let Some(external) = external {
        adopt(booking, external);
    }
}

/// Remember what the provider has, and the latest time of its news.
pub fn adopt(booking: &mut Booking, external: &ExternalBooking) {
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
    let mut parts = Contents::of(old).differing(&Contents::of(new));
    if old.seats_taken != new.seats_taken {
        parts.push(SeatsTaken::PART);
        put(SeatsTaken::PART, json!(new.seats_taken));
    }
    if !parts.is_empty() {
        put("changed", json!(parts));
    }
    if old.local_changes != new.local_changes {
        put("local_changes", json!(new.local_changes));
    }
    if old.reason != new.reason {
        put("reason", json!(new.reason));
    }
    data
}

#[cfg(test)]
mod tests;
