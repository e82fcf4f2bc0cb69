//! A walk over what waits and what was given up.

use serde_json::Value;

use crate::{
    Api,
    fixtures::{connect, given_up},
    walk::Walk,
};

#[tokio::test]
async fn operations() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let job = given_up(&api, connect(&api, "acme").await).await;
    let path = "/api/admin/acme/operations";
    walk.get(&format!("{path}?state=dead_letter")).await;
    walk.ask("POST", &format!("{path}/{job}/requeue"), Value::Null).await;
    walk.ask("POST", &format!("{path}/{job}/requeue"), Value::Null).await;
    walk.get(path).await;
    walk.end("jobs", "operations");
}
