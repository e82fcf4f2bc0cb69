//! Listings and event types that are put away.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    booking, refused,
    shop::{Shop, of},
};

#[tokio::test(flavor = "multi_thread")]
async fn listings_and_event_types_that_carried_bookings_are_archived() {
    let shop = Shop::new(44).await;
    let made = shop.book("2026-11-24T09:00:00Z").await;
    let event_type = format!("/api/booking/event-types/{}", shop.event_type.as_str().unwrap());
    for path in [&event_type, &shop.listing] {
        let preview = shop.api.ok("GET", &format!("{path}/deletion"), Value::Null).await;
        assert_eq!((&preview["outcome"], &preview["upcoming_bookings"]), (&json!("archived"), &json!(1)));
        let closed = shop.sent("DELETE", path, Value::Null).await;
        assert_eq!((closed.status, &closed.body["active"]), (StatusCode::OK, &json!(false)));
        assert!(closed.body["archived_at"].is_string());
    }
    for list in ["/api/listings", "/api/booking/event-types"] {
        assert_eq!(shop.api.ok("GET", list, Value::Null).await["items"], json!([]));
        let all = shop.api.ok("GET", &format!("{list}?archived=true"), Value::Null).await;
        assert_eq!(all["items"].as_array().unwrap().len(), 1);
    }
    refused(
        &shop.sent("POST", "/api/booking", booking(&shop.event_type, "2026-11-24T12:00:00Z")).await,
        409,
        "BERTH-E0411",
    );
    let link = shop.api.ok("GET", &format!("{}/link", of(&made)), Value::Null).await;
    let link = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    let moved = shop
        .api
        .send("POST", &format!("{link}/reschedule"), None, &[], json!({ "start": "2026-11-24T11:00:00Z" }))
        .await;
    refused(&moved, 409, "BERTH-E0411");
    let moved = shop
        .api
        .ok("POST", &format!("{}/reschedule", of(&made)), json!({ "start": "2026-11-24T11:00:00Z" }))
        .await;
    assert_eq!(moved["start"], "2026-11-24T11:00:00Z");
    let cancelled = shop.api.send("POST", &format!("{link}/cancel"), None, &[], json!({})).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert!(shop.provider.active_bookings().is_empty(), "its provider was told");
    for path in [&shop.listing, &event_type] {
        let open = shop.api.ok("PATCH", path, json!({ "active": true })).await;
        assert_eq!((&open["active"], &open["archived_at"]), (&json!(true), &Value::Null));
    }
}
