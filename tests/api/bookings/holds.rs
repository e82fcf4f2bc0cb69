//! Slots that are held.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type};

#[tokio::test]
async fn a_hold_is_made_extended_booked_and_released() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({})).await;
    let start = "2026-11-24T09:00:00Z";
    let body = json!({ "event_type": event_type, "start": start, "seconds": 120 });
    let made = api.send("POST", "/api/booking/holds", Some(&api.key), &[], body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let path = format!("/api/booking/holds/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.headers["location"], path.as_str());
    let token = made.body["token"].clone();
    let shown = api.ok("GET", &path, Value::Null).await;
    assert_eq!((shown["start"].as_str(), shown.get("token")), (Some(start), None), "shown once only");
    let again = api.send("POST", "/api/booking/holds", Some(&api.key), &[], body).await;
    assert_eq!((again.status, again.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0410")));
    assert_eq!(again.body["alternatives"].as_array().unwrap().len(), 5);

    let extend = format!("{path}/extend");
    let extended = api.ok("POST", &extend, json!({ "token": token, "seconds": 600 })).await;
    assert!(extended["expires_at"].as_str() > shown["expires_at"].as_str());
    let wrong = json!({ "token": "not_the_right_token" });
    let wrong = api.send("POST", &extend, Some(&api.key), &[], wrong).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0417")));
    let long = json!({ "token": token, "seconds": 1801 });
    let long = api.send("POST", &extend, Some(&api.key), &[], long).await;
    assert_eq!(long.body["errors"][0]["field"], "/seconds");

    let mut body = booking(&event_type, start);
    body["hold"] = json!({ "id": made.body["id"], "token": token });
    let booked = api.ok("POST", "/api/booking", body).await;
    assert_eq!((booked["start"].as_str(), booked["status"].as_str()), (Some(start), Some("confirmed")));
    let gone = api.send("GET", &path, Some(&api.key), &[], Value::Null).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "the booking took it over");

    let body = json!({ "event_type": event_type, "start": "2026-11-24T11:00:00Z" });
    let made = api.ok("POST", "/api/booking/holds", body).await;
    let path = format!("/api/booking/holds/{}", made["id"].as_str().unwrap());
    let released = api.send("DELETE", &path, Some(&api.key), &[], Value::Null).await;
    assert_eq!(released.status, StatusCode::NO_CONTENT);
    api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T11:00:00Z")).await;
}
