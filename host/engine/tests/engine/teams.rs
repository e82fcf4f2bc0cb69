//! Shared meetings, several members, limits, series: what the engine makes of them.

use std::collections::BTreeSet;

use berth_engine::{
    BookRequest, CancelBooking, EventTypePatch, ProviderChoice, RescheduleBooking, SeriesRequest,
};
use berth_model::{
    bookings::{
        booking::BookingStatus,
        series::{SeriesScope, SeriesStarts},
    },
    catalog::event_type::{EventTypePolicy, HostRole},
    problem::Code,
    scheduling::rules::TeamMode,
    time::Instant,
};
use serde_json::json;

use crate::world::{World, member, monday, world};

/// A world whose event type has these members besides Ana, and this policy.
async fn with(policy: impl FnOnce(&[berth_model::id::MemberId]) -> EventTypePolicy, names: &[&str]) -> World {
    let mut w = world().await;
    let mut members = vec![w.ana.id];
    for name in names {
        members.push(member(&w.engine, &w.caller, name).await.id);
    }
    let policy = Some(policy(&members));
    let patch = EventTypePatch { policy, members: Some(members), ..EventTypePatch::default() };
    let revision = Some(w.event_type.revision);
    w.event_type =
        w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, revision).await.unwrap();
    w
}

fn here(w: &World, start: Instant) -> BookRequest {
    BookRequest { provider: Some(ProviderChoice::BuiltIn), ..w.request(start) }
}

#[tokio::test]
async fn a_running_session_is_filled_before_another_is_opened() {
    let w = with(|_| EventTypePolicy { seats: 2, ..EventTypePolicy::default() }, &["Bea"]).await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let booked = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap().booking;
        sessions.push(booked.member);
    }
    assert_eq!((sessions[0], sessions[2]), (sessions[1], sessions[3]), "{sessions:?}");
    assert_ne!(sessions[0], sessions[2]);
    let full = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap_err();
    assert_eq!(full.code, Code::SlotTaken);
    w.engine.bookings.book(&w.caller, here(&w, monday("10:30"))).await.unwrap();
}

#[tokio::test]
async fn everyone_is_booked_together_or_nobody() {
    let policy = EventTypePolicy { team_mode: TeamMode::Collective, ..EventTypePolicy::default() };
    let w = with(|_| policy, &["Bea", "Cleo"]).await;
    let booked = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap().booking;
    let members: BTreeSet<_> = booked.members().collect();
    assert_eq!(members, w.event_type.members.iter().copied().collect());
    let again = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap_err();
    assert_eq!(again.code, Code::SlotTaken);
    w.reschedule(booked.id, monday("11:00")).await.unwrap();
    w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap();
}

#[tokio::test]
async fn a_round_robin_takes_the_fixed_ones_with_it() {
    let policy = |members: &[_]| EventTypePolicy {
        team_mode: TeamMode::RoundRobin,
        host_roles: vec![HostRole { member: members[0], fixed: true, group: None }],
        ..EventTypePolicy::default()
    };
    let w = with(policy, &["Bea", "Cleo"]).await;
    let mut turns = BTreeSet::new();
    for time in ["10:00", "10:30"] {
        let booked = w.engine.bookings.book(&w.caller, here(&w, monday(time))).await.unwrap().booking;
        assert_eq!(booked.other_members, [w.ana.id], "the fixed one comes along");
        assert!(booked.assignment.is_some());
        turns.insert(booked.member);
    }
    assert_eq!(turns.len(), 2, "they take turns");
}

#[tokio::test]
async fn a_limit_is_refused_with_its_reason() {
    let limits = serde_json::from_value(json!([{ "per": "day", "max_bookings": 2 }])).unwrap();
    let w = with(|_| EventTypePolicy { limits, ..EventTypePolicy::default() }, &[]).await;
    let first = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap().booking;
    w.engine.bookings.book(&w.caller, here(&w, monday("10:30"))).await.unwrap();
    let full = w.engine.bookings.book(&w.caller, here(&w, monday("11:00"))).await.unwrap_err();
    assert_eq!(full.code, Code::SlotTaken);
    for start in full.extra["alternatives"].as_array().unwrap() {
        let start: Instant = serde_json::from_value(start.clone()).unwrap();
        assert!(start >= monday("23:59") || start < monday("00:00"), "{start} is on the full day");
    }
    // It moves within its day: it does not count against itself.
    w.reschedule(first.id, monday("11:00")).await.unwrap();
}

fn series(w: &World, starts: SeriesStarts, best_effort: bool) -> SeriesRequest {
    SeriesRequest { first: here(w, monday("10:00")), starts, best_effort }
}

const WEEK: i64 = 7 * 1_440;

#[tokio::test]
async fn a_series_is_booked_whole_or_as_far_as_it_goes() {
    let w = world().await;
    let weekly = || SeriesStarts::EveryWeeks { weeks: 1, count: 4 };
    let taken = w
        .engine
        .bookings
        .book(&w.caller, here(&w, monday("10:00").plus_minutes(WEEK)))
        .await
        .unwrap()
        .booking;
    let refused = w.engine.bookings.book_series(&w.caller, series(&w, weekly(), false)).await.unwrap_err();
    assert_eq!(refused.code, Code::SlotTaken);
    assert_eq!(refused.extra["refused"], json!([taken.when.start()]));
    assert!(refused.extra["alternatives"].is_array());
    let free = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap().booking;
    w.cancel(free.id).await.unwrap();

    let partly = w.engine.bookings.book_series(&w.caller, series(&w, weekly(), true)).await.unwrap();
    assert_eq!(partly.done.len(), 3);
    assert!(partly.done.iter().all(|b| b.series == Some(partly.series)));
    assert_eq!(partly.refused.len(), 1);
    assert_eq!(
        (partly.refused[0].start, partly.refused[0].problem.code),
        (taken.when.start(), Code::SlotTaken)
    );

    let mut later = series(&w, weekly(), false);
    later.first.start = monday("11:00");
    let whole = w.engine.bookings.book_series(&w.caller, later).await.unwrap();
    let starts: Vec<_> = whole.done.iter().map(|b| b.when.start()).collect();
    assert_eq!(starts, [0, 1, 2, 3].map(|n| monday("11:00").plus_minutes(n * WEEK)));
    let mut far = series(&w, SeriesStarts::EveryWeeks { weeks: 1, count: 60 }, false);
    far.first.start = monday("09:00");
    let beyond = w.engine.bookings.book_series(&w.caller, far).await.unwrap_err();
    assert_eq!(beyond.code, Code::SlotTaken, "beyond the booking window");
    w.engine.bookings.book(&w.caller, here(&w, monday("09:00"))).await.unwrap();
}

#[tokio::test]
async fn a_series_is_moved_and_cancelled_together() {
    let w = world().await;
    let days = SeriesStarts::Rule("FREQ=DAILY;COUNT=4".into());
    let made = w.engine.bookings.book_series(&w.caller, series(&w, days, false)).await.unwrap();
    assert_eq!(made.done.len(), 4);
    let second = made.done[1].id;
    // A day later: each goes where the next one was.
    let start = monday("10:00").plus_minutes(2 * 1_440);
    let to = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
    let moved =
        w.engine.bookings.reschedule_series(&w.caller, second, SeriesScope::Following, to).await.unwrap();
    let starts: Vec<_> = moved.done.iter().map(|b| b.when.start()).collect();
    assert!(moved.refused.is_empty(), "{:?}", moved.refused);
    assert_eq!(starts, [2, 3, 4].map(|n| monday("10:00").plus_minutes(n * 1_440)));

    let cancel = CancelBooking::default();
    let gone = w
        .engine
        .bookings
        .cancel_series(&w.caller, second, SeriesScope::Following, cancel.clone())
        .await
        .unwrap();
    assert_eq!(gone.done.len(), 3);
    assert_eq!(w.booking(made.done[0].id).await.status, BookingStatus::Confirmed);
    let rest = w
        .engine
        .bookings
        .cancel_series(&w.caller, second, SeriesScope::Series, cancel.clone())
        .await
        .unwrap();
    assert_eq!(rest.done.iter().map(|b| b.id).collect::<Vec<_>>(), [made.done[0].id]);
    let single = w.engine.bookings.book(&w.caller, here(&w, monday("10:00"))).await.unwrap().booking;
    let wrong =
        w.engine.bookings.cancel_series(&w.caller, single.id, SeriesScope::Series, cancel).await.unwrap_err();
    assert_eq!(wrong.code, Code::WrongState);
}

#[tokio::test]
async fn the_bookings_of_a_series_reach_the_provider_one_by_one() {
    let w = world().await;
    let mut request = series(&w, SeriesStarts::EveryWeeks { weeks: 1, count: 3 }, false);
    request.first.provider = None;
    let made = w.engine.bookings.book_series(&w.caller, request).await.unwrap();
    assert!(made.done.iter().all(|b| b.status == BookingStatus::Pending), "nobody waited for the provider");
    assert_eq!(w.provider.count("create"), 0);
    assert_eq!(w.later(1).await, 3);
    for booking in &made.done {
        w.agrees(booking.id).await;
    }
    let first = made.done[0].id;
    w.engine
        .bookings
        .cancel_series(&w.caller, first, SeriesScope::Series, CancelBooking::default())
        .await
        .unwrap();
    assert_eq!(w.later(1).await, 3);
    for booking in &made.done {
        w.agrees(booking.id).await;
    }
}
