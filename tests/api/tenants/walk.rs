//! A walk over tenants and API keys.

use serde_json::{Value, json};

use crate::{
    Api,
    walk::{Walk, at},
};

#[tokio::test]
async fn tenants() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let path = "/api/operator/tenants";
    let made = walk.operate("POST", path, json!({ "slug": "quay", "name": "Quay" })).await;
    walk.operate("POST", path, json!({ "slug": "quay", "name": "Quay" })).await;
    walk.ask("POST", path, json!({ "slug": "pier", "name": "Pier" })).await;
    walk.operate("GET", path, Value::Null).await;
    let of = at(path, &made);
    walk.operate("PATCH", &of, json!({ "name": "The quay" })).await;
    let key = json!({ "name": "shop", "scopes": ["bookings:read"], "requests_per_minute": 60 });
    walk.operate("POST", &format!("{of}/keys"), key).await;
    walk.operate("POST", &format!("{of}/suspend"), Value::Null).await;
    walk.operate("POST", &format!("{of}/resume"), Value::Null).await;
    walk.operate("GET", &format!("{of}/deletion"), Value::Null).await;
    walk.operate("DELETE", &of, Value::Null).await;
    walk.end("tenants", "tenants");
}

#[tokio::test]
async fn keys() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let path = "/api/sdk/auth";
    let new = json!({ "name": "app", "scopes": ["bookings:read", "listings:read"], "sources": ["192.0.2.0/24"],
        "expires_at": "2027-01-01T00:00:00Z" });
    let made = walk.ask("POST", path, new).await;
    walk.ask("POST", path, json!({ "name": "app", "scopes": ["operator"] })).await;
    walk.get(path).await;
    walk.get("/api/me").await;
    walk.operate("GET", "/api/me", Value::Null).await;
    let of = at(path, &made);
    walk.ask("PATCH", &of, json!({ "sources": [] })).await;
    let rotated = walk.ask("POST", &format!("{of}/rotate"), Value::Null).await;
    walk.ask("DELETE", &at(path, &rotated), Value::Null).await;
    walk.ask("DELETE", &at(path, &rotated), Value::Null).await;
    walk.end("tenants", "keys");
}

#[tokio::test]
async fn settings() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let path = "/api/tenant";
    walk.get(path).await;
    let changes = json!({ "name": "Studio Ana", "settings": {
        "public": true, "brand": { "accent": "#1a7f5a", "logo_url": "https://studio.example/logo.png" },
        "languages": ["pt", "en"], "clock": "24h", "time_zone": "Europe/Lisbon", "embed_origins": ["https://*.studio.example"],
        "return_urls": ["https://studio.example/thanks"], "imprint_url": "https://studio.example/imprint",
        "privacy_url": "https://studio.example/privacy", "public_bookings_per_hour": 50,
    } });
    walk.ask("PATCH", path, changes).await;
    walk.ask("PATCH", path, json!({ "settings": { "public": null, "brand": { "scheme": "dark" } } })).await;
    let wrong = json!({ "settings": { "embed_origins": ["*"], "privacy_url": "http://studio.example" } });
    walk.ask("PATCH", path, wrong).await;
    walk.end("tenants", "settings");
}

#[tokio::test]
async fn audit() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    api.ok("PATCH", "/api/tenant", json!({ "name": "Studio Ana" })).await;
    let member = json!({ "name": "Ana", "time_zone": "Europe/Lisbon" });
    api.ok("POST", "/api/booking/team", member).await;
    walk.get("/api/audit?limit=2").await;
    walk.get("/api/audit?subject_kind=member&from=2026-11-01").await;
    walk.end("tenants", "audit");
}
