//! What readers of events are told of a booking.

use serde_json::{Value, json};

use super::{
    booking::{Booking, BookingStatus, ProviderTask},
    change::BookingChange,
    role::Role,
    transition::Transition,
};
use crate::{
    events::{EventKind, NewEvent},
    time::Instant,
};

/// What was done where a booking was made here …
pub const CREATED: &str = "booking.created";
/// … and where one that was made at a provider became ours.
pub const ADOPTED: &str = "booking.adopted";

/// The event of a booking that was just made, or adopted.
#[must_use]
pub fn created(booking: &Booking, change: &str, at: Instant, actor: &str) -> NewEvent {
    let data = data(change, Role::of_actor(actor), booking);
    event(EventKind::BookingCreated, booking, data, at, actor)
}

/// The event of a change. Each one has an event, so that the last event of a booking says how it stands.
#[must_use]
pub fn changed(
    old: &Booking,
    change: &BookingChange,
    made: &Transition,
    at: Instant,
    actor: &str,
) -> NewEvent {
    let new = &made.booking;
    let mut data = data(made.action, made.by, new);
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = data.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    if old.status != new.status {
        put("previous_status", old.status.as_str().into());
    }
    if old.when != new.when {
        put("previous_start", json!(old.when.start()));
        put("previous_end", json!(old.when.end()));
    }
    if !old.members().eq(new.members()) {
        put("previous_member_id", json!(old.member));
        put("previous_other_member_ids", json!(old.other_members));
    }
    event(kind(old, new, change), new, data, at, actor)
}

/// What happened, in one name: its status says more than its time, and that more than who takes part.
fn kind(old: &Booking, new: &Booking, change: &BookingChange) -> EventKind {
    if old.status == new.status {
        return if old.when != new.when {
            EventKind::BookingRescheduled
        } else if !old.members().eq(new.members()) {
            EventKind::BookingReassigned
        } else {
            EventKind::BookingUpdated
        };
    }
    match new.status {
        _ if old.status == BookingStatus::Cancelled => EventKind::BookingReinstated,
        BookingStatus::Pending => EventKind::BookingUpdated,
        BookingStatus::Confirmed => EventKind::BookingConfirmed,
        BookingStatus::Cancelled if matches!(change, BookingChange::Decline { .. }) => {
            EventKind::BookingDeclined
        }
        BookingStatus::Cancelled => EventKind::BookingCancelled,
        BookingStatus::Failed => EventKind::BookingFailed,
        BookingStatus::Completed => EventKind::BookingCompleted,
        BookingStatus::NoShow => EventKind::BookingNoShow,
    }
}

fn data(action: &str, by: Role, booking: &Booking) -> Value {
    json!({
        "change": action.strip_prefix("booking.").unwrap_or(action),
        "by": by.as_str(),
        "status": booking.status.as_str(),
        "start": booking.when.start(),
        "end": booking.when.end(),
        "member_id": booking.member,
        "other_member_ids": booking.other_members,
        "listing_id": booking.listing,
        "event_type_id": booking.event_type,
        "connection_id": booking.connection,
        "customer_id": booking.customer,
        "series_id": booking.series,
        "provider_task": booking.provider_task.map(ProviderTask::as_str),
    })
}

fn event(kind: EventKind, booking: &Booking, data: Value, at: Instant, actor: &str) -> NewEvent {
    NewEvent {
        kind,
        subject: booking.id.uuid(),
        sequence: booking.sequence,
        occurred_at: at,
        actor: actor.to_owned(),
        data,
    }
}
