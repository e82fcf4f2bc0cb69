//! What plugins may reach.

use axum::http::StatusCode;
use berth_engine::NewKey;
use serde_json::{Value, json};

use crate::Api;

#[tokio::test]
async fn grants_are_added_to_over_the_interface() {
    let api = Api::new().await;
    let new = NewKey {
        tenant: None,
        name: "ops".to_owned(),
        scopes: vec![berth_engine::OPERATOR_SCOPE.to_owned()],
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    let key = api.world.engine.tenants.create_key("test", "test", new).await.unwrap().1.expose().to_owned();
    let grants = "/api/operator/plugins/acme/grants";
    let send = async |method: &str, body: Value| api.send(method, grants, Some(&key), &[], body).await;
    assert_eq!(send("PUT", json!({ "hosts": ["a.example"] })).await.status, StatusCode::NO_CONTENT);
    let more = send("PATCH", json!({ "add": ["b.example"] })).await;
    assert_eq!(more.body["hosts"], json!(["a.example", "b.example"]));
    let less = send("PATCH", json!({ "remove": ["a.example"] })).await;
    assert_eq!((&less.body["hosts"], &less.body["losing"]), (&json!(["b.example"]), &json!([])));
    let bad = send("PATCH", json!({ "add": ["https://c.example"] })).await;
    assert_eq!((bad.status.as_u16(), &bad.body["errors"][0]["field"]), (422, &json!("/add/0")));
    let listing =
        send("PATCH", json!({ "listing": "0193b3f0-0000-7000-8000-000000000000", "add": [] })).await;
    assert_eq!(listing.body["errors"][0]["field"], "/tenant_id");
}
