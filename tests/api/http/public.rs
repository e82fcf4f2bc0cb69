//! What is around the routes without a key: who is told what, which pages may send, and how often.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use berth_server::{App, AppConfig, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Answer, Api, refused};

pub(crate) const STUDIO: &str = "/api/public/studio";

/// A tenant that is public, with an event type; its own proxies are at 10.0.0.0/8.
pub(crate) async fn studio(settings: Value) -> (Api, Value) {
    let mut api = Api::new().await;
    let config = AppConfig {
        requests_per_minute: 100_000,
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        https_only: false,
    };
    api.router = router(App::with(api.world.engine.clone(), api.world.random.clone(), config));
    let mut all = json!({ "public": true });
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    api.ok("PATCH", "/api/tenant", json!({ "settings": all })).await;
    let offered = json!(api.world.offer(None, None).await.id);
    (api, offered)
}

impl Api {
    /// Without a key, from this address.
    pub(crate) async fn visit(
        &self,
        from: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        self.world.clock.advance_ms(1);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = request.body(Body::from(body)).unwrap();
        let peer: IpAddr = from.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 4_711)));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// The same, of what is only read.
    pub(crate) async fn look(&self, path: &str) -> Answer {
        self.visit("192.0.2.1", "GET", path, &[], Value::Null).await
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_tenant_that_is_not_public_is_like_none() {
    let (api, offered) = studio(json!({})).await;
    assert_eq!(api.look(STUDIO).await.status, StatusCode::OK);
    let operator = crate::key_of(&api.world, None, &[berth_engine::OPERATOR_SCOPE]).await;
    let tenant = format!("/api/operator/tenants/{}", api.world.caller.tenant);
    let operate = async |what: &str| {
        let path = format!("{tenant}/{what}");
        assert!(api.send("POST", &path, Some(&operator), &[], Value::Null).await.status.is_success());
    };
    let of = |tenant: &str| {
        let base = format!("/api/public/{tenant}");
        let slots = format!(
            "{base}/availability?event_type_id={}&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC",
            offered.as_str().unwrap()
        );
        let holds = format!("{base}/holds");
        let bookings = format!("{base}/bookings");
        let hold = json!({ "event_type_id": offered, "start": "2026-11-24T09:00:00Z" });
        [
            ("GET", base.clone(), Value::Null),
            ("GET", format!("{base}/listings/studio"), Value::Null),
            ("GET", slots, Value::Null),
            ("POST", holds, hold.clone()),
            ("POST", bookings, hold),
        ]
    };
    let texts = async |tenant: &str| {
        let mut texts = Vec::new();
        for (n, (method, path, body)) in of(tenant).into_iter().enumerate() {
            let answer = api.visit(&format!("198.51.100.{n}"), method, &path, &[], body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.body);
            texts.push(answer.text);
        }
        texts
    };
    let unknown = texts("nobody").await;
    operate("suspend").await;
    assert_eq!(texts("studio").await, unknown, "suspended");
    operate("resume").await;
    assert_eq!(api.look(STUDIO).await.status, StatusCode::OK);
    api.ok("PATCH", "/api/tenant", json!({ "settings": { "public": false } })).await;
    assert_eq!(texts("studio").await, unknown, "not public");
    for odd in ["%00", "a%2Fb", &"x".repeat(5_000), "STUDIO", "studio%20", "..%2f"] {
        let answer = api.look(&format!("/api/public/{odd}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{odd}");
    }
}

#[tokio::test]
async fn every_page_may_read_and_only_those_of_the_business_send() {
    let (api, offered) = studio(json!({ "embed_origins": ["https://*.shop.example"] })).await;
    let read = api.visit("192.0.2.1", "GET", STUDIO, &[("origin", "https://any.example")], Value::Null).await;
    assert_eq!((read.status, header(&read, "access-control-allow-origin")), (StatusCode::OK, "*"));
    assert!(!read.headers.contains_key("access-control-allow-credentials"));
    assert!(header(&read, "access-control-expose-headers").contains("etag"));
    // Refusals are readable, too.
    let none = api.visit("192.0.2.1", "GET", "/api/public/none", &[("origin", "null")], Value::Null).await;
    assert_eq!((none.status.as_u16(), header(&none, "access-control-allow-origin")), (404, "*"));

    let holds = format!("{STUDIO}/holds");
    let asked = async |origin: &str, method: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "content-type,idempotency-key"),
            ("host", "book.example"),
        ];
        api.visit("192.0.2.2", "OPTIONS", &holds, &headers, Value::Null).await
    };
    let own = "https://book.example";
    for (origin, method, allowed) in [
        ("https://a.shop.example", "POST", "https://a.shop.example"),
        (own, "POST", own),
        ("https://evil.example", "POST", ""),
        ("null", "POST", ""),
        ("https://evil.example", "GET", "*"),
        ("null", "GET", "*"),
        ("https://a.shop.example", "DELETE", ""),
    ] {
        let answer = asked(origin, method).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{origin} {method}: {}", answer.body);
        assert_eq!(header(&answer, "access-control-allow-origin"), allowed, "{origin} {method}");
        if !allowed.is_empty() {
            assert!(header(&answer, "access-control-allow-headers").contains("idempotency-key"));
            assert!(header(&answer, "access-control-allow-methods").contains("POST"));
            assert!(header(&answer, "vary").contains("origin"));
        }
    }

    // A browser asks nothing before what looks harmless: it is refused all the same, and nothing is done.
    let hold = json!({ "event_type_id": offered, "start": "2026-11-24T09:00:00Z" });
    for origin in ["null", "https://evil.example", "https://a.shop.example.evil.example"] {
        let answer = api.visit("192.0.2.3", "POST", &holds, &[("origin", origin)], hold.clone()).await;
        refused(&answer, 403, "BERTH-E0567");
        assert_eq!(header(&answer, "access-control-allow-origin"), "", "{origin}");
    }
    let sent =
        api.visit("192.0.2.3", "POST", &holds, &[("origin", "https://a.shop.example")], hold.clone()).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    assert_eq!(header(&sent, "access-control-allow-origin"), "https://a.shop.example");
    assert_eq!(header(&sent, "cache-control"), "no-store");
    // With a key, no page of others may ask.
    let keyed = api.send("GET", "/api/listings", Some(&api.key), &[("origin", own)], Value::Null).await;
    assert!(!keyed.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn how_often_is_counted_by_address_whatever_a_stranger_says() {
    let (api, _) = studio(json!({})).await;
    let ask = async |peer: &str, forwarded: &str| {
        let headers = [("x-forwarded-for", forwarded)];
        api.visit(peer, "GET", STUDIO, &headers, Value::Null).await
    };
    let mut refused_at = None;
    for n in 0..70 {
        // Each time it says to be somebody else.
        let answer = ask("203.0.113.5", &format!("198.51.100.{n}")).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused(&answer, 429, "BERTH-E0429");
            assert!(header(&answer, "retry-after").parse::<u64>().unwrap() >= 1);
            assert_eq!(header(&answer, "cache-control"), "no-store");
            refused_at = Some(n);
            break;
        }
    }
    assert!((60..=61).contains(&refused_at.unwrap()), "{refused_at:?}");
    assert_eq!(ask("203.0.113.6", "203.0.113.5").await.status, StatusCode::OK, "a neighbour is not meant");
    // Behind our own proxy it is who the proxy says.
    for n in 0..70 {
        assert_eq!(ask("10.0.0.1", &format!("198.51.100.{n}")).await.status, StatusCode::OK);
    }
    let behind = ask("10.0.0.1", "9.9.9.9, 203.0.113.5").await;
    assert_eq!(behind.status, StatusCode::TOO_MANY_REQUESTS, "what was written before the proxy is made up");
    // All the addresses of one IPv6 network are one.
    let mut passed = 0;
    for n in 0..70 {
        let answer = ask(&format!("2001:db8:0:1::{n:x}"), "").await;
        passed += usize::from(answer.status == StatusCode::OK);
    }
    assert!((60..=61).contains(&passed), "{passed}");
    assert_eq!(ask("2001:db8:0:2::1", "").await.status, StatusCode::OK);
    // A minute later it may be asked again.
    api.world.clock.advance_ms(60_000);
    assert_eq!(ask("203.0.113.5", "").await.status, StatusCode::OK);
}
