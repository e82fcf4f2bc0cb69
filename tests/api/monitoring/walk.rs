//! A walk over what machines watch.

use serde_json::Value;

use crate::{Api, walk::Walk};

#[tokio::test]
async fn health() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    walk.open("GET", "/healthz", Value::Null).await;
    walk.open("GET", "/readyz", Value::Null).await;
    walk.operate("GET", "/metrics", Value::Null).await;
    walk.open("GET", "/metrics", Value::Null).await;
    walk.end("monitoring", "health");
}
