//! Pausing and disconnecting, with a provider's component and its simulator.

use axum::http::StatusCode;
use berth_simulators::faults::Rates;
use serde_json::{Value, json};

use crate::{
    booking, refused,
    shop::{Shop, of},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_paused_and_goes_on() {
    let shop = Shop::new(41).await;
    let made = shop.book("2026-11-24T09:00:00Z").await;
    let asked = shop.api.world.calls.0.lock().unwrap().len();
    let stale = shop
        .api
        .send(
            "POST",
            &format!("{}/pause", shop.connection),
            Some(&shop.api.key),
            &[("if-match", "\"99\"")],
            Value::Null,
        )
        .await;
    refused(&stale, 412, "BERTH-E0415");
    let paused = shop.api.ok("POST", &format!("{}/pause", shop.connection), Value::Null).await;
    assert_eq!(paused["state"], "paused");
    refused(
        &shop.sent("POST", "/api/booking", booking(&shop.event_type, "2026-11-24T10:00:00Z")).await,
        409,
        "BERTH-E0518",
    );
    let link = shop.api.ok("GET", &format!("{}/link", of(&made)), Value::Null).await;
    let link = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    let move_it = json!({ "start": "2026-11-24T11:00:00Z" });
    refused(
        &shop.api.send("POST", &format!("{link}/reschedule"), None, &[], move_it.clone()).await,
        409,
        "BERTH-E0518",
    );
    refused(&shop.sent("POST", &format!("{}/reschedule", of(&made)), move_it).await, 409, "BERTH-E0518");
    let cancelled = shop.api.send("POST", &format!("{link}/cancel"), None, &[], json!({})).await;
    assert_eq!(cancelled.status, StatusCode::ACCEPTED);
    let shown = shop.api.ok("GET", &of(&made), Value::Null).await;
    assert_eq!(shown["provider_sync"]["state"], "paused");
    assert_eq!(shown["provider_sync"]["last_error"], "the connection is paused");
    shop.work().await;
    let waiting = shop.api.ok("GET", "/api/admin/calcom/operations?state=waiting", Value::Null).await;
    assert!(
        waiting["items"].as_array().unwrap().iter().any(|o| o["last_error"] == "the connection is paused"),
        "{waiting}"
    );
    refused(
        &shop.sent("GET", &format!("{}/event-types", shop.connection), Value::Null).await,
        409,
        "BERTH-E0518",
    );
    assert_eq!(shop.api.world.calls.0.lock().unwrap().len(), asked, "nothing is read or sent");
    assert_eq!(shop.provider.active_bookings().len(), 1);

    let resumed = shop.api.ok("POST", &format!("{}/resume", shop.connection), Value::Null).await;
    assert_eq!(resumed["state"], "active");
    shop.work().await;
    assert!(shop.provider.active_bookings().is_empty());
    assert_eq!(shop.api.ok("GET", &of(&made), Value::Null).await["provider_sync"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_disconnected_while_its_provider_answers_nothing_but_errors() {
    let shop = Shop::new(42).await;
    let (one, two) = (shop.book("2026-11-24T09:00:00Z").await, shop.book("2026-11-24T10:00:00Z").await);
    shop.break_provider();
    let preview = shop.api.ok("GET", &format!("{}/deletion", shop.connection), Value::Null).await;
    assert_eq!((&preview["outcome"], &preview["upcoming_bookings"]), (&json!("disconnected"), &json!(2)));
    let over = shop.sent("DELETE", &shop.connection, Value::Null).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.body);
    assert_eq!((&over.body["state"], &over.body["credentials"]), (&json!("disconnected"), &json!([])));
    assert_eq!(over.body["webhooks"]["subscribed"], false);
    let detail = over.body["webhooks"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("Not ended at the provider: "), "{detail}");
    let asked = shop.api.world.calls.0.lock().unwrap().len();

    let kept = shop.api.ok("GET", &of(&one), Value::Null).await;
    assert_eq!((&kept["status"], &kept["external_id"]), (&json!("confirmed"), &one["external_id"]));
    assert_eq!(kept["provider_sync"]["state"], "not_told");
    let moved = shop
        .sent("POST", &format!("{}/reschedule", of(&one)), json!({ "start": "2026-11-24T11:00:00Z" }))
        .await;
    assert_eq!((moved.status, &moved.body["start"]), (StatusCode::OK, &json!("2026-11-24T11:00:00Z")));
    let cancelled = shop.sent("POST", &format!("{}/cancel", of(&two)), json!({})).await;
    assert_eq!((cancelled.status, &cancelled.body["status"]), (StatusCode::OK, &json!("cancelled")));
    let timeline = shop.api.ok("GET", &format!("{}/timeline", of(&two)), Value::Null).await;
    assert!(timeline.to_string().contains("booking.provider_not_told"), "{timeline}");
    refused(
        &shop.sent("POST", "/api/booking", booking(&shop.event_type, "2026-11-24T12:00:00Z")).await,
        409,
        "BERTH-E0519",
    );
    let id = shop.event_type.as_str().unwrap();
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC"
    );
    let slots = shop.api.ok("GET", &path, Value::Null).await;
    assert_eq!(
        slots["days"].as_array().unwrap().iter().map(|d| d["slots"].as_array().unwrap().len()).sum::<usize>(),
        0
    );
    assert!(slots.to_string().contains("the connection is disconnected"), "{slots}");
    shop.work().await;
    shop.api.world.engine.mirror.begin_syncs().await.unwrap();
    shop.api.world.engine.connections.keep_subscriptions().await.unwrap();
    shop.work().await;
    assert_eq!(shop.api.world.calls.0.lock().unwrap().len(), asked, "nothing is read or sent");

    // Connected again with a key of the same account.
    shop.provider.set_rates(Rates::default());
    let again = json!({ "credentials": { "api-key": "cal_test_not_a_real_key" } });
    let again = shop.api.ok("PATCH", &shop.connection, again).await;
    assert_eq!(again["state"], "active");
    assert_eq!(shop.api.ok("GET", &of(&one), Value::Null).await["provider_sync"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_to_an_account_is_said() {
    let shop = Shop::new(43).await;
    let first = shop.api.ok("GET", &shop.connection, Value::Null).await;
    assert_eq!(first["warnings"], Value::Null);
    let new = json!({ "plugin": "calcom", "name": "Second", "settings": { "base_url": shop.provider.url() },
        "credentials": { "api-key": "cal_test_not_a_real_key" } });
    let second = shop.sent("POST", "/api/booking-providers", new).await;
    assert_eq!(second.status, StatusCode::CREATED, "it is not refused: {}", second.body);
    let warning = &second.body["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["connection_ids"]),
        (&json!("same_account"), &json!([first["id"]]))
    );
    let gone = shop
        .sent(
            "DELETE",
            &format!("/api/booking-providers/{}", second.body["id"].as_str().unwrap()),
            Value::Null,
        )
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "nothing referred to it");
}
