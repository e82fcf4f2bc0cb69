//! The HTTP surface: who may do what on every route, problems, idempotency, ETags, pages.

mod availability;
mod bookings;
mod calendars;
mod catalog;
mod connections;
mod customers;
mod events;
mod http;
mod mirror;
mod privacy;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use berth_engine::{NewKey, NewTenant, TENANT_SCOPES};
use berth_model::id::TenantId;
use berth_server::{App, router};
use berth_tests::{TestClock, World, component};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Api {
    world: World,
    app: App,
    router: Router,
    key: String,
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Value,
}

impl Api {
    async fn new() -> Self {
        Self::over(World::new(3, TestClock::start(), &[]).await).await
    }

    async fn over(world: World) -> Self {
        let app = App::new(world.engine.clone(), world.random.clone(), 100_000, Vec::new());
        let router = router(app.clone());
        let key = key(&world, world.caller.tenant, TENANT_SCOPES).await;
        Self { world, app, router, key }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        extra: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send_body(method, path, key, extra, body).await
    }

    async fn send_body(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        extra: &[(&str, &str)],
        body: String,
    ) -> Answer {
        // What happens later has a later time.
        self.world.clock.advance_ms(10);
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let body = if body.is_empty() { Body::empty() } else { Body::from(body) };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 16 * 1024 * 1024).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A body as it stands, said to be JSON.
    async fn send_text(&self, method: &str, path: &str, key: &str, text: &str) -> Answer {
        let json = [("content-type", "application/json")];
        self.send_body(method, path, Some(key), &json, text.to_owned()).await
    }

    /// An answer that is no JSON.
    async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = Request::builder().uri(path).header("authorization", format!("Bearer {}", self.key));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        to_bytes(response.into_body(), 16 * 1024 * 1024).await.unwrap().to_vec()
    }

    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send(method, path, Some(&self.key), &[], body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }
}

async fn key(world: &World, tenant: TenantId, scopes: &[&str]) -> String {
    key_of(world, Some(tenant), scopes).await
}

async fn key_of(world: &World, tenant: Option<TenantId>, scopes: &[&str]) -> String {
    let scopes = scopes.iter().map(|s| (*s).to_owned()).collect();
    let new = NewKey {
        tenant,
        name: "test".to_owned(),
        scopes,
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    world.engine.create_key("test", "test", new).await.unwrap().1.expose().to_owned()
}

fn booking(event_type: &Value, start: &str) -> Value {
    json!({
        "event_type": event_type, "start": start,
        "attendee": { "name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw" },
    })
}

#[tokio::test]
async fn every_route_wants_a_key_and_the_right_one() {
    let api = Api::new().await;
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
    // A key that may do one thing only, and not what any of these want.
    let other = api
        .world
        .engine
        .create_tenant("t", "t", NewTenant { slug: "other".into(), name: "Other".into() })
        .await;
    let weak = key(&api.world, other.unwrap().id, &["keys:write"]).await;
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

#[tokio::test]
async fn a_booking_with_the_built_in_provider() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let id = event_type.as_str().unwrap();
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2026-11-24T00:00:00Z&to=2026-11-24T02:00:00Z&time_zone=Asia/Kathmandu"
    );
    let slots = api.ok("GET", &path, Value::Null).await;
    assert_eq!(slots["days"][0]["date"], "2026-11-24");
    assert_eq!(slots["days"][0]["slots"].as_array().unwrap().len(), 4);

    let first = [("idempotency-key", "first")];
    let body = booking(&event_type, "2026-11-24T00:30:00Z");
    let made = api.send("POST", "/api/booking", Some(&api.key), &first, body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["status"], "confirmed");
    assert!(made.headers["location"].to_str().unwrap().starts_with("/api/booking/"));

    let again = api.send("POST", "/api/booking", Some(&api.key), &first, body).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &made.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let changed = booking(&event_type, "2026-11-24T01:30:00Z");
    let mismatch = api.send("POST", "/api/booking", Some(&api.key), &first, changed).await;
    assert_eq!(
        (mismatch.status, &mismatch.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0412"))
    );

    let taken = api
        .send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, "2026-11-24T00:30:00Z"))
        .await;
    assert_eq!((taken.status, &taken.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0410")));
    assert_eq!(taken.body["alternatives"][0], "2026-11-24T00:00:00Z");

    let path = format!("/api/booking/{}", made.body["id"].as_str().unwrap());
    let stale = [("if-match", "\"7\"")];
    let refused = api
        .send(
            "POST",
            &format!("{path}/reschedule"),
            Some(&api.key),
            &stale,
            json!({ "start": "2026-11-24T01:00:00Z" }),
        )
        .await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    let moved =
        api.ok("POST", &format!("{path}/reschedule"), json!({ "start": "2026-11-24T01:00:00Z" })).await;
    assert_eq!(
        (&moved["start"], &moved["end"]),
        (&json!("2026-11-24T01:00:00Z"), &json!("2026-11-24T01:30:00Z"))
    );
    let cancelled = api.ok("POST", &format!("{path}/cancel"), json!({ "reason": "ill" })).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(
        api.ok("POST", &format!("{path}/cancel"), json!({})).await,
        cancelled,
        "twice is the same as once"
    );
    let steps = api.ok("GET", &format!("{path}/timeline"), Value::Null).await;
    let actions: Vec<&str> =
        steps["items"].as_array().unwrap().iter().map(|s| s["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["booking.created", "booking.rescheduled", "booking.cancelled"]);

    // The wall: another tenant's key sees nothing of it.
    let other = api
        .world
        .engine
        .create_tenant("t", "t", NewTenant { slug: "other".into(), name: "Other".into() })
        .await
        .unwrap();
    let other = key(&api.world, other.id, TENANT_SCOPES).await;
    for (method, path) in
        [("GET", path.clone()), ("POST", format!("{path}/cancel")), ("GET", format!("{path}/timeline"))]
    {
        let answer = api.send(method, &path, Some(&other), &[], Value::Null).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
}

#[tokio::test]
async fn bad_input_is_refused_with_a_code_and_a_hint_and_nothing_is_stored() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let mut bad = booking(&event_type, "2026-11-24T00:30:00Z");
    bad["attendee"]["email"] = json!("nobody");
    bad["attendee"]["time_zone"] = json!("Mars/Olympus");
    bad["guests"] = json!(["x"]);
    let answer = api.send("POST", "/api/booking", Some(&api.key), &[], bad).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0422"))
    );
    let fields: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["/attendee/email", "/attendee/time_zone", "/guests/0"]);

    for (method, path, body, status, code) in [
        ("POST", "/api/booking", json!({ "typo": 1 }), 400, "BERTH-E0400"),
        ("POST", "/api/listings", json!("not an object"), 400, "BERTH-E0400"),
        (
            "POST",
            "/api/listings",
            json!({ "slug": "X", "title": "", "time_zone": "UTC" }),
            422,
            "BERTH-E0422",
        ),
        ("GET", "/api/booking?limit=1000", Value::Null, 400, "BERTH-E0401"),
        ("GET", "/api/booking?cursor=nonsense", Value::Null, 400, "BERTH-E0401"),
        ("GET", "/api/booking/nonsense", Value::Null, 400, "BERTH-E0401"),
        ("GET", "/api/nothing", Value::Null, 404, "BERTH-E0404"),
        ("DELETE", "/api/booking", Value::Null, 405, "BERTH-E0405"),
    ] {
        let answer = api.send(method, path, Some(&api.key), &[], body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{method} {path}");
        assert!(answer.body["hint"].as_str().is_some_and(|h| !h.is_empty()), "{method} {path} gives no hint");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path}");
    }
    let all = api.ok("GET", "/api/booking", Value::Null).await;
    assert_eq!(all["items"], json!([]));
}

#[tokio::test]
async fn keys_are_rotated_and_end_when_revoked() {
    let api = Api::new().await;
    let made = api.ok("POST", "/api/sdk/auth", json!({ "name": "app", "scopes": ["bookings:read"] })).await;
    let text = made["key"].as_str().unwrap();
    assert_eq!(api.send("GET", "/api/booking", Some(text), &[], Value::Null).await.status, StatusCode::OK);
    let id = made["id"].as_str().unwrap();
    let rotated = api.ok("POST", &format!("/api/sdk/auth/{id}/rotate"), Value::Null).await;
    assert_eq!(
        api.send("GET", "/api/booking", Some(text), &[], Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    let text = rotated["key"].as_str().unwrap();
    assert_eq!(api.send("GET", "/api/booking", Some(text), &[], Value::Null).await.status, StatusCode::OK);
    let listed = api.ok("GET", "/api/sdk/auth", Value::Null).await;
    assert!(!listed.to_string().contains(text), "a key's text is shown once only");
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let api = Api::new().await;
    for n in 0..5 {
        api.ok(
            "POST",
            "/api/listings",
            json!({ "slug": format!("place-{n}"), "title": "Place", "time_zone": "UTC" }),
        )
        .await;
    }
    let (mut slugs, mut path) = (Vec::new(), "/api/listings?limit=2".to_owned());
    loop {
        let page = api.ok("GET", &path, Value::Null).await;
        slugs
            .extend(page["items"].as_array().unwrap().iter().map(|l| l["slug"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/listings?limit=2&cursor={next}");
    }
    assert_eq!(slugs, ["place-0", "place-1", "place-2", "place-3", "place-4"]);
}

#[tokio::test]
async fn answers_say_how_often_a_key_may_ask() {
    let api = Api::new().await;
    let ask = async |key: &str| api.send("GET", "/api/listings", Some(key), &[], Value::Null).await;
    let header = |answer: &Answer, name: &str| answer.headers[name].to_str().unwrap().to_owned();
    let answer = ask(&api.key).await;
    assert_eq!(header(&answer, "ratelimit-policy"), "\"key\";q=100000;w=60");
    assert!(header(&answer, "ratelimit").starts_with("\"key\";r=99999;t="), "{:?}", answer.headers);

    let (world, tenant) = (&api.world, api.world.caller.tenant);
    let new = NewKey {
        tenant: Some(tenant),
        name: "slow".to_owned(),
        scopes: vec!["listings:read".to_owned()],
        requests_per_minute: Some(1),
        sources: Vec::new(),
        expires_at: None,
    };
    let slow = world.engine.create_key("test", "test", new).await.unwrap().1;
    assert_eq!(ask(slow.expose()).await.status, 200);
    let refused = ask(slow.expose()).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (429, &json!("BERTH-E0429")));
    assert_eq!(header(&refused, "ratelimit-policy"), "\"key\";q=1;w=60");
    assert_eq!(header(&refused, "ratelimit"), "\"key\";r=0;t=60");
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(ask(&api.key).await.status, 200, "another key has its own tokens");
    let open = api.send("GET", "/healthz", None, &[], Value::Null).await;
    assert!(!open.headers.contains_key("ratelimit"), "no key, no limit to tell of");
}

#[tokio::test]
async fn a_problem_points_to_the_description_of_its_code() {
    let api = Api::new().await;
    let refused = api.send("GET", "/api/listings", None, &[], Value::Null).await;
    let kind = refused.body["type"].as_str().unwrap();
    let (path, anchor) = kind.split_once('#').unwrap();
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let page = api.router.clone().oneshot(request).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let html = String::from_utf8(to_bytes(page.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    for code in berth_model::problem::Code::ALL {
        assert!(html.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
    }
    assert!(html.contains(&format!("id=\"{anchor}\"")));
    assert!(html.contains("Bearer &lt;key>"), "hints are escaped");
}
