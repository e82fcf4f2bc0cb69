//! Making, cancelling and moving, with every answer that servers have.

use berth_sdk::{
    Bookings,
    http::SendError,
    testing::{Scripted, create_request},
    time::MINUTE,
    types::{
        BookingStatus, CancelRequest, Conflict, CreateRequest, Instant, Interval, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
};
use serde_json::json;

use super::{
    at, event, event_response, header, modified, multistatus, provider, provider_with, refusal, script, sent,
};

const LIES: &str = "/eve/work/k1.ics";
const START: &str = "20300105T090000Z";

fn half_hour(start: &str) -> Interval {
    let start: Instant = at(start);
    Interval { start, end: start + 30 * MINUTE }
}

fn create() -> CreateRequest {
    create_request("k1", "r_1", "/eve/work/", half_hour("2030-01-05T09:00:00Z"))
}

fn reschedule() -> RescheduleRequest {
    RescheduleRequest {
        idempotency_key: "m1".to_owned(),
        id: LIES.to_owned(),
        reference: "r_1".to_owned(),
        when: half_hour("2030-01-06T10:00:00Z"),
        reason: None,
        requested_by: None,
        slot_token: None,
    }
}

fn cancel(reason: Option<&str>) -> CancelRequest {
    CancelRequest { idempotency_key: "c1".to_owned(), id: LIES.to_owned(), reason: reason.map(str::to_owned) }
}

fn lies(script: Scripted, etag: &str, data: &str) -> Scripted {
    script.on_with("GET", LIES, 200, &[("ETag", etag)], data)
}

#[test]
fn an_event_is_written_where_there_is_none() {
    let (caldav, played) = provider(script().on_with("PUT", LIES, 201, &[("ETag", "\"1\"")], ""));
    let made = caldav.create(create()).unwrap();
    assert_eq!((made.id.as_str(), made.reference.as_deref()), (LIES, Some("r_1")));
    assert_eq!((made.when, made.event_type.as_deref()), (create().when, Some("/eve/work/")));
    assert_eq!(header(&played, 0, "if-none-match").as_deref(), Some("*"));
    assert_eq!(header(&played, 0, "content-type").as_deref(), Some("text/calendar; charset=utf-8"));
    assert!(sent(&played, 0).contains("\r\nUID:r_1@berth\r\n"));
    assert!(made.raw.contains("\\\"1\\\""), "the tag is told: {}", made.raw);
    played.finish();
}

#[test]
fn a_second_try_finds_the_event_of_the_first() {
    let taken = || script().on("PUT", LIES, 412, "");
    let (caldav, played) = provider(lies(taken(), "\"1\"", &event("r_1", START, "")));
    assert_eq!(caldav.create(create()).unwrap().id, LIES);
    played.finish();
    for (data, why) in [
        (event("r_2", START, ""), "Another event lies where this one was to be written."),
        (event("r_1", START, "STATUS:CANCELLED\n"), "The event was made and then cancelled in the calendar."),
    ] {
        let (caldav, _) = provider(lies(taken(), "\"1\"", &data));
        assert_eq!(caldav.create(create()), Err(ProviderError::wrong_state(why)));
    }
    let (caldav, _) = provider(taken().on("GET", LIES, 404, ""));
    assert_eq!(caldav.create(create()), Err(ProviderError::Unavailable(None)));
}

#[test]
fn an_event_that_has_the_uid_already_is_the_booking() {
    let there = multistatus(&event_response("/eve/work/other.ics", "\"7\"", &event("r_1", START, "")));
    let cancelled =
        multistatus(&event_response("/eve/work/o.ics", "\"7\"", &event("r_1", START, "STATUS:CANCELLED\n")));
    for (status, found, expected) in
        [(409, &there, Some("/eve/work/other.ics")), (403, &cancelled, None), (409, &multistatus(""), None)]
    {
        let refused = script().on("PUT", LIES, status, &refusal("C:no-uid-conflict"));
        let (caldav, played) = provider(refused.on("REPORT", "/eve/work/", 207, found));
        match (caldav.create(create()), expected) {
            (Ok(made), Some(id)) => assert_eq!(made.id, id),
            (Err(ProviderError::Vendor(vendor)), None) => assert_eq!(vendor.code, "no-uid-conflict"),
            other => panic!("{other:?}"),
        }
        played.finish();
    }
}

#[test]
fn refusals_of_a_new_event() {
    for (status, body, expected) in [
        (401, String::new(), ProviderError::Unauthorised),
        (
            403,
            refusal("need-privileges"),
            ProviderError::Forbidden(
                "The account may not do this in the calendar; its owner can grant it.".to_owned(),
            ),
        ),
        (404, String::new(), ProviderError::NotFound),
        (
            403,
            refusal("C:max-resource-size"),
            ProviderError::vendor(
                403,
                "max-resource-size",
                "The server refuses it: the condition max-resource-size is not met.",
            ),
        ),
        (500, String::new(), ProviderError::Unavailable(None)),
    ] {
        let (caldav, _) = provider(script().on("PUT", LIES, status, &body));
        assert_eq!(caldav.create(create()), Err(expected), "{status} {body}");
    }
    let (caldav, _) = provider(script().on_failure("PUT", LIES, SendError::Failed("reset".to_owned())));
    assert_eq!(caldav.create(create()), Err(ProviderError::Unavailable(None)));
    let (caldav, played) = provider(script());
    let elsewhere = CreateRequest { event_type: "/eve/home/".to_owned(), ..create() };
    let refused = caldav.create(elsewhere);
    assert!(matches!(refused, Err(ProviderError::Invalid(p)) if p[0].field == "event_type"));
    played.finish();
}

#[test]
fn a_lost_event_is_found_by_its_uid() {
    let lookup = || ReferenceLookup {
        reference: "r_1".to_owned(),
        attendee_email: None,
        created_after: 0,
        when: half_hour("2030-01-05T09:00:00Z"),
    };
    let answer = multistatus(
        &[
            modified(&event_response("/eve/work/old.ics", "\"1\"", &event("r_1", START, "")), 1),
            modified(&event_response("/eve/work/new.ics", "\"2\"", &event("r_1", START, "")), 2),
            event_response("/eve/work/x.ics", "\"3\"", &event("R_1", START, "")),
        ]
        .concat(),
    );
    let (caldav, played) = provider(script().on("REPORT", "/eve/work/", 207, &answer));
    let found = caldav.find_by_reference(lookup()).unwrap();
    assert_eq!(
        found.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(),
        ["/eve/work/new.ics", "/eve/work/old.ics"]
    );
    assert!(sent(&played, 0).contains(">r_1@berth</C:text-match>"));
    assert_eq!(header(&played, 0, "depth").as_deref(), Some("1"));
    let without_data = multistatus(&super::response("/eve/work/a.ics", "<getetag>\"1\"</getetag>"));
    let (caldav, _) = provider(script().on("REPORT", "/eve/work/", 207, &without_data));
    assert_eq!(caldav.find_by_reference(lookup()), Err(ProviderError::Unavailable(None)));
}

#[test]
fn a_cancelled_event_is_deleted_as_it_was_read() {
    let (caldav, played) = provider(
        lies(script(), "\"1\"", &event("r_1", START, ""))
            .on("DELETE", LIES, 204, "")
            .on("GET", LIES, 404, ""),
    );
    let done = caldav.cancel(cancel(Some("ill"))).unwrap();
    assert_eq!((done.status, done.cancellation_reason.as_deref()), (BookingStatus::Cancelled, Some("ill")));
    assert_eq!(header(&played, 1, "if-match").as_deref(), Some("\"1\""));
    let again = caldav.cancel(cancel(None)).unwrap();
    assert_eq!((again.id.as_str(), again.status), (LIES, BookingStatus::Cancelled));
    played.finish();
}

#[test]
fn an_event_that_somebody_changed_meanwhile_is_read_again() {
    let changed =
        |script: Scripted, tag: &str| lies(script, tag, &event("r_1", START, "")).on("DELETE", LIES, 412, "");
    let (caldav, played) = provider(
        lies(changed(changed(script(), "\"1\""), "\"2\""), "W/\"3\"", &event("r_1", START, ""))
            .on("DELETE", LIES, 404, ""),
    );
    assert_eq!(caldav.cancel(cancel(None)).unwrap().status, BookingStatus::Cancelled);
    assert_eq!(header(&played, 3, "if-match").as_deref(), Some("\"2\""));
    assert_eq!(header(&played, 5, "if-match"), None, "a weak tag binds nothing");
    played.finish();
    let ever = (1..=3).fold(script(), |script, _| changed(script, "\"1\""));
    let (caldav, played) = provider(ever);
    assert_eq!(caldav.cancel(cancel(None)), Err(ProviderError::Conflict(Conflict::Changed)));
    played.finish();
}

#[test]
fn a_cancelled_event_can_be_kept() {
    let settings = json!({ "calendar": "/eve/work/", "cancelled_events": "keep" });
    let there = lies(script(), "\"1\"", &event("r_1", START, "")).on("PUT", LIES, 204, "");
    let kept = event("r_1", START, "STATUS:CANCELLED\nCOMMENT:ill\n");
    let (caldav, played) = provider_with(&settings, lies(there, "\"2\"", &kept));
    let done = caldav.cancel(cancel(Some("ill"))).unwrap();
    assert_eq!((done.status, done.cancellation_reason.as_deref()), (BookingStatus::Cancelled, Some("ill")));
    assert!(sent(&played, 1).contains("TRANSP:TRANSPARENT"));
    assert_eq!(caldav.cancel(cancel(None)).unwrap().cancellation_reason.as_deref(), Some("ill"));
    played.finish();
}

#[test]
fn a_move_is_one_change_of_the_same_event() {
    let there = lies(script(), "\"1\"", &event("r_1", START, "X-KEPT:1\n"));
    let (caldav, played) = provider(there.on_with("PUT", LIES, 204, &[("etag", "\"2\"")], ""));
    let moved = caldav.reschedule(reschedule()).unwrap();
    assert_eq!((moved.id.as_str(), moved.when), (LIES, reschedule().when));
    assert_eq!(header(&played, 1, "if-match").as_deref(), Some("\"1\""));
    let text = sent(&played, 1);
    for line in ["DTSTART:20300106T100000Z", "DTEND:20300106T103000Z", "SEQUENCE:1", "X-KEPT:1"] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
    }
    played.finish();
}

#[test]
fn refusals_of_a_move_and_moves_that_happened() {
    let (caldav, played) = provider(lies(script(), "\"2\"", &event("r_1", "20300106T100000Z", "")));
    assert_eq!(
        caldav.reschedule(reschedule()).unwrap().when,
        reschedule().when,
        "our own, whose answer was lost"
    );
    played.finish();
    let (caldav, _) = provider(lies(script(), "\"2\"", &event("r_1", START, "STATUS:CANCELLED\n")));
    assert_eq!(caldav.reschedule(reschedule()), Err(ProviderError::wrong_state("The event is cancelled.")));
    let (caldav, _) = provider(script().on("GET", LIES, 404, ""));
    assert_eq!(caldav.reschedule(reschedule()), Err(ProviderError::NotFound));
    let lost = lies(script(), "\"1\"", &event("r_1", START, ""));
    let (caldav, _) = provider(lost.on_failure("PUT", LIES, SendError::Failed("reset".to_owned())));
    assert_eq!(caldav.reschedule(reschedule()), Err(ProviderError::Unavailable(None)));
    let (caldav, _) = provider(script().on("GET", LIES, 200, "<html/>"));
    assert_eq!(caldav.reschedule(reschedule()), Err(ProviderError::Unavailable(None)));
}
