//! Making, cancelling and moving, with every answer that HighLevel has.

use berth_sdk::{
    Bookings,
    http::SendError,
    testing::create_request,
    time::MINUTE,
    types::{
        BookingStatus, CancelRequest, CreateRequest, Interval, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::{Value, json};

use super::{
    appointment, at, calendar, calendars, contact, error, event, events, header, one_calendar, provider,
    provider_with, script, slots,
};

const APPOINTMENTS: &str = "/calendars/events/appointments";
const APPOINTMENT: &str = "/calendars/events/appointments/ap_1";
const SLOTS: &str = "/calendars/cal_1/free-slots";
const TAKEN: &str = "The slot you have selected is no longer available.";

fn half_hour(start: &str) -> Interval {
    Interval { start: at(start), end: at(start) + 30 * MINUTE }
}

fn create(slot_token: Option<&str>) -> CreateRequest {
    CreateRequest {
        notes: Some("first visit".to_owned()),
        slot_token: slot_token.map(ToOwned::to_owned),
        ..create_request("k1", "r_1", "cal_1", half_hour("2026-01-05T09:00:00Z"))
    }
}

fn reschedule() -> RescheduleRequest {
    RescheduleRequest {
        idempotency_key: "m1".to_owned(),
        id: "ap_1".to_owned(),
        reference: "r_1".to_owned(),
        when: half_hour("2026-01-05T14:00:00Z"),
        reason: Some("clash".to_owned()),
        requested_by: Some("ada@example.com".to_owned()),
        slot_token: None,
    }
}

fn cancel(reason: Option<&str>) -> CancelRequest {
    CancelRequest {
        idempotency_key: "c1".to_owned(),
        id: "ap_1".to_owned(),
        reason: reason.map(ToOwned::to_owned),
    }
}

/// What HighLevel answers to a change: less than it knows.
fn short_answer(changes: &Value) -> String {
    let mut answer = json!({ "id": "ap_1", "calendarId": "cal_1", "locationId": "loc_1", "contactId": "con_1",
        "title": "Consultation: Ada Nowak", "isRecurring": false, "traceId": "t" });
    answer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    answer.to_string()
}

#[test]
fn a_contact_is_made_first_and_the_slot_written_in_its_own_words() {
    let (provider, played) = provider(
        script()
            .on("GET", "/calendars/cal_1", 200, &one_calendar())
            .on("GET", SLOTS, 200, &slots(&["09:30", "10:00"]))
            .on("POST", "/contacts/upsert", 200, &contact())
            .on("POST", APPOINTMENTS, 200, &short_answer(&json!({}))),
    );
    let booking = provider.create(create(None)).unwrap();
    assert_eq!((booking.id.as_str(), booking.reference.as_deref()), ("ap_1", Some("r_1")));
    assert_eq!((booking.when, booking.status), (half_hour("2026-01-05T09:00:00Z"), BookingStatus::Confirmed));
    assert_eq!(booking.attendees[0].name, "Ada Nowak");
    assert_eq!(serde_json::from_str::<Value>(&booking.raw).unwrap()["traceId"], "t", "the answer itself");
    assert_eq!(played.body(2)["email"], "ada@example.com");
    let expected = json!({"calendarId": "cal_1", "locationId": "loc_1", "contactId": "con_1",
        "startTime": "2026-01-05T10:00:00+01:00", "endTime": "2026-01-05T10:30:00+01:00",
        "appointmentStatus": "confirmed", "description": "first visit\nBerth reference: r_1",
        "assignedUserId": "usr_1", "toNotify": true});
    assert_eq!(played.body(3), expected);
    assert_eq!(header(&played, 2, "version").as_deref(), Some("2021-07-28"));
    assert_eq!(header(&played, 3, "version").as_deref(), Some("2021-04-15"));
    played.finish();
}

#[test]
fn a_token_saves_the_question_and_the_calendar_decides_about_confirmation() {
    let team = json!({ "calendar": calendar(&json!({ "autoConfirm": false, "teamMembers": [{ "userId": "a" }, { "userId": "b" }] })) });
    let script = script()
        .on("GET", "/calendars/cal_1", 200, &team.to_string())
        .on("POST", "/contacts/upsert", 200, &contact())
        .on("POST", APPOINTMENTS, 200, &short_answer(&json!({})));
    let (provider, played) = provider_with(script, &json!({ "notify": false }));
    let booking = provider.create(create(Some("2026-01-05T04:00:00-05:00"))).unwrap();
    assert_eq!(booking.status, BookingStatus::Pending);
    let sent = played.body(2);
    assert_eq!(sent["startTime"], "2026-01-05T04:00:00-05:00");
    assert_eq!(
        (&sent["appointmentStatus"], &sent["toNotify"], sent.get("assignedUserId")),
        (&json!("new"), &json!(false), None)
    );
    played.finish();
}

#[test]
fn what_is_not_offered_is_for_highlevel_to_decide() {
    for (offered, expected) in
        [(&["16:00", "09:00"][..], "2026-01-05T10:00:00+01:00"), (&[], "2026-01-05T09:00:00Z")]
    {
        let (provider, played) = provider(
            script()
                .on("GET", "/calendars/cal_1", 200, &one_calendar())
                .on("GET", SLOTS, 200, &slots(offered))
                .on("POST", "/contacts/upsert", 200, &contact())
                .on("POST", APPOINTMENTS, 400, &error(400, TAKEN)),
        );
        // A token of another time is not used.
        let taken = provider.create(create(Some("2026-01-05T11:00:00+01:00")));
        assert_eq!(taken, Err(ProviderError::slot_taken()));
        assert_eq!(played.body(3)["startTime"], expected);
    }
}

#[test]
fn refusals_are_told_apart() {
    let array =
        json!({ "statusCode": 422, "message": ["startTime must be a date", "b"], "error": "x" }).to_string();
    for (status, body, expected) in [
        (422, error(422, "the slot you have selected is no longer available"), ProviderError::slot_taken()),
        (400, error(400, "contact is blocked"), ProviderError::invalid("", "contact is blocked")),
        (422, array, ProviderError::invalid("", "startTime must be a date; b")),
        (404, error(404, "gone"), ProviderError::NotFound),
        (500, error(500, "sorry"), ProviderError::Unavailable(None)),
    ] {
        let (provider, _played) = provider(
            script()
                .on("GET", "/calendars/cal_1", 200, &one_calendar())
                .on("POST", "/contacts/upsert", 200, &contact())
                .on("POST", APPOINTMENTS, status, &body),
        );
        assert_eq!(provider.create(create(Some("2026-01-05T10:00:00+01:00"))), Err(expected));
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_made() {
    let (nowhere, _played) = provider(script());
    let mut nobody = create(None);
    nobody.attendee.email = None;
    assert!(
        matches!(nowhere.create(nobody), Err(ProviderError::Invalid(p)) if p[0].field == "attendee.email")
    );
    let (provider, played) = provider(script().on("GET", "/calendars/cal_1", 200, &one_calendar()));
    let mut long = create(None);
    long.when.end += 15 * MINUTE;
    assert!(matches!(provider.create(long), Err(ProviderError::Invalid(p)) if p[0].field == "when"));
    played.finish();
}

#[test]
fn a_lost_answer_is_no_refusal() {
    let (provider, _played) = provider(
        script()
            .on("GET", "/calendars/cal_1", 200, &one_calendar())
            .on("POST", "/contacts/upsert", 200, &contact())
            .on_failure("POST", APPOINTMENTS, SendError::Failed("reset".to_owned())),
    );
    let lost = provider.create(create(Some("2026-01-05T10:00:00+01:00")));
    assert_eq!(lost, Err(ProviderError::Unavailable(None)));
}

#[test]
fn bookings_are_found_by_the_reference_in_the_description() {
    let target = |id: &str| {
        format!(
            "/calendars/events?locationId=loc_1&calendarId={id}&startTime=1767257940000&endTime=1862211600000"
        )
    };
    let other = appointment(&json!({ "id": "ap_2", "description": "Berth reference: r_2" }));
    let newer = appointment(
        &json!({ "id": "ap_3", "dateAdded": "2026-01-02T09:00:01.000Z", "appointmentStatus": "cancelled" }),
    );
    let (provider, played) = provider(
        script()
            .on("GET", "/calendars/?locationId=loc_1", 200, &calendars(&["cal_2", "cal_1"]))
            .on("GET", &target("cal_1"), 200, &events(&[appointment(&json!({})), other]))
            .on("GET", &target("cal_2"), 200, &events(&[newer])),
    );
    let found = provider.find_by_reference(ReferenceLookup {
        reference: "r_1".to_owned(),
        attendee_email: Some("ada@example.com".to_owned()),
        created_after: at("2026-01-02T08:59:00Z"),
        when: half_hour("2026-01-05T09:00:00Z"),
    });
    let found: Vec<_> = found.unwrap().into_iter().map(|b| (b.id, b.status)).collect();
    assert_eq!(
        found,
        [("ap_3".to_owned(), BookingStatus::Cancelled), ("ap_1".to_owned(), BookingStatus::Confirmed)]
    );
    played.finish();
}

#[test]
fn a_booking_is_looked_for_as_far_ahead_as_berth_books() {
    let (provider, played) =
        provider(script().on("GET", "/calendars/?locationId=loc_1", 200, &calendars(&["cal_1"])).on(
            "GET",
            "/calendars/events",
            200,
            &events(&[]),
        ));
    // Two years ahead.
    let when = half_hour("2028-01-05T09:00:00Z");
    let lookup = ReferenceLookup {
        reference: "r_1".to_owned(),
        attendee_email: None,
        created_after: at("2026-01-02T08:59:00Z"),
        when,
    };
    provider.find_by_reference(lookup).unwrap();
    let asked = played.requests()[1].url.clone();
    let until: i64 = asked.rsplit("endTime=").next().unwrap().parse().unwrap();
    assert!(until * 1_000 >= when.end, "{asked}");
}

#[test]
fn a_calendar_that_the_settings_leave_out_is_not_booked() {
    // What is made there would not be found again.
    let (provider, played) = provider_with(script(), &json!({ "calendar_ids": ["cal_2"] }));
    let refused = provider.create(create(None));
    assert!(
        matches!(&refused, Err(ProviderError::Invalid(p)) if p[0].field == "event_type" && p[0].message.contains("calendar_ids")),
        "{refused:?}"
    );
    played.finish();
}

#[test]
fn a_contact_that_cannot_be_read_now_is_no_missing_contact() {
    let (provider, played) = provider(
        script()
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on_with("GET", "/contacts/con_1", 429, &[("retry-after", "3")], "{}")
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on("GET", "/contacts/con_1", 500, "{}")
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on("GET", "/contacts/con_1", 400, &error(400, "Contact not found")),
    );
    assert_eq!(provider.get("ap_1".to_owned()), Err(ProviderError::RateLimited(Some(3_000))));
    assert_eq!(provider.get("ap_1".to_owned()), Err(ProviderError::Unavailable(None)));
    assert!(provider.get("ap_1".to_owned()).unwrap().attendees.is_empty(), "erased");
    played.finish();
}

#[test]
fn cancelled_once_with_the_reason_beside_the_reference() {
    let gone = json!({ "appointmentStatus": "cancelled" });
    let (provider, played) = provider(
        script()
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on("PUT", APPOINTMENT, 200, &short_answer(&gone))
            .on("GET", APPOINTMENT, 200, &event(&gone))
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on("PUT", APPOINTMENT, 200, "{}"),
    );
    let cancelled = provider.cancel(cancel(Some("ill"))).unwrap();
    assert_eq!(
        (cancelled.status, cancelled.cancellation_reason.as_deref()),
        (BookingStatus::Cancelled, Some("ill"))
    );
    assert_eq!(
        (cancelled.reference.as_deref(), cancelled.when),
        (Some("r_1"), half_hour("2026-01-05T09:00:00Z"))
    );
    let expected = json!({"appointmentStatus": "cancelled", "toNotify": true,
        "description": "first visit\nBerth reference: r_1\nCancellation reason: ill"});
    assert_eq!(played.body(1), expected);
    assert_eq!(provider.cancel(cancel(None)).unwrap().status, BookingStatus::Cancelled, "it is already");
    assert_eq!(provider.cancel(cancel(None)).unwrap().status, BookingStatus::Cancelled, "without a reason");
    assert_eq!(played.body(4), json!({"appointmentStatus": "cancelled", "toNotify": true}));
    played.finish();
}

#[test]
fn moved_in_place() {
    let (provider, played) = provider(
        script()
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on("GET", "/contacts/con_1", 200, &contact())
            .on("GET", SLOTS, 200, &slots(&["15:00"]))
            .on("PUT", APPOINTMENT, 200, &short_answer(&json!({ "startTime": "2026-01-05T15:00:00+01:00" }))),
    );
    let moved = provider.reschedule(reschedule()).unwrap();
    assert_eq!((moved.id.as_str(), moved.when), ("ap_1", half_hour("2026-01-05T14:00:00Z")));
    assert_eq!(
        (moved.status, moved.updated_at),
        (BookingStatus::Confirmed, None),
        "the old change is not this one"
    );
    let expected = json!({"startTime": "2026-01-05T15:00:00+01:00", "endTime": "2026-01-05T15:30:00+01:00", "toNotify": true});
    assert_eq!(played.body(3), expected);
    played.finish();
}

#[test]
fn a_move_that_is_made_already_succeeds_and_one_that_cannot_be_does_not() {
    let there = json!({ "startTime": "2026-01-05T15:00:00+01:00", "endTime": "2026-01-05T15:30:00+01:00" });
    let (done, played) = provider(script().on("GET", APPOINTMENT, 200, &event(&there)).on(
        "GET",
        "/contacts/con_1",
        200,
        &contact(),
    ));
    assert_eq!(done.reschedule(reschedule()).unwrap().when, half_hour("2026-01-05T14:00:00Z"));
    played.finish();
    for status in ["cancelled", "showed", "noshow"] {
        let over = event(&json!({ "appointmentStatus": status }));
        let (over, _played) = provider(script().on("GET", APPOINTMENT, 200, &over).on(
            "GET",
            "/contacts/con_1",
            200,
            &contact(),
        ));
        assert!(matches!(over.reschedule(reschedule()), Err(ProviderError::Conflict(_))), "{status}");
    }
    let (taken, played) = provider(
        script()
            .on("GET", APPOINTMENT, 200, &event(&json!({})))
            .on("GET", "/contacts/con_1", 200, &contact())
            .on("GET", SLOTS, 200, "{}")
            .on("PUT", APPOINTMENT, 400, &error(400, TAKEN)),
    );
    assert_eq!(taken.reschedule(reschedule()), Err(ProviderError::slot_taken()));
    assert_eq!(played.body(3)["startTime"], "2026-01-05T15:00:00+01:00", "in the offset that it had");
}
