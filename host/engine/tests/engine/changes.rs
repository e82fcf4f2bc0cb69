//! Messages that say only that something changed: the provider is asked what.

use berth_model::{
    booking::BookingStatus,
    provider::{CallError, ExternalStatus, ProviderError, WebhookEvent},
};

use crate::{
    provider::{Fault, LOST},
    webhooks::{last, send},
    world::{World, half_hour, monday, world},
};

/// A world whose provider lists changes.
async fn listing() -> World {
    let w = world().await;
    w.provider.state().news = Some(Vec::new());
    w
}

/// Have the provider say that something changed, and work on it.
async fn changed(w: &World, message: &str) {
    // Messages are shown by the time of their arrival.
    w.later(1).await;
    send(w, message, WebhookEvent::ChangedGoAndSync(None)).await;
    w.later(0).await;
}

fn moves(w: &World, id: &str, clock: &str) {
    w.provider.edit(id, |t| t.when = half_hour(monday(clock)));
    w.provider.state().news.as_mut().unwrap().push(id.to_owned());
}

#[tokio::test]
async fn what_changed_is_asked_for_from_where_the_last_time_ended() {
    let w = listing().await;
    let (first, second) = (w.booked(monday("10:00")).await, w.booked(monday("11:00")).await);
    changed(&w, "one").await;
    assert_eq!(last(&w).await.1, "2 changes heard of, none for our bookings");
    w.provider.state().news_per_page = 1;
    moves(&w, "x1", "13:00");
    moves(&w, "x2", "14:00");
    changed(&w, "two").await;
    assert_eq!(w.provider.count("list_changes"), 3, "a page for each change");
    for (booking, clock) in [(first.id, "13:00"), (second.id, "14:00")] {
        assert_eq!(w.booking(booking).await.when, half_hour(monday(clock)));
        w.agrees(booking).await;
    }
    changed(&w, "three").await;
    assert_eq!(last(&w).await.1, "0 changes heard of, none for our bookings");
    assert_eq!(w.provider.count("get"), 0, "nothing is asked for one by one");
}

#[tokio::test]
async fn what_a_list_from_nothing_does_not_name_is_asked_for() {
    let w = listing().await;
    let (gone, stays) = (w.booked(monday("10:00")).await, w.booked(monday("11:00")).await);
    w.provider.edit("x1", |t| t.status = ExternalStatus::Cancelled);
    w.provider.next("get", Fault::Before(LOST));
    changed(&w, "one").await;
    assert_eq!(w.booking(gone.id).await.status, BookingStatus::Confirmed, "nobody knows yet");
    w.later(600).await;
    assert_eq!(w.booking(gone.id).await.status, BookingStatus::Cancelled);
    assert_eq!(w.booking(stays.id).await.status, BookingStatus::Confirmed);
    let asked = w.provider.count("get");
    changed(&w, "two").await;
    assert_eq!(w.provider.count("get"), asked, "that is done once");
}

#[tokio::test]
async fn a_position_that_expired_is_left_behind() {
    let w = listing().await;
    let booking = w.booked(monday("10:00")).await;
    changed(&w, "one").await;
    moves(&w, "x1", "12:00");
    w.provider.edit("x1", |t| t.status = ExternalStatus::Cancelled);
    w.provider.state().news_expired = 1;
    changed(&w, "two").await;
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
    moves(&w, "x1", "13:00");
    let lists = w.provider.count("list_changes");
    changed(&w, "three").await;
    assert_eq!(w.provider.count("list_changes"), lists + 1, "the new position is good");
}

#[tokio::test]
async fn what_is_lost_on_the_way_is_asked_for_again() {
    let w = listing().await;
    let booking = w.booked(monday("10:00")).await;
    changed(&w, "one").await;
    moves(&w, "x1", "12:00");
    w.provider.next("list_changes", Fault::After(LOST));
    let limited = ProviderError::RateLimited { retry_after_ms: Some(1_000) };
    w.provider.next("list_changes", Fault::Before(CallError::Provider(limited)));
    changed(&w, "two").await;
    assert_eq!(w.booking(booking.id).await.when, half_hour(monday("10:00")));
    w.later(600).await;
    w.later(600).await;
    assert_eq!(w.booking(booking.id).await.when, half_hour(monday("12:00")));
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_move_to_a_taken_time_is_for_a_person_to_see() {
    let w = listing().await;
    let (first, _second) = (w.booked(monday("10:00")).await, w.booked(monday("11:00")).await);
    changed(&w, "one").await;
    moves(&w, "x1", "11:00");
    changed(&w, "two").await;
    let (status, detail) = last(&w).await;
    assert!(status == "failed" && detail.starts_with("conflict"), "{status}: {detail}");
    assert_eq!(w.booking(first.id).await.when, half_hour(monday("10:00")));
}

#[tokio::test]
async fn a_provider_without_lists_makes_availability_be_asked_anew() {
    let w = world().await;
    changed(&w, "one").await;
    assert_eq!(last(&w).await, ("processed".to_owned(), "availability is asked anew".to_owned()));
}

#[tokio::test]
async fn a_component_that_has_filled_its_state_is_heard_all_the_same() {
    let w = listing().await;
    let booking = w.booked(monday("10:00")).await;
    for n in 0..berth_model::limits::STATE_ENTRIES_MAX {
        let key = format!("entry-{n}");
        w.engine.store().state_set(w.tenant.id, w.connection.id, &key, b"x".to_vec()).await.unwrap();
    }
    changed(&w, "one").await;
    moves(&w, "x1", "12:00");
    changed(&w, "two").await;
    assert_eq!(w.booking(booking.id).await.when, half_hour(monday("12:00")));
    assert_eq!(w.open_jobs().await, 0);
}
