//! Times that are closed at providers which have customers of their own, because something elsewhere takes them.

use berth_engine::{NewCalendar, ProviderChoice};
use berth_model::{
    bookings::booking::Booking,
    calendars::calendar::CalendarRecord,
    connections::connection::ConnectionRecord,
    outbound::provider::{Attendee, ExternalBooking, ExternalStatus, WebhookEvent},
    time::{Instant, Interval},
};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::{
    provider::{Fault, LOST},
    webhooks::send,
    world::{World, half_hour, monday, new_connection, world},
};

/// A second connection, at which Ana's time can be closed.
async fn with_blocks() -> (World, ConnectionRecord, CalendarRecord) {
    let w = world().await;
    w.provider.state().capabilities.blocks = true;
    let connection = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    let new = NewCalendar {
        member: w.ana.id,
        connection: connection.id,
        calendar: "staff-ana".to_owned(),
        reads: false,
        writes: true,
    };
    let calendar = w.engine.calendars.create_calendar(&w.caller, new).await.unwrap();
    assert!(calendar.blocks);
    (w, connection, calendar)
}

async fn booked(w: &World, start: Instant) -> Booking {
    let mut request = w.request(start);
    request.provider = Some(ProviderChoice::BuiltIn);
    w.engine.bookings.book(&w.caller, request).await.unwrap().booking
}

async fn settled(w: &World) {
    while w.later(0).await > 0 {}
}

fn closed(w: &World) -> Vec<Interval> {
    let mut closed: Vec<Interval> = w.provider.state().blocks.iter().map(|(_, block)| block.when).collect();
    closed.sort_unstable();
    closed
}

#[tokio::test]
async fn a_time_is_closed_moved_and_opened_with_its_booking() {
    let (w, _, calendar) = with_blocks().await;
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    assert_eq!(closed(&w), [half_hour(monday("10:00"))]);
    assert!(w.provider.active().is_empty(), "no booking is invented");
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    settled(&w).await;
    assert_eq!(closed(&w), [half_hour(monday("11:00"))]);
    assert_eq!(w.engine.calendar_writer.begin_block_writes().await.unwrap(), 0, "nothing is behind");
    w.cancel(booking.id).await.unwrap();
    settled(&w).await;
    assert!(closed(&w).is_empty());

    booked(&w, monday("09:00")).await;
    settled(&w).await;
    w.engine.calendars.delete_calendar(&w.caller, calendar.id).await.unwrap();
    assert!(closed(&w).is_empty(), "a calendar that is disconnected is left as it was");
}

#[tokio::test]
async fn a_lost_answer_and_a_crash_leave_no_block_behind() {
    let (w, ..) = with_blocks().await;
    w.provider.next("create_block", Fault::After(LOST));
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    // It moves before anybody knows that its time was closed.
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    while w.later(60).await > 0 {}
    assert_eq!(closed(&w), [half_hour(monday("11:00"))]);

    w.provider.next("create_block", Fault::After(LOST));
    booked(&w, monday("09:00")).await;
    while w.later(60).await > 0 {}
    assert_eq!(
        closed(&w),
        [half_hour(monday("09:00")), half_hour(monday("11:00"))],
        "and none is there twice"
    );

    w.provider.next("remove_block", Fault::After(LOST));
    w.cancel(booking.id).await.unwrap();
    while w.later(60).await > 0 {}
    assert_eq!(closed(&w), [half_hour(monday("09:00"))]);
}

/// A booking of the provider that has nothing to do with us.
fn external_booking(id: &str, start: Instant) -> ExternalBooking {
    ExternalBooking {
        id: id.to_owned(),
        reference: None,
        status: ExternalStatus::Confirmed,
        when: half_hour(start),
        event_type: Some("et-1".to_owned()),
        title: None,
        attendees: vec![Attendee {
            name: "Walk-in".to_owned(),
            email: None,
            phone: None,
            time_zone: "Europe/Warsaw".to_owned(),
            language: None,
        }],
        location: None,
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: None,
        raw: Value::Null,
    }
}

#[tokio::test]
async fn what_one_provider_tells_is_closed_at_the_other_at_once() {
    let (w, ..) = with_blocks().await;
    let tell = async |name: &str, event: WebhookEvent| {
        send(&w, name, event).await;
        settled(&w).await;
    };
    tell("made", WebhookEvent::Created(external_booking("walk-in", monday("10:00")))).await;
    assert_eq!(closed(&w), [half_hour(monday("10:00"))]);
    let refused = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(refused.code, berth_model::problem::Code::SlotTaken, "it takes its time here, too");

    let mut moved = external_booking("walk-in-2", monday("11:00"));
    moved.rescheduled_from = Some("walk-in".to_owned());
    tell("moved", WebhookEvent::Rescheduled { old_id: "walk-in".to_owned(), booking: moved.clone() }).await;
    assert_eq!(closed(&w), [half_hour(monday("11:00"))]);

    tell("gone", WebhookEvent::Cancelled(ExternalBooking { status: ExternalStatus::Cancelled, ..moved }))
        .await;
    assert!(closed(&w).is_empty());
}

#[tokio::test]
async fn a_time_that_somebody_booked_there_is_tried_again_when_it_is_free() {
    let (w, ..) = with_blocks().await;
    w.provider.state().bookings.push(external_booking("theirs", monday("10:00")));
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    assert!(closed(&w).is_empty());
    assert_eq!(
        w.engine.calendar_writer.begin_block_writes().await.unwrap(),
        0,
        "a refusal is not asked for again and again"
    );
    w.provider.edit("theirs", |counterpart| counterpart.status = ExternalStatus::Cancelled);
    booked(&w, monday("11:00")).await;
    settled(&w).await;
    assert_eq!(closed(&w), [booking.when, half_hour(monday("11:00"))]);
}

#[tokio::test]
async fn a_calendar_that_is_connected_later_or_written_no_more_follows() {
    let (w, connection, calendar) = with_blocks().await;
    booked(&w, monday("10:00")).await;
    settled(&w).await;
    let patch =
        |writes| berth_engine::CalendarPatch { writes: Some(writes), reads: Some(true), calendar: None };
    w.provider.state().capabilities.availability = true;
    w.engine.calendars.update_calendar(&w.caller, calendar.id, patch(false)).await.unwrap();
    settled(&w).await;
    assert!(closed(&w).is_empty());
    w.engine.calendars.update_calendar(&w.caller, calendar.id, patch(true)).await.unwrap();
    settled(&w).await;
    assert_eq!(closed(&w).len(), 1);

    let another = NewCalendar {
        member: w.ana.id,
        connection: connection.id,
        calendar: "room-1".to_owned(),
        reads: false,
        writes: true,
    };
    w.engine.calendars.create_calendar(&w.caller, another).await.unwrap();
    settled(&w).await;
    assert_eq!(closed(&w).len(), 2, "what is booked already is closed there, too");
}

#[tokio::test]
async fn our_own_blocks_are_not_busy_times() {
    let (w, _, calendar) = with_blocks().await;
    w.provider.state().capabilities.availability = true;
    w.provider.state().spans =
        Some(berth_model::outbound::provider::QuerySpans { free_slots_days: 0, busy_days: 30 });
    let patch = berth_engine::CalendarPatch { reads: Some(true), ..berth_engine::CalendarPatch::default() };
    w.engine.calendars.update_calendar(&w.caller, calendar.id, patch).await.unwrap();
    let patch = berth_engine::EventTypePatch {
        buffer_before_minutes: Some(15),
        ..berth_engine::EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let booking = booked(&w, monday("10:00")).await;
    settled(&w).await;
    let with_buffer = Interval::new(monday("09:45"), monday("10:30")).unwrap();
    assert_eq!(closed(&w), [with_buffer]);
    let moved = w.reschedule(booking.id, monday("10:30")).await.unwrap();
    assert_eq!(moved.booking.when.start(), monday("10:30"), "its own block is not in its way");
}

async fn reading(w: &World, calendar: &CalendarRecord) {
    w.provider.state().capabilities.availability = true;
    w.provider.state().spans =
        Some(berth_model::outbound::provider::QuerySpans { free_slots_days: 0, busy_days: 30 });
    let patch = berth_engine::CalendarPatch { reads: Some(true), ..berth_engine::CalendarPatch::default() };
    w.engine.calendars.update_calendar(&w.caller, calendar.id, patch).await.unwrap();
    let patch = berth_engine::EventTypePatch {
        slot_interval_minutes: Some(Some(15)),
        ..berth_engine::EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
}

#[tokio::test]
async fn our_own_block_is_known_before_the_answer_to_it_came() {
    let (w, _, calendar) = with_blocks().await;
    reading(&w, &calendar).await;
    let patch = berth_engine::EventTypePatch {
        buffer_before_minutes: Some(15),
        ..berth_engine::EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let with_buffer = |from, to| Interval::new(monday(from), monday(to)).unwrap();
    let booking = booked(&w, monday("10:00")).await;
    w.provider.next("create_block", Fault::After(LOST));
    settled(&w).await;
    assert_eq!(closed(&w), [with_buffer("09:45", "10:30")], "it is there, and nobody told us");
    for clock in ["10:15", "10:30", "10:45", "10:30"] {
        let moved = w.reschedule(booking.id, monday(clock)).await.unwrap();
        assert_eq!(moved.booking.when.start(), monday(clock), "our own block is not in its way");
    }
    while w.later(60).await > 0 {}
    assert_eq!(closed(&w), [with_buffer("10:15", "11:00")]);
}

#[tokio::test]
async fn our_own_block_is_known_in_what_was_read_before_it_was_noted_or_opened() {
    let (w, _, calendar) = with_blocks().await;
    reading(&w, &calendar).await;
    let other = w.replica();
    let offered = async || {
        let query = berth_engine::AvailabilityQuery {
            event_type: w.event_type.id,
            within: Interval::new(monday("09:00"), monday("12:00")).unwrap(),
            time_zone: "Europe/Warsaw".parse().unwrap(),
            length_minutes: None,
            member: None,
            provider: Some(ProviderChoice::BuiltIn),
            explain: false,
        };
        let slots = other.availability.availability(&w.caller, query).await.unwrap().slots;
        slots.into_iter().map(|slot| slot.when.start()).collect::<Vec<_>>()
    };
    let booking = booked(&w, monday("10:00")).await;
    w.provider.next("create_block", Fault::After(LOST));
    settled(&w).await;
    // The other replica reads it, and remembers what it read.
    assert!(!offered().await.contains(&monday("10:00")));
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    assert!(offered().await.contains(&monday("10:00")), "the time is free again, though the block is there");
    while w.later(5).await > 0 {}
    assert_eq!(closed(&w), [half_hour(monday("11:00"))]);
    assert!(offered().await.contains(&monday("10:00")), "and now that it was opened");
    w.cancel(booking.id).await.unwrap();
    settled(&w).await;
    assert!(offered().await.contains(&monday("11:00")));
}

/// Whatever is lost, late or in between: a booking moves wherever nobody else is.
#[tokio::test]
async fn our_own_block_is_never_in_the_way() {
    let fresh = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0);
    // The second: what was closed without an answer was opened without an answer, too.
    for seed in [12, 9_310_524_680_920_346_989, fresh] {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (w, _, calendar) = with_blocks().await;
        reading(&w, &calendar).await;
        let other = w.replica();
        let booking = booked(&w, monday("10:00")).await;
        for _ in 0..60 {
            match random.next_u32() % 6 {
                0 => w.provider.next("create_block", Fault::After(LOST)),
                1 => w.provider.next("remove_block", Fault::After(LOST)),
                2 => drop(w.later(i64::from(random.next_u32() % 60)).await),
                _ => {
                    let start = monday("09:00").plus_minutes(15 * i64::from(random.next_u32() % 11));
                    let to = berth_engine::RescheduleBooking {
                        start,
                        expected_sequence: None,
                        bound_by_cutoffs: false,
                    };
                    let by = if random.next_u32().is_multiple_of(2) { &w.engine } else { &other };
                    let moved = by.bookings.reschedule(&w.caller, booking.id, to).await;
                    assert_eq!(moved.map(|outcome| outcome.booking.when.start()), Ok(start));
                }
            }
        }
    }
}
