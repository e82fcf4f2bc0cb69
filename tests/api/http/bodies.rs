//! Bodies that are too large, on every route.

use axum::http::StatusCode;
use berth_engine::OPERATOR_SCOPE;
use berth_model::limits;
use serde_json::Value;

use crate::{Api, key_of};

#[tokio::test]
async fn too_large_is_a_problem_document_on_every_route_that_takes_a_body() {
    let api = Api::new().await;
    api.ok("PATCH", "/api/tenant", serde_json::json!({ "settings": { "public": true } })).await;
    let operator = key_of(&api.world, None, &[OPERATOR_SCOPE]).await;
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
    let large = "x".repeat(limits::COMPONENT_BYTES_MAX + 1);
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(content) = operation.pointer("/requestBody/content") else { continue };
            let kind = content.as_object().unwrap().keys().next().unwrap().clone();
            let id = "0193b3f0-0000-7000-8000-000000000000";
            let filled = |part| match part {
                "{tenant}" => "studio",
                part if part.starts_with('{') => id,
                part => part,
            };
            let path = path.split('/').map(filled);
            let path = path.collect::<Vec<_>>().join("/");
            let path = if path.ends_with("/import") { format!("{path}?listing={id}") } else { path };
            let key = if path.starts_with("/api/operator") { &operator } else { &api.key };
            let headers = [("content-type", kind.as_str())];
            let answer =
                api.send_body(&method.to_uppercase(), &path, Some(key), &headers, large.clone()).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{method} {path}: {}", answer.body);
            assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path}");
            assert_eq!(answer.body["code"], "BERTH-E0413", "{method} {path}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}
