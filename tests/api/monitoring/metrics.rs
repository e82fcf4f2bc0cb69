//! Who is shown the metrics.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use berth_engine::{NewKey, OPERATOR_SCOPE};
use berth_server::{App, metrics_router};
use serde_json::Value;
use tower::ServiceExt;

use crate::Api;

#[tokio::test]
async fn metrics_are_shown_to_operators_and_where_only_they_reach() {
    let api = Api::new().await;
    api.send("MADEUP", "/healthz", None, &[], Value::Null).await;
    let without = api.send("GET", "/metrics", None, &[], Value::Null).await;
    assert_eq!(without.status, StatusCode::UNAUTHORIZED);
    let tenants = api.send("GET", "/metrics", Some(&api.key), &[], Value::Null).await;
    assert_eq!(tenants.status, StatusCode::FORBIDDEN);
    let new = NewKey {
        tenant: None,
        name: "watch".to_owned(),
        scopes: vec![OPERATOR_SCOPE.to_owned()],
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    let operator = api.world.engine.tenants.create_key("test", "test", new).await.unwrap().1;
    let asked = api.send("GET", "/metrics", Some(operator.expose()), &[], Value::Null).await;
    assert_eq!(
        (asked.status, &asked.headers["content-type"]),
        (StatusCode::OK, &"text/plain; version=0.0.4".parse().unwrap())
    );

    let app = App::new(api.world.engine.clone(), api.world.random.clone(), 100, Vec::new());
    let watched = metrics_router(app);
    let get = async |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        watched.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!((get("/metrics").await, get("/api/listings").await), (StatusCode::OK, StatusCode::NOT_FOUND));
}
