//! A walk over customers.

use serde_json::json;

use crate::{
    Api, booking,
    walk::{Walk, at},
};

const PATH: &str = "/api/customers";

#[tokio::test]
async fn customers() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let of = format!("{PATH}/{}", made["customer_id"].as_str().unwrap());
    let new = json!({ "name": "A. Nowak", "email": "ada@example.com", "phone": "+48600100200", "tags": ["regular"] });
    let other = walk.ask("POST", PATH, new.clone()).await;
    walk.ask("POST", PATH, new).await;
    walk.get(PATH).await;
    walk.get(&format!("{PATH}?q=nowak&sort=name")).await;
    walk.get(&format!("{PATH}?name=nowak")).await;
    walk.get(&format!("{PATH}?format=csv&limit=5")).await;
    walk.get(&of).await;
    walk.get("/api/customers/0193b3f0-0000-7000-8000-000000000000").await;
    walk.ask("PATCH", &of, json!({ "notes": "By bike.", "blocked": { "reason": "Never came." } })).await;
    walk.ask("PATCH", &of, json!({ "tags": [""] })).await;
    walk.ask("POST", "/api/booking", booking(&event_type, "2026-11-24T10:00:00Z")).await;
    walk.ask("POST", &format!("{of}/not-same"), json!({ "customer_id": other["id"] })).await;
    walk.ask("POST", &format!("{of}/merge"), json!({ "customer_id": other["id"] })).await;
    walk.ask("POST", &format!("{of}/merge"), json!({ "customer_id": made["customer_id"] })).await;
    walk.get(&at(PATH, &other)).await;
    walk.get(&format!("{of}/bookings")).await;
    walk.ask("POST", &format!("{of}/split"), json!({ "booking_ids": [made["id"]] })).await;
    walk.ask("POST", &format!("{of}/split"), json!({})).await;
    walk.get(&of).await;
    walk.end("customers", "customers");
}
