//! Bodies, paths and queries, with problems that name the field.

use axum::{
    extract::{FromRequest, FromRequestParts, Path as AxumPath, Query as AxumQuery, Request},
    http::{HeaderMap, Uri, header, request::Parts},
};
use berth_engine::beside;
use berth_model::{
    json::{
        self,
        names::{field_of, fields_of},
    },
    limits,
    problem::{Code, FieldError, Problem},
};
use http_body::Body as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{body, problem::ApiError, unread};

/// A JSON body. Unknown fields are refused by the types themselves.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Json<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(request, |value| json::read(&value)).await.map(Self)
    }
}

/// A JSON body as a value, for routes that take it apart themselves.
pub(crate) struct Tree(pub(crate) Value);

impl<S: Send + Sync> FromRequest<S> for Tree {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(request, Ok).await.map(Self)
    }
}

/// The body as JSON, and as what is taken from it. A long one is read on a thread of its own: megabytes take as long as many requests.
async fn read<T: Send + 'static>(
    request: Request,
    take: fn(Value) -> Result<T, FieldError>,
) -> Result<T, ApiError> {
    read_text(request, move |_, value| take(value)).await
}

/// A JSON body as a value in which the numbers at these names stand as they are written: `50.00` as `"50.00"`.
pub(crate) async fn with_numbers_as_written(
    request: Request,
    numbers: &'static [&'static [&'static str]],
) -> Result<Value, ApiError> {
    let take = move |text: &[u8], mut value: Value| {
        for path in numbers {
            json::numbers::as_written(text, &mut value, path);
        }
        Ok(value)
    };
    read_text(request, take).await
}

async fn read_text<T: Send + 'static>(
    request: Request,
    take: impl FnOnce(&[u8], Value) -> Result<T, FieldError> + Send + 'static,
) -> Result<T, ApiError> {
    let is_json = body::is_json(request.headers());
    if !request.body().is_end_stream() {
        // What cannot be taken need not come.
        is_json?;
    }
    let text = body::of(request).await?;
    let is_long = text.len() > limits::INLINE_BYTES_MAX;
    let read = move || {
        // An absent body is an empty object, for routes where every field is optional.
        let value = if text.is_empty() {
            Value::Object(Map::new())
        } else {
            json::parse(&text).map_err(unread::body)?
        };
        take(&text, value).map_err(unread::field)
    };
    Ok(beside(is_long, read).await??)
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
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = match as_meant(parts.uri.query().unwrap_or_default(), fields_of::<T>()) {
            Some(query) => {
                let meant = Uri::builder().path_and_query(format!("/?{query}")).build();
                AxumQuery::<T>::try_from_uri(meant.as_ref().unwrap_or(&parts.uri))
            }
            None => AxumQuery::<T>::try_from_uri(&parts.uri),
        };
        query.map(|q| Self(q.0)).map_err(|e| ApiError(unread::query(&e.body_text())))
    }
}

/// A query with the names that are meant by those that were sent; none if these are the same.
fn as_meant(query: &str, fields: &[&str]) -> Option<String> {
    let sent = || form_urlencoded::parse(query.as_bytes());
    if sent().all(|(name, _)| field_of(&name, fields) == name) {
        return None;
    }
    let mut meant = form_urlencoded::Serializer::new(String::new());
    for (name, value) in sent() {
        meant.append_pair(&field_of(&name, fields), &value);
    }
    Some(meant.finish())
}

/// Parameters of which some may come again and again, each time with more of a list: `status=pending&status=confirmed` is
/// `status=pending,confirmed`. Whatever else comes twice is refused.
pub(crate) trait Repeated {
    /// Which may.
    const LISTS: &'static [&'static str];
}

/// Query parameters with lists among them.
pub(crate) struct Lists<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Repeated> FromRequestParts<S> for Lists<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Some(joined) = parts.uri.query().and_then(|query| joined(query, T::LISTS)) else {
            return Query::<T>::from_request_parts(parts, state).await.map(|query| Self(query.0));
        };
        let mut parts = parts.clone();
        let address = format!("{}?{joined}", parts.uri.path());
        parts.uri = address.parse().map_err(|_| ApiError(unread::query("cannot be read")))?;
        Query::<T>::from_request_parts(&mut parts, state).await.map(|query| Self(query.0))
    }
}

/// The query with each of these once. None: it is so already.
fn joined(query: &str, lists: &[&str]) -> Option<String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut is_joined = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let before = pairs.iter_mut().find(|(known, _)| *known == name && lists.contains(&known.as_str()));
        if let Some((_, values)) = before {
            values.push(',');
            values.push_str(&value);
            is_joined = true;
        } else {
            pairs.push((name.into_owned(), value.into_owned()));
        }
    }
    is_joined.then(|| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
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

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use axum::body::Body;
    use serde::{Deserialize, Deserializer};

    use super::*;

    /// Where a body was read.
    struct ReadOn(ThreadId);

    impl<'de> Deserialize<'de> for ReadOn {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Value::deserialize(deserializer).map(|_| Self(thread::current().id()))
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Params {
        event_type_id: String,
        q: Option<String>,
    }

    #[tokio::test]
    async fn parameters_are_read_in_camel_case_too() {
        let read = async |query: &str| {
            let mut parts = Request::builder().uri(format!("/x?{query}")).body(()).unwrap().into_parts().0;
            Query::<Params>::from_request_parts(&mut parts, &()).await.map(|q| q.0).map_err(|e| e.0)
        };
        let params = |q: &str| Ok(Params { event_type_id: "1".to_owned(), q: Some(q.to_owned()) });
        for query in ["event_type_id=1&q=a%26b%20c", "eventTypeId=1&q=a%26b+c", "q=a%26b+c&event_type=1"] {
            assert_eq!(read(query).await, params("a&b c"), "{query}");
        }
        for (query, field) in
            [("eventType=1&event_type_id=2", ""), ("eventType=1&what=2", "what"), ("q=1", "event_type_id")]
        {
            let refused = read(query).await.unwrap_err();
            assert_eq!((refused.code, refused.errors[0].field.as_str()), (Code::MalformedParameter, field));
        }
    }

    #[test]
    fn lists_may_come_in_parts() {
        for (query, once) in [
            ("status=a&limit=1&status=b%2Cc", Some("status=a%2Cb%2Cc&limit=1")),
            ("status=a&q=%C5%82&status=", Some("status=a%2C&q=%C5%82")),
            ("status=a&limit=1&limit=2", None),
            ("", None),
        ] {
            assert_eq!(joined(query, &["status"]).as_deref(), once, "{query}");
        }
    }

    #[tokio::test]
    async fn a_long_body_is_not_read_between_other_requests() {
        let read_on = async |bytes: usize| {
            let text = format!("[{}]", " ".repeat(bytes - 2));
            let request = Request::new(Body::from(text));
            Json::<ReadOn>::from_request(request, &()).await.map_err(|e| e.0).unwrap().0.0
        };
        let here = thread::current().id();
        assert_eq!(read_on(limits::INLINE_BYTES_MAX).await, here);
        assert_ne!(read_on(limits::INLINE_BYTES_MAX + 1).await, here);
    }
}
