//! Who may do what: every route, with no key, a wrong one and one without the scope.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use berth_engine::{OPERATOR_SCOPE, TENANT_SCOPES};
use serde_json::{Value, json};

use crate::{Api, key, key_of};

#[tokio::test]
async fn every_route_wants_a_key_and_the_right_one() {
    let api = Api::new().await;
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
    let other = api.other_tenant().await;
    let mut keys = BTreeMap::new();
    for scope in TENANT_SCOPES.iter().chain([&OPERATOR_SCOPE]) {
        let but = TENANT_SCOPES.iter().copied().filter(|of| of != scope).collect::<Vec<_>>();
        let alone = if *scope == OPERATOR_SCOPE { None } else { Some(other) };
        keys.insert(*scope, (key(&api.world, other, &but).await, key_of(&api.world, alone, &[scope]).await));
    }
    let id = "0193b3f0-0000-7000-8000-000000000000";
    let (mut routes, mut open) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(m, _)| *m != "parameters") {
            let method = method.to_uppercase();
            let path = path
                .replace("{id}", id)
                .replace("{name}", "nothing")
                .replace("{token}", "nothing")
                .replace("{credential}", "nothing")
                .replace("{provider}", "nothing")
                .replace("{connection}", id)
                .replace("{tenant}", "nobody")
                .replace("{listing}", "nothing")
                .replace("{link}", "nothing");
            routes += 1;
            let answer = api.send(&method, &path, None, &[], Value::Null).await;
            let scope = operation["security"].pointer("/0/api_key/0").and_then(Value::as_str);
            if answer.status != StatusCode::UNAUTHORIZED {
                assert_eq!(operation["security"], json!([]), "{method} {path} is said to need a key");
                open.push(format!("{method} {path}"));
                continue;
            }
            assert_eq!(answer.body["code"], "BERTH-E0402", "{method} {path}");
            let wrong = api.send(&method, &path, Some("berth_wrong"), &[], Value::Null).await;
            assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            if path == "/api/me" {
                assert_eq!(operation["security"], json!([{ "api_key": [] }]), "any key may ask who it is");
                continue;
            }
            let scope = scope.unwrap_or_else(|| panic!("{method} {path} does not say which scope"));
            let (but, alone) = &keys[scope];
            // Whatever else is wrong with it: no more is said to a key without the right.
            let nonsense = format!("{path}?nonsense=%00&limit=-1");
            let sent = [("content-type", "text/plain"), ("if-match", "nonsense")];
            let refused = api.send_body(&method, &nonsense, Some(but), &sent, "{").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}: {}", refused.text);
            assert_eq!(refused.body["code"], "BERTH-E0403", "{method} {path}");
            assert!(refused.body["detail"].as_str().unwrap().contains(scope), "{method} {path}");
            let refused = api.send(&method, &path.replace(id, "nonsense"), Some(but), &[], Value::Null).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}: {}", refused.body);
            let heard = api.send_body(&method, &nonsense, Some(alone), &sent, "{").await;
            assert_ne!(heard.body["code"], "BERTH-E0403", "{method} {path} wants more than {scope}");
        }
    }
    assert!(routes >= 45, "only {routes} routes are described");
    open.retain(|route| !["/healthz", "/readyz", "/metrics"].iter().any(|p| route.ends_with(p)));
    // What a provider signs, what the token in the address opens, and what a tenant shows to everybody.
    let known = |route: &String| {
        [
            "/api/webhooks/",
            "/api/booking/manage/",
            "/api/public/",
            "/api/booking/feed.ics",
            "/api/oauth/callback",
        ]
        .iter()
        .any(|p| route.contains(p))
    };
    assert!(open.iter().all(known), "open to everybody: {open:?}");
}
