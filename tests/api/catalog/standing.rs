//! Over HTTP: what an event type stands for at its provider is checked when it is saved, and never offered if it cannot be booked there.

use axum::http::StatusCode;
use berth_tests::component;
use serde_json::{Value, json};

use crate::{Api, booking};

#[tokio::test]
async fn an_event_type_that_its_provider_does_not_have_is_refused_or_named() {
    let api = Api::new().await;
    api.world.install(component("reference")).await;
    let connection = api.world.connect("reference", json!({}), "reference_test_not_a_real_key").await;
    let known = api.world.offer(Some(connection), Some("consultation")).await;
    let body = |slug: &str, external_id: Value| {
        json!({ "listing": known.listing, "slug": slug, "title": "Tour", "length_minutes": 30, "members": known.members,
            "external_id": external_id })
    };
    for (slug, external_id) in
        [("none", Value::Null), ("wrong", json!("nothing")), ("hidden", json!("retired"))]
    {
        let path = "/api/booking/event-types";
        let refused = api.send("POST", path, Some(&api.key), &[], body(slug, external_id)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{slug}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["field"], "/external_id", "{slug}: {}", refused.body);
    }
    let path = format!("/api/booking/event-types/{}", known.id);
    let shown = api.ok("GET", &path, Value::Null).await;
    assert_eq!(shown["provider_event_type"]["state"], "known");
    assert_eq!(shown["provider_event_type"]["connection_id"], connection.to_string());

    let slots = format!(
        "/api/booking/availability?event_type={}&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC&explain=true",
        known.id
    );
    let answer = api.ok("GET", &slots, Value::Null).await;
    assert!(answer.get("not_bookable").is_none() && !answer["days"].as_array().unwrap().is_empty());
    let taken_off = api.ok("PATCH", &path, json!({ "external_id": null })).await;
    assert_eq!(taken_off["provider_event_type"]["state"], "missing");
    let answer = api.ok("GET", &slots, Value::Null).await;
    assert_eq!(answer["days"], json!([]));
    assert_eq!(answer["not_bookable"]["reason"], "event_type");
    let reasons: Vec<&Value> =
        answer["rejected"].as_array().unwrap().iter().map(|rejected| &rejected["reason"]).collect();
    assert!(reasons.contains(&&json!("event_type")), "{reasons:?}");
    let event_type = json!(known.id);
    for (path, body) in [
        ("/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")),
        ("/api/booking/holds", json!({ "event_type": event_type, "start": "2026-11-24T09:00:00Z" })),
    ] {
        let refused = api.send("POST", path, Some(&api.key), &[], body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", refused.body);
        assert_eq!(refused.body["reason"], "event_type", "{path}: {}", refused.body);
    }
    let mut here = booking(&event_type, "2026-11-24T09:00:00Z");
    here["provider"] = json!("builtin");
    api.ok("POST", "/api/booking", here).await;
    let listed = api.ok("GET", "/api/booking/event-types", Value::Null).await;
    assert_eq!(listed["items"][0]["provider_event_type"]["state"], "missing");
}
