//! Answers that may be kept for a while, and the tag of what is in them: who sends it back (`If-None-Match`) is told that nothing changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_model::problem::{Code, Problem};
use serde::Serialize;

/// An answer as JSON, and the tag of its content.
pub(crate) struct Written {
    tag: String,
    body: Vec<u8>,
}

/// An answer, written.
pub(crate) fn written(answer: &impl Serialize) -> Result<Written, Problem> {
    let body = serde_json::to_vec(answer)
        .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))?;
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    Ok(Written { tag: format!("\"{:016x}\"", hasher.finish()), body })
}

/// The answer with its tag, or 304 if the caller has it.
pub(crate) fn kept(headers: &HeaderMap, Written { tag, body }: Written, cache_control: &str) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // Proxies that compress mark tags as weak; here that makes no difference (RFC 9110, section 8.8.3.2).
    let is_it = |value: &str| value.trim().trim_start_matches("W/") == tag;
    let known = known.flat_map(|value| value.split(',')).any(is_it);
    let told = [(header::ETAG, tag), (header::CACHE_CONTROL, cache_control.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    (told, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
