//! A walk over customers.

use serde_json::json;

use crate::{Api, booking, walk::Walk};

#[tokio::test]
async fn customers() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    walk.get("/api/customers").await;
    walk.get(&format!("/api/customers/{}", made["customer_id"].as_str().unwrap())).await;
    walk.get("/api/customers/0193b3f0-0000-7000-8000-000000000000").await;
    walk.end("customers", "customers");
}
