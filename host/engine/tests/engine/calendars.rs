//! Members' own calendars: read for busy times, written with bookings.

use berth_engine::{AvailabilityQuery, MemberPatch, NewCalendar, ProviderChoice};
use berth_model::{
    bookings::booking::Booking,
    calendars::calendar::{CalendarEntry, CalendarRecord},
    catalog::event_type::EventTypePolicy,
    connections::connection::ConnectionRecord,
    limits,
    outbound::provider::{ExternalBooking, ExternalStatus},
    scheduling::rules::TeamMode,
    time::{Instant, Interval},
};

use crate::{
    provider::{Fault, LOST},
    world::{World, half_hour, monday, new_connection, world},
};

/// A second connection, which is Ana's calendar.
pub(crate) async fn with_calendar(reads: bool, writes: bool) -> (World, ConnectionRecord, CalendarRecord) {
    let w = world().await;
    w.provider.state().capabilities.availability = true;
    w.provider.state().spans =
        Some(berth_model::outbound::provider::QuerySpans { free_slots_days: 0, busy_days: 30 });
    let connection = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    let new = NewCalendar {
        member: w.ana.id,
        connection: connection.id,
        calendar: "ana@example.com".to_owned(),
        reads,
        writes,
    };
    let calendar = w.engine.calendars.create_calendar(&w.caller, new).await.unwrap();
    (w, connection, calendar)
}

/// Book with Berth alone.
pub(crate) async fn booked(w: &World, start: Instant) -> Booking {
    let mut request = w.request(start);
    request.provider = Some(ProviderChoice::BuiltIn);
    w.engine.bookings.book(&w.caller, request).await.unwrap().booking
}

pub(crate) async fn settled(w: &World) {
    while w.later(0).await > 0 {}
}

fn entries(w: &World) -> Vec<(String, Instant)> {
    let mut entries: Vec<_> = w
        .provider
        .active()
        .iter()
        .map(|t| (t.event_type.clone().unwrap_or_default(), t.when.start()))
        .collect();
    entries.sort();
    entries
}

#[tokio::test]
async fn a_booking_is_written_moved_and_taken_out() {
    let (w, _, calendar) = with_calendar(false, true).await;
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    assert_eq!(entries(&w), [("ana@example.com".to_owned(), monday("10:00"))]);
    assert_eq!(w.provider.active()[0].reference, Some(booking.id.to_string()));

    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    settled(&w).await;
    assert_eq!(entries(&w), [("ana@example.com".to_owned(), monday("11:00"))]);
    assert_eq!(w.engine.calendar_writer.begin_calendar_writes().await.unwrap(), 0, "nothing is behind");

    w.cancel(booking.id).await.unwrap();
    settled(&w).await;
    assert!(entries(&w).is_empty());

    booked(&w, monday("09:00")).await;
    settled(&w).await;
    w.engine.calendars.delete_calendar(&w.caller, calendar.id).await.unwrap();
    assert!(entries(&w).is_empty(), "a calendar that is disconnected is left as it was");
}

#[tokio::test]
async fn a_meeting_of_several_is_in_the_calendars_of_all() {
    let (w, connection, _) = with_calendar(false, true).await;
    let bea = crate::world::member(&w.engine, &w.caller, "Bea").await;
    let new = NewCalendar {
        member: bea.id,
        connection: connection.id,
        calendar: "bea@example.com".to_owned(),
        reads: false,
        writes: true,
    };
    w.engine.calendars.create_calendar(&w.caller, new).await.unwrap();
    let patch = berth_engine::EventTypePatch {
        members: Some(vec![w.ana.id, bea.id]),
        policy: Some(EventTypePolicy { team_mode: TeamMode::Collective, ..EventTypePolicy::default() }),
        ..berth_engine::EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    let of = |clock: &str| {
        let start = monday(clock);
        [("ana@example.com".to_owned(), start), ("bea@example.com".to_owned(), start)]
    };
    assert_eq!(entries(&w), of("10:00"));
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    settled(&w).await;
    assert_eq!(entries(&w), of("11:00"));
    assert_eq!(w.engine.calendar_writer.begin_calendar_writes().await.unwrap(), 0, "nothing is behind");
    w.cancel(booking.id).await.unwrap();
    settled(&w).await;
    assert!(entries(&w).is_empty());
}

#[tokio::test]
async fn an_answer_that_is_lost_writes_no_second_entry() {
    let (w, ..) = with_calendar(false, true).await;
    w.provider.next("create", Fault::After(LOST));
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    assert_eq!(entries(&w).len(), 1);
    while w.later(60).await > 0 {}
    assert_eq!(entries(&w).len(), 1);
    assert_eq!(w.provider.count("create"), 1);
    // What is behind is found again, whatever became of its job.
    let calendars = w.engine.calendars.list_calendars(&w.caller, None, 9).await.unwrap();
    let entry =
        w.engine.store().calendar_entry(w.tenant.id, booking.id, calendars[0].id).await.unwrap().unwrap();
    w.engine.store().put_calendar_entry(CalendarEntry { written: -1, ..entry }).await.unwrap();
    assert_eq!(w.engine.calendar_writer.begin_calendar_writes().await.unwrap(), 1);
    settled(&w).await;
    assert_eq!((w.engine.calendar_writer.begin_calendar_writes().await.unwrap(), entries(&w).len()), (0, 1));
}

#[tokio::test]
async fn our_own_entries_are_recognised_and_brought_back() {
    let (w, connection, _) = with_calendar(true, true).await;
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    let synced = |changes: Vec<ExternalBooking>| {
        w.provider.state().changes.get_or_insert_default().extend(changes);
        async {
            w.engine.mirror.start_sync(&w.caller, connection.id, false).await.unwrap();
            settled(&w).await;
        }
    };
    synced(w.provider.active()).await;
    let status = w.engine.mirror.sync_status(&w.caller, connection.id).await.unwrap();
    assert_eq!(status.open_conflicts, 0, "it is ours");
    let within = Interval::new(monday("00:00"), monday("23:00")).unwrap();
    let compared = w.engine.mirror.reconcile(&w.caller, connection.id, within).await.unwrap();
    assert_eq!((compared.theirs, compared.differences.len()), (1, 0), "{compared:?}");

    // Somebody drags it elsewhere, then deletes it.
    let dragged = w.provider.edit("x1", |t| t.when = half_hour(monday("11:00")));
    synced(vec![dragged]).await;
    assert_eq!(entries(&w), [("ana@example.com".to_owned(), monday("10:00"))]);
    let id = w.provider.active()[0].id.clone();
    let deleted = w.provider.edit(&id, |t| t.status = ExternalStatus::Cancelled);
    synced(vec![deleted]).await;
    assert_eq!(entries(&w), [("ana@example.com".to_owned(), monday("10:00"))]);
    assert_eq!(w.booking(booking.id).await.when.start(), monday("10:00"));
}

#[tokio::test]
async fn busy_times_count_for_their_member_alone() {
    let (w, ..) = with_calendar(true, false).await;
    let ben = crate::world::member(&w.engine, &w.caller, "Ben").await;
    let patch = berth_engine::EventTypePatch {
        members: Some(vec![w.ana.id, ben.id]),
        ..berth_engine::EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    w.provider.state().busy = vec![half_hour(monday("10:00"))];
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("00:00"), monday("23:00")).unwrap(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        length_minutes: None,
        member: None,
        provider: Some(ProviderChoice::BuiltIn),
        explain: false,
    };
    let answer = w.engine.availability.availability(&w.caller, query.clone()).await.unwrap();
    let at =
        |clock: &str| answer.slots.iter().find(|s| s.when.start() == monday(clock)).unwrap().members.clone();
    assert_eq!(at("10:00"), [ben.id]);
    assert_eq!(at("11:00").len(), 2);

    // A calendar that cannot be read is said.
    w.clock.pass_seconds(600);
    w.provider.next("busy", Fault::Before(LOST));
    let answer = w.engine.availability.availability(&w.caller, query).await.unwrap();
    assert_eq!(answer.degraded.len(), 1);
}

#[tokio::test]
async fn days_of_a_members_calendar_are_days_where_the_member_is() {
    let (w, ..) = with_calendar(true, false).await;
    let patch = MemberPatch { time_zone: Some("Europe/Lisbon".parse().unwrap()), ..MemberPatch::default() };
    w.engine.catalog.update_member(&w.caller, w.ana.id, patch, None).await.unwrap();
    let asked = || std::mem::take(&mut w.provider.state().zones).into_iter().collect::<Vec<_>>();
    asked();
    // When somebody wants to book, and when the calendar is looked at.
    booked(&w, monday("10:00")).await;
    assert_eq!(asked(), ["Europe/Lisbon"]);
    w.clock.pass_seconds(limits::CALENDAR_LOOK_SECONDS + 1);
    w.engine.calendars.begin_calendar_looks().await.unwrap();
    settled(&w).await;
    assert_eq!(asked(), ["Europe/Lisbon"]);
}

#[tokio::test]
async fn what_a_calendar_cannot_do_is_refused() {
    let (w, connection, _) = with_calendar(true, true).await;
    let new = |calendar: &str, reads, writes| NewCalendar {
        member: w.ana.id,
        connection: connection.id,
        calendar: calendar.to_owned(),
        reads,
        writes,
    };
    let refused = |new| async { w.engine.calendars.create_calendar(&w.caller, new).await.unwrap_err() };
    assert_eq!(refused(new("x", false, false)).await.errors[0].field, "/reads");
    assert_eq!(refused(new("", false, true)).await.errors[0].field, "/calendar");
    let twice = refused(new("ana@example.com", true, true)).await;
    assert_eq!(twice.code, berth_model::problem::Code::AlreadyExists);
    w.provider.state().capabilities.availability = false;
    assert_eq!(refused(new("y", true, false)).await.errors[0].field, "/reads");
}

#[tokio::test]
async fn our_own_entry_is_no_strangers_while_it_shows_the_old_time() {
    let (w, ..) = with_calendar(true, true).await;
    let patch = berth_engine::EventTypePatch {
        slot_interval_minutes: Some(Some(15)),
        ..berth_engine::EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    // The calendar shows it where it was until its entry is moved.
    w.provider.state().busy = vec![half_hour(monday("10:00"))];
    for clock in ["10:30", "10:15", "11:00", "10:00"] {
        let moved = w.reschedule(booking.id, monday(clock)).await.unwrap();
        assert_eq!(moved.booking.when.start(), monday(clock));
    }
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    let other = booked(&w, monday("10:00")).await;
    assert_eq!(other.when.start(), monday("10:00"), "where it was is free again");
}
