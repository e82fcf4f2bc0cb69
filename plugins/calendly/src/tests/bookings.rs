//! Making, finding, cancelling and moving.

use berth_sdk::{
    Bookings,
    http::SendError,
    testing::{Scripted, create_request},
    time::MINUTE,
    types::{
        BookingStatus, CancelRequest, Conflict, CreateRequest, Interval, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::{Value, json};

use super::{ROOT, at, error, event, event_type, invitee, list, provider, resource, script, script_of_eve};

fn start() -> i64 {
    at("2026-01-05T09:00:00Z")
}

fn half_hour() -> Interval {
    Interval { start: start(), end: start() + 30 * MINUTE }
}

fn request() -> CreateRequest {
    create_request("k1", "r_1", "ET1", half_hour())
}

fn cancel(reason: Option<&str>) -> CancelRequest {
    CancelRequest {
        idempotency_key: "k2".to_owned(),
        id: "E1/I1".to_owned(),
        reason: reason.map(str::to_owned),
    }
}

/// Before a booking: its event type.
fn asked() -> Scripted {
    script().on("GET", "/event_types/ET1", 200, &resource(&event_type()))
}

fn read(script: Scripted, event_now: &Value, invitee_now: &Value) -> Scripted {
    script.on("GET", "/scheduled_events/E1/invitees/I1", 200, &resource(invitee_now)).on(
        "GET",
        "/scheduled_events/E1",
        200,
        &resource(event_now),
    )
}

fn usual() -> (Value, Value) {
    (event("E1", &json!({})), invitee("E1", "I1", &json!({})))
}

fn cancelled() -> (Value, Value) {
    let cancellation = json!({"canceled_by": "Eve", "reason": "ill", "canceler_type": "host"});
    let status = json!({"status": "canceled", "cancellation": cancellation});
    (event("E1", &status), invitee("E1", "I1", &status))
}

#[test]
fn a_booking_is_made_and_its_event_read() {
    let (event, invitee) = usual();
    let (calendly, played) = provider(asked().on("POST", "/invitees", 201, &resource(&invitee)).on(
        "GET",
        "/scheduled_events/E1",
        200,
        &resource(&event),
    ));
    let booking = calendly.create(request()).unwrap();
    assert_eq!((booking.id.as_str(), booking.when), ("E1/I1", half_hour()));
    assert_eq!(booking.location.as_deref(), Some("+48600100200"));
    let sent = played.body(1);
    assert_eq!(sent["event_type"], format!("{ROOT}/event_types/ET1"));
    assert_eq!(sent["tracking"]["utm_content"], "r_1");
    played.finish();
}

#[test]
fn a_booking_that_was_made_is_told_even_if_its_event_cannot_be_read() {
    let (_, invitee) = usual();
    for status in [404, 429, 500] {
        let (calendly, played) = provider(asked().on("POST", "/invitees", 201, &resource(&invitee)).on(
            "GET",
            "/scheduled_events/E1",
            status,
            "{}",
        ));
        let booking = calendly.create(request()).unwrap();
        assert_eq!((booking.id.as_str(), booking.when), ("E1/I1", half_hour()));
        assert_eq!(
            (booking.title.as_deref(), booking.event_type.as_deref()),
            (Some("Consultation"), Some("ET1"))
        );
        played.finish();
    }
}

#[test]
fn refusals_are_definite_and_everything_else_is_not() {
    let taken = json!({"title": "Invalid Argument", "message": "x", "details": [{"code": "already_filled"}]})
        .to_string();
    let wrong = json!({"title": "Invalid Argument", "message": "x",
        "details": [{"parameter": "invitee.email", "message": "is invalid"}]})
    .to_string();
    for (status, body, expected) in [
        (400, taken.as_str(), ProviderError::slot_taken()),
        (400, wrong.as_str(), ProviderError::invalid("attendee.email", "is invalid")),
        (
            403,
            &error("Permission Denied", "not on your plan"),
            ProviderError::Forbidden("not on your plan".to_owned()),
        ),
        (404, &error("Resource Not Found", "x"), ProviderError::NotFound),
        (500, &error("Internal Server Error", "x"), ProviderError::Unavailable(None)),
        (201, "<html>", ProviderError::Unavailable(None)),
        (201, r#"{"resource":{}}"#, ProviderError::Unavailable(None)),
    ] {
        let (calendly, _played) = provider(asked().on("POST", "/invitees", status, body));
        assert_eq!(calendly.create(request()), Err(expected), "{status} {body}");
    }
    let lost = SendError::Failed("reset".to_owned());
    let (calendly, _played) = provider(asked().on_failure("POST", "/invitees", lost));
    assert_eq!(calendly.create(request()), Err(ProviderError::Unavailable(None)));
}

#[test]
fn event_types_are_asked_once_in_ten_minutes() {
    let taken = r#"{"details":[{"code":"already_filled"}]}"#;
    let (calendly, played) = provider(
        asked()
            .on("POST", "/invitees", 400, taken)
            .on("POST", "/invitees", 400, taken)
            .on("GET", "/event_types/ET1", 200, &resource(&event_type()))
            .on("POST", "/invitees", 400, taken),
    );
    for minutes in [0, 9, 10] {
        berth_sdk::testing::set_now(at("2026-01-02T09:00:00Z") + minutes * MINUTE);
        assert_eq!(calendly.create(request()), Err(ProviderError::slot_taken()));
    }
    played.finish();
}

fn lookup() -> ReferenceLookup {
    ReferenceLookup {
        reference: "r_1".to_owned(),
        attendee_email: Some("ada@example.com".to_owned()),
        created_after: at("2026-01-02T08:50:00Z"),
        when: half_hour(),
    }
}

const SEARCH: &str = "/scheduled_events?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1&invitee_email=ada%40example.com\
    &min_start_time=2026-01-05T08%3A59%3A00Z&max_start_time=2026-01-05T09%3A01%3A00Z&sort=start_time%3Aasc&count=100";

#[test]
fn a_booking_is_found_by_its_reference() {
    let foreign = invitee("E2", "I2", &json!({"tracking": {"utm_source": "berth", "utm_content": "r_2"}}));
    let older = invitee("E3", "I3", &json!({"created_at": "2026-01-02T08:59:00.000000Z"}));
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", SEARCH, 200, &list(&["E3", "E2", "E1"].map(|id| event(id, &json!({}))), None))
            .on(
                "GET",
                "/scheduled_events/E3/invitees?email=ada%40example.com&count=100",
                200,
                &list(&[older], None),
            )
            .on("GET", "/scheduled_events/E2/invitees", 200, &list(&[foreign], None))
            .on("GET", "/scheduled_events/E1/invitees", 200, &list(&[usual().1], None)),
    );
    let found: Vec<_> = calendly.find_by_reference(lookup()).unwrap().into_iter().map(|b| b.id).collect();
    assert_eq!(found, ["E1/I1", "E3/I3"], "newest first");
    played.finish();
}

#[test]
fn a_booking_that_was_moved_meanwhile_is_found_where_it_is() {
    let uri = |n: u32| format!("{ROOT}/scheduled_events/E{n}/invitees/I{n}");
    let replaced = json!({"status": "canceled", "rescheduled": true, "new_invitee": uri(2)});
    let newer = json!({"old_invitee": uri(1), "created_at": "2026-01-02T09:30:00.000000Z"});
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", SEARCH, 200, &list(&[event("E1", &json!({"status": "canceled"}))], None))
            .on("GET", "/scheduled_events/E1/invitees", 200, &list(&[invitee("E1", "I1", &replaced)], None))
            .on("GET", "/scheduled_events/E2/invitees/I2", 200, &resource(&invitee("E2", "I2", &newer)))
            .on("GET", "/scheduled_events/E2", 200, &resource(&event("E2", &json!({})))),
    );
    let found = calendly.find_by_reference(lookup()).unwrap();
    let states: Vec<_> = found.iter().map(|b| (b.id.as_str(), b.status.is_active())).collect();
    assert_eq!(states, [("E2/I2", true), ("E1/I1", false)]);
    played.finish();
}

#[test]
fn a_booking_that_was_moved_away_and_back_is_found_once() {
    let uri = |n: u32| format!("{ROOT}/scheduled_events/E{n}/invitees/I{n}");
    let moved = |n: u32| {
        let id = format!("E{n}");
        let new = json!({"status": "canceled", "rescheduled": true, "new_invitee": uri(n + 1)});
        (event(&id, &json!({"status": "canceled"})), invitee(&id, &format!("I{n}"), &new))
    };
    let ((first, invitee_1), (away, invitee_2)) = (moved(1), moved(2));
    let (back, invitee_3) = (event("E3", &json!({})), invitee("E3", "I3", &json!({"old_invitee": uri(2)})));
    let (calendly, _played) = provider(
        script_of_eve()
            .on("GET", SEARCH, 200, &list(&[first, back.clone()], None))
            .on("GET", "/scheduled_events/E1/invitees", 200, &list(&[invitee_1], None))
            .on("GET", "/scheduled_events/E2/invitees/I2", 200, &resource(&invitee_2))
            .on("GET", "/scheduled_events/E2", 200, &resource(&away))
            .on("GET", "/scheduled_events/E3/invitees/I3", 200, &resource(&invitee_3))
            .on("GET", "/scheduled_events/E3", 200, &resource(&back))
            .on("GET", "/scheduled_events/E3/invitees", 200, &list(&[invitee_3], None)),
    );
    let mut found: Vec<_> = calendly.find_by_reference(lookup()).unwrap().into_iter().map(|b| b.id).collect();
    found.sort();
    assert_eq!(found, ["E1/I1", "E2/I2", "E3/I3"], "a double would be cancelled");
}

#[test]
fn a_cancel_looks_first_whom_it_would_hit() {
    let (event_now, invitee_now) = usual();
    let (calendly, played) = provider(read(script(), &event_now, &invitee_now).on(
        "POST",
        "/scheduled_events/E1/cancellation",
        201,
        r#"{"resource":{}}"#,
    ));
    let booking = calendly.cancel(cancel(Some("ill"))).unwrap();
    assert_eq!(
        (booking.status, booking.cancellation_reason.as_deref()),
        (BookingStatus::Cancelled, Some("ill"))
    );
    assert_eq!(played.body(2), json!({"reason": "ill"}));
    played.finish();

    let many = event("E1", &json!({"invitees_counter": {"total": 3, "active": 2, "limit": 8}}));
    let (calendly, played) = provider(read(script(), &many, &invitee_now));
    let page = Some("https://calendly.com/cancellations/I1".to_owned());
    assert_eq!(
        calendly.cancel(cancel(None)),
        Err(ProviderError::Unsupported(page)),
        "all would be cancelled"
    );
    played.finish();
}

#[test]
fn cancelling_what_is_cancelled_succeeds() {
    let (event_then, invitee_then) = cancelled();
    let (calendly, played) = provider(read(script(), &event_then, &invitee_then));
    assert_eq!(calendly.cancel(cancel(None)).unwrap().status, BookingStatus::Cancelled);
    played.finish();

    // Somebody was faster.
    let (event_now, invitee_now) = usual();
    let refused = read(script(), &event_now, &invitee_now).on(
        "POST",
        "/scheduled_events/E1/cancellation",
        403,
        &error("Permission Denied", "Event is already canceled"),
    );
    let (calendly, played) = provider(read(refused, &event_then, &invitee_then));
    assert_eq!(calendly.cancel(cancel(None)).unwrap().cancellation_reason.as_deref(), Some("ill"));
    played.finish();
}

#[test]
fn a_cancel_that_is_refused() {
    let (event_now, invitee_now) = usual();
    let over =
        event("E1", &json!({"start_time": "2026-01-01T09:00:00Z", "end_time": "2026-01-01T09:30:00Z"}));
    for (event_now, status, expected) in [
        (&event_now, 403, ProviderError::Forbidden("no".to_owned())),
        (&event_now, 400, ProviderError::Conflict(Conflict::WrongState("no".to_owned()))),
        (&over, 403, ProviderError::wrong_state("The meeting is over.")),
    ] {
        let refused = read(script(), event_now, &invitee_now).on(
            "POST",
            "/scheduled_events/E1/cancellation",
            status,
            &error("x", "no"),
        );
        let (calendly, played) = provider(read(refused, event_now, &invitee_now));
        assert_eq!(calendly.cancel(cancel(None)), Err(expected));
        played.finish();
    }
    let lost = read(script(), &event_now, &invitee_now).on_failure(
        "POST",
        "/scheduled_events/E1/cancellation",
        SendError::Failed("reset".to_owned()),
    );
    let (calendly, _played) = provider(lost);
    assert_eq!(calendly.cancel(cancel(None)), Err(ProviderError::Unavailable(None)));
}

#[test]
fn moving_is_done_by_a_person() {
    let (event_now, invitee_now) = usual();
    let (calendly, played) = provider(read(script(), &event_now, &invitee_now));
    let request = RescheduleRequest {
        idempotency_key: "k3".to_owned(),
        id: "E1/I1".to_owned(),
        reference: "r_1".to_owned(),
        when: half_hour(),
        reason: None,
        requested_by: None,
        slot_token: None,
    };
    let page = Some("https://calendly.com/reschedulings/I1".to_owned());
    assert_eq!(calendly.reschedule(request), Err(ProviderError::Unsupported(page)));
    played.finish();
}

#[test]
fn an_id_of_an_event_alone() {
    let (calendly, played) = provider(
        script()
            .on("GET", "/scheduled_events/E1/invitees", 200, &list(&[usual().1], None))
            .on("GET", "/scheduled_events/E1", 200, &resource(&usual().0))
            .on("GET", "/scheduled_events/nothing/invitees", 404, &error("Resource Not Found", "x")),
    );
    assert_eq!(calendly.get("E1".to_owned()).unwrap().id, "E1/I1");
    assert_eq!(calendly.get("nothing".to_owned()), Err(ProviderError::NotFound));
    played.finish();
}
