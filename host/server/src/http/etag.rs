//! What stands above a thing that is answered: where it is (`Location`), and how often it was changed (`ETag`): who sends that back as `If-Match`
//! changes what they have seen, or nothing.

use std::fmt::Display;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// An answer that made something, which is at this path.
pub(crate) fn located(mut response: Response, path: String) -> Response {
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

/// A thing of this revision, as it is shown.
pub(crate) fn tagged(status: StatusCode, revision: impl Display, view: impl Serialize) -> Response {
    let mut response = (status, Json(view)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
