//! Answers with a secret that is shown once: nothing on the way keeps them, and neither do we.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// What a repeat of the request is told instead of the secret: how to get another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instead(pub(crate) &'static str);

/// An answer that holds a secret.
pub(crate) fn shown_once(answer: impl IntoResponse, instead: &'static str) -> Response {
    let mut response = answer.into_response();
    response.extensions_mut().insert(Instead(instead));
    private(response)
}

/// An answer for nobody else: neither caches nor the pages that it leads to learn of it.
pub(crate) fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// May this answer be kept? If not, what a repeat is told.
pub(crate) fn not_kept(response: &Response) -> Option<&'static str> {
    if let Some(Instead(instead)) = response.extensions().get::<Instead>() {
        return Some(instead);
    }
    let values = response.headers().get_all(header::CACHE_CONTROL);
    let no_store = values.iter().any(|value| value.to_str().is_ok_and(|value| value.contains("no-store")));
    no_store.then_some(
        "Look at what was made; for what was shown once, make a new one with a new Idempotency-Key.",
    )
}
