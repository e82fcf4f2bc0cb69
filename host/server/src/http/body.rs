//! Reading a body whole, and saying why that was not possible.

use std::error::Error;

use axum::{
    Extension, RequestExt,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::{HeaderMap, header},
};
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{problem::ApiError, serve::body::Broken};

/// What a route takes, in bytes, where that is not what most take. To be set beside axum's own limit, to be told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// See [`limited`].
pub(crate) type BodyLimits = (DefaultBodyLimit, Extension<BodyLimit>);

/// A layer for a route that takes so many bytes; `bodies.rs` names the route as well.
pub(crate) fn limited(most: usize) -> BodyLimits {
    (DefaultBodyLimit::max(most), Extension(BodyLimit(most)))
}

fn too_large(most: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("A body may be at most {most} bytes here."))
}

/// Who announces more than may come is not waited for.
fn announced(body: &Body, most: usize) -> Result<(), Problem> {
    if body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large(most));
    }
    Ok(())
}

/// All of a body that is at most this long, in bytes.
pub(crate) async fn read(body: Body, most: usize) -> Result<Bytes, Problem> {
    announced(&body, most)?;
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(unreadable(&*error, most)),
    }
}

/// Why a body could not be read.
pub(crate) fn unreadable(error: &(dyn Error + 'static), most: usize) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large(most);
        }
        if let Some(Broken::TooSlow) = error.downcast_ref() {
            let (bytes, seconds) = (limits::BODY_STEP_BYTES_MIN, limits::BODY_STEP_MS / 1_000);
            return Problem::new(
                Code::TooSlow,
                format!("A body must bring {bytes} bytes every {seconds} seconds, until it ends."),
            );
        }
        cause = error.source();
    }
    Problem::new(
        Code::MalformedRequest,
        "The body did not come as its header says: a chunk is malformed, or it ended too early.",
    )
}

/// The body of a request, within the limit of its route.
pub(crate) async fn of(request: Request) -> Result<Bytes, Problem> {
    let BodyLimit(most) =
        request.extensions().get().copied().unwrap_or(BodyLimit(limits::API_BODY_BYTES_MAX));
    announced(request.body(), most)?;
    // Both limits hold: axum's is told to those who know only that.
    read(request.with_limited_body().into_body(), most).await
}

/// A body as it comes, for routes that take no JSON.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self(of(request).await?))
    }
}

/// Is the body JSON, by what its sender says of it? Who says nothing is believed to have sent what is asked for.
pub(crate) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let subtype = media.strip_prefix("application/");
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    let is_json = subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"));
    if is_json && charset.is_none_or(|charset| charset.trim_matches('"') == "utf-8") {
        return Ok(());
    }
    let said: String = text.chars().take(100).collect();
    Err(Problem::new(
        Code::WrongMediaType,
        format!("It came as {said:?}; send JSON in UTF-8, with Content-Type: application/json."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_says_so_and_what_says_nothing() {
        let is = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers).is_ok()
        };
        assert!(is_json(&HeaderMap::new()).is_ok());
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/merge-patch+json",
            "application/problem+json ; charset=utf-8",
        ] {
            assert!(is(json), "{json}");
        }
        for other in [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "application/jsonp",
            "application/json; charset=iso-8859-1",
            "application/json, text/plain",
            "",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
