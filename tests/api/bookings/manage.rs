//! Links by which customers manage their own booking.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type, key};

#[tokio::test]
async fn customers_manage_their_own_booking_by_its_link() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "cancel_cutoff_minutes": 60 })).await;
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let id = made["id"].as_str().unwrap();
    let weak = key(&api.world, api.world.caller.tenant, &["bookings:read"]).await;
    let path = format!("/api/booking/{id}/link");
    assert_eq!(api.send("GET", &path, Some(&weak), &[], Value::Null).await.status, StatusCode::FORBIDDEN);
    let link = api.ok("GET", &path, Value::Null).await;
    let token = link["token"].as_str().unwrap();
    assert!(link["url"].as_str().unwrap().ends_with(&format!("/api/booking/manage/{token}")));

    let manage = format!("/api/booking/manage/{token}");
    let open = async |method: &str, path: &str, body: Value| api.send(method, path, None, &[], body).await;
    let shown = open("GET", &manage, Value::Null).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(shown.body["cancel_until"], "2026-11-24T08:00:00Z");
    assert_eq!(
        (shown.body["title"].as_str(), shown.body["members"][0].as_str()),
        (Some("Consultation"), Some("Eve"))
    );
    for inner in ["id", "external_id", "assignment", "answers"] {
        assert!(shown.body.get(inner).is_none(), "{inner} is not for customers");
    }
    let moved =
        open("POST", &format!("{manage}/reschedule"), json!({ "start": "2026-11-24T12:00:00Z" })).await;
    assert_eq!((moved.status, moved.body["start"].as_str()), (StatusCode::OK, Some("2026-11-24T12:00:00Z")));
    let gone = open("POST", &format!("{manage}/cancel"), json!({ "reason": "Ill" })).await;
    assert_eq!((gone.status, gone.body["status"].as_str()), (StatusCode::OK, Some("cancelled")));
    let steps = api.ok("GET", &format!("/api/booking/{id}/timeline"), Value::Null).await;
    assert_eq!(steps["items"][2]["actor"], "customer");

    // Cut, changed and made-up tokens are not ours.
    let mut changed = token.to_owned();
    changed.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    for wrong in [&token[1..], &token[..60], changed.as_str(), "x", "%00"] {
        let answer = open("GET", &format!("/api/booking/manage/{wrong}"), Value::Null).await;
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&answer.status),
            "{wrong}: {}",
            answer.status
        );
    }
    // The next one is too late to cancel for the customer, not for the business.
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let id = made["id"].as_str().unwrap();
    let link = api.ok("GET", &format!("/api/booking/{id}/link"), Value::Null).await;
    let manage = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    let start: berth_model::time::Instant = "2026-11-24T08:30:00Z".parse().unwrap();
    let now = berth_model::time::Clock::now(&*api.world.clock);
    api.world.clock.advance_ms(start.micros_since(now) / 1_000);
    let late = open("POST", &format!("{manage}/cancel"), json!({})).await;
    assert_eq!((late.status, late.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0418")));
    let cancel = format!("/api/booking/{id}/cancel");
    let bound = key(&api.world, api.world.caller.tenant, &["bookings:write"]).await;
    let bound = api.send("POST", &cancel, Some(&bound), &[], json!({})).await;
    assert_eq!(bound.body["code"], "BERTH-E0418", "a key without the scope is bound like a customer");
    assert_eq!(api.ok("POST", &cancel, json!({})).await["status"], "cancelled");

    // A person who clicks about is let through, a program that hammers is not.
    let mut refused = 0;
    for _ in 0..40 {
        refused +=
            usize::from(open("GET", &manage, Value::Null).await.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!((1..=12).contains(&refused), "{refused}");
}
