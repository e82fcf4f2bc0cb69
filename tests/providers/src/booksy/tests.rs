//! The simulator by itself, over HTTP, as the contract says.

mod bookings;
mod messages;
mod tokens;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{Config, Simulator};
use crate::times::micros;

/// A simulator with a clock to move, on Monday 2026-01-05 at 06:00 UTC.
struct World {
    simulator: Simulator,
    http: reqwest::Client,
    now: Arc<AtomicI64>,
    token: String,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let now = Arc::new(AtomicI64::new(micros("2026-01-05T06:00:00Z").unwrap()));
        let clock = Arc::clone(&now);
        let mut config = Config {
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
            rate_limit: false,
            ..Config::default()
        };
        change(&mut config);
        let token = config.access_token.clone();
        let simulator = Simulator::start(config).await.unwrap();
        Self { simulator, http: reqwest::Client::new(), now, token }
    }

    fn advance_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// A request for this business, with these headers.
    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Response {
        let url = format!("{}/v1/businesses/biz_1{path}", self.simulator.url());
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.send(Method::GET, path, &[], Value::Null).await).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.send(Method::POST, path, &[], body).await).await
    }

    async fn book(&self, service: &str, start: &str) -> (u16, Value) {
        self.post("/bookings", booking(service, start)).await
    }
}

fn booking(service: &str, start: &str) -> Value {
    json!({ "service_id": service, "start": start, "external_ref": "berth:b_1",
        "client": { "first_name": "Ada", "last_name": "Nowak", "email": "ada@example.com" } })
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}
