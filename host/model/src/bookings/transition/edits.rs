//! Changes that leave a booking's time alone: what is written on it, and who takes part.

use super::{
    super::{
        booking::{Booking, ProviderTask},
        change::Hosts,
        edit::{Contents, Edit, SeatsTaken, Undelivered, note_local, take_back, told},
        occupancy::{Occupancy, OccupancyChange},
    },
    Made, Refusal, adopt_if_seen, give_back, give_to, require, settle,
};
use crate::{outbound::provider::ExternalBooking, time::Instant};

/// Changed may be what takes place and is not being changed. What is still to be written on its counterpart may be written otherwise: the
/// last one counts.
pub(super) fn change_contents(
    booking: &mut Booking,
    edit: &Edit,
    at: Instant,
) -> Result<OccupancyChange, Refusal> {
    require(booking.status.is_active() && at < booking.when.end())?;
    require(match booking.provider_task {
        None => true,
        Some(task) => task == ProviderTask::Update && !edit.local_only,
    })?;
    let mut parts = Contents::of(booking).differing(&edit.contents);
    let seats = edit.seats.filter(|seats| seats.taken != booking.seats_taken);
    if let Some(seats) = seats {
        // No provider is told of seats.
        require(booking.provider_task.is_none() && (edit.local_only || booking.external_id.is_none()))?;
        require(booking.seats > 1 && (1..=booking.seats).contains(&seats.taken))?;
        require(seats.occupancy.when == booking.when)?;
        booking.seats_taken = seats.taken;
        parts.push(SeatsTaken::PART);
    }
    if edit.local_only || booking.external_id.is_none() {
        note_local(booking, told(&parts));
    } else if told(&parts).next().is_some() {
        booking.undelivered = Some(Undelivered::of(booking, &parts));
        booking.provider_task = Some(ProviderTask::Update);
    }
    let Contents { attendee, guests, answers, notes, location, metadata } = edit.contents.clone();
    booking.attendee = attendee;
    booking.guests = guests;
    booking.answers = answers;
    booking.notes = notes;
    booking.location = location;
    booking.metadata = metadata;
    Ok(seats.map_or(OccupancyChange::Keep, |seats| OccupancyChange::Only(seats.occupancy)))
}

pub(super) fn reassign(
    booking: &mut Booking,
    occupancy: Occupancy,
    hosts: &Hosts,
    local_only: bool,
    at: Instant,
) -> Result<OccupancyChange, Refusal> {
    require(occupancy.when == booking.when && booking.provider_task.is_none())?;
    require(booking.status.is_active() && at < booking.when.end())?;
    give_to(booking, hosts);
    if !local_only && booking.external_id.is_some() {
        booking.provider_task = Some(ProviderTask::Reassign);
        return Ok(OccupancyChange::Also(occupancy));
    }
    note_local(booking, [MEMBER].into_iter());
    settle(booking);
    Ok(OccupancyChange::Only(occupancy))
}

/// Word for who takes part, among the parts that differ.
const MEMBER: &str = "member";

/// What is not delivered any more stays different there.
pub(super) fn differs_there(booking: &mut Booking) {
    if let Some(undelivered) = booking.undelivered.take() {
        note_local(booking, undelivered.names());
    }
    if booking.provider_task == Some(ProviderTask::Reassign) {
        note_local(booking, [MEMBER].into_iter());
    }
}

/// The provider agrees in these parts.
pub(super) fn agrees_there(booking: &mut Booking) {
    let undelivered = booking.undelivered.take();
    let is_reassigned = booking.provider_task == Some(ProviderTask::Reassign);
    booking.local_changes.retain(|part| {
        let is_written = undelivered.as_ref().is_some_and(|u| u.names().any(|name| name == part));
        !(is_written || is_reassigned && part == MEMBER)
    });
}

pub(super) fn refused(
    booking: &mut Booking,
    reason: &str,
    occupancy: Occupancy,
    external: Option<&ExternalBooking>,
) -> Result<Made, Refusal> {
    require(booking.status.is_active() && occupancy.when == booking.when)?;
    let made = match booking.provider_task {
        Some(ProviderTask::Update) => {
            take_back(booking);
            (OccupancyChange::Keep, "booking.update_refused")
        }
        Some(ProviderTask::Reassign) => {
            give_back(booking);
            (OccupancyChange::Only(occupancy), "booking.reassign_refused")
        }
        _ => return Err(Refusal::WrongState),
    };
    booking.reason = Some(reason.to_owned());
    settle(booking);
    adopt_if_seen(booking, external);
    Ok(made)
}
