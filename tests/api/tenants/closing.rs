//! Tenants that are suspended, resumed and deleted.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    key_of, refused,
    shop::{Shop, of},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_suspended_resumed_and_deleted() {
    let shop = Shop::new(45).await;
    let operator = key_of(&shop.api.world, None, &["operator"]).await;
    let tenant = format!("/api/operator/tenants/{}", shop.api.world.caller.tenant);
    let by_operator =
        async |method: &str, path: &str| shop.api.send(method, path, Some(&operator), &[], Value::Null).await;
    let made = shop.book("2026-11-24T09:00:00Z").await;
    let link = shop.api.ok("GET", &format!("{}/link", of(&made)), Value::Null).await;
    let link = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    assert_eq!(shop.api.send("GET", &link, None, &[], Value::Null).await.status, StatusCode::OK);

    let suspended = by_operator("POST", &format!("{tenant}/suspend")).await;
    assert_eq!((suspended.status, &suspended.body["state"]), (StatusCode::OK, &json!("suspended")));
    for path in ["/api/listings".to_owned(), of(&made), shop.connection.clone()] {
        refused(&shop.sent("GET", &path, Value::Null).await, 403, "BERTH-E0432");
    }
    refused(&shop.api.send("GET", &link, None, &[], Value::Null).await, 403, "BERTH-E0432");
    refused(
        &shop.api.send("POST", &format!("{link}/cancel"), None, &[], json!({})).await,
        403,
        "BERTH-E0432",
    );
    let asked = shop.api.world.calls.0.lock().unwrap().len();
    shop.api.world.engine.mirror.begin_syncs().await.unwrap();
    shop.work().await;
    assert_eq!(shop.api.world.calls.0.lock().unwrap().len(), asked, "nothing is read or sent");
    let resumed = by_operator("POST", &format!("{tenant}/resume")).await;
    assert_eq!(resumed.body["state"], "active");
    assert_eq!(shop.api.ok("GET", &of(&made), Value::Null).await["status"], "confirmed");

    let preview = by_operator("GET", &format!("{tenant}/deletion")).await.body;
    assert_eq!((&preview["upcoming_bookings"], &preview["connections"]), (&json!(1), &json!(1)));
    shop.break_provider();
    let deleted = by_operator("DELETE", &tenant).await;
    assert_eq!((deleted.status, &deleted.body["state"]), (StatusCode::ACCEPTED, &json!("deleting")));
    refused(&shop.sent("GET", "/api/listings", Value::Null).await, 401, "BERTH-E0402");
    refused(&shop.api.send("GET", &link, None, &[], Value::Null).await, 404, "BERTH-E0404");
    assert_eq!(shop.api.world.engine.tenant_removal.remove_deleted_tenants().await.unwrap(), 1);
    refused(&by_operator("GET", &format!("{tenant}/deletion")).await, 404, "BERTH-E0404");
    refused(&shop.api.send("GET", &link, None, &[], Value::Null).await, 404, "BERTH-E0404");
}
