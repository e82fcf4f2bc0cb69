//! What a simulated JSON service has around its routes: faults, latency, the comparison with its description, a log of requests,
//! webhooks on their way, and the switches of the simulator itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    delivery::{self, Delivery},
    faults::{Fault, Faults},
    server::hang_up,
    spec::{Exchange, Findings},
};

/// Largest body of a request.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Requests that are remembered.
const LOG_MAX: usize = 100_000;

/// A request that arrived.
#[derive(Debug, Clone, Serialize)]
pub struct RequestLine {
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// A request as a service reads it.
pub struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a [(String, String)],
    pub headers: &'a HeaderMap,
    /// JSON; null for none.
    pub body: &'a Value,
}

impl Asked<'_> {
    /// A query parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The bearer token.
    pub fn token(&self) -> Option<&str> {
        self.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
    }
}

/// What a service answers; a body of null is none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(&'static str, String)>,
}

/// What stands before a service.
pub struct Front {
    pub faults: Faults,
    pub findings: Findings,
    pub requests: Vec<RequestLine>,
    pub deliveries: Vec<Delivery>,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks; else they are kept.
    pub deliver: bool,
}

/// A simulated service.
pub trait Service: Send + 'static {
    fn front(&mut self) -> &mut Front;
    /// The answer to a request. A fault that comes before the work ([`Fault::comes_before`]) is answered in the service's own words.
    fn answer(&mut self, asked: &Asked<'_>, fault: Option<Fault>) -> Answer;
    /// What the service knows, for people.
    fn shown(&self) -> Value;
}

/// A service that requests share.
pub type Shared<S> = Arc<Mutex<S>>;

/// The service, for a moment.
pub fn lock<S>(shared: &Mutex<S>) -> MutexGuard<'_, S> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The routes of a service.
pub fn router<S: Service>(shared: Shared<S>) -> Router {
    Router::new().fallback(serve::<S>).with_state(shared)
}

/// Send what is queued, if it is to be sent.
pub fn flush<S: Service>(shared: &Shared<S>) {
    let mut service = lock(shared);
    let front = service.front();
    if front.deliver {
        delivery::send(std::mem::take(&mut front.deliveries));
    }
}

async fn serve<S: Service>(Extract(shared): Extract<Shared<S>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if path.starts_with("/_simulator/") {
        return control(&shared, method, path, body);
    }
    let (fault, latency) = {
        let mut service = lock(&shared);
        let line = parts.uri.path_and_query().map_or(path, |line| line.as_str());
        let faults = &mut service.front().faults;
        (faults.next(method, line), faults.latency_ms())
    };
    if latency > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(latency)).await;
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let asked = Asked { method, path, query: &query, headers: &parts.headers, body: &body };
    let answer = {
        let mut service = lock(&shared);
        let answer = service.answer(&asked, fault);
        let front = service.front();
        front.findings.look(Exchange {
            method,
            path,
            query: &query,
            request: &body,
            status: answer.status,
            response: &answer.body,
        });
        if front.requests.len() < LOG_MAX {
            let line =
                RequestLine { method: method.to_owned(), path: path.to_owned(), status: answer.status };
            front.requests.push(line);
        }
        answer
    };
    flush(&shared);
    match fault {
        Some(Fault::DropBefore | Fault::DropAfter) => hang_up(),
        Some(Fault::Malformed) if answer.status < 400 => plain(answer.status, "<html>not json</html>"),
        Some(Fault::Truncated) if answer.status < 400 => plain(answer.status, "{\"data\":{\"id\":"),
        _ => respond(&answer, fault),
    }
}

fn respond(answer: &Answer, fault: Option<Fault>) -> Response {
    let body = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
    let mut response = plain(answer.status, &body);
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    set("content-type", "application/json");
    for (name, value) in &answer.headers {
        set(name, value);
    }
    if let Some(Fault::RateLimited { retry_after_seconds: Some(seconds) }) = fault {
        set("retry-after", &seconds.to_string());
    }
    response
}

fn plain(status: u16, body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The switches of the simulator itself.
fn control<S: Service>(shared: &Shared<S>, method: &str, path: &str, body: Value) -> Response {
    let mut service = lock(shared);
    if !service.front().control {
        return plain(404, "{}");
    }
    match (method, path) {
        ("GET", "/_simulator/state") => {
            let mut shown = service.shown();
            shown["requests"] = json!(service.front().requests);
            plain(200, &shown.to_string())
        }
        ("POST", "/_simulator/faults") => match serde_json::from_value(body) {
            Ok(rates) => {
                service.front().faults.rates = rates;
                plain(200, "{}")
            }
            Err(error) => plain(400, &json!({ "error": error.to_string() }).to_string()),
        },
        _ => plain(404, "{}"),
    }
}
