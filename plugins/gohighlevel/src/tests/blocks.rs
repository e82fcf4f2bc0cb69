//! Closing times, and opening them again.

use berth_sdk::{
    Blocks,
    http::SendError,
    testing::Scripted,
    time::MINUTE,
    types::{BlockRequest, Interval, ProviderError},
};
use serde_json::{Value, json};

use super::{appointment, at, error, events, header, provider, script};

const BLOCKED: &str = "/calendars/blocked-slots";
const EVENTS: &str = "/calendars/events";
const BLOCK: &str = "/calendars/events/block-slots";

fn request() -> BlockRequest {
    let start = at("2026-01-05T09:00:00Z");
    BlockRequest {
        idempotency_key: "k1".to_owned(),
        reference: "r_1".to_owned(),
        calendar: "cal_1".to_owned(),
        when: Interval { start, end: start + 30 * MINUTE },
        title: "Busy".to_owned(),
    }
}

fn blocked(start: &str, end: &str) -> Value {
    json!({ "id": "bl_1", "title": "Busy (Berth reference: r_1)", "calendarId": "cal_1", "locationId": "loc_1",
        "startTime": start, "endTime": end })
}

/// Before a block is made: what is blocked, and what is booked.
fn looked_at(script: Scripted, blocked: &[Value], booked: &[Value]) -> Scripted {
    script.on("GET", BLOCKED, 200, &events(blocked)).on("GET", EVENTS, 200, &events(booked))
}

#[test]
fn a_time_is_closed_with_the_reference_in_its_title() {
    let cancelled = appointment(&json!({ "appointmentStatus": "cancelled" }));
    // Ours too, of before it was moved.
    let before = blocked("2026-01-05T09:45:00+01:00", "2026-01-05T10:15:00+01:00");
    let (provider, played) = provider(looked_at(script(), &[before], &[cancelled]).on(
        "POST",
        BLOCK,
        201,
        r#"{"id":"bl_2","locationId":"loc_1","traceId":"t"}"#,
    ));
    let block = provider.create_block(request()).unwrap();
    assert_eq!((block.id.as_str(), block.calendar.as_str(), block.when), ("bl_2", "cal_1", request().when));
    assert_eq!(serde_json::from_str::<Value>(&block.raw).unwrap()["traceId"], "t", "the answer itself");
    let sent = json!({"calendarId": "cal_1", "locationId": "loc_1", "title": "Busy (Berth reference: r_1)",
        "startTime": "2026-01-05T09:00:00Z", "endTime": "2026-01-05T09:30:00Z"});
    assert_eq!(played.body(2), sent);
    assert_eq!(header(&played, 2, "version").as_deref(), Some("2021-04-15"));
    played.finish();
}

#[test]
fn a_time_is_closed_once_and_not_where_somebody_booked() {
    let made = blocked("2026-01-05T10:00:00+01:00", "2026-01-05T10:30:00+01:00");
    let (provider, played) = provider(looked_at(
        script().on("GET", BLOCKED, 200, &events(&[made])),
        &[],
        &[appointment(&json!({}))],
    ));
    assert_eq!(provider.create_block(request()).unwrap().id, "bl_1", "an earlier try made it");
    assert_eq!(provider.create_block(request()), Err(ProviderError::slot_taken()));
    played.finish();
}

#[test]
fn a_lost_answer_is_no_refusal() {
    let lost = SendError::Failed("reset".to_owned());
    let (provider, _played) = provider(looked_at(script(), &[], &[]).on_failure("POST", BLOCK, lost));
    assert_eq!(provider.create_block(request()), Err(ProviderError::Unavailable(None)));
}

#[test]
fn a_block_that_is_gone_is_open() {
    let path = "/calendars/events/bl_1";
    let (provider, played) = provider(
        script()
            .on("DELETE", path, 201, r#"{"succeeded":true}"#)
            .on("DELETE", path, 404, &error(404, "Event not found"))
            .on("DELETE", path, 500, "{}"),
    );
    assert_eq!(provider.remove_block("bl_1".to_owned()), Ok(()));
    assert_eq!(provider.remove_block("bl_1".to_owned()), Ok(()));
    assert_eq!(provider.remove_block("bl_1".to_owned()), Err(ProviderError::Unavailable(None)));
    assert_eq!(played.body(0), json!({}));
    played.finish();
}
