//! HighLevel through the engine: the real component in its sandbox, against the simulator.

#[path = "gohighlevel/chaos.rs"]
mod chaos;
#[path = "gohighlevel/consent.rs"]
mod consent;
#[path = "gohighlevel/scenario.rs"]
mod scenario;

use std::sync::Arc;

use berth_engine::{CancelBooking, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    outbound::provider::{BusyQuery, Providers},
    problem::Code,
    time::{Clock, Interval},
};
use berth_simulators::{
    faults::Fault,
    front::Delivery,
    gohighlevel::{Config, Signatures, Simulator, Status},
};
use serde_json::json;

use scenario::{Scenario, at};

const APPOINTMENTS: &str = "POST /calendars/events/appointments";

#[tokio::test]
async fn a_booking_is_made_moved_and_cancelled_on_both_sides() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    let booking = scenario.book("2026-11-24T09:00:00Z").await;
    assert_eq!(booking.status, BookingStatus::Confirmed);
    let counterpart = &scenario.simulator.active_appointments()[0];
    assert_eq!((counterpart.start, counterpart.status), (booking.when.start().micros(), Status::Confirmed));
    assert!(counterpart.description.as_ref().unwrap().contains(&booking.id.to_string()));
    assert_eq!(scenario.simulator.contacts()[0].email.as_deref(), Some("ada@example.com"));

    let caller = &scenario.world.caller;
    let to = RescheduleBooking {
        start: at("2026-11-25T10:30:00Z"),
        expected_sequence: None,
        bound_by_cutoffs: false,
    };
    scenario.world.engine.bookings.reschedule(caller, booking.id, to).await.unwrap();
    assert_eq!(scenario.now(&booking).await.when.start(), at("2026-11-25T10:30:00Z"));
    let moved = &scenario.simulator.active_appointments()[0];
    assert_eq!(
        (moved.id.as_str(), moved.start),
        (counterpart.id.as_str(), at("2026-11-25T10:30:00Z").micros())
    );

    // The messages of our own changes, late and in the wrong order, change nothing.
    for message in scenario.messages().iter().rev() {
        scenario.deliver(message).await.unwrap();
    }
    assert_eq!(scenario.now(&booking).await.when.start(), at("2026-11-25T10:30:00Z"));

    let cancel = CancelBooking { reason: Some("ill".to_owned()), ..CancelBooking::default() };
    scenario.world.engine.bookings.cancel(caller, booking.id, cancel).await.unwrap();
    assert_eq!(scenario.now(&booking).await.status, BookingStatus::Cancelled);
    assert!(scenario.simulator.active_appointments().is_empty());
    let left = &scenario.simulator.appointments()[0];
    assert!(left.description.as_ref().unwrap().ends_with("Cancellation reason: ill"));

    scenario.book("2026-11-25T10:30:00Z").await;
    assert_eq!(scenario.simulator.contacts().len(), 1, "the same person is the same contact");
}

#[tokio::test]
async fn bookings_follow_what_people_do_in_highlevel() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    let first = scenario.book("2026-11-24T09:00:00Z").await;
    let second = scenario.book("2026-11-24T11:00:00Z").await;
    scenario.messages();
    let id = |booking: &Booking| booking.external_id.clone().unwrap();

    scenario.simulator.move_out_of_band(&id(&first), at("2026-11-24T13:00:00Z").micros()).unwrap();
    let moved = scenario.messages();
    scenario.deliver(&moved[0]).await.unwrap();
    assert_eq!(scenario.now(&first).await.when.start(), at("2026-11-24T13:00:00Z"));

    scenario.simulator.change_out_of_band(&id(&first), &json!({ "appointmentStatus": "cancelled" })).unwrap();
    let cancelled = scenario.messages();
    scenario.deliver(&cancelled[0]).await.unwrap();
    scenario.deliver(&cancelled[0]).await.unwrap();
    scenario.deliver(&moved[0]).await.unwrap();
    assert_eq!(scenario.now(&first).await.status, BookingStatus::Cancelled);

    scenario.simulator.delete_out_of_band(&id(&second)).unwrap();
    scenario.deliver(&scenario.messages()[0]).await.unwrap();
    assert_eq!(scenario.now(&second).await.status, BookingStatus::Cancelled, "deleted there, cancelled here");
}

#[tokio::test]
async fn the_one_address_of_an_app_serves_its_sub_accounts() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    let booking = scenario.book("2026-11-24T09:00:00Z").await;
    scenario.messages();
    let id = booking.external_id.clone().unwrap();
    scenario.simulator.move_out_of_band(&id, at("2026-11-24T13:00:00Z").micros()).unwrap();
    scenario.deliver_to_app(&scenario.messages()[0]).await.unwrap();
    assert_eq!(scenario.now(&booking).await.when.start(), at("2026-11-24T13:00:00Z"));

    // Signed under the same key, but of a sub-account that nobody here connected.
    let clock = scenario.world.clock.clone();
    let elsewhere = Config {
        location_id: "loc_2".to_owned(),
        clock: Arc::new(move || clock.now().micros()),
        ..Config::default()
    };
    let elsewhere = Simulator::start(elsewhere).await.unwrap();
    elsewhere.book_out_of_band("cal_1", at("2026-11-24T09:00:00Z").micros()).unwrap();
    let foreign = elsewhere.take_deliveries();
    assert_eq!(scenario.deliver_to_app(&foreign[0]).await, Err(Code::WebhookRefused));
    assert_eq!(scenario.deliver(&foreign[0]).await, Ok(()), "signed well, and then passed over");
    assert_eq!(scenario.now(&booking).await.status, BookingStatus::Confirmed);
}

#[tokio::test]
async fn who_booked_in_highlevel_is_known_without_a_message() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    let id = scenario.simulator.book_out_of_band("cal_1", at("2026-11-24T09:00:00Z").micros()).unwrap();
    let page = scenario.world.runtime.list_changes(&scenario.call().await, None, 100).await.unwrap();
    let people: Vec<_> =
        page.items.iter().map(|b| (b.id.as_str(), b.attendees[0].email.as_deref())).collect();
    assert_eq!(people, [(id.as_str(), Some("walk.in@example.com"))]);
}

#[tokio::test]
async fn what_is_blocked_for_days_is_busy_on_each_of_them() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    let (start, end) = (at("2026-11-24T00:00:00Z"), at("2026-12-15T00:00:00Z"));
    scenario.simulator.block_out_of_band(start.micros(), end.micros());
    let query = BusyQuery {
        within: Interval::new(at("2026-12-10T00:00:00Z"), at("2026-12-11T00:00:00Z")).unwrap(),
        calendars: vec!["cal_1".to_owned()],
        time_zone: "Europe/Warsaw".to_owned(),
    };
    let busy = scenario.world.runtime.busy(&scenario.call().await, query).await.unwrap();
    assert_eq!(busy.iter().map(|b| (b.when.start(), b.when.end())).collect::<Vec<_>>(), [(start, end)]);
}

#[tokio::test]
async fn a_calendar_that_confirms_by_hand_keeps_the_booking_waiting() {
    let scenario = Scenario::open("cal_2", json!({})).await;
    let booking = scenario.book("2026-11-24T09:00:00Z").await;
    assert_eq!(booking.status, BookingStatus::Pending);
    assert_eq!(scenario.simulator.active_appointments()[0].status, Status::New);
    scenario.messages();
    let id = booking.external_id.clone().unwrap();
    scenario.simulator.change_out_of_band(&id, &json!({ "appointmentStatus": "confirmed" })).unwrap();
    scenario.deliver(&scenario.messages()[0]).await.unwrap();
    assert_eq!(scenario.now(&booking).await.status, BookingStatus::Confirmed);
}

#[tokio::test]
async fn a_lost_answer_makes_exactly_one_booking() {
    for lost in ["POST /contacts/upsert", APPOINTMENTS] {
        for fault in [Fault::DropAfter, Fault::Malformed, Fault::DropBefore] {
            let scenario = Scenario::open("cal_1", json!({})).await;
            scenario.simulator.script(lost, fault);
            let booking = scenario.book("2026-11-24T09:00:00Z").await;
            assert_eq!(booking.status, BookingStatus::Pending, "{lost} {fault:?}: nobody knows yet");
            scenario.later().await;
            let settled = scenario.now(&booking).await;
            assert_eq!(settled.status, BookingStatus::Confirmed, "{lost} {fault:?}");
            let counterparts = scenario.simulator.active_appointments();
            assert_eq!((counterparts.len(), scenario.simulator.contacts().len()), (1, 1), "{lost} {fault:?}");
            assert_eq!(settled.external_id.as_deref(), Some(counterparts[0].id.as_str()), "{lost} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_time_that_was_taken_there_is_refused_here() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    scenario.simulator.book_out_of_band("cal_1", at("2026-11-24T09:00:00Z").micros()).unwrap();
    let start = at("2026-11-24T11:00:00Z").micros();
    scenario.simulator.block_out_of_band(start, start + 30 * 60_000_000);
    for start in ["2026-11-24T09:00:00Z", "2026-11-24T11:00:00Z"] {
        assert_eq!(scenario.try_to_book(at(start)).await.err(), Some(Code::SlotTaken), "{start}");
    }
    assert_eq!(scenario.simulator.active_appointments().len(), 1);
}

#[tokio::test]
async fn only_messages_that_are_signed_count() {
    let strict = Scenario::open("cal_1", json!({})).await;
    let lenient = Scenario::open("cal_1", json!({ "legacy_webhook_signatures": true })).await;
    for (scenario, legacy) in [(&strict, Err(Code::WebhookRefused)), (&lenient, Ok(()))] {
        let booking = scenario.book("2026-11-24T09:00:00Z").await;
        scenario.messages();
        let id = booking.external_id.clone().unwrap();
        for (signatures, expected) in [
            (Signatures::None, Err(Code::WebhookRefused)),
            (Signatures::Legacy, legacy),
            (Signatures::Both, Ok(())),
        ] {
            scenario.simulator.set_signatures(signatures);
            scenario.simulator.change_out_of_band(&id, &json!({ "description": "changed" })).unwrap();
            let message = &scenario.messages()[0];
            assert_eq!(scenario.deliver(message).await, expected, "{signatures:?}");
            scenario.world.clock.advance_ms(1_000);
        }
        scenario.simulator.set_signatures(Signatures::Current);
        scenario.simulator.change_out_of_band(&id, &json!({ "appointmentStatus": "cancelled" })).unwrap();
        let message = scenario.messages().remove(0);
        let changed = Delivery { body: [message.body.as_slice(), b" "].concat(), ..message.clone() };
        assert_eq!(scenario.deliver(&changed).await, Err(Code::WebhookRefused));
        scenario.world.clock.advance_ms(7_201_000);
        assert_eq!(scenario.deliver(&message).await, Err(Code::WebhookRefused), "too old");
        assert_eq!(scenario.now(&booking).await.status, BookingStatus::Confirmed);
    }
}
