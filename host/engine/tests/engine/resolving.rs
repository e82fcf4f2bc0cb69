//! Ends that a person chooses: each does what it says, what is refused has no effect on either side, and what is ignored stays so.

use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    mirror::sync::{Conflict, ConflictKind, Done, Resolution, SyncMode, SyncRules},
    outbound::provider::{
        CallError, ExternalBooking, ExternalStatus, ProviderConflict, ProviderError, WebhookEvent,
    },
    problem::Code,
};
use serde_json::Value;

use crate::{
    provider::{Fault, LOST},
    world::{World, attendee, half_hour, monday, world},
};

const ENDS: [Resolution; 2] = [Resolution::Ours, Resolution::Theirs];

async fn told(w: &World, event: WebhookEvent) {
    static TOLD: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let body = format!("resolving {}", TOLD.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    crate::webhooks::send(w, &body, event).await;
    while w.later(1).await > 0 {}
}

async fn open(w: &World) -> Vec<Conflict> {
    w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, false, 50).await.unwrap()
}

/// What both sides have: what a refused change must leave alone.
async fn both_sides(w: &World, bookings: &[&Booking]) -> Value {
    let mut here = Vec::new();
    for booking in bookings {
        let now = w.booking(booking.id).await;
        here.push((now.when, now.status.as_str(), now.provider_task.is_some()));
    }
    let there: Vec<_> = w.provider.active().into_iter().map(|t| (t.id, t.when)).collect();
    serde_json::json!([here, there])
}

/// Two bookings, the first of which somebody moves at the provider to the time of the second: under its id, or under another.
async fn overlapping(w: &World, same_id: bool) -> (Booking, Booking, Conflict) {
    let (first, second) = (w.booked(monday("09:00")).await, w.booked(monday("10:00")).await);
    let when = half_hour(monday("10:00"));
    if same_id {
        let moved = w.provider.edit("x1", |t| t.when = when);
        told(w, WebhookEvent::Updated(moved)).await;
    } else {
        let moved = w.provider.move_booking("x1", when);
        told(w, WebhookEvent::Rescheduled { old_id: "x1".to_owned(), booking: moved }).await;
    }
    let conflict = open(w).await.remove(0);
    assert_eq!((conflict.kind, conflict.own_counterpart), (ConflictKind::TimeOverlap, true));
    (first, second, conflict)
}

#[tokio::test]
async fn each_end_of_an_overlap_does_what_it_says_whatever_ids_the_provider_gives() {
    for same_id in [true, false] {
        let w = world().await;
        let (first, second, conflict) = Box::pin(overlapping(&w, same_id)).await;
        // Theirs does not fit: nothing changes.
        let before = both_sides(&w, &[&first, &second]).await;
        let refused = w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Theirs).await;
        assert_eq!(refused.unwrap_err().code, Code::SlotTaken);
        assert_eq!(both_sides(&w, &[&first, &second]).await, before);
        assert_eq!(open(&w).await.len(), 1);

        let ended = w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap();
        assert_eq!((ended.done, ended.pending, ended.conflict.resolved), (Done::MovedThere, false, true));
        assert_eq!(w.booking(first.id).await.when.start(), monday("09:00"));
        w.agrees(first.id).await;
        w.agrees(second.id).await;

        // A revert that does not fit changes nothing, at the provider neither.
        let before = both_sides(&w, &[&first, &second]).await;
        let refused = w.engine.mirror.revert_conflict(&w.caller, conflict.id).await.unwrap_err();
        assert_eq!(refused.code, Code::SlotTaken);
        assert_eq!(both_sides(&w, &[&first, &second]).await, before);
        w.cancel(second.id).await.unwrap();
        for (start, resolution) in [("10:00", Resolution::Theirs), ("09:00", Resolution::Ours)] {
            let ended = w.engine.mirror.revert_conflict(&w.caller, conflict.id).await.unwrap();
            assert_eq!((ended.done, ended.conflict.resolution), (Done::Moved, Some(resolution)));
            assert_eq!(w.booking(first.id).await.when.start(), monday(start));
            w.agrees(first.id).await;
        }
        // Moved since: what the conflict was about is past.
        w.reschedule(first.id, monday("11:00")).await.unwrap();
        let before = both_sides(&w, &[&first]).await;
        let refused = w.engine.mirror.revert_conflict(&w.caller, conflict.id).await.unwrap_err();
        assert_eq!(refused.code, Code::WrongState);
        assert_eq!(both_sides(&w, &[&first]).await, before);
    }
}

#[tokio::test]
async fn what_the_provider_refuses_has_no_effect() {
    let refusal = || CallError::Provider(ProviderError::Unsupported { url: None });
    for same_id in [true, false] {
        let w = world().await;
        let (first, second, conflict) = Box::pin(overlapping(&w, same_id)).await;
        let before = both_sides(&w, &[&first, &second]).await;
        w.provider.next("reschedule", Fault::Before(refusal()));
        w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap_err();
        assert_eq!(both_sides(&w, &[&first, &second]).await, before);
        assert_eq!(open(&w).await.len(), 1, "a person decides");
        w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap();
        w.cancel(second.id).await.unwrap();
        let before = both_sides(&w, &[&first, &second]).await;
        w.provider.next("reschedule", Fault::Before(refusal()));
        w.engine.mirror.revert_conflict(&w.caller, conflict.id).await.unwrap_err();
        assert_eq!(both_sides(&w, &[&first, &second]).await, before);
    }
}

#[tokio::test]
async fn what_is_not_answered_yet_goes_on_and_says_so() {
    let w = world().await;
    let (first, _, conflict) = Box::pin(overlapping(&w, false)).await;
    w.provider.next("reschedule", Fault::Before(LOST));
    let ended = w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap();
    assert_eq!((ended.done, ended.pending), (Done::MovedThere, true));
    while w.later(60).await > 0 {}
    w.agrees(first.id).await;
    assert_eq!(w.booking(first.id).await.when.start(), monday("09:00"));
}

fn stranger(start: &str) -> ExternalBooking {
    ExternalBooking {
        id: "f1".to_owned(),
        reference: None,
        status: ExternalStatus::Confirmed,
        when: half_hour(monday(start)),
        event_type: Some("et-1".to_owned()),
        title: None,
        attendees: vec![attendee()],
        location: None,
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: None,
        raw: Value::Null,
    }
}

#[tokio::test]
async fn of_two_bookings_one_gives_way_and_the_other_stands_whatever_is_chosen_afterwards() {
    for end in ENDS {
        let w = world().await;
        let booking = w.booked(monday("10:00")).await;
        w.provider.state().bookings.push(stranger("10:00"));
        told(&w, WebhookEvent::Created(stranger("10:00"))).await;
        let conflict = open(&w).await.remove(0);
        assert!(!conflict.own_counterpart);
        let ended = w.engine.mirror.resolve_conflict(&w.caller, conflict.id, end).await.unwrap();
        let (status, done) = match end {
            Resolution::Ours => (BookingStatus::Confirmed, Done::TheirsCancelled),
            _ => (BookingStatus::Cancelled, Done::OursCancelled),
        };
        assert_eq!((w.booking(booking.id).await.status, ended.done), (status, done));
        assert_eq!(w.provider.active().len(), 1, "{end:?}");
        let before = both_sides(&w, &[&booking]).await;
        let refused = w.engine.mirror.revert_conflict(&w.caller, conflict.id).await.unwrap_err();
        assert_eq!(refused.code, Code::WrongState);
        assert_eq!(both_sides(&w, &[&booking]).await, before, "{end:?}: not both of them");
    }
}

#[tokio::test]
async fn a_booking_that_cannot_be_made_anew_stands_until_a_person_decides() {
    for end in ENDS {
        let w = world().await;
        let by_hand = SyncRules { auto_resolve: false, ..SyncRules::default() };
        w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, by_hand).await.unwrap();
        let booking = w.booked(monday("10:00")).await;
        w.provider.state().bookings.clear();
        w.provider.state().changes = Some(Vec::new());
        w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
        while w.later(1).await > 0 {}
        let conflict = open(&w).await.remove(0);
        assert_eq!((conflict.kind, conflict.own_counterpart), (ConflictKind::VanishedThere, true));
        let taken = CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken));
        w.provider.next("create", Fault::Before(taken));
        w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap_err();
        let now = w.booking(booking.id).await;
        assert_eq!((now.status, now.provider_task), (BookingStatus::Confirmed, None));
        assert!(
            w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.is_err(),
            "its time is its own"
        );
        let ended = w.engine.mirror.resolve_conflict(&w.caller, conflict.id, end).await.unwrap();
        let done = if end == Resolution::Ours { Done::MadeThere } else { Done::OursCancelled };
        assert_eq!(ended.done, done);
        w.agrees(booking.id).await;
        let before = both_sides(&w, &[&booking]).await;
        w.engine.mirror.revert_conflict(&w.caller, conflict.id).await.unwrap_err();
        assert_eq!(both_sides(&w, &[&booking]).await, before);
    }
}

#[tokio::test]
async fn one_that_is_made_anew_with_its_answer_lost_is_not_cancelled_for_the_one_before() {
    let w = world().await;
    let export = SyncRules { mode: SyncMode::Export, ..SyncRules::default() };
    w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, export).await.unwrap();
    let booking = w.booked(monday("10:00")).await;
    for fault in [Fault::Before(LOST), Fault::After(LOST)] {
        w.provider.next("create", fault);
    }
    let gone = w.provider.edit("x1", |t| t.status = ExternalStatus::Cancelled);
    told(&w, WebhookEvent::Cancelled(gone)).await;
    while w.later(600).await > 0 {}
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Confirmed);
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn what_is_ignored_stays_so_until_one_of_both_changes() {
    for same_id in [true, false] {
        let w = world().await;
        let (first, _, conflict) = Box::pin(overlapping(&w, same_id)).await;
        let ended =
            w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ignored).await.unwrap();
        assert_eq!(ended.done, Done::Nothing);
        let id = conflict.external_id.clone().unwrap();
        for _ in 0..3 {
            let again = w.provider.edit(&id, |_| {});
            told(&w, WebhookEvent::Updated(again)).await;
            let bookings = w.provider.state().bookings.clone();
            w.provider.state().changes = Some(bookings);
            w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
            while w.later(1).await > 0 {}
            assert!(open(&w).await.is_empty(), "same id: {same_id}");
        }
        // Theirs changes, and comes back: it is another disagreement each time.
        let elsewhere = w.booked(monday("11:00")).await;
        for start in ["11:00", "10:00"] {
            let moved = w.provider.edit(&id, |t| t.when = half_hour(monday(start)));
            told(&w, WebhookEvent::Updated(moved)).await;
            assert_eq!(open(&w).await.len(), 1, "{start}, same id: {same_id}");
        }
        assert_eq!(w.booking(first.id).await.when.start(), monday("09:00"));
        assert_eq!(w.booking(elsewhere.id).await.status, BookingStatus::Confirmed);
    }
}

#[tokio::test]
async fn of_two_who_choose_at_once_one_is_refused_before_anything_is_done() {
    let w = world().await;
    let (first, second, conflict) = Box::pin(overlapping(&w, false)).await;
    let until = w.engine.now().plus_seconds(60);
    let now = w.engine.now();
    assert!(w.engine.store().hold_conflict(conflict.clone(), false, now, until).await.unwrap());
    let before = both_sides(&w, &[&first, &second]).await;
    for end in ENDS {
        let refused = w.engine.mirror.resolve_conflict(&w.caller, conflict.id, end).await.unwrap_err();
        assert_eq!(refused.code, Code::WrongState);
    }
    assert_eq!(both_sides(&w, &[&first, &second]).await, before);
    // Whoever had it died.
    w.clock.pass_seconds(120);
    w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap();
    w.agrees(first.id).await;
}

#[tokio::test]
async fn an_end_that_is_refused_only_later_is_open_again_for_a_person() {
    for moved in [true, false] {
        let w = world().await;
        let export = SyncRules { mode: SyncMode::Export, ..SyncRules::default() };
        w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, export).await.unwrap();
        let booking = w.booked(monday("10:00")).await;
        // Not answered at first, so that the end counts as carried out, and refused then.
        let refusal = CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken));
        let call = if moved { "reschedule" } else { "create" };
        for fault in [LOST, refusal] {
            w.provider.next(call, Fault::Before(fault));
        }
        let kind = if moved {
            let there = w.provider.move_booking("x1", half_hour(monday("11:00")));
            told(&w, WebhookEvent::Rescheduled { old_id: "x1".to_owned(), booking: there }).await;
            ConflictKind::BothChanged
        } else {
            let gone = w.provider.edit("x1", |t| t.status = ExternalStatus::Cancelled);
            told(&w, WebhookEvent::Cancelled(gone)).await;
            ConflictKind::VanishedThere
        };
        while w.later(60).await > 0 {}
        let now = w.booking(booking.id).await;
        assert_eq!((now.status, now.when.start()), (BookingStatus::Confirmed, monday("10:00")));
        let open = open(&w).await;
        assert_eq!((open.len(), open[0].kind, open[0].own_counterpart), (1, kind, true), "moved: {moved}");
        w.engine.mirror.resolve_conflict(&w.caller, open[0].id, Resolution::Ours).await.unwrap();
        w.agrees(booking.id).await;
    }
}
