//! What all simulators do alike around their own rules: faults, the comparison with the published description, a log of requests,
//! messages to subscribers, and switches of their own under `/_simulator/`.

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
    faults::{Fault, Faults},
    server::hang_up,
    spec::{Exchange, Findings},
};

const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Requests that are remembered.
const REQUESTS_MAX: usize = 100_000;

/// A webhook message on its way.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A request that arrived.
#[derive(Debug, Clone, Serialize)]
pub struct RequestLine {
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub method: &'a str,
    /// Percent-encoded, without the query.
    pub path: &'a str,
    pub query: &'a [(String, String)],
    pub headers: &'a HeaderMap,
    /// Null if there is none, or it is no JSON.
    pub body: &'a Value,
    pub raw: &'a [u8],
}

impl Call<'_> {
    /// The first query parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// Null for no body.
    pub body: Value,
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    #[must_use]
    pub fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }
}

/// What every simulator keeps.
pub struct Common {
    pub faults: Faults,
    /// What does not fit the service's description.
    pub findings: Findings,
    pub requests: Vec<RequestLine>,
    pub deliveries: Vec<Delivery>,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send messages; else they are kept for a test to take.
    pub deliver: bool,
}

impl Common {
    pub fn new(seed: u64, findings: Findings, control: bool, deliver: bool) -> Self {
        let (requests, deliveries) = (Vec::new(), Vec::new());
        Self { faults: Faults::new(seed), findings, requests, deliveries, control, deliver }
    }
}

/// A simulated service.
pub trait Service: Send + 'static {
    /// Whose description its exchanges are compared with.
    const NAME: &'static str;
    fn common(&mut self) -> &mut Common;
    /// Do what is asked, by the service's rules.
    fn serve(&mut self, call: Call<'_>) -> Answer;
    /// The service's words for being asked too often, or for its own failure. Nothing is done.
    fn refuse(&mut self, call: Call<'_>, fault: Fault) -> Answer;
    /// Is this path part of the published description?
    fn is_described(&self, path: &str) -> bool {
        let _ = path;
        true
    }
    /// What `/_simulator/state` shows beside the requests.
    fn shown(&self) -> Value;
    /// What does not fit its description.
    fn violations(&mut self) -> Vec<String> {
        self.common().findings.violations().to_vec()
    }
    /// Messages that wait to be taken.
    fn due(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.common().deliveries)
    }
    /// How requests come to it.
    fn router(shared: Shared<Self>) -> Router
    where
        Self: Sized,
    {
        router(shared)
    }
}

pub type Shared<S> = Arc<Mutex<S>>;

pub fn lock<S>(shared: &Mutex<S>) -> MutexGuard<'_, S> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn router<S: Service>(shared: Shared<S>) -> Router {
    Router::new().fallback(serve::<S>).with_state(shared)
}

async fn serve<S: Service>(Extract(shared): Extract<Shared<S>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let raw = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    if path.starts_with("/_simulator/") {
        return control(&shared, method, path, body);
    }
    let line = parts.uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let (fault, latency) = {
        let mut service = lock(&shared);
        let faults = &mut service.common().faults;
        (faults.next(method, &line), faults.latency_ms())
    };
    if latency > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(latency)).await;
    }
    let query: Vec<(String, String)> = parts.uri.query().map(pairs).unwrap_or_default();
    let call = Call { method, path, query: &query, headers: &parts.headers, body: &body, raw: &raw };
    let answer = answer(&mut *lock(&shared), call, fault);
    flush(&shared);
    match fault {
        Some(Fault::DropBefore | Fault::DropAfter) => hang_up(),
        Some(Fault::Malformed) if answer.status < 400 => text(answer.status, "<html>not json</html>"),
        Some(Fault::Truncated) if answer.status < 400 => {
            let whole = answer.body.to_string();
            text(answer.status, whole.get(..whole.len() / 2).unwrap_or("{"))
        }
        _ => response(&answer),
    }
}

fn answer<S: Service>(service: &mut S, call: Call<'_>, fault: Option<Fault>) -> Answer {
    let answer = match fault {
        Some(Fault::DropBefore) => Answer::new(500, Value::Null),
        Some(fault @ (Fault::ServerError | Fault::RateLimited { .. })) => service.refuse(call, fault),
        _ => service.serve(call),
    };
    let described = service.is_described(call.path);
    let common = service.common();
    if described {
        common.findings.look(Exchange {
            method: call.method,
            path: call.path,
            query: call.query,
            request: call.body,
            status: answer.status,
            response: &answer.body,
        });
    }
    if common.requests.len() < REQUESTS_MAX {
        let (method, path) = (call.method.to_owned(), call.path.to_owned());
        common.requests.push(RequestLine { method, path, status: answer.status });
    }
    answer
}

/// Send what is queued, one attempt each, to loopback only.
pub fn flush<S: Service>(shared: &Shared<S>) {
    let mut service = lock(shared);
    let common = service.common();
    if !common.deliver {
        return;
    }
    let deliveries = std::mem::take(&mut common.deliveries);
    drop(service);
    for delivery in deliveries.into_iter().filter(|d| d.url.starts_with("http://127.0.0.1:")) {
        tokio::spawn(async move {
            let mut request = reqwest::Client::new().post(&delivery.url).body(delivery.body);
            for (name, value) in delivery.headers {
                request = request.header(name, value);
            }
            let _ = request.timeout(crate::PATIENCE).send().await;
        });
    }
}

fn response(answer: &Answer) -> Response {
    let mut response = if answer.body.is_null() {
        text(answer.status, "")
    } else {
        let mut response = text(answer.status, &answer.body.to_string());
        let json = http::HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert("content-type", json);
        response
    };
    for (name, value) in &answer.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

fn text(status: u16, body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The switches of the simulator itself.
fn control<S: Service>(shared: &Shared<S>, method: &str, path: &str, body: Value) -> Response {
    let mut service = lock(shared);
    if !service.common().control {
        return text(404, "{}");
    }
    match (method, path) {
        ("GET", "/_simulator/state") => {
            let mut state = service.shown();
            state["requests"] = json!(service.common().requests);
            text(200, &state.to_string())
        }
        ("POST", "/_simulator/faults") => match serde_json::from_value(body) {
            Ok(rates) => {
                service.common().faults.rates = rates;
                text(200, "{}")
            }
            Err(error) => text(400, &json!({ "error": error.to_string() }).to_string()),
        },
        _ => text(404, "{}"),
    }
}

/// Names and values of a query or a form.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
