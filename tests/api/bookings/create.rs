//! A booking from its slot to its end, and the wall between tenants.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type, key};

#[tokio::test]
async fn a_booking_with_the_built_in_provider() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let id = event_type.as_str().unwrap();
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2026-11-24T00:00:00Z&to=2026-11-24T02:00:00Z&time_zone=Asia/Kathmandu"
    );
    let slots = api.ok("GET", &path, Value::Null).await;
    assert_eq!(slots["days"][0]["date"], "2026-11-24");
    assert_eq!(slots["days"][0]["slots"].as_array().unwrap().len(), 4);

    let first = [("idempotency-key", "first")];
    let body = booking(&event_type, "2026-11-24T00:30:00Z");
    let made = api.send("POST", "/api/booking", Some(&api.key), &first, body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["status"], "confirmed");
    assert!(made.headers["location"].to_str().unwrap().starts_with("/api/booking/"));

    let again = api.send("POST", "/api/booking", Some(&api.key), &first, body).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &made.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let changed = booking(&event_type, "2026-11-24T01:30:00Z");
    let mismatch = api.send("POST", "/api/booking", Some(&api.key), &first, changed).await;
    assert_eq!(
        (mismatch.status, &mismatch.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0412"))
    );

    let taken = api
        .send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, "2026-11-24T00:30:00Z"))
        .await;
    assert_eq!((taken.status, &taken.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0410")));
    assert_eq!(taken.body["alternatives"][0], "2026-11-24T00:00:00Z");

    let path = format!("/api/booking/{}", made.body["id"].as_str().unwrap());
    let stale = [("if-match", "\"7\"")];
    let refused = api
        .send(
            "POST",
            &format!("{path}/reschedule"),
            Some(&api.key),
            &stale,
            json!({ "start": "2026-11-24T01:00:00Z" }),
        )
        .await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    let moved =
        api.ok("POST", &format!("{path}/reschedule"), json!({ "start": "2026-11-24T01:00:00Z" })).await;
    assert_eq!(
        (&moved["start"], &moved["end"]),
        (&json!("2026-11-24T01:00:00Z"), &json!("2026-11-24T01:30:00Z"))
    );
    let cancelled = api.ok("POST", &format!("{path}/cancel"), json!({ "reason": "ill" })).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(
        api.ok("POST", &format!("{path}/cancel"), json!({})).await,
        cancelled,
        "twice is the same as once"
    );
    let steps = api.ok("GET", &format!("{path}/timeline"), Value::Null).await;
    let actions: Vec<&str> =
        steps["items"].as_array().unwrap().iter().map(|s| s["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["booking.created", "booking.rescheduled", "booking.cancelled"]);

    // The wall: another tenant's key sees nothing of it.
    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    for (method, path) in
        [("GET", path.clone()), ("POST", format!("{path}/cancel")), ("GET", format!("{path}/timeline"))]
    {
        let answer = api.send(method, &path, Some(&other), &[], Value::Null).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
}

#[tokio::test]
async fn metadata_comes_with_a_booking() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({})).await;
    let with = |metadata: Value| {
        let mut new = booking(&event_type, "2026-11-24T09:00:00Z");
        new["metadata"] = metadata;
        new
    };
    let many =
        |n: usize| json!((0..n).map(|n| (format!("k{n}"), json!("x"))).collect::<serde_json::Map<_, _>>());
    for (metadata, status, field) in [
        (many(51), 422, "/metadata"),
        (json!({ "a/b": 7 }), 422, "/metadata/a~1b"),
        (json!({ "a": null }), 422, "/metadata/a"),
        (json!({ "": "x" }), 422, "/metadata/"),
        (json!({ "a": "x".repeat(501) }), 422, "/metadata/a"),
        (json!([]), 400, "/metadata"),
    ] {
        let answer = api.send("POST", "/api/booking", Some(&api.key), &[], with(metadata)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str()),
            (status, Some(field)),
            "{}",
            answer.body
        );
    }
    let metadata = json!({ "orderId": "A-17", "ключ": "да" });
    let made = api.ok("POST", "/api/booking", with(metadata.clone())).await;
    assert_eq!(made["metadata"], metadata, "free names stay");
    let path = format!("/api/booking/{}", made["id"].as_str().unwrap());
    assert_eq!(api.ok("GET", &path, Value::Null).await["metadata"], metadata);
    let mut series = booking(&event_type, "2026-11-25T09:00:00Z");
    series["metadata"] = json!({ "course": "9" });
    series["recurrence"] = json!({ "rrule": "FREQ=DAILY;COUNT=2" });
    let series = api.ok("POST", "/api/booking", series).await;
    assert!(series["done"].as_array().unwrap().iter().all(|of| of["metadata"]["course"] == "9"), "{series}");
}
