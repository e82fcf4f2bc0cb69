//! Making, cancelling and moving, with every answer that Cal.com has.

use berth_sdk::{
    Bookings,
    http::SendError,
    testing::{Scripted, create_request},
    time::MINUTE,
    types::{
        BookingStatus, CancelRequest, CreateRequest, Interval, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::{Value, json};

use super::{at, booking, error, provider, script, success};

fn half_hour(start: &str) -> Interval {
    Interval { start: at(start), end: at(start) + 30 * MINUTE }
}

fn create() -> CreateRequest {
    create_request("k1", "r_1", "101", half_hour("2026-01-05T09:00:00Z"))
}

fn reschedule() -> RescheduleRequest {
    RescheduleRequest {
        idempotency_key: "m1".to_owned(),
        id: "bk_uid_1".to_owned(),
        reference: "r_1".to_owned(),
        when: half_hour("2026-01-06T10:00:00Z"),
        reason: Some("clash".to_owned()),
        requested_by: Some("eve@example.com".to_owned()),
        slot_token: None,
    }
}

fn moved_old() -> Value {
    booking(&json!({"status": "cancelled", "rescheduledToUid": "bk_uid_2"}))
}

fn moved_new() -> Value {
    booking(&json!({"uid": "bk_uid_2", "rescheduledFromUid": "bk_uid_1", "start": "2026-01-06T10:00:00.000Z",
        "end": "2026-01-06T10:30:00.000Z"}))
}

/// The event type is looked at before a booking of it is made.
fn looked_at(changes: &Value) -> Scripted {
    let mut event_type = json!({"id": 101, "title": "T", "lengthInMinutes": 30, "recurrence": null});
    for (name, value) in changes.as_object().unwrap() {
        event_type[name] = value.clone();
    }
    script().on("GET", "/v2/event-types/101", 200, &success(&event_type))
}

#[test]
fn a_booking_carries_its_reference() {
    let made = success(&booking(&json!({})));
    let (calcom, played) = provider(looked_at(&json!({})).on("POST", "/v2/bookings", 201, &made));
    let made = calcom.create(create()).unwrap();
    assert_eq!((made.id.as_str(), made.reference.as_deref()), ("bk_uid_1", Some("r_1")));
    assert_eq!(played.body(1)["metadata"], json!({ "berth_reference": "r_1" }));
    let version = |n: usize| {
        let headers = &played.requests()[n].headers;
        headers.iter().find(|(name, _)| name == "cal-api-version").map(|(_, version)| version.clone())
    };
    assert_eq!((version(0).as_deref(), version(1).as_deref()), (Some("2024-06-14"), Some("2024-08-13")));
    played.finish();
}

#[test]
fn the_length_is_sent_only_where_it_can_be_chosen() {
    let with = |options: Value| looked_at(&json!({ "lengthInMinutesOptions": options }));
    for (options, expected) in [(Value::Null, Value::Null), (json!([30, 60]), json!(30))] {
        let made = success(&json!([booking(&json!({}))]));
        let (calcom, played) = provider(with(options).on("POST", "/v2/bookings", 201, &made));
        calcom.create(create()).unwrap();
        assert_eq!(played.body(1)["lengthInMinutes"], expected);
        played.finish();
    }
    let (calcom, played) = provider(with(json!([15, 60])));
    assert!(matches!(calcom.create(create()), Err(ProviderError::Invalid(p)) if p[0].field == "when"));
    played.finish();
}

#[test]
fn one_booking_is_made_of_an_event_type_that_repeats() {
    let weekly = json!({"interval": 1, "occurrences": 12, "frequency": "weekly"});
    for (recurrence, expected) in
        [(weekly, json!(1)), (json!({ "disabled": true }), Value::Null), (Value::Null, Value::Null)]
    {
        let made = success(&json!([booking(&json!({}))]));
        let found = looked_at(&json!({ "recurrence": recurrence }));
        let (calcom, played) = provider(found.on("POST", "/v2/bookings", 201, &made));
        assert_eq!(calcom.create(create()).unwrap().id, "bk_uid_1");
        assert_eq!(played.body(1)["recurrenceCount"], expected, "{recurrence}");
        played.finish();
    }
}

#[test]
fn refusals_of_a_new_booking() {
    for (status, message, expected) in [
        (
            400,
            "User either already has booking at this time or is not available",
            ProviderError::slot_taken(),
        ),
        (
            400,
            "One of the hosts either already has booking at this time or is not available",
            ProviderError::slot_taken(),
        ),
        (400, "no_available_users_found_error", ProviderError::slot_taken()),
        (409, "no_available_users_found_error", ProviderError::slot_taken()),
        (400, "responses - phone is required", ProviderError::invalid("", "responses - phone is required")),
        (403, "Forbidden resource", ProviderError::Forbidden("Forbidden resource".to_owned())),
        (404, "Event type not found", ProviderError::NotFound),
        (500, "not available", ProviderError::Unavailable(None)),
    ] {
        let (calcom, _) = provider(looked_at(&json!({})).on("POST", "/v2/bookings", status, &error(message)));
        assert_eq!(calcom.create(create()), Err(expected), "{status} {message}");
    }
    let lost = SendError::Failed("reset".to_owned());
    let (calcom, _) = provider(looked_at(&json!({})).on_failure("POST", "/v2/bookings", lost));
    assert_eq!(calcom.create(create()), Err(ProviderError::Unavailable(None)));
}

#[test]
fn a_lost_booking_is_found_by_its_reference() {
    let page = |items: &[Value], has_next: bool| {
        json!({"status": "success", "data": items, "pagination": {"hasNextPage": has_next}}).to_string()
    };
    let other = booking(&json!({"uid": "bk_other", "metadata": {"berth_reference": "r_2"}}));
    let target = |skip: u32| {
        format!(
            "/v2/bookings?attendeeEmail=ada%40example.com&afterCreatedAt=2026-01-02T08%3A55%3A00Z\
            &sortCreated=desc&take=100&skip={skip}"
        )
    };
    let (calcom, played) = provider(script().on("GET", &target(0), 200, &page(&[other], true)).on(
        "GET",
        &target(100),
        200,
        &page(&[booking(&json!({}))], false),
    ));
    let lookup = ReferenceLookup {
        reference: "r_1".to_owned(),
        attendee_email: Some("ada@example.com".to_owned()),
        created_after: at("2026-01-02T09:00:00Z"),
        when: half_hour("2026-01-05T09:00:00Z"),
    };
    let found = calcom.find_by_reference(lookup).unwrap();
    assert_eq!(found.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["bk_uid_1"]);
    played.finish();
}

#[test]
fn cancelling_twice_succeeds() {
    let cancelled = booking(&json!({"status": "cancelled", "cancellationReason": "ill"}));
    let cancel = |id: &str| CancelRequest {
        idempotency_key: "c1".to_owned(),
        id: id.to_owned(),
        reason: Some("ill".to_owned()),
    };
    let path = "/v2/bookings/bk_uid_1/cancel";
    let (calcom, played) = provider(
        script()
            .on("POST", path, 200, &success(&cancelled))
            .on("POST", path, 400, &error("already cancelled"))
            .on("GET", "/v2/bookings/bk_uid_1", 200, &success(&cancelled))
            .on("POST", path, 400, &error("cannot be cancelled after its start"))
            .on("GET", "/v2/bookings/bk_uid_1", 200, &success(&booking(&json!({}))))
            .on("POST", path, 404, &error("not found")),
    );
    for _ in 0..2 {
        let done = calcom.cancel(cancel("bk_uid_1")).unwrap();
        assert_eq!(
            (done.status, done.cancellation_reason.as_deref()),
            (BookingStatus::Cancelled, Some("ill"))
        );
    }
    assert_eq!(played.body(0), json!({ "cancellationReason": "ill" }));
    let refused = calcom.cancel(cancel("bk_uid_1"));
    assert_eq!(refused, Err(ProviderError::wrong_state("cannot be cancelled after its start")));
    assert_eq!(calcom.cancel(cancel("bk_uid_1")), Err(ProviderError::NotFound));
    played.finish();
}

#[test]
fn a_seat_is_cancelled_by_its_own_id() {
    let left = json!({"uid": "bk_s", "status": "accepted", "start": "2026-01-05T09:00:00.000Z",
        "end": "2026-01-05T10:00:00.000Z", "attendees": [{"name": "Bob", "timeZone": "UTC", "seatUid": "seat_2"}]});
    let (calcom, played) = provider(script().on("POST", "/v2/bookings/bk_s/cancel", 200, &success(&left)));
    let request =
        CancelRequest { idempotency_key: "c".to_owned(), id: "bk_s:seat_1".to_owned(), reason: None };
    let done = calcom.cancel(request).unwrap();
    assert_eq!((done.id.as_str(), done.status), ("bk_s:seat_1", BookingStatus::Cancelled));
    assert_eq!(played.body(0), json!({ "seatUid": "seat_1" }));
}

#[test]
fn a_move_has_a_new_id() {
    let (calcom, played) =
        provider(script().on("POST", "/v2/bookings/bk_uid_1/reschedule", 201, &success(&moved_new())));
    let moved = calcom.reschedule(reschedule()).unwrap();
    assert_eq!((moved.id.as_str(), moved.rescheduled_from.as_deref()), ("bk_uid_2", Some("bk_uid_1")));
    let expected = json!({"start": "2026-01-06T10:00:00Z", "rescheduledBy": "eve@example.com", "reschedulingReason": "clash"});
    assert_eq!(played.body(0), expected);
}

#[test]
fn refusals_of_a_move() {
    let path = "/v2/bookings/bk_uid_1/reschedule";
    let old = "/v2/bookings/bk_uid_1";
    let new = "/v2/bookings/bk_uid_2";
    let taken = error("User either already has booking at this time or is not available");
    let (calcom, _) = provider(script().on("POST", path, 400, &taken));
    assert_eq!(calcom.reschedule(reschedule()), Err(ProviderError::slot_taken()));

    let refused = error("Can't reschedule booking: it has been rescheduled to bk_uid_2");
    let again = script().on("POST", path, 400, &refused).on("GET", old, 200, &success(&moved_old()));
    let (calcom, played) = provider(again.on("GET", new, 200, &success(&moved_new())));
    assert_eq!(
        calcom.reschedule(reschedule()).unwrap().id,
        "bk_uid_2",
        "our own move, whose answer was lost"
    );
    played.finish();

    let elsewhere =
        booking(&json!({"uid": "bk_uid_2", "start": "2026-01-07T10:00:00Z", "end": "2026-01-07T10:30:00Z"}));
    let again = script().on("POST", path, 400, &refused).on("GET", old, 200, &success(&moved_old()));
    let (calcom, _) = provider(again.on("GET", new, 200, &success(&elsewhere)));
    let wrong = calcom.reschedule(reschedule());
    assert_eq!(wrong, Err(ProviderError::wrong_state("The booking was moved already; it is bk_uid_2 now.")));

    let cancelled = success(&booking(&json!({"status": "cancelled"})));
    let (calcom, _) = provider(script().on("POST", path, 400, &refused).on("GET", old, 200, &cancelled));
    assert_eq!(calcom.reschedule(reschedule()), Err(ProviderError::wrong_state("The booking is cancelled.")));

    let active = success(&booking(&json!({})));
    let (calcom, _) =
        provider(script().on("POST", path, 400, &error("too late")).on("GET", old, 200, &active));
    assert_eq!(calcom.reschedule(reschedule()), Err(ProviderError::invalid("", "too late")));
}
