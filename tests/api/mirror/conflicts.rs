//! What a tenant's administrator does about one provider concerns no other.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Api,
    fixtures::{conflict, connect, given_up},
};

#[tokio::test]
async fn conflicts_and_operations_of_another_provider_are_not_found() {
    let api = Api::new().await;
    let (acme, _tide) = (connect(&api, "acme").await, connect(&api, "tide").await);
    let (conflict, job) = (conflict(&api, acme).await, given_up(&api, acme).await);
    let post = async |path: String, body: Value| {
        let answer = api.send("POST", &path, Some(&api.key), &[], body).await;
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    let ignored = json!({ "resolution": "ignored" });
    let not_found = (StatusCode::NOT_FOUND, "BERTH-E0404".to_owned());
    let resolve = |provider: &str| format!("/api/admin/{provider}/conflicts/{conflict}/resolve");
    let revert = |provider: &str| format!("/api/admin/{provider}/conflicts/{conflict}/revert");
    let requeue = |provider: &str| format!("/api/admin/{provider}/operations/{job}/requeue");
    for provider in ["tide", "nobody"] {
        assert_eq!(post(resolve(provider), ignored.clone()).await, not_found, "{provider}");
        assert_eq!(post(revert(provider), Value::Null).await, not_found, "{provider}");
        assert_eq!(post(requeue(provider), Value::Null).await, not_found, "{provider}");
    }
    assert_eq!(post(resolve("acme"), ignored).await.0, StatusCode::OK);
    assert_eq!(post(revert("acme"), Value::Null).await.0, StatusCode::CONFLICT, "nothing was changed");
    assert_eq!(post(requeue("acme"), Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(post(requeue("acme"), Value::Null).await, not_found, "it is given up no more");
}
