//! Bookings in people's calendars.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Api, booking, key};

/// The lines of a calendar, unfolded.
async fn calendar(api: &Api, path: &str, key: Option<&str>) -> Vec<String> {
    api.world.clock.advance_ms(10);
    let mut request = Request::builder().uri(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let response = api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(response.headers()["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

fn has(lines: &[String], line: &str) {
    assert!(lines.iter().any(|l| l == line), "{line} is not in {lines:#?}");
}

#[tokio::test]
async fn an_invitation_follows_its_booking() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/booking/{id}/invitation.ics");
    let first = calendar(&api, &path, Some(&api.key)).await;
    for line in [
        "METHOD:REQUEST",
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        // On the customer's clock.
        "DTSTART;TZID=Europe/Warsaw:20261124T100000",
        "TZID:Europe/Warsaw",
        "ATTENDEE;CN=\"Ada Nowak\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:ada@example.com",
    ] {
        has(&first, line);
    }
    has(&first, &format!("UID:{id}@berth"));
    let link = api.ok("GET", &format!("/api/booking/{id}/link"), Value::Null).await;
    let own = format!("/api/booking/manage/{}/invitation.ics", link["token"].as_str().unwrap());
    assert_eq!(calendar(&api, &own, None).await, first, "the customer's is the same");

    let to = json!({ "start": "2026-11-24T10:30:00Z" });
    api.ok("POST", &format!("/api/booking/{id}/reschedule"), to).await;
    let moved = calendar(&api, &path, Some(&api.key)).await;
    has(&moved, "SEQUENCE:1");
    has(&moved, "DTSTART;TZID=Europe/Warsaw:20261124T113000");
    api.ok("POST", &format!("/api/booking/{id}/cancel"), json!({})).await;
    let gone = calendar(&api, &path, Some(&api.key)).await;
    for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:2"] {
        has(&gone, line);
    }
    let none = api.send("GET", &path, None, &[], Value::Null).await;
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_feed_is_private_and_its_token_rotates() {
    let api = Api::new().await;
    let offered = api.world.offer(None, None).await;
    let event_type = json!(offered.id);
    let kept = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let gone = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T10:00:00Z")).await;
    api.ok("POST", &format!("/api/booking/{}/cancel", gone["id"].as_str().unwrap()), json!({})).await;
    let weak = key(&api.world, api.world.caller.tenant, &["bookings:read"]).await;
    for path in [
        format!("/api/booking/team/{}/feed", offered.members[0]),
        format!("/api/listings/{}/feed", offered.listing),
    ] {
        let refused = api.send("PUT", &path, Some(&weak), &[], Value::Null).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let first = api.ok("PUT", &path, Value::Null).await;
        let feed = |view: &Value| format!("/api/booking/feed.ics?token={}", view["token"].as_str().unwrap());
        assert!(first["url"].as_str().unwrap().ends_with(&feed(&first)));
        let lines = calendar(&api, &feed(&first), None).await;
        has(&lines, &format!("UID:{}@berth", kept["id"].as_str().unwrap()));
        has(&lines, "SUMMARY:Consultation: Ada Nowak");
        has(&lines, "METHOD:PUBLISH");
        assert_eq!(lines.iter().filter(|line| *line == "BEGIN:VEVENT").count(), 1, "not the cancelled one");

        let second = api.ok("PUT", &path, Value::Null).await;
        let old = api.send("GET", &feed(&first), None, &[], Value::Null).await;
        assert_eq!(old.status, StatusCode::NOT_FOUND);
        calendar(&api, &feed(&second), None).await;
        let ended = api.send("DELETE", &path, Some(&api.key), &[], Value::Null).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        let over = api.send("GET", &feed(&second), None, &[], Value::Null).await;
        assert_eq!(over.status, StatusCode::NOT_FOUND);
    }
    let nobody = "/api/booking/team/0193b3f0-0000-7000-8000-000000000000/feed";
    let nobody = api.send("PUT", nobody, Some(&api.key), &[], Value::Null).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let guess = api.send("GET", "/api/booking/feed.ics?token=guess", None, &[], Value::Null).await;
    assert_eq!(guess.status, StatusCode::NOT_FOUND);
}
