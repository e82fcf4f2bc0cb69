//! A booking's life: confirmed or declined by the tenant, cut off for customers, missed, completed.

use berth_engine::{CancelBooking, EventTypePatch, RescheduleBooking};
use berth_model::{
    bookings::booking::BookingStatus,
    catalog::event_type::{Confirmation, EventTypePolicy},
    problem::Code,
};

use crate::{
    provider::{Fault, LOST},
    world::{World, monday, world},
};

async fn with_policy(w: &World, policy: EventTypePolicy) {
    let patch = EventTypePatch { policy: Some(policy), ..EventTypePatch::default() };
    let revision = w.engine.catalog.event_type(&w.caller, w.event_type.id).await.unwrap().revision;
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, Some(revision)).await.unwrap();
}

#[tokio::test]
async fn what_waits_for_the_tenant_holds_its_place_and_is_not_told() {
    let w = world().await;
    with_policy(&w, EventTypePolicy { confirmation: Confirmation::Manual, ..EventTypePolicy::default() })
        .await;
    let waiting = w.booked(monday("10:00")).await;
    assert_eq!(waiting.status, BookingStatus::Pending);
    assert!(waiting.awaits_confirmation());
    assert_eq!((w.provider.count("create"), w.open_jobs().await), (0, 0));
    let taken = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!((taken.code, taken.extra["reason"].as_str()), (Code::SlotTaken, Some("taken")));

    let confirmed = w.engine.bookings.confirm(&w.caller, waiting.id, Some(waiting.sequence)).await.unwrap();
    assert_eq!((confirmed.pending, confirmed.booking.status), (false, BookingStatus::Confirmed));
    w.agrees(waiting.id).await;
    assert_eq!(w.timeline(waiting.id).await, ["booking.created", "booking.accepted", "booking.confirmed"]);
    let again = w.engine.bookings.confirm(&w.caller, waiting.id, None).await.unwrap();
    assert_eq!(again.booking.sequence, confirmed.booking.sequence, "it changes nothing the second time");

    let declined = w.booked(monday("11:00")).await;
    let reason = Some("fully booked".to_owned());
    let declined = w.engine.bookings.decline(&w.caller, declined.id, reason.clone(), None).await.unwrap();
    assert_eq!((declined.status, declined.reason), (BookingStatus::Cancelled, reason));
    assert_eq!(w.provider.count("create"), 1, "the provider never knew of it");
    let free = w.booked(monday("11:00")).await;
    let wrong = w.engine.bookings.decline(&w.caller, waiting.id, None, None).await.unwrap_err();
    assert_eq!(wrong.code, Code::WrongState);
    // The customer may give up waiting.
    w.cancel(free.id).await.unwrap();
    w.agrees(free.id).await;
}

#[tokio::test]
async fn what_nobody_confirms_is_declined_when_it_begins() {
    let w = world().await;
    with_policy(&w, EventTypePolicy { confirmation: Confirmation::Manual, ..EventTypePolicy::default() })
        .await;
    let (waiting, next) = (w.booked(monday("10:00")).await, w.booked(monday("10:30")).await);
    let confirmed = w.booked(monday("11:00")).await;
    w.engine.bookings.confirm(&w.caller, confirmed.id, None).await.unwrap();
    w.clock.pass_seconds(monday("10:00").micros_since(w.engine.now()) / 1_000_000);
    assert_eq!(w.engine.bookings.decline_unanswered().await.unwrap(), 0, "not yet");
    w.clock.pass_seconds(1);
    assert_eq!(w.engine.bookings.decline_unanswered().await.unwrap(), 1);
    assert_eq!(w.engine.bookings.decline_unanswered().await.unwrap(), 0);
    let declined = w.booking(waiting.id).await;
    assert_eq!(
        (declined.status, declined.reason.as_deref()),
        (BookingStatus::Cancelled, Some("not_confirmed_in_time"))
    );
    let rows = w.engine.bookings.timeline(&w.caller, waiting.id).await.unwrap();
    let last = rows.last().unwrap();
    assert_eq!((last.action.as_str(), last.audit.actor.as_str()), ("booking.declined", "system"));
    assert_eq!(last.data["reason"], "not_confirmed_in_time");
    assert_eq!(w.provider.count("create"), 1, "the provider never knew of it");
    let late = w.engine.bookings.confirm(&w.caller, waiting.id, None).await.unwrap_err();
    assert_eq!(late.code, Code::WrongState);
    w.clock.pass_seconds(3_600);
    assert_eq!(w.engine.bookings.decline_unanswered().await.unwrap(), 1);
    assert_eq!(w.booking(next.id).await.status, BookingStatus::Cancelled);
    assert_eq!(w.booking(confirmed.id).await.status, BookingStatus::Confirmed);
}

#[tokio::test]
async fn a_confirmation_whose_answer_is_lost_is_not_made_twice() {
    let w = world().await;
    with_policy(&w, EventTypePolicy { confirmation: Confirmation::Manual, ..EventTypePolicy::default() })
        .await;
    let waiting = w.booked(monday("10:00")).await;
    w.provider.next("create", Fault::After(LOST));
    assert!(w.engine.bookings.confirm(&w.caller, waiting.id, None).await.unwrap().pending);
    w.later(5).await;
    assert_eq!(w.provider.count("create"), 1);
    w.agrees(waiting.id).await;
}

#[tokio::test]
async fn customers_are_cut_off_and_the_tenant_is_not() {
    let w = world().await;
    let policy = EventTypePolicy {
        cancel_cutoff_minutes: Some(60),
        reschedule_cutoff_minutes: Some(120),
        ..EventTypePolicy::default()
    };
    with_policy(&w, policy).await;
    let booking = w.booked(monday("10:00")).await;
    let to = |start| RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: true };
    let cancel = CancelBooking { bound_by_cutoffs: true, ..CancelBooking::default() };
    // From Friday noon to Monday, 07:59:59 in Warsaw: just in time to move it.
    let until = monday("08:00").micros_since(w.engine.now()) / 1_000_000 - 1;
    w.clock.pass_seconds(until);
    w.engine.bookings.reschedule(&w.caller, booking.id, to(monday("10:30"))).await.unwrap();
    w.clock.pass_seconds(31 * 60);
    let late = w.engine.bookings.reschedule(&w.caller, booking.id, to(monday("11:00"))).await.unwrap_err();
    assert_eq!(late.code, Code::TooLate);
    assert_eq!(late.extra["until"], serde_json::json!(monday("08:30")));
    w.clock.pass_seconds(60 * 60);
    let late = w.engine.bookings.cancel(&w.caller, booking.id, cancel).await.unwrap_err();
    assert_eq!((late.code, late.extra["until"].as_str()), (Code::TooLate, Some("2026-11-23T08:30:00Z")));
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    w.cancel(booking.id).await.unwrap();
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn what_ended_is_completed_by_itself_and_may_turn_out_a_no_show() {
    let w = world().await;
    let (first, second) = (w.booked(monday("10:00")).await, w.booked(monday("10:30")).await);
    assert_eq!(w.engine.bookings.complete_ended().await.unwrap(), 0);
    let early = w.engine.bookings.no_show(&w.caller, first.id, None).await.unwrap_err();
    assert_eq!(early.code, Code::WrongState);
    // Five minutes of grace after 10:30.
    w.clock.pass_seconds(monday("10:35").micros_since(w.engine.now()) / 1_000_000 + 1);
    assert_eq!(w.engine.bookings.complete_ended().await.unwrap(), 1);
    assert_eq!(w.engine.bookings.complete_ended().await.unwrap(), 0);
    assert_eq!(w.booking(first.id).await.status, BookingStatus::Completed);
    assert_eq!(w.booking(second.id).await.status, BookingStatus::Confirmed);
    for id in [first.id, second.id] {
        assert_eq!(
            w.engine.bookings.no_show(&w.caller, id, None).await.unwrap().status,
            BookingStatus::NoShow
        );
    }
    let again = w.engine.bookings.no_show(&w.caller, first.id, None).await.unwrap();
    assert_eq!(again.status, BookingStatus::NoShow);
    assert_eq!(w.timeline(first.id).await.last().unwrap(), "booking.no_show");
    let over = w.engine.bookings.cancel(&w.caller, first.id, CancelBooking::default()).await.unwrap_err();
    assert_eq!(over.code, Code::WrongState);
}

#[tokio::test]
async fn a_refusal_says_why() {
    let w = world().await;
    let limits = serde_json::from_value(serde_json::json!([{ "per": "day", "max_bookings": 1 }])).unwrap();
    with_policy(&w, EventTypePolicy { limits, ..EventTypePolicy::default() }).await;
    let reason = async |start: &str| {
        let refused = w.engine.bookings.book(&w.caller, w.request(monday(start))).await.unwrap_err();
        assert_eq!(refused.code, Code::SlotTaken, "{refused:?}");
        refused.extra["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason("03:00").await, "no_start");
    assert_eq!(reason("10:07").await, "no_start");
    w.booked(monday("10:00")).await;
    assert_eq!(reason("10:00").await, "taken");
    assert_eq!(reason("11:00").await, "limit");
}
