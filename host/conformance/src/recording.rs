//! Exchanges with a provider, kept as JSON so that they can be played again. No header of a request and no credential is in
//! one: requests are seen before credentials are attached, and answers after they are removed.

use std::collections::BTreeMap;

use berth_model::time::Instant;
use berth_runtime::egress::interceptor::{InterceptedAnswer, InterceptedRequest};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Headers of answers that mean something to a component.
const HEADERS_KEPT: &[&str] =
    &["content-type", "etag", "link", "location", "retry-after", "sync-token", "dav"];

/// What was said in each case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What the component's clock showed.
    pub now: Instant,
    /// By case, in their order.
    pub cases: BTreeMap<String, Vec<Exchange>>,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// `GET`, …
    pub method: String,
    /// Path and query, parameters sorted.
    pub target: String,
    /// Body of the request: JSON, or text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub sent: Value,
    /// Status of the answer.
    pub status: u16,
    /// Headers of the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Body of the answer: JSON, or text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub received: Value,
}

/// A body as JSON; text where it is none; nothing where there is none.
fn readable(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

fn written(body: &Value, is_json: bool) -> Vec<u8> {
    match body {
        Value::Null if !is_json => Vec::new(),
        Value::String(text) if !is_json => text.clone().into_bytes(),
        value => value.to_string().into_bytes(),
    }
}

/// Path and sorted query.
pub(crate) fn target(request: &InterceptedRequest) -> String {
    let mut parameters: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    parameters.sort();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let path = request.url.path();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

impl Exchange {
    pub(crate) fn new(request: &InterceptedRequest, answer: &InterceptedAnswer) -> Self {
        let kept =
            |name: &&str| Some(((*name).to_owned(), answer.headers.get(*name)?.to_str().ok()?.to_owned()));
        Self {
            method: request.method.to_string(),
            target: target(request),
            sent: readable(&request.body),
            status: answer.status.as_u16(),
            headers: HEADERS_KEPT.iter().filter_map(kept).collect(),
            received: readable(&answer.body),
        }
    }

    pub(crate) fn answers(&self, request: &InterceptedRequest) -> bool {
        self.method == request.method.as_str()
            && self.target == target(request)
            && self.sent == readable(&request.body)
    }

    pub(crate) fn answer(&self) -> InterceptedAnswer {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        let is_json = self.headers.get("content-type").is_some_and(|kind| kind.contains("json"));
        InterceptedAnswer {
            status: StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers,
            body: written(&self.received, is_json).into(),
        }
    }
}
