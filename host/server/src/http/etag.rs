//! How often a thing was changed, as its `ETag`: who sends it back as `If-Match` changes what they have seen, or nothing.

use std::fmt::Display;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A thing of this revision, as it is shown.
pub(crate) fn tagged(status: StatusCode, revision: impl Display, view: impl Serialize) -> Response {
    let mut response = (status, Json(view)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
