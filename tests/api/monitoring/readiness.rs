//! Whether it is ready, and why not.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, App, router};

#[tokio::test]
async fn readiness_names_what_fails_until_it_holds() {
    let api = Api::new().await;
    let readiness = berth_server::Readiness::default();
    let app = App::new(api.world.engine.clone(), api.world.random.clone(), 100, Vec::new());
    let router = router(app.with_readiness(readiness.clone()));
    let api = Api { router, ..api };
    let asked = async || {
        let answer = api.send("GET", "/readyz", None, &[], Value::Null).await;
        (answer.status, answer.body["ready"].clone(), answer.body["failing"].clone())
    };
    assert_eq!(asked().await, (StatusCode::OK, json!(true), json!({})));
    readiness.fails("task jobs-bookings", "3 times in a row: it panicked");
    let failing = json!({ "task jobs-bookings": "3 times in a row: it panicked" });
    assert_eq!(asked().await, (StatusCode::SERVICE_UNAVAILABLE, json!(false), failing));
    readiness.holds("task jobs-bookings");
    assert_eq!(asked().await.0, StatusCode::OK);
}
