//! Requests that are repeated because the process died between the booking and its answer.

use berth_engine::Caller;
use berth_model::{
    booking::BookingStatus,
    limits,
    problem::Code,
    provider::{CallError, ProviderConflict, ProviderError},
};
use berth_store::records::{BookingFilter, Idempotency};

use crate::{
    provider::{Fault, LOST},
    world::{World, monday, world},
};

/// The same caller with a key that is reserved for this request.
async fn keyed(w: &World, key: &str) -> Caller {
    let reserved =
        w.engine.store().begin_idempotent(w.tenant.id.uuid(), key, [1; 32], w.engine.now()).await.unwrap();
    assert_eq!(reserved, Idempotency::New);
    Caller { idempotency_key: Some(key.to_owned()), ..w.caller.clone() }
}

/// The request died without an answer; by now everybody knows.
fn dies(w: &World) {
    w.clock.pass_seconds(limits::IDEMPOTENCY_IN_FLIGHT_SECONDS);
}

#[tokio::test]
async fn the_repeat_is_given_the_booking_that_was_made() {
    let w = world().await;
    let first = w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    dies(&w);
    let again = w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    assert_eq!(again.booking, first.booking);
    assert!(!again.pending);
    assert_eq!(w.engine.list_bookings(&w.caller, BookingFilter::default(), 10).await.unwrap().len(), 1);
    w.agrees(first.booking.id).await;
    let other = w.engine.book(&keyed(&w, "other").await, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(other.code, Code::SlotTaken, "another key is another request");
}

#[tokio::test]
async fn the_repeat_is_told_how_it_stands_now() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let first = w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    assert!(first.pending);
    dies(&w);
    assert!(w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap().pending);
    assert_eq!(w.later(0).await, 1);
    dies(&w);
    let settled = w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap();
    assert_eq!((settled.pending, settled.booking.status), (false, BookingStatus::Confirmed));
    assert_eq!(w.provider.count("create"), 1);
}

#[tokio::test]
async fn the_repeat_of_a_refused_booking_is_refused() {
    let w = world().await;
    let taken = CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken));
    w.provider.next("create", Fault::Before(taken));
    let first = w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap_err();
    dies(&w);
    let again = w.engine.book(&keyed(&w, "k").await, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(again.code, Code::ProviderRefused);
    assert_eq!(again.detail, first.detail);
}
