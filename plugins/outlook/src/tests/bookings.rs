//! Bookings: made once, found, cancelled, moved.

use berth_sdk::{
    Bookings,
    http::SendError,
    testing::create_request,
    types::{
        BookingStatus, CancelRequest, Conflict, CreateRequest, Interval, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::{Value, json};

use super::{at, error, event, list, provider, provider_with, script};
use crate::map::REFERENCE;

const EVENT: &str = "/v1.0/me/events/AAMk1";

fn when() -> Interval {
    Interval { start: at("2026-01-05T09:00:00Z"), end: at("2026-01-05T09:30:00Z") }
}

fn request(calendar: &str) -> CreateRequest {
    create_request("b-1-create", "b-1", calendar, when())
}

fn with_reference(changes: &Value) -> Value {
    let mut event = event(changes);
    event["singleValueExtendedProperties"] = json!([{"id": REFERENCE, "value": "b-1"}]);
    event
}

#[test]
fn an_event_is_made_in_the_calendar_that_was_chosen() {
    let (outlook, played) = provider_with(
        &json!({"calendars": ["default", "AAMk/2"]}),
        script().on("POST", "/v1.0/me/events", 201, &event(&json!({})).to_string()).on(
            "POST",
            "/v1.0/me/calendars/AAMk%2F2/events",
            201,
            &event(&json!({})).to_string(),
        ),
    );
    for calendar in ["default", "AAMk/2"] {
        let booking = outlook.create(request(calendar)).unwrap();
        assert_eq!((booking.id.as_str(), booking.reference.as_deref()), ("AAMk1", Some("b-1")));
        assert_eq!((booking.event_type.as_deref(), booking.when), (Some(calendar), when()));
    }
    assert_eq!(played.body(0), played.body(1), "a try says the same as the one before");
    assert_eq!(played.body(0)["transactionId"], "berth-b-1-create");
    let refused = outlook.create(request("AAMk3"));
    assert!(matches!(refused, Err(ProviderError::Invalid(p)) if p[0].message.contains("default, AAMk/2")));
    played.finish();
}

#[test]
fn a_conflict_may_be_the_event_of_an_earlier_try() {
    let (outlook, played) = provider(
        script()
            .on("POST", "/v1.0/me/events", 409, &error("ErrorConflict"))
            .on("GET", "/v1.0/me/events", 200, &list(&[with_reference(&json!({}))]))
            .on("POST", "/v1.0/me/events", 409, &error("ErrorConflict"))
            .on("GET", "/v1.0/me/events", 200, &list(&[])),
    );
    assert_eq!(outlook.create(request("default")).unwrap().id, "AAMk1");
    let refused = outlook.create(request("default"));
    assert_eq!(refused, Err(ProviderError::Conflict(Conflict::WrongState("no".to_owned()))));
    played.finish();
}

#[test]
fn what_has_no_usable_answer_is_not_refused() {
    let (outlook, _played) = provider(
        script()
            .on_failure("POST", "/v1.0/me/events", SendError::Failed("reset".to_owned()))
            .on("POST", "/v1.0/me/events", 201, "{}")
            .on("POST", "/v1.0/me/events", 504, ""),
    );
    for _ in 0..3 {
        assert_eq!(outlook.create(request("default")), Err(ProviderError::Unavailable(None)));
    }
}

#[test]
fn a_reference_is_searched_on_every_page() {
    let target = "/v1.0/me/events?%24filter=singleValueExtendedProperties%2FAny%28ep%3A%20ep%2Fid%20eq%20%27String%20\
        %7B7c2f3c8e-54a1-4c1b-9d0e-6a8f2b1d3e95%7D%20Name%20berth_reference%27%20and%20ep%2Fvalue%20eq%20%27b-1%27%29\
        &%24expand=singleValueExtendedProperties%28%24filter%3Did%20eq%20%27String%20\
        %7B7c2f3c8e-54a1-4c1b-9d0e-6a8f2b1d3e95%7D%20Name%20berth_reference%27%29";
    let old = with_reference(&json!({"id": "old", "createdDateTime": "2026-01-01T09:00:00Z"}));
    let next =
        json!({"value": [old], "@odata.nextLink": "https://graph.microsoft.com/v1.0/me/events?%24skip=1"});
    let mut other = with_reference(&json!({"id": "other"}));
    other["singleValueExtendedProperties"][0]["value"] = json!("B-1");
    let (outlook, played) = provider(script().on("GET", target, 200, &next.to_string()).on(
        "GET",
        "/v1.0/me/events?%24skip=1",
        200,
        &list(&[with_reference(&json!({"id": "new"})), other]),
    ));
    let lookup =
        ReferenceLookup { reference: "b-1".to_owned(), attendee_email: None, created_after: 0, when: when() };
    let found = outlook.find_by_reference(lookup).unwrap();
    assert_eq!(found.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["new", "old"]);
    played.finish();
}

#[test]
fn a_reference_is_searched_in_each_calendar_of_the_connection() {
    // Without a calendar Graph lists the default one alone.
    let made = with_reference(&json!({"id": "AAMk7"}));
    let settings = json!({"calendars": ["default", "AAMk1", "AAMk/2"]});
    let (outlook, played) = provider_with(
        &settings,
        script()
            .on("GET", "/v1.0/me/events", 200, &list(&[]))
            .on("GET", "/v1.0/me/calendars/AAMk1/events", 200, &list(std::slice::from_ref(&made)))
            .on("GET", "/v1.0/me/calendars/AAMk%2F2/events", 200, &list(&[made])),
    );
    let lookup =
        ReferenceLookup { reference: "b-1".to_owned(), attendee_email: None, created_after: 0, when: when() };
    let found = outlook.find_by_reference(lookup).unwrap();
    assert_eq!(found.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["AAMk7"], "one event is told once");
    played.finish();
}

#[test]
fn an_event_that_somebody_made_last_all_day_can_be_moved() {
    let (outlook, played) = provider(script().on("PATCH", EVENT, 200, &event(&json!({})).to_string()));
    let request = RescheduleRequest {
        idempotency_key: "k".to_owned(),
        id: "AAMk1".to_owned(),
        reference: "b-1".to_owned(),
        when: when(),
        reason: None,
        requested_by: None,
        slot_token: None,
    };
    outlook.reschedule(request).unwrap();
    assert_eq!(played.body(0)["isAllDay"], false, "else Graph wants midnights");
}

fn cancel(reason: Option<&str>) -> CancelRequest {
    CancelRequest {
        idempotency_key: "k".to_owned(),
        id: "AAMk1".to_owned(),
        reason: reason.map(str::to_owned),
    }
}

#[test]
fn attendees_are_told_and_others_need_not_be() {
    let alone = event(&json!({"attendees": []}));
    let (outlook, played) = provider(
        script()
            .on("GET", EVENT, 200, &event(&json!({})).to_string())
            .on("POST", "/v1.0/me/events/AAMk1/cancel", 202, "")
            .on("GET", EVENT, 200, &alone.to_string())
            .on("DELETE", EVENT, 204, ""),
    );
    for _ in 0..2 {
        let booking = outlook.cancel(cancel(Some("ill"))).unwrap();
        assert_eq!((booking.status, booking.when), (BookingStatus::Cancelled, when()));
        assert_eq!(booking.cancellation_reason.as_deref(), Some("ill"));
    }
    assert_eq!(played.body(1), json!({"comment": "ill"}));
    played.finish();
}

#[test]
fn what_is_gone_or_cancelled_is_cancelled() {
    let (outlook, played) = provider(
        script()
            .on("GET", EVENT, 404, &error("ErrorItemNotFound"))
            .on("GET", EVENT, 200, &event(&json!({"isCancelled": true})).to_string())
            .on("GET", EVENT, 200, &event(&json!({})).to_string())
            .on("POST", "/v1.0/me/events/AAMk1/cancel", 404, &error("ErrorItemNotFound"))
            .on("GET", EVENT, 200, &event(&json!({})).to_string())
            .on("POST", "/v1.0/me/events/AAMk1/cancel", 503, ""),
    );
    for _ in 0..3 {
        let booking = outlook.cancel(cancel(None)).unwrap();
        assert_eq!((booking.id.as_str(), booking.status), ("AAMk1", BookingStatus::Cancelled));
    }
    assert_eq!(outlook.cancel(cancel(None)), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn a_move_is_one_change() {
    let moved = event(&json!({"start": {"dateTime": "2026-01-05T10:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-01-05T10:30:00.0000000", "timeZone": "UTC"}}));
    let (outlook, played) = provider(
        script()
            .on("PATCH", EVENT, 200, &moved.to_string())
            .on("PATCH", EVENT, 404, &error("ErrorItemNotFound"))
            .on("PATCH", EVENT, 412, &error("ErrorIrresolvableConflict")),
    );
    let request = || RescheduleRequest {
        idempotency_key: "k".to_owned(),
        id: "AAMk1".to_owned(),
        reference: "b-1".to_owned(),
        when: Interval { start: at("2026-01-05T10:00:00Z"), end: at("2026-01-05T10:30:00Z") },
        reason: None,
        requested_by: None,
        slot_token: None,
    };
    let booking = outlook.reschedule(request()).unwrap();
    assert_eq!((booking.id.as_str(), booking.when), ("AAMk1", request().when));
    assert_eq!(outlook.reschedule(request()), Err(ProviderError::NotFound));
    assert_eq!(outlook.reschedule(request()), Err(ProviderError::Conflict(Conflict::Changed)));
    assert_eq!(
        played.body(0),
        json!({"start": {"dateTime": "2026-01-05T10:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-01-05T10:30:00", "timeZone": "UTC"}, "isAllDay": false})
    );
    played.finish();
}
