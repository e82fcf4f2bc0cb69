//! Events in a member's calendar that appear over bookings that are there already.

use berth_engine::{AvailabilityQuery, ProviderChoice};
use berth_model::{
    bookings::booking::BookingStatus,
    id::ConnectionId,
    limits,
    mirror::sync::{Conflict, ConflictKind, Resolution},
    problem::Code,
    time::Interval,
};

use crate::{
    calendars::{booked, settled, with_calendar},
    provider::LOST,
    world::{World, half_hour, monday},
};

async fn asked(w: &World) {
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("00:00"), monday("23:00")).unwrap(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        length_minutes: None,
        member: None,
        provider: Some(ProviderChoice::BuiltIn),
        explain: false,
    };
    w.engine.availability.availability(&w.caller, query).await.unwrap();
    settled(w).await;
}

/// Nobody asks for anything, for as long as until the next look.
async fn looked(w: &World) {
    w.clock.pass_seconds(limits::CALENDAR_LOOK_SECONDS + 1);
    w.engine.calendars.begin_calendar_looks().await.unwrap();
    settled(w).await;
}

async fn open(w: &World, connection: ConnectionId) -> Vec<Conflict> {
    w.engine.mirror.list_conflicts(&w.caller, connection, None, false, 9).await.unwrap()
}

fn span(from: &str, to: &str) -> Interval {
    Interval::new(monday(from), monday(to)).unwrap()
}

#[tokio::test]
async fn an_event_over_a_booking_is_told_once_and_is_over_when_it_goes() {
    for nobody_asks in [false, true] {
        let (w, connection, _) = with_calendar(true, false).await;
        let booking = booked(&w, monday("10:00")).await;
        let see = async || if nobody_asks { looked(&w).await } else { asked(&w).await };
        see().await;
        assert!(open(&w, connection.id).await.is_empty());

        w.provider.state().busy = vec![span("09:45", "10:15")];
        for _ in 0..3 {
            w.clock.pass_seconds(100);
            see().await;
        }
        let found = open(&w, connection.id).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].kind, found[0].booking), (ConflictKind::TimeOverlap, Some(booking.id)));
        assert_eq!(found[0].theirs["when"], serde_json::json!(span("09:45", "10:15")));
        let told = |steps: Vec<String>| steps.iter().filter(|step| *step == "booking.conflict").count();
        assert_eq!(told(w.timeline(booking.id).await), 1);
        assert_eq!(w.booking(booking.id).await.status, BookingStatus::Confirmed, "a person decides");

        // The event moves away; or the booking does.
        w.provider.state().busy = vec![span("11:00", "11:30")];
        looked(&w).await;
        assert!(open(&w, connection.id).await.is_empty());
        w.provider.state().busy = vec![span("10:10", "10:20")];
        looked(&w).await;
        assert_eq!(open(&w, connection.id).await.len(), 1, "another event is told again");
        assert_eq!(told(w.timeline(booking.id).await), 2);
        w.cancel(booking.id).await.unwrap();
        settled(&w).await;
        assert!(open(&w, connection.id).await.is_empty());
    }
}

#[tokio::test]
async fn our_own_entries_are_no_events() {
    let (w, connection, _) = with_calendar(true, true).await;
    for clock in ["10:00", "10:30", "11:00"] {
        booked(&w, monday(clock)).await;
    }
    settled(&w).await;
    for own in [
        vec![half_hour(monday("10:00")), half_hour(monday("10:30")), half_hour(monday("11:00"))],
        // As providers join them, also with what touches them.
        vec![span("10:00", "11:30")],
        vec![span("10:00", "11:45")],
        vec![span("09:30", "10:00"), span("10:00", "11:30"), span("11:30", "12:00")],
    ] {
        w.provider.state().busy = own.clone();
        w.clock.pass_seconds(100);
        asked(&w).await;
        looked(&w).await;
        assert!(open(&w, connection.id).await.is_empty(), "{own:?}");
    }
    w.provider.state().busy = vec![span("10:00", "10:30"), span("10:30", "11:00"), span("11:00", "11:45")];
    looked(&w).await;
    assert!(open(&w, connection.id).await.is_empty(), "the last may be joined");
    w.provider.state().busy = vec![span("10:00", "11:30"), span("11:15", "11:45")];
    looked(&w).await;
    assert_eq!(open(&w, connection.id).await.len(), 1);
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_ends_nothing() {
    let (w, connection, _) = with_calendar(true, false).await;
    booked(&w, monday("10:00")).await;
    w.provider.state().busy = vec![span("09:45", "10:15")];
    looked(&w).await;
    w.provider.state().unreadable = Some(LOST);
    looked(&w).await;
    assert_eq!(open(&w, connection.id).await.len(), 1);
}

#[tokio::test]
async fn what_a_person_decides_lasts_until_one_of_the_two_changes() {
    for decision in [Resolution::Ignored, Resolution::Ours] {
        let (w, connection, _) = with_calendar(true, false).await;
        let booking = booked(&w, monday("10:00")).await;
        w.provider.state().busy = vec![span("09:45", "10:15")];
        looked(&w).await;
        let found = open(&w, connection.id).await;
        let person = berth_engine::Caller { actor: "key:person".to_owned(), ..w.caller.clone() };
        w.engine.mirror.resolve_conflict(&person, found[0].id, decision).await.unwrap();
        looked(&w).await;
        asked(&w).await;
        assert!(open(&w, connection.id).await.is_empty(), "{decision:?}");
        assert_eq!(w.booking(booking.id).await.status, BookingStatus::Confirmed);
        assert_eq!(w.provider.count("cancel"), 0, "nothing is taken out of somebody's calendar");
        w.provider.state().busy = vec![span("09:45", "10:20")];
        looked(&w).await;
        assert_eq!(open(&w, connection.id).await.len(), 1, "{decision:?}: it is another event now");
    }
}

#[tokio::test]
async fn where_the_event_counts_the_booking_gives_way_and_cannot_come_back() {
    let (w, connection, _) = with_calendar(true, false).await;
    let booking = booked(&w, monday("10:00")).await;
    w.provider.state().busy = vec![span("09:45", "10:15")];
    looked(&w).await;
    let found = open(&w, connection.id).await;
    w.engine.mirror.resolve_conflict(&w.caller, found[0].id, Resolution::Theirs).await.unwrap();
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
    let refused = w.engine.mirror.revert_conflict(&w.caller, found[0].id).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongState);
}
