//! Who may do what: every route, with no key, a wrong one and one without the scope.

use axum::http::StatusCode;
use serde_json::Value;

use crate::{Api, key};

#[tokio::test]
async fn every_route_wants_a_key_and_the_right_one() {
    let api = Api::new().await;
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
    // A key that may do one thing only, and not what any of these want.
    let other = api.other_tenant().await;
    let weak = key(&api.world, other, &["keys:write"]).await;
    let id = "0193b3f0-0000-7000-8000-000000000000";
    let (mut routes, mut open) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|m| m.as_str() != "parameters") {
            let method = method.to_uppercase();
            let path = path
                .replace("{id}", id)
                .replace("{name}", "nothing")
                .replace("{token}", "nothing")
                .replace("{credential}", "nothing")
                .replace("{provider}", "nothing")
                .replace("{connection}", id);
            routes += 1;
            let answer = api.send(&method, &path, None, &[], Value::Null).await;
            if answer.status != StatusCode::UNAUTHORIZED {
                open.push(format!("{method} {path}"));
                continue;
            }
            assert_eq!(answer.body["code"], "BERTH-E0402", "{method} {path}");
            let wrong = api.send(&method, &path, Some("berth_wrong"), &[], Value::Null).await;
            assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            if !path.starts_with("/api/sdk/auth") {
                let answer = api.send(&method, &path, Some(&weak), &[], Value::Null).await;
                assert!(
                    [StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST].contains(&answer.status),
                    "{method} {path} with the wrong scope: {} {}",
                    answer.status,
                    answer.body
                );
            }
        }
    }
    assert!(routes >= 45, "only {routes} routes are described");
    open.retain(|route| !["/healthz", "/readyz", "/metrics"].iter().any(|p| route.ends_with(p)));
    // What a provider signs, and what the token in the address opens.
    let known = |route: &String| {
        ["/api/webhooks/", "/api/booking/manage/", "/api/booking/feed.ics", "/api/oauth/callback"]
            .iter()
            .any(|p| route.contains(p))
    };
    assert!(open.iter().all(known), "open to everybody: {open:?}");
}
