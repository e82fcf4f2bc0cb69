//! Bodies, paths and queries, with problems that name the field.

use axum::{
    extract::{FromRequest, FromRequestParts, Path as AxumPath, Query as AxumQuery, Request},
    http::{HeaderMap, header, request::Parts},
};
use berth_model::{
    json,
    problem::{Code, FieldError, Problem},
};
use http_body::Body as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{body, problem::ApiError, unread};

/// A JSON body. Unknown fields are refused by the types themselves.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Tree(value) = Tree::from_request(request, state).await?;
        json::read(&value).map(Self).map_err(malformed)
    }
}

/// A JSON body as a value, for routes that take it apart themselves.
pub(crate) struct Tree(pub(crate) Value);

impl<S: Send + Sync> FromRequest<S> for Tree {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let is_json = body::is_json(request.headers());
        if !request.body().is_end_stream() {
            // What cannot be taken need not come.
            is_json?;
        }
        let text = body::of(request).await?;
        // An absent body is an empty object, for routes where every field is optional.
        if text.is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        json::parse(&text).map(Self).map_err(|error| ApiError(unread::body(error)))
    }
}

/// A body that cannot be read, or a field of it.
pub(crate) fn malformed(error: FieldError) -> ApiError {
    ApiError(unread::field(error))
}

/// Parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = AxumPath::<T>::from_request_parts(parts, state).await;
        path.map(|p| Self(p.0)).map_err(|e| ApiError(unread::path(&e.body_text())))
    }
}

/// Query parameters.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = AxumQuery::<T>::from_request_parts(parts, state).await;
        query.map(|q| Self(q.0)).map_err(|e| ApiError(unread::query(&e.body_text())))
    }
}

/// The revision that `If-Match` names; none without the header or with `*`.
pub(crate) struct IfMatch(pub(crate) Option<i64>);

fn revision(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.trim_matches('"').parse().map_err(|_| {
        Problem::new(Code::MalformedParameter, "If-Match must be an ETag that you were given, such as \"3\".")
    })?;
    Ok(Some(number))
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(revision(&parts.headers)?))
    }
}
