//! Other data of zones: bookings whose clocks show another time than was told.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        clocks::{Clocks, Keep, Shown},
    },
    id::BookingId,
    problem::Code,
    time::Instant,
    zone,
};

use crate::world::{World, monday, world};

/// As if clocks had shown an hour less when this was made.
async fn told_an_hour_less(w: &World, booking: &Booking) -> Clocks {
    let start = booking.when.start();
    let told = booking.clocks.clone().unwrap().showing(start.plus_seconds(-3_600));
    w.engine.store().set_clocks((w.caller.tenant, booking.id, start), told.clone(), None).await.unwrap();
    told
}

async fn changed(w: &World) -> Vec<BookingId> {
    let (found, next) = w.engine.bookings.clock_changes(&w.caller, None, 10).await.unwrap();
    assert_eq!(next, None);
    found.into_iter().map(|change| change.booking).collect()
}

fn at(booking: &Booking) -> Instant {
    booking.when.start()
}

#[tokio::test]
async fn what_was_told_is_kept_and_moves_with_a_booking() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let told = booking.clocks.clone().unwrap();
    assert_eq!(told, told.showing(at(&booking)));
    assert_eq!(told.listing.zone, "Europe/Warsaw");
    assert!(changed(&w).await.is_empty());
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    while w.later(0).await > 0 {}
    let moved = w.booking(booking.id).await;
    assert_eq!(moved.clocks, Some(told.showing(monday("11:00"))));
}

#[tokio::test]
async fn a_changed_clock_is_noted_once_and_nothing_moves_until_the_tenant_chooses() {
    let w = world().await;
    let mut bookings = Vec::new();
    for clock in ["09:00", "10:00", "11:30"] {
        bookings.push(w.booked(monday(clock)).await);
    }
    let [same, stays, goes] = bookings.as_slice() else { panic!() };
    let told = told_an_hour_less(&w, stays).await;
    told_an_hour_less(&w, goes).await;

    // By two processes, and when it is looked through again.
    assert_eq!(w.engine.bookings.look_at_clocks().await.unwrap(), Some(2));
    assert_eq!(w.engine.bookings.look_at_clocks().await.unwrap(), None, "the data is the same");
    // Other data may say the same release, or none.
    assert!(zone::adopt(&zone::ZoneData::embedded(), zone::Source::Embedded));
    assert_eq!(w.engine.bookings.look_at_clocks().await.unwrap(), Some(2));
    assert_eq!(w.replica().bookings.look_at_clocks().await.unwrap(), Some(2));
    let noted =
        async |id| w.timeline(id).await.iter().filter(|step| *step == "booking.clock_changed").count();
    assert_eq!((noted(same.id).await, noted(stays.id).await, noted(goes.id).await), (0, 1, 1));
    assert_eq!(changed(&w).await, [stays.id, goes.id]);
    for booking in &bookings {
        assert_eq!(w.booking(booking.id).await.when, booking.when);
    }

    let kept = w.engine.bookings.keep_clock(&w.caller, stays.id, Keep::Instant, None).await.unwrap().booking;
    assert_eq!((kept.when, kept.sequence), (stays.when, stays.sequence));
    assert_eq!(kept.clocks, Some(told.showing(at(stays))));
    assert_eq!(changed(&w).await, [goes.id]);

    let moved =
        w.engine.bookings.keep_clock(&w.caller, goes.id, Keep::ListingClock, None).await.unwrap().booking;
    assert_eq!(at(&moved), monday("10:30"));
    while w.later(0).await > 0 {}
    w.agrees(goes.id).await;
    assert!(changed(&w).await.is_empty());
    let nothing = w.engine.bookings.keep_clock(&w.caller, same.id, Keep::Instant, None).await.unwrap_err();
    assert_eq!(nothing.code, Code::WrongState);
}

#[tokio::test]
async fn a_move_that_does_not_fit_leaves_everything_as_it_is() {
    let w = world().await;
    let (first, second) = (w.booked(monday("10:00")).await, w.booked(monday("11:00")).await);
    told_an_hour_less(&w, &second).await;
    let refused =
        w.engine.bookings.keep_clock(&w.caller, second.id, Keep::ListingClock, None).await.unwrap_err();
    assert_eq!(refused.code, Code::SlotTaken);
    assert_eq!(changed(&w).await, [second.id]);
    for booking in [&first, &second] {
        let now = w.booking(booking.id).await;
        assert_eq!((now.when, now.status), (booking.when, BookingStatus::Confirmed));
    }
    // A clock that shows what was told is no reason to move, nor one that nobody knows.
    let start = at(&second);
    let clocks = second.clocks.clone().unwrap();
    let unknown = Shown { zone: "Moon/Tycho".into(), start: "2026-11-24T09:00:00".into() };
    let told = Clocks { customer: Some(unknown), ..clocks.showing(start.plus_seconds(-3_600)) };
    w.engine.store().set_clocks((w.caller.tenant, second.id, start), told, None).await.unwrap();
    let refused =
        w.engine.bookings.keep_clock(&w.caller, second.id, Keep::CustomerClock, None).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongState);
}
