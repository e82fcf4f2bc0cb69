//! What the tenant says of a booking.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type, key, refused};

/// Times for moving a booking: its own is one of them, and what another booking takes is not.
#[tokio::test]
async fn a_booking_is_not_in_its_own_way() {
    let api = Api::new().await;
    let offered = event_type(&api, json!({})).await;
    let id = offered.as_str().unwrap();
    let made = api.ok("POST", "/api/booking", booking(&offered, "2026-11-24T09:00:00Z")).await;
    api.ok("POST", "/api/booking", booking(&offered, "2026-11-24T09:30:00Z")).await;
    let made = made["id"].as_str().unwrap();
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2026-11-24T08:30:00Z&to=2026-11-24T10:30:00Z&time_zone=UTC"
    );
    let starts = async |path: &str| -> Vec<String> {
        let days = api.ok("GET", path, Value::Null).await;
        let slots = days["days"][0]["slots"].as_array().unwrap().clone();
        slots.iter().map(|slot| slot["start"].as_str().unwrap()[11..16].to_owned()).collect()
    };
    assert_eq!(starts(&path).await, ["08:30", "10:00"]);
    assert_eq!(starts(&format!("{path}&booking={made}")).await, ["08:30", "09:00", "10:00"]);
    let nobody = format!("{path}&booking=0193b3f0-0000-7000-8000-000000000000");
    refused(&api.send("GET", &nobody, Some(&api.key), &[], Value::Null).await, 404, "BERTH-E0404");
    for wrong in ["length_minutes=60", "provider=builtin"] {
        let answer = api
            .send("GET", &format!("{path}&booking={made}&{wrong}"), Some(&api.key), &[], Value::Null)
            .await;
        refused(&answer, 400, "BERTH-E0401");
    }
    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    let answer = api.send("GET", &format!("{path}&booking={made}"), Some(&other), &[], Value::Null).await;
    refused(&answer, 404, "BERTH-E0404");
}

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
