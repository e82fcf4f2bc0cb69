//! What the tenant says of a booking.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type};

#[tokio::test]
async fn the_tenant_confirms_or_declines() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "confirmation": "manual" })).await;
    let made = api
        .send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, "2026-11-24T09:00:00Z"))
        .await;
    assert_eq!((made.status, made.body["status"].as_str()), (StatusCode::CREATED, Some("pending")));
    let path = |id: &Value, verb: &str| format!("/api/booking/{}/{verb}", id.as_str().unwrap());
    let id = &made.body["id"];
    let stale =
        api.send("POST", &path(id, "confirm"), Some(&api.key), &[("if-match", "\"7\"")], Value::Null).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(api.ok("POST", &path(id, "confirm"), Value::Null).await["status"], "confirmed");
    let wrong = api.send("POST", &path(id, "decline"), Some(&api.key), &[], Value::Null).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0411")));
    let early = api.send("POST", &path(id, "no-show"), Some(&api.key), &[], Value::Null).await;
    assert_eq!(early.status, StatusCode::CONFLICT);

    let other = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T10:00:00Z")).await;
    let declined = api.ok("POST", &path(&other["id"], "decline"), json!({ "reason": "We are closed" })).await;
    assert_eq!(
        (declined["status"].as_str(), declined["reason"].as_str()),
        (Some("cancelled"), Some("We are closed"))
    );
    let steps = api.ok("GET", &path(&other["id"], "timeline"), Value::Null).await;
    let steps = steps["items"].as_array().unwrap();
    assert_eq!(steps[1]["action"], "booking.declined");
    assert!(steps[0]["data"]["assignment"]["reason"].is_string(), "why this member: {}", steps[0]["data"]);
}
