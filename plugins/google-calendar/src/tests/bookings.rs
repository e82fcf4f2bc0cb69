//! Making, finding, cancelling and moving, with every answer that Google has.

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

use super::{at, busy, event, provider, provider_with, refusal, script};

const EVENTS: &str = "/calendar/v3/calendars/primary/events";
const INSERT: &str = "/calendar/v3/calendars/primary/events?sendUpdates=all";
/// The id that follows from the key `key-1`.
const ID: &str = "/calendar/v3/calendars/primary/events/berthddinib9h";
const FREE_BUSY: &str = "/calendar/v3/freeBusy";

fn half_hour(start: &str) -> Interval {
    Interval { start: at(start), end: at(start) + 30 * MINUTE }
}

fn create() -> CreateRequest {
    create_request("key-1", "b_1", "primary", half_hour("2026-01-05T09:00:00Z"))
}

fn taken() -> String {
    busy(&[("2026-01-05T09:15:00Z", "2026-01-05T10:00:00Z")])
}

fn reschedule() -> RescheduleRequest {
    RescheduleRequest {
        idempotency_key: "m1".to_owned(),
        id: "ev1".to_owned(),
        reference: "b_1".to_owned(),
        when: half_hour("2026-01-05T09:15:00Z"),
        reason: None,
        requested_by: None,
        slot_token: None,
    }
}

fn cancel() -> CancelRequest {
    CancelRequest { idempotency_key: "c1".to_owned(), id: "ev1".to_owned(), reason: None }
}

#[test]
fn a_free_time_is_looked_at_and_then_written() {
    let made = event(&json!({})).to_string();
    let (google, played) =
        provider(script().on("POST", FREE_BUSY, 200, &busy(&[])).on("POST", INSERT, 200, &made));
    let booking = google.create(create()).unwrap();
    assert_eq!((booking.reference.as_deref(), booking.status), (Some("b_1"), BookingStatus::Confirmed));
    let asked = json!({ "timeMin": "2026-01-05T09:00:00Z", "timeMax": "2026-01-05T09:30:00Z",
        "items": [{ "id": "primary" }] });
    assert_eq!(played.body(0), asked);
    assert_eq!(played.body(1)["id"], "berthddinib9h");
    assert_eq!(played.body(1)["summary"], "Booking: Ada Nowak");
    played.finish();
}

#[test]
fn settings_decide_what_is_asked_and_sent() {
    let settings = json!({ "calendar": "room#1@example.com", "refuse_conflicts": false, "send_updates": "none",
        "meet": true, "title": "Visit" });
    let path =
        "/calendar/v3/calendars/room%231%40example.com/events?sendUpdates=none&conferenceDataVersion=1";
    let (google, played) =
        provider_with(script().on("POST", path, 200, &event(&json!({})).to_string()), &settings);
    let request = CreateRequest { event_type: "room#1@example.com".to_owned(), ..create() };
    assert_eq!(google.create(request).unwrap().event_type.as_deref(), Some("room#1@example.com"));
    assert_eq!(played.body(0)["summary"], "Visit");
    assert_eq!(played.body(0)["conferenceData"]["createRequest"]["requestId"], "berthddinib9h");
    let refused = google.create(create());
    assert!(matches!(refused, Err(ProviderError::Invalid(p)) if p[0].field == "event_type"));
    played.finish();
}

#[test]
fn a_taken_time_is_refused_unless_it_is_taken_by_the_booking_itself() {
    let again = event(&json!({ "id": "berthddinib9h" })).to_string();
    let gone = event(&json!({ "status": "cancelled" })).to_string();
    let (google, played) = provider(
        script()
            .on("POST", FREE_BUSY, 200, &taken())
            .on("GET", ID, 404, &refusal(404, "notFound"))
            .on("POST", FREE_BUSY, 200, &taken())
            .on("GET", ID, 200, &again)
            .on("POST", FREE_BUSY, 200, &taken())
            .on("GET", ID, 200, &gone)
            .on("POST", FREE_BUSY, 200, &taken())
            .on("GET", ID, 503, ""),
    );
    assert_eq!(google.create(create()), Err(ProviderError::slot_taken()));
    assert_eq!(google.create(create()).unwrap().id, "berthddinib9h");
    assert_eq!(google.create(create()), Err(ProviderError::slot_taken()));
    assert_eq!(google.create(create()), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn whole_days_begin_where_the_calendar_says() {
    let list = "/calendar/v3/calendars/primary/events?singleEvents=true&maxResults=1";
    let days =
        event(&json!({ "start": { "date": "2026-01-05" }, "end": { "date": "2026-01-06" } })).to_string();
    let zone = json!({ "items": [], "timeZone": "Asia/Tokyo" }).to_string();
    let (google, played) = provider(script().on("GET", ID, 200, &days).on("GET", list, 200, &zone));
    let when = google.get("berthddinib9h".to_owned()).unwrap().when;
    assert_eq!(when, Interval { start: at("2026-01-04T15:00:00Z"), end: at("2026-01-05T15:00:00Z") });
    played.finish();
}

#[test]
fn an_id_that_is_known_is_looked_at() {
    let duplicate = || refusal(409, "duplicate");
    let look = |script: berth_sdk::testing::Scripted| {
        script.on("POST", FREE_BUSY, 200, &busy(&[])).on("POST", INSERT, 409, &duplicate())
    };
    let gone = event(&json!({ "status": "cancelled" })).to_string();
    let script = look(script()).on("GET", ID, 200, &event(&json!({})).to_string());
    let script = look(script).on("GET", ID, 200, &gone);
    let script = look(script).on("GET", ID, 404, &refusal(404, "notFound"));
    let (google, played) = provider(script);
    assert_eq!(google.create(create()).unwrap().reference.as_deref(), Some("b_1"));
    assert!(matches!(google.create(create()), Err(ProviderError::Conflict(Conflict::WrongState(_)))));
    assert_eq!(google.create(create()), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn refusals_before_and_after_writing() {
    let unreadable =
        json!({ "calendars": { "primary": { "errors": [{ "reason": "notFound" }], "busy": [] } } })
            .to_string();
    let (google, played) = provider(
        script()
            .on("POST", FREE_BUSY, 200, &unreadable)
            .on("POST", FREE_BUSY, 200, &busy(&[]))
            .on("POST", INSERT, 403, &refusal(403, "calendarUsageLimitsExceeded"))
            .on("POST", FREE_BUSY, 200, &busy(&[]))
            .on("POST", INSERT, 400, &refusal(400, "invalid"))
            .on("POST", FREE_BUSY, 200, &busy(&[]))
            .on_failure("POST", INSERT, SendError::Failed("reset".to_owned())),
    );
    assert!(matches!(google.create(create()), Err(ProviderError::Forbidden(_))));
    assert_eq!(google.create(create()), Err(ProviderError::RateLimited(None)));
    assert!(matches!(google.create(create()), Err(ProviderError::Invalid(_))));
    assert_eq!(google.create(create()), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn bookings_are_found_by_their_reference_on_every_page() {
    let target =
        format!("{EVENTS}?privateExtendedProperty=berth_booking_id%3Db_1&showDeleted=true&maxResults=50");
    let page = |items: serde_json::Value, next: serde_json::Value| {
        json!({ "kind": "calendar#events", "items": items, "nextPageToken": next }).to_string()
    };
    let (google, played) = provider(script().on("GET", &target, 200, &page(json!([]), json!("p2"))).on(
        "GET",
        &format!("{target}&pageToken=p2"),
        200,
        &page(json!([event(&json!({}))]), json!(null)),
    ));
    let lookup = ReferenceLookup {
        reference: "b_1".to_owned(),
        attendee_email: None,
        created_after: at("2026-01-01T09:00:00Z"),
        when: half_hour("2026-01-05T09:00:00Z"),
    };
    assert_eq!(google.find_by_reference(lookup).unwrap().len(), 1);
    played.finish();
}

#[test]
fn an_event_is_deleted_once() {
    let path = format!("{EVENTS}/ev1");
    let delete = format!("{path}?sendUpdates=all");
    let there = event(&json!({ "id": "ev1" })).to_string();
    let gone = event(&json!({ "id": "ev1", "status": "cancelled" })).to_string();
    let (google, played) = provider(
        script()
            .on("GET", &path, 200, &there)
            .on("DELETE", &delete, 204, "")
            .on("GET", &path, 200, &gone)
            .on("GET", &path, 200, &there)
            .on("DELETE", &delete, 410, &refusal(410, "deleted"))
            .on("GET", &path, 200, &there)
            .on_failure("DELETE", &delete, SendError::Failed("reset".to_owned()))
            .on("GET", &path, 404, &refusal(404, "notFound")),
    );
    for _ in 0..3 {
        let cancelled = google.cancel(cancel()).unwrap();
        assert_eq!((cancelled.id.as_str(), cancelled.status), ("ev1", BookingStatus::Cancelled));
    }
    assert_eq!(google.cancel(cancel()), Err(ProviderError::Unavailable(None)));
    assert_eq!(google.cancel(cancel()), Err(ProviderError::NotFound));
    played.finish();
}

#[test]
fn a_move_keeps_the_id_and_does_not_stand_in_its_own_way() {
    let path = format!("{EVENTS}/ev1");
    let change = format!("{path}?sendUpdates=all");
    let moved = json!({ "start": { "dateTime": "2026-01-05T09:15:00Z" }, "end": { "dateTime": "2026-01-05T09:45:00Z" } });
    let own = busy(&[("2026-01-05T09:00:00Z", "2026-01-05T09:30:00Z")]);
    let (google, played) = provider(
        script()
            .on("GET", &path, 200, &event(&json!({})).to_string())
            .on("POST", FREE_BUSY, 200, &own)
            .on("PATCH", &change, 200, &event(&moved).to_string())
            .on("GET", &path, 200, &event(&moved).to_string()),
    );
    assert_eq!(google.reschedule(reschedule()).unwrap().when, reschedule().when);
    let sent = &played.requests()[2];
    assert!(sent.headers.contains(&("if-match".to_owned(), "\"3412\"".to_owned())));
    let zone = "Europe/Warsaw";
    let expected = json!({ "start": { "dateTime": "2026-01-05T09:15:00Z", "timeZone": zone },
        "end": { "dateTime": "2026-01-05T09:45:00Z", "timeZone": zone } });
    assert_eq!(played.body(2), expected);
    assert_eq!(google.reschedule(reschedule()).unwrap().when, reschedule().when, "moved already");
    played.finish();
}

#[test]
fn moves_that_cannot_be() {
    let path = format!("{EVENTS}/ev1");
    let there = event(&json!({})).to_string();
    let gone = event(&json!({ "status": "cancelled" })).to_string();
    let joined = busy(&[("2026-01-05T09:00:00Z", "2026-01-05T09:40:00Z")]);
    let mut script = script()
        .on("GET", &path, 200, &gone)
        .on("GET", &path, 200, &there)
        .on("POST", FREE_BUSY, 200, &joined);
    for _ in 0..3 {
        script = script.on("GET", &path, 200, &there).on("POST", FREE_BUSY, 200, &busy(&[])).on(
            "PATCH",
            &path,
            412,
            &refusal(412, "conditionNotMet"),
        );
    }
    let (google, played) = provider(script);
    assert!(matches!(google.reschedule(reschedule()), Err(ProviderError::Conflict(Conflict::WrongState(_)))));
    assert_eq!(google.reschedule(reschedule()), Err(ProviderError::slot_taken()));
    assert_eq!(google.reschedule(reschedule()), Err(ProviderError::Conflict(Conflict::Changed)));
    played.finish();
}
