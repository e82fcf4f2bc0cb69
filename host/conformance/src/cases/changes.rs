//! Cancelling, moving, and hearing of changes.

use std::collections::BTreeSet;

use berth_model::{
    outbound::provider::{
        CallError, CancelRequest, ChangePage, ExternalBooking, ExternalStatus, ProviderConflict,
        ProviderError, Providers as _, RescheduleRequest,
    },
    time::Interval,
};

use super::bookings::{create, got, made, one, ready, slot, unsure};
use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{Observed, Subject, call},
};

/// Pages of changes that are followed.
const PAGES_MAX: usize = 100;

async fn cancel(subject: &Subject, id: &str, fault: Fault) -> Observed<ExternalBooking> {
    let request = CancelRequest {
        idempotency_key: subject.name("cancel"),
        id: id.to_owned(),
        reason: Some("No longer needed".to_owned()),
    };
    call!(subject, fault, |p, cx| p.cancel_booking(cx, request))
}

fn is_cancelled(what: &str, outcome: Result<ExternalBooking, CallError>) -> Result<(), Finding> {
    match outcome {
        Ok(booking) if booking.status == ExternalStatus::Cancelled => Ok(()),
        Ok(booking) => Err(Finding::fail(format!("{what} leaves the booking {:?}", booking.status))),
        Err(error) => Err(Finding::fail(format!("{what}: {error}"))),
    }
}

/// A cancelled booking reads as cancelled, or is gone.
async fn reads_as_cancelled(subject: &Subject, id: &str) -> Found {
    let observed = call!(subject, Fault::None, |p, cx| p.get_booking(cx, id.to_owned()));
    match observed.outcome {
        Err(CallError::Provider(ProviderError::NotFound)) => {}
        other => is_cancelled("get after cancel", other)?,
    }
    Ok(Finding::pass())
}

pub(super) async fn cancels_twice(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 1).await?;
    let booking = made(subject, subject.booking(&event_type, slot(&slots, 0)?, "first")).await?;
    is_cancelled("cancel", cancel(subject, &booking.id, Fault::None).await.outcome)?;
    is_cancelled("the second cancel", cancel(subject, &booking.id, Fault::None).await.outcome)?;
    reads_as_cancelled(subject, &booking.id).await
}

pub(super) async fn cancels_when_unsure(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 1).await?;
    let booking = made(subject, subject.booking(&event_type, slot(&slots, 0)?, "first")).await?;
    let observed = cancel(subject, &booking.id, Fault::AnswerLost(0)).await;
    if observed.requests.is_empty() {
        return Err(Finding::not_applicable("cancel asks the provider nothing"));
    }
    unsure("cancel", &observed)?;
    is_cancelled("cancel after an answer was lost", cancel(subject, &booking.id, Fault::None).await.outcome)?;
    reads_as_cancelled(subject, &booking.id).await
}

pub(super) async fn knows_what_does_not_exist(subject: &Subject) -> Found {
    if !subject.capabilities.bookings {
        return Err(Finding::not_applicable("takes no bookings"));
    }
    let id = "berthcheckdoesnotexist0".to_owned();
    let observed = call!(subject, Fault::None, |p, cx| p.get_booking(cx, id));
    match observed.outcome {
        Err(CallError::Provider(ProviderError::NotFound)) => Ok(Finding::pass()),
        Err(error) => {
            Err(Finding::fail(format!("get of an unknown booking became {error}; it must become not-found")))
        }
        Ok(_) => Err(Finding::fail("get finds a booking that does not exist")),
    }
}

async fn reschedule(
    subject: &Subject,
    id: &str,
    to: Interval,
    token: Option<String>,
    fault: Fault,
) -> Observed<ExternalBooking> {
    let request = RescheduleRequest {
        idempotency_key: subject.name("move"),
        id: id.to_owned(),
        reference: subject.name("first"),
        when: to,
        reason: None,
        requested_by: subject.customer().email,
        slot_token: token,
    };
    call!(subject, fault, |p, cx| p.reschedule_booking(cx, request))
}

fn movable<T>(observed: &Observed<T>) -> Result<(), Finding> {
    match &observed.outcome {
        Err(CallError::Provider(ProviderError::Unsupported { .. })) => {
            Err(Finding::not_applicable("the provider cannot move bookings by API"))
        }
        _ => Ok(()),
    }
}

pub(super) async fn reschedules(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 2).await?;
    let booking = made(subject, subject.booking(&event_type, slot(&slots, 0)?, "first")).await?;
    let to = slot(&slots, 1)?;
    let observed = reschedule(subject, &booking.id, to.when, to.token.clone(), Fault::None).await;
    movable(&observed)?;
    let moved = observed.outcome.map_err(|error| Finding::fail(format!("reschedule: {error}")))?;
    let now = got(subject, &moved.id).await?;
    if moved.when.start() != to.when.start() || now.when.start() != to.when.start() || !now.status.is_active()
    {
        return Err(Finding::fail("the moved booking does not have the new time, or is not active"));
    }
    if moved.id == booking.id {
        return Ok(Finding::pass());
    }
    let old = got(subject, &booking.id).await?;
    if old.status.is_active() {
        return Err(Finding::fail("the old booking still takes its time"));
    }
    if old.rescheduled_to.as_deref() == Some(moved.id.as_str()) {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("the replaced booking does not say so in rescheduled-to"))
    }
}

pub(super) async fn reschedules_or_leaves(subject: &Subject) -> Found {
    if subject.spans().await?.free_slots_days == 0 {
        return Err(Finding::not_applicable("the provider does not decide what is free"));
    }
    let (event_type, slots) = ready(subject, 2).await?;
    let booking = made(subject, subject.booking(&event_type, slot(&slots, 0)?, "first")).await?;
    let taken = slot(&slots, 1)?;
    made(subject, subject.booking(&event_type, taken, "second")).await?;
    let observed = reschedule(subject, &booking.id, taken.when, taken.token.clone(), Fault::None).await;
    movable(&observed)?;
    match observed.outcome {
        Err(CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken))) => {}
        Err(error) => {
            return Err(Finding::fail(format!(
                "a move to a taken slot became {error}; it must become conflict(slot-taken)"
            )));
        }
        Ok(_) => {
            return Err(Finding::inconclusive(
                "the provider took two bookings for one slot; does it have seats?",
            ));
        }
    }
    let left = got(subject, &booking.id).await?;
    if left.when.start() == booking.when.start() && left.status.is_active() {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("the booking did not stay where it was"))
    }
}

pub(super) async fn reschedules_once_when_unsure(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 2).await?;
    let request = subject.booking(&event_type, slot(&slots, 0)?, "first");
    let booking = made(subject, request.clone()).await?;
    let to = slot(&slots, 1)?;
    let observed = reschedule(subject, &booking.id, to.when, to.token.clone(), Fault::AnswerLost(0)).await;
    movable(&observed)?;
    if observed.requests.is_empty() {
        return Err(Finding::not_applicable("reschedule asks the provider nothing"));
    }
    unsure("reschedule", &observed)?;
    // The host's way: where does the old one say that it went?
    let mut now = got(subject, &booking.id).await?;
    if let Some(next) = now.rescheduled_to.clone() {
        now = got(subject, &next).await?;
    }
    if now.status.is_active() && now.when.start() == to.when.start() {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("after a move whose answer was lost, get does not lead to the booking's new time"))
    }
}

/// Every change since a cursor.
async fn changes(
    subject: &Subject,
    cursor: Option<String>,
    limit: u32,
) -> Result<(Vec<ExternalBooking>, String), Finding> {
    let (mut found, mut cursor) = (Vec::new(), cursor);
    for _ in 0..PAGES_MAX {
        let from = cursor.take();
        let observed = call!(subject, Fault::None, |p, cx| p.list_changes(cx, from, limit));
        let ChangePage { items, cursor: next, more } = match observed.outcome {
            Ok(page) => page,
            Err(CallError::Provider(ProviderError::Unsupported { .. })) => {
                return Err(Finding::not_applicable("lists no changes"));
            }
            Err(error) => return Err(Finding::fail(format!("list-changes: {error}"))),
        };
        found.extend(items);
        if !more {
            return Ok((found, next));
        }
        cursor = Some(next);
    }
    Err(Finding::fail(format!("list-changes says more after {PAGES_MAX} pages")))
}

pub(super) async fn lists_changes(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 2).await?;
    let (_, before) = changes(subject, None, 50).await?;
    let first = subject.booking(&event_type, slot(&slots, 0)?, "first");
    let booking = made(subject, first.clone()).await?;
    let (news, between) = changes(subject, Some(before), 50).await?;
    if !news.iter().any(|b| b.id == booking.id && b.status.is_active()) {
        return Err(Finding::fail("list-changes misses a new booking"));
    }
    let observed = create(subject, first.clone(), Fault::None).await;
    drop(observed);
    one(subject, &first).await?;
    is_cancelled("cancel", cancel(subject, &booking.id, Fault::None).await.outcome)?;
    let (news, _) = changes(subject, Some(between), 50).await?;
    if news.iter().any(|b| b.id == booking.id && b.status == ExternalStatus::Cancelled) {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("list-changes misses a cancellation"))
    }
}

pub(super) async fn pages_changes(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 3).await?;
    let (_, before) = changes(subject, None, 50).await?;
    let mut made_ids = BTreeSet::new();
    for (slot, name) in slots.iter().zip(["first", "second", "third"]) {
        made_ids.insert(made(subject, subject.booking(&event_type, slot, name)).await?.id);
    }
    let (news, _) = changes(subject, Some(before), 1).await?;
    let seen: BTreeSet<String> = news.into_iter().map(|b| b.id).collect();
    if made_ids.is_subset(&seen) {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("pages of one change miss a booking"))
    }
}

pub(super) async fn says_when_a_cursor_expired(subject: &Subject) -> Found {
    if !subject.capabilities.bookings {
        return Err(Finding::not_applicable("takes no bookings"));
    }
    let Some(cursor) = subject.setup.expired_cursor.clone() else {
        return Err(Finding::not_applicable(
            "conformance.toml names no expired-cursor: the provider's cursors do not expire",
        ));
    };
    let observed = call!(subject, Fault::None, |p, cx| p.list_changes(cx, Some(cursor), 50));
    match observed.outcome {
        Err(CallError::Provider(ProviderError::CursorExpired)) => Ok(Finding::pass()),
        Err(error) => {
            Err(Finding::fail(format!("an expired cursor became {error}; it must become cursor-expired")))
        }
        Ok(_) => Err(Finding::fail("an expired cursor is taken; changes may be missed")),
    }
}
