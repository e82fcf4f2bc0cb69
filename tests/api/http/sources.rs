//! From where and how a key reaches the API.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use berth_server::{App, AppConfig, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Answer, Api};

/// Ask as if the connection came from there.
async fn ask_from(api: &Api, peer: &str, key: &str, extra: &[(&str, &str)]) -> Answer {
    let mut request =
        Request::builder().uri("/api/listings").header("authorization", format!("Bearer {key}"));
    for (name, value) in extra {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    if !peer.is_empty() {
        let peer: std::net::IpAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 4_711)));
    }
    let response = api.router.clone().oneshot(request).await.unwrap();
    Answer::of(response).await
}

impl Api {
    fn configured(&mut self, https_only: bool) {
        let config = AppConfig {
            requests_per_minute: 100_000,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            https_only,
        };
        self.router = router(App::with(self.world.engine.clone(), self.world.random.clone(), config));
    }
}

#[tokio::test]
async fn a_key_is_used_from_its_sources_only() {
    let mut api = Api::new().await;
    api.configured(false);
    let sources = json!(["192.0.2.7/24", "2001:db8::1"]);
    let made = api
        .ok(
            "POST",
            "/api/sdk/auth",
            json!({ "name": "app", "scopes": ["listings:read"], "sources": sources }),
        )
        .await;
    assert_eq!(made["sources"], json!(["192.0.2.0/24", "2001:db8::1/128"]));
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    let forwarded = |from: &'static str| [("x-forwarded-for", from)];
    for (peer, extra, allowed) in [
        ("192.0.2.200", &[][..], true),
        ("::ffff:192.0.2.200", &[], true),
        ("2001:db8::1", &[], true),
        ("192.0.3.1", &[], false),
        ("2001:db8::2", &[], false),
        ("", &[], false),
        ("10.1.1.1", &forwarded("192.0.2.9"), true),
        ("10.1.1.1", &forwarded("203.0.113.9"), false),
        ("10.1.1.1", &forwarded("192.0.2.9, 203.0.113.9"), false),
        ("203.0.113.9", &forwarded("192.0.2.9"), false),
    ] {
        let answer = ask_from(&api, peer, key, extra).await;
        assert_eq!(
            answer.status.as_u16(),
            if allowed { 200 } else { 403 },
            "{peer} {extra:?}: {}",
            answer.body
        );
        if !allowed {
            assert_eq!(answer.body["code"], "BERTH-E0407", "{peer}");
        }
    }

    // A rotated key has the same, and both can be changed, by their tenant alone.
    let path = format!("/api/sdk/auth/{id}");
    let rotated = api.ok("POST", &format!("{path}/rotate"), Value::Null).await;
    assert_eq!(rotated["sources"], made["sources"]);
    let key = rotated["key"].as_str().unwrap();
    assert_eq!(ask_from(&api, "192.0.3.1", key, &[]).await.status, StatusCode::FORBIDDEN);
    let path = format!("/api/sdk/auth/{}", rotated["id"].as_str().unwrap());
    let changed = api.ok("PATCH", &path, json!({ "sources": ["192.0.3.1"] })).await;
    assert_eq!(changed["sources"], json!(["192.0.3.1/32"]));
    assert_eq!(ask_from(&api, "192.0.3.1", key, &[]).await.status, StatusCode::OK);
    assert_eq!(ask_from(&api, "192.0.2.7", key, &[]).await.status, StatusCode::FORBIDDEN);
    api.ok("PATCH", &path, json!({ "sources": [] })).await;
    assert_eq!(ask_from(&api, "192.0.2.7", key, &[]).await.status, StatusCode::OK);
    let stranger = crate::key(&api.world, api.other_tenant().await, &["keys:write"]).await;
    let refused = api.send("PATCH", &path, Some(&stranger), &[], json!({ "sources": [] })).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    for (sources, field) in [
        (json!(["nonsense"]), "/sources/0"),
        (json!(["192.0.2.0/24", "192.0.2.0/33"]), "/sources/1"),
        (json!(vec!["192.0.2.1"; 65]), "/sources"),
    ] {
        for (method, path, body) in [
            (
                "POST",
                "/api/sdk/auth",
                json!({ "name": "a", "scopes": ["listings:read"], "sources": sources }),
            ),
            ("PATCH", path.as_str(), json!({ "sources": sources })),
        ] {
            let refused = api.send(method, path, Some(&api.key), &[], body).await;
            assert_eq!(refused.status.as_u16(), 422, "{method} {}", refused.body);
            assert_eq!(refused.body["errors"][0]["field"], field, "{method}");
        }
    }
}

#[tokio::test]
async fn a_key_that_came_in_clear_is_refused_where_https_is_expected() {
    let mut api = Api::new().await;
    let key = api.key.clone();
    assert_eq!(ask_from(&api, "192.0.2.1", &key, &[]).await.status, StatusCode::OK, "where it is not");
    api.configured(true);
    let proto = |value: &'static str| [("x-forwarded-proto", value)];
    for (peer, key, extra, allowed) in [
        ("192.0.2.1", key.as_str(), &[][..], false),
        ("127.0.0.1", &key, &[], false),
        ("192.0.2.1", "berth_made_up", &[], false),
        ("192.0.2.1", &key, &proto("https"), false),
        ("10.1.1.1", &key, &[], false),
        ("10.1.1.1", &key, &proto("http"), false),
        ("10.1.1.1", &key, &proto("https, http"), false),
        ("10.1.1.1", &key, &proto("https"), true),
    ] {
        let answer = ask_from(&api, peer, key, extra).await;
        assert_eq!(
            answer.status.as_u16(),
            if allowed { 200 } else { 403 },
            "{peer} {extra:?}: {}",
            answer.body
        );
        if !allowed {
            assert_eq!(answer.body["code"], "BERTH-E0406", "{peer} {extra:?}");
            let hint = answer.body["hint"].as_str().unwrap();
            assert!(hint.contains("new key") && hint.contains("trusted-proxies"), "{hint}");
        }
    }
    // What carries no key is not asked how it came.
    for path in ["/healthz", "/readyz", "/docs/errors"] {
        assert_eq!(api.send("GET", path, None, &[], Value::Null).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(
        api.send("GET", "/api/listings", None, &[], Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
}
