//! Making, finding, cancelling and moving, with every answer that the contract has.

use berth_sdk::{
    Bookings,
    http::SendError,
    testing::create_request,
    time::MINUTE,
    types::{
        BookingStatus, CancelRequest, Conflict, CreateRequest, Interval, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::json;

use super::{at, booking, error, page, path, provider, script};

fn when(start: &str) -> Interval {
    Interval { start: at(start), end: at(start) + 45 * MINUTE }
}

fn create() -> CreateRequest {
    create_request("k1", "b_1", "svc_1", when("2026-01-05T09:00:00Z"))
}

fn cancel() -> CancelRequest {
    CancelRequest { idempotency_key: "c1".to_owned(), id: "bk_1".to_owned(), reason: Some("ill".to_owned()) }
}

fn reschedule() -> RescheduleRequest {
    RescheduleRequest {
        idempotency_key: "m1".to_owned(),
        id: "bk_1".to_owned(),
        reference: "b_1".to_owned(),
        when: when("2026-01-06T10:00:00Z"),
        reason: Some("clash".to_owned()),
        requested_by: None,
        slot_token: None,
    }
}

#[test]
fn a_new_booking_carries_key_and_reference() {
    let made = booking(&json!({})).to_string();
    let (booksy, played) = provider(script().on("POST", &path("bookings"), 201, &made));
    let found = booksy.create(create()).unwrap();
    assert_eq!((found.id.as_str(), found.reference.as_deref()), ("bk_1", Some("b_1")));
    assert!(played.requests()[0].headers.contains(&("idempotency-key".to_owned(), "k1".to_owned())));
    assert_eq!(played.body(0)["external_ref"], "berth:b_1");
    played.finish();
}

#[test]
fn a_repeat_shows_the_booking_as_it_is_now() {
    let first = booking(&json!({})).to_string();
    let now = booking(&json!({"status": "cancelled", "version": 2})).to_string();
    let replayed = [("Idempotency-Replayed", "true")];
    let (booksy, played) = provider(
        script()
            .on_with("POST", &path("bookings"), 201, &replayed, &first)
            .on("GET", &path("bookings/bk_1"), 200, &now)
            .on_with("POST", &path("bookings/bk_1/reschedule"), 200, &replayed, &first)
            .on("GET", &path("bookings/bk_1"), 404, &error("not_found", "no")),
    );
    assert_eq!(booksy.create(create()).unwrap().status, BookingStatus::Cancelled);
    let unsure = booksy.reschedule(reschedule());
    assert_eq!(unsure, Err(ProviderError::Unavailable(None)), "the change was made, whatever is there now");
    played.finish();
}

#[test]
fn refusals_of_a_new_booking() {
    let mut detailed: serde_json::Value =
        serde_json::from_str(&error("invalid_request", "The request is not valid.")).unwrap();
    detailed["error"]["details"] = json!([{"field": "start", "message": "must not be in the past"}]);
    let past = ProviderError::invalid("when.start", "must not be in the past");
    for (status, body, expected) in [
        (409, error("slot_unavailable", "taken"), ProviderError::slot_taken()),
        (409, error("idempotency_mismatch", "other body"), ProviderError::Unavailable(None)),
        (400, detailed.to_string(), past),
        (400, error("invalid_request", "no"), ProviderError::invalid("", "no")),
        (403, error("forbidden", "not yours"), ProviderError::Forbidden("not yours".to_owned())),
        (404, error("not_found", "no such service"), ProviderError::NotFound),
        (500, error("internal", "oops"), ProviderError::Unavailable(None)),
        (503, error("unavailable", "down"), ProviderError::Unavailable(None)),
    ] {
        let (booksy, _) = provider(script().on("POST", &path("bookings"), status, &body));
        assert_eq!(booksy.create(create()), Err(expected), "{status} {body}");
    }
    let lost = SendError::Failed("reset".to_owned());
    let (booksy, _) = provider(script().on_failure("POST", &path("bookings"), lost));
    assert_eq!(booksy.create(create()), Err(ProviderError::Unavailable(None)));
}

#[test]
fn a_lost_booking_is_found_by_its_reference_wherever_it_is_now() {
    let old = booking(&json!({"id": "bk_1", "status": "cancelled"}));
    let new = booking(&json!({"id": "bk_2", "start": "2026-03-01T09:00:00Z", "end": "2026-03-01T09:45:00Z",
        "created_at": "2026-01-02T10:00:00Z"}));
    let other = booking(&json!({"id": "bk_3", "external_ref": "berth:b_2"}));
    let (booksy, played) = provider(
        script()
            .on(
                "GET",
                &path("bookings?updated_since=2026-01-02T08%3A55%3A00Z&limit=200"),
                200,
                &page(&[old, other], Some("c2")),
            )
            .on(
                "GET",
                &path("bookings?updated_since=2026-01-02T08%3A55%3A00Z&cursor=c2&limit=200"),
                200,
                &page(&[new], None),
            ),
    );
    let lookup = ReferenceLookup {
        reference: "b_1".to_owned(),
        attendee_email: Some("ada@example.com".to_owned()),
        created_after: at("2026-01-02T09:00:00Z"),
        when: when("2026-01-05T09:00:00Z"),
    };
    let found = booksy.find_by_reference(lookup).unwrap();
    let shown: Vec<_> = found.iter().map(|b| (b.id.as_str(), b.status)).collect();
    assert_eq!(shown, [("bk_2", BookingStatus::Confirmed), ("bk_1", BookingStatus::Cancelled)]);
    played.finish();
}

#[test]
fn cancelling_twice_succeeds() {
    let cancelled = booking(&json!({"status": "cancelled",
        "cancellation": {"reason": "ill", "cancelled_by": "platform", "at": "2026-01-03T09:00:00Z"}}));
    let target = path("bookings/bk_1/cancel");
    let (booksy, played) = provider(
        script()
            .on("POST", &target, 200, &cancelled.to_string())
            .on("POST", &target, 422, &error("already_cancelled", "It is cancelled."))
            .on("GET", &path("bookings/bk_1"), 200, &cancelled.to_string())
            .on("POST", &target, 422, &error("not_reschedulable", "It took place."))
            .on("GET", &path("bookings/bk_1"), 200, &booking(&json!({"status": "completed"})).to_string())
            .on("POST", &target, 404, &error("not_found", "no")),
    );
    for _ in 0..2 {
        let done = booksy.cancel(cancel()).unwrap();
        let shown = (done.status, done.cancellation_reason.as_deref());
        assert_eq!(shown, (BookingStatus::Cancelled, Some("ill")));
    }
    assert_eq!(played.body(0), json!({"reason": "ill", "cancelled_by": "platform"}));
    assert!(played.requests()[0].headers.contains(&("idempotency-key".to_owned(), "c1".to_owned())));
    assert_eq!(booksy.cancel(cancel()), Err(ProviderError::wrong_state("It took place.")));
    assert_eq!(booksy.cancel(cancel()), Err(ProviderError::NotFound));
    played.finish();
}

#[test]
fn a_moved_booking_keeps_its_id() {
    let moved =
        booking(&json!({"start": "2026-01-06T10:00:00Z", "end": "2026-01-06T10:45:00Z", "version": 2}));
    let target = path("bookings/bk_1/reschedule");
    let (booksy, played) = provider(
        script()
            .on("POST", &target, 200, &moved.to_string())
            .on("POST", &target, 409, &error("slot_unavailable", "taken"))
            .on("POST", &target, 412, &error("version_conflict", "stale"))
            .on("POST", &target, 422, &error("not_reschedulable", "It is cancelled.")),
    );
    let done = booksy.reschedule(reschedule()).unwrap();
    assert_eq!((done.id.as_str(), done.when), ("bk_1", when("2026-01-06T10:00:00Z")));
    let sent = json!({"start": "2026-01-06T10:00:00Z", "end": "2026-01-06T10:45:00Z", "reason": "clash"});
    assert_eq!(played.body(0), sent);
    for expected in [
        ProviderError::slot_taken(),
        ProviderError::Conflict(Conflict::Changed),
        ProviderError::wrong_state("It is cancelled."),
    ] {
        assert_eq!(booksy.reschedule(reschedule()), Err(expected));
    }
    played.finish();
}
