//! The simulator by itself, over HTTP.

mod api;
mod oauth;
mod sync;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::Value;

use super::{Config, Simulator};
use crate::times::micros;

const TOKEN: &str = "ya29_test_not_a_real_token";
const EVENTS: &str = "/calendar/v3/calendars/primary/events";

/// A simulator and its clock.
struct Bench {
    google: Simulator,
    clock: Arc<AtomicI64>,
    client: reqwest::Client,
}

/// A status and a body.
type Answer = (u16, Value);

impl Bench {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let clock = Arc::new(AtomicI64::new(at("2026-01-02T09:00:00Z")));
        let shown = Arc::clone(&clock);
        let config = Config { clock: Arc::new(move || shown.load(Ordering::Relaxed)), ..config };
        let google = Simulator::start(config).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { google, clock, client }
    }

    fn pass_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    async fn call(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let method = method.parse().unwrap();
        let mut request = self.client.request(method, format!("{}{target}", self.google.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// With the token that is always good.
    async fn api(&self, method: &str, target: &str, body: Value) -> Answer {
        self.call(method, target, &[("authorization", &format!("Bearer {TOKEN}"))], body).await
    }

    async fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        let (status, body) = self.api(method, target, body).await;
        assert!(status < 300, "{method} {target}: {status} {body}");
        body
    }

    /// The request is refused with this status and reason.
    async fn refused(&self, method: &str, target: &str, body: Value, expected: (u16, &str)) {
        let (status, body) = self.api(method, target, body).await;
        let reason = body["error"]["errors"][0]["reason"].as_str().unwrap_or_default();
        assert_eq!((status, reason), expected, "{method} {target}: {body}");
    }
}

fn at(text: &str) -> i64 {
    micros(text).unwrap()
}

/// Half an hour from this start, with this id.
fn event(id: &str, start: &str) -> Value {
    let end = crate::times::utc(at(start) + 30 * 60_000_000);
    serde_json::json!({ "id": id, "summary": "Visit", "start": { "dateTime": start }, "end": { "dateTime": end } })
}
