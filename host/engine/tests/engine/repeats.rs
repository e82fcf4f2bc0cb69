//! Requests that are repeated because the process died between the booking and its answer.

use berth_engine::{Caller, SeriesRequest};
use berth_model::{
    bookings::{booking::BookingStatus, series::SeriesStarts},
    id::Id,
    limits,
    outbound::provider::{CallError, ProviderConflict, ProviderError},
    problem::Code,
};
use berth_store::records::{BookingFilter, Idempotency, IdempotencyKey};

use crate::{
    provider::{Fault, LOST},
    world::{World, monday, world},
};

/// The same caller with a key that is reserved for this request.
async fn keyed(w: &World, key: &str) -> Caller {
    let key = IdempotencyKey {
        tenant: Some(w.tenant.id),
        holder: Id::from_uuid(w.tenant.id.uuid()),
        key: key.to_owned(),
    };
    let reserved = w.engine.store().begin_idempotent(&key, [1; 32], w.engine.now()).await.unwrap();
    assert_eq!(reserved, Idempotency::New);
    Caller { idempotency_key: Some(key), ..w.caller.clone() }
}

/// The request died without an answer; by now everybody knows.
fn dies(w: &World) {
    w.clock.pass_seconds(limits::IDEMPOTENCY_IN_FLIGHT_SECONDS);
}

#[tokio::test]
async fn the_repeat_is_given_the_booking_that_was_made() {
    let w = world().await;
    let first = w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    dies(&w);
    let again = w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    assert_eq!(again.booking, first.booking);
    assert!(!again.pending);
    assert_eq!(
        w.engine.bookings.list_bookings(&w.caller, BookingFilter::default(), 10).await.unwrap().len(),
        1
    );
    w.agrees(first.booking.id).await;
    let other =
        w.engine.bookings.book(&keyed(&w, "other").await, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(other.code, Code::SlotTaken, "another key is another request");
}

#[tokio::test]
async fn the_repeat_is_told_how_it_stands_now() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let first = w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    assert!(first.pending);
    dies(&w);
    assert!(w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap().pending);
    assert_eq!(w.later(0).await, 1);
    dies(&w);
    let settled = w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    assert_eq!((settled.pending, settled.booking.status), (false, BookingStatus::Confirmed));
    assert_eq!(w.provider.count("create"), 1);
}

#[tokio::test]
async fn the_repeat_of_a_refused_booking_is_refused() {
    let w = world().await;
    let taken = CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken));
    w.provider.next("create", Fault::Before(taken));
    let first = w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap_err();
    dies(&w);
    let again = w.engine.bookings.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(again.code, Code::ProviderRefused);
    assert_eq!(again.detail, first.detail);
}

fn weekly(w: &World, weeks: i64, best_effort: bool) -> SeriesRequest {
    let starts = (1..weeks).map(|week| monday("10:00").plus_seconds(week * 7 * 86_400)).collect();
    SeriesRequest { first: w.request(monday("10:00")), starts: SeriesStarts::List(starts), best_effort }
}

#[tokio::test]
async fn the_repeat_of_a_series_is_given_the_series() {
    let w = world().await;
    let first = w.engine.bookings.book_series(&keyed(&w, "k").await, weekly(&w, 3, false)).await.unwrap();
    assert_eq!(first.done.len(), 3);
    dies(&w);
    let again = w.engine.bookings.book_series(&keyed(&w, "k").await, weekly(&w, 3, false)).await.unwrap();
    assert_eq!((again.series, again.done), (first.series, first.done));
    assert_eq!(
        w.engine.bookings.list_bookings(&w.caller, BookingFilter::default(), 10).await.unwrap().len(),
        3
    );
}

#[tokio::test]
async fn the_repeat_of_a_series_that_stopped_half_way_goes_on_with_it() {
    let w = world().await;
    let first = w.engine.bookings.book_series(&keyed(&w, "k").await, weekly(&w, 2, true)).await.unwrap();
    dies(&w);
    // As if the process had died before the third.
    let again = w.engine.bookings.book_series(&keyed(&w, "k").await, weekly(&w, 3, true)).await.unwrap();
    assert_eq!((again.series, again.refused.len()), (first.series, 0));
    assert_eq!(again.done[..2], first.done[..]);
    assert_eq!(again.done.len(), 3);
    assert_eq!(
        w.engine.bookings.list_bookings(&w.caller, BookingFilter::default(), 10).await.unwrap().len(),
        3
    );
}

#[tokio::test]
async fn the_repeat_of_a_move_that_is_under_way_is_told_so() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.next("reschedule", Fault::Before(LOST));
    assert!(w.reschedule(booking.id, monday("11:00")).await.unwrap().pending);
    let again = w.reschedule(booking.id, monday("11:00")).await.unwrap();
    assert!(again.pending);
    let elsewhere = w.reschedule(booking.id, monday("11:30")).await.unwrap_err();
    assert_eq!(elsewhere.code, Code::WrongState, "one change at a time");
    assert_eq!(w.later(5).await, 1);
    w.agrees(booking.id).await;
}
