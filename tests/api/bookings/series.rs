//! Bookings that belong together.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type};

#[tokio::test]
async fn a_series_is_made_moved_and_cancelled() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({})).await;
    api.ok("POST", "/api/booking", booking(&event_type, "2026-12-01T09:00:00Z")).await;
    let series = |recurrence: Value| {
        let mut body = booking(&event_type, "2026-11-24T09:00:00Z");
        body["recurrence"] = recurrence;
        body
    };
    let post = async |body| api.send("POST", "/api/booking", Some(&api.key), &[], body).await;
    let refused = post(series(json!({ "rrule": "FREQ=WEEKLY;COUNT=3" }))).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.body["refused"], json!(["2026-12-01T09:00:00Z"]));
    let made = post(series(json!({ "every_weeks": 1, "count": 3, "mode": "best_effort" }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["done"].as_array().unwrap().len(), 2);
    assert_eq!(made.body["refused"][0]["start"], "2026-12-01T09:00:00Z");
    assert_eq!(
        (made.body["refused"][0]["code"].as_str(), made.body["refused"][0]["reason"].as_str()),
        (Some("BERTH-E0410"), Some("taken"))
    );
    for (recurrence, field) in [
        (json!({ "rrule": "FREQ=WEEKLY" }), "/recurrence/rrule"),
        (json!({ "every_weeks": 1 }), "/recurrence"),
        (json!({ "every_weeks": 1, "count": 61 }), "/recurrence/count"),
        (json!({ "starts": [], "count": 2 }), "/recurrence"),
    ] {
        let wrong = post(series(recurrence)).await;
        assert_eq!(
            (wrong.status, wrong.body["errors"][0]["field"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(field)),
            "{}",
            wrong.body
        );
    }

    let id = made.body["done"][0]["id"].as_str().unwrap();
    let path = format!("/api/booking?series={}", made.body["series_id"].as_str().unwrap());
    assert_eq!(api.ok("GET", &path, Value::Null).await["items"].as_array().unwrap().len(), 2);
    let to = json!({ "start": "2026-11-24T10:00:00Z", "scope": "series" });
    let moved = api.ok("POST", &format!("/api/booking/{id}/reschedule"), to).await;
    let starts: Vec<_> = moved["done"].as_array().unwrap().iter().map(|b| b["start"].clone()).collect();
    assert_eq!(starts, ["2026-11-24T10:00:00Z", "2026-12-08T10:00:00Z"]);
    let gone = api.ok("POST", &format!("/api/booking/{id}/cancel"), json!({ "scope": "series" })).await;
    assert_eq!(gone["done"].as_array().unwrap().len(), 2);
    assert!(gone["done"].as_array().unwrap().iter().all(|b| b["status"] == "cancelled"));
}
