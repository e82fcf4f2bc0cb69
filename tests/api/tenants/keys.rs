//! API keys.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::Api;

#[tokio::test]
async fn keys_are_rotated_and_end_when_revoked() {
    let api = Api::new().await;
    let made = api.ok("POST", "/api/sdk/auth", json!({ "name": "app", "scopes": ["bookings:read"] })).await;
    let text = made["key"].as_str().unwrap();
    assert_eq!(api.send("GET", "/api/booking", Some(text), &[], Value::Null).await.status, StatusCode::OK);
    let id = made["id"].as_str().unwrap();
    let rotated = api.ok("POST", &format!("/api/sdk/auth/{id}/rotate"), Value::Null).await;
    assert_eq!(
        api.send("GET", "/api/booking", Some(text), &[], Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    let text = rotated["key"].as_str().unwrap();
    assert_eq!(api.send("GET", "/api/booking", Some(text), &[], Value::Null).await.status, StatusCode::OK);
    let listed = api.ok("GET", "/api/sdk/auth", Value::Null).await;
    assert!(!listed.to_string().contains(text), "a key's text is shown once only");
}
