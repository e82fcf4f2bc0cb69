//! Texts of a component, from its sandbox to what the API answers: short, on one line, and harmless to who reads or clicks them.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use berth_engine::{NewKey, TENANT_SCOPES};
use berth_model::{limits, text};
use berth_server::{App, router};
use berth_tests::World;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{SECRET, world};

/// What the answers of everything here may have together with the rest of them, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Nearly as much as a call may copy out of the sandbox.
const NAME_BYTES: usize = 3_900_000;

struct Http {
    router: Router,
    key: String,
}

impl Http {
    async fn of(world: &World) -> Self {
        let router = router(App::new(world.engine.clone(), world.random.clone(), 100_000, Vec::new()));
        let new = NewKey {
            tenant: Some(world.caller.tenant),
            name: "test".to_owned(),
            scopes: TENANT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            requests_per_minute: None,
            sources: Vec::new(),
            expires_at: None,
        };
        let key = world.engine.tenants.create_key("test", "test", new).await.unwrap().1.expose().to_owned();
        Self { router, key }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", self.key));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), NAME_BYTES).await.expect("no longer than what came in");
        assert!(bytes.len() <= ANSWER_BYTES_MAX, "{method} {path}: {} bytes", bytes.len());
        let answer = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        assert_harmless(&answer);
        (status, answer)
    }

    async fn connect(&self, settings: Value) -> (u16, Value) {
        let body = json!({ "plugin": "hostile", "name": "test", "settings": settings, "credentials": { "api-key": SECRET } });
        self.ask("POST", "/api/booking-providers", body).await
    }
}

/// No text in it turns around, controls a terminal (descriptions have lines), or runs when it is clicked.
fn assert_harmless(value: &Value) {
    match value {
        Value::String(text) => {
            let forbidden = text.chars().find(|c| text::is_forbidden(*c) && *c != '\n');
            assert_eq!(forbidden, None, "{text:?}");
            assert!(!text.to_ascii_lowercase().contains("javascript:"), "{text:?}");
            assert!(!text.contains("etc/passwd"), "{text:?}");
        }
        Value::Array(items) => items.iter().for_each(assert_harmless),
        Value::Object(members) => members.values().for_each(assert_harmless),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn chars(value: &Value) -> usize {
    value.as_str().unwrap_or_default().chars().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_a_component_are_bounded_and_harmless_wherever_they_are_shown() {
    let world = world(&[]).await;
    let http = Http::of(&world).await;
    let (status, made) = http.connect(json!({ "mode": "texts", "count": NAME_BYTES })).await;
    assert_eq!(status, 201, "one odd name keeps nobody out: {made}");
    let account = &made["account"];
    assert_eq!(chars(&account["name"]), limits::REPLY_NAME_CHARS_MAX, "cut");
    let name = account["name"].as_str().unwrap();
    assert!(
        name.starts_with("\u{fffd}gnp.exe\u{fffd}[31m\u{fffd} Set-Cookie") && name.ends_with('…'),
        "{name}"
    );
    assert_eq!((&account["email"], &account["time_zone"]), (&Value::Null, &Value::Null), "no such things");

    let path = format!("/api/booking-providers/{}", made["id"].as_str().unwrap());
    assert_eq!(http.ask("GET", &path, Value::Null).await.1["account"], *account, "kept as it was shown");
    let (status, page) = http.ask("GET", &format!("{path}/event-types"), Value::Null).await;
    assert_eq!(status, 200, "{page}");
    let event_type = &page["items"][0];
    assert_eq!(chars(&event_type["title"]), limits::REPLY_NAME_CHARS_MAX);
    assert_eq!(chars(&event_type["description"]), limits::REPLY_TEXT_CHARS_MAX);
    assert_eq!(event_type["booking_url"], Value::Null, "nobody is sent there");
    // Health, list and calls show them too.
    for path in [&format!("{path}/health"), &format!("{path}/calls"), "/api/booking-providers"] {
        assert_eq!(http.ask("GET", path, Value::Null).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_sent_to_a_page_or_nowhere() {
    let world = world(&[]).await;
    let http = Http::of(&world).await;
    let page = "https://provider.example/bookings/7";
    let (_, refused) = http.connect(json!({ "mode": "link", "url": page })).await;
    assert!(refused["detail"].as_str().unwrap().contains(page), "a page is named: {refused}");
    let code = refused["code"].clone();
    for url in [
        "javascript:alert(document.cookie)",
        "JavaScript:alert(1)//https://provider.example",
        "\u{1}javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https://user:password@provider.example/",
        "https://provider.example/\u{202e}moc.live",
        "../../etc/passwd",
    ] {
        let (_, refused) = http.connect(json!({ "mode": "link", "url": url })).await;
        assert_eq!(refused["code"], code, "{refused}");
        let told = refused.to_string();
        let parts = ["script", "password", "moc.live", "text/html"];
        assert!(parts.iter().all(|part| !told.contains(part)), "{url}: {told}");
    }
}
