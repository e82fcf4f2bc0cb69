//! Moving a booking whose counterpart is at a provider.

use berth_model::{
    bookings::booking::BookingStatus,
    outbound::provider::{CallError, ExternalStatus, ProviderConflict, ProviderError},
    problem::Code,
};

use crate::{
    provider::{Fault, LOST},
    world::{half_hour, monday, world},
};

#[tokio::test]
async fn a_move_takes_the_new_time_and_frees_the_old_one() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let moved = w.reschedule(booking.id, monday("11:00")).await.unwrap();
    assert!(!moved.pending);
    assert_eq!(moved.booking.when, half_hour(monday("11:00")));
    assert_eq!(moved.booking.external_id.as_deref(), Some("x2"), "the counterpart got a new id");
    w.agrees(booking.id).await;
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_not_made_twice() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.next("reschedule", Fault::After(LOST));
    let moved = w.reschedule(booking.id, monday("11:00")).await.unwrap();
    assert!(moved.pending);
    for time in ["10:00", "11:00"] {
        let taken = w.engine.bookings.book(&w.caller, w.request(monday(time))).await.unwrap_err();
        assert_eq!(taken.code, Code::SlotTaken, "both times are held until the provider has decided");
    }
    w.later(5).await;
    assert_eq!(w.provider.count("reschedule"), 1);
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_refused_move_leaves_everything_as_it_was() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let url = "https://acme.example/reschedule/x1";
    for (error, code, says) in [
        (ProviderError::Conflict(ProviderConflict::SlotTaken), Code::SlotTaken, "not offer this time"),
        (ProviderError::Unsupported { url: Some(url.into()) }, Code::ProviderUnsupported, url),
    ] {
        w.provider.next("reschedule", Fault::Before(CallError::Provider(error)));
        let problem = w.reschedule(booking.id, monday("11:00")).await.unwrap_err();
        assert_eq!(problem.code, code);
        assert!(problem.detail.contains(says), "{}", problem.detail);
        let now = w.booking(booking.id).await;
        assert_eq!((now.status, now.when), (BookingStatus::Confirmed, booking.when));
        assert!(now.reason.unwrap().contains(says));
        w.agrees(booking.id).await;
    }
    w.booked(monday("11:00")).await;
}

#[tokio::test]
async fn a_refused_move_stands_where_somebody_moved_it_before() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let refused = || Fault::Before(CallError::Provider(ProviderError::Unsupported { url: None }));
    w.provider.move_booking("x1", half_hour(monday("09:00")));
    w.provider.next("reschedule", refused());
    let problem = w.reschedule(booking.id, monday("11:00")).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderUnsupported);
    let now = w.booking(booking.id).await;
    assert_eq!((now.when, now.external_id.as_deref()), (half_hour(monday("09:00")), Some("x2")));
    w.agrees(booking.id).await;

    // Where that time is taken here, it keeps its own, and a person decides.
    w.booked(monday("10:00")).await;
    w.provider.move_booking("x2", half_hour(monday("10:00")));
    w.provider.next("reschedule", refused());
    w.reschedule(booking.id, monday("11:00")).await.unwrap_err();
    let now = w.booking(booking.id).await;
    assert_eq!((now.when, now.external_id.as_deref()), (half_hour(monday("09:00")), Some("x4")));
    let connection = now.connection.unwrap();
    let open = w.engine.mirror.list_conflicts(&w.caller, connection, None, false, 10).await.unwrap();
    assert_eq!(open.iter().map(|c| c.booking).collect::<Vec<_>>(), [Some(booking.id)]);
    w.booked(monday("11:00")).await;
}

#[tokio::test]
async fn a_move_of_what_was_cancelled_there_cancels_it_here() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.edit("x1", |counterpart| counterpart.status = ExternalStatus::Cancelled);
    let problem = w.reschedule(booking.id, monday("11:00")).await.unwrap_err();
    assert_eq!(problem.code, Code::WrongState);
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_move_of_what_is_gone_there_is_refused() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.state().bookings.clear();
    let problem = w.reschedule(booking.id, monday("11:00")).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused);
    let now = w.booking(booking.id).await;
    assert_eq!((now.when, now.provider_task), (booking.when, None));
}

#[tokio::test]
async fn a_move_follows_the_counterpart_to_its_new_id() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.move_booking("x1", half_hour(monday("09:00")));
    let moved = w.reschedule(booking.id, monday("11:00")).await.unwrap();
    assert_eq!(moved.booking.external_id.as_deref(), Some("x3"));
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_move_to_a_taken_time_changes_nothing() {
    let w = world().await;
    let first = w.booked(monday("10:00")).await;
    w.booked(monday("11:00")).await;
    let problem = w.reschedule(first.id, monday("11:00")).await.unwrap_err();
    assert_eq!(problem.code, Code::SlotTaken);
    assert_eq!(problem.extra["alternatives"].as_array().unwrap().len(), 5);
    assert_eq!(w.provider.count("reschedule"), 0);
    w.agrees(first.id).await;
}

#[tokio::test]
async fn a_booking_can_be_cancelled_while_its_move_waits() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.next("reschedule", Fault::After(LOST));
    assert!(w.reschedule(booking.id, monday("11:00")).await.unwrap().pending);
    let again = w.reschedule(booking.id, monday("09:00")).await.unwrap_err();
    assert_eq!(again.code, Code::WrongState, "one change at a time");
    assert!(w.cancel(booking.id).await.unwrap().pending);
    w.later(5).await;
    w.agrees(booking.id).await;
    w.booked(monday("10:00")).await;
    w.booked(monday("11:00")).await;
}
