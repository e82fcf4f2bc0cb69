//! What stands between the gate and the provider while a component is tested, and answers in its place: it sees each request before
//! credentials are attached, and may answer it, break the connection, or lose the provider's answer. The product has none.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

/// A request as the component made it, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterceptedRequest {
    /// `GET`, …
    pub method: Method,
    /// The whole URL.
    pub url: Url,
    /// The component's headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// An answer, credentials removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterceptedAnswer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl InterceptedAnswer {
    /// An answer with one content type.
    #[must_use]
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body: body.into() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intercept {
    /// The provider is asked.
    Ask,
    /// This is the answer; the provider is not asked.
    Answer(InterceptedAnswer),
    /// The connection breaks; the provider is not asked.
    Break,
}

/// Who answers in place of the provider.
pub trait Interceptor: Send + Sync {
    /// Before the provider is asked.
    fn before(&self, request: &InterceptedRequest) -> Intercept;
    /// After the provider answered. None: the answer is lost.
    fn after(&self, request: &InterceptedRequest, answer: InterceptedAnswer) -> Option<InterceptedAnswer>;
}
