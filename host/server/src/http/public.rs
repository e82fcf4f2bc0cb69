//! What is around every route without a key: which tenant is meant, how often somebody may ask, and which pages of others may (CORS, Fetch
//! standard). Nothing here takes a cookie or a key, so every origin may read; only the tenant's own pages, and those that it names, may send.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use berth_engine::Caller;
use berth_model::{
    catalog::listing::TenantRecord,
    id::ApiKeyId,
    problem::{Code, Problem},
};
use berth_store::records::IdempotencyKey;

use super::{app::App, problem::ApiError, request_id::RequestId, source::source_of, visits::Network};

/// What a page of others may send besides what every page may.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("content-type, idempotency-key, if-none-match");
/// What it may read of an answer besides what every page may.
const RESPONSE_HEADERS: HeaderValue =
    HeaderValue::from_static("etag, idempotency-replayed, location, retry-after, x-request-id");
/// How long a browser may remember what it was told of that, in seconds: ten minutes.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// Who asks without a key, and of which tenant.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) tenant: Arc<TenantRecord>,
    pub(crate) network: Network,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

impl Visitor {
    /// As the engine is told.
    pub(crate) fn caller(&self, request_id: &RequestId) -> Caller {
        Caller {
            tenant: self.tenant.id,
            actor: "customer".to_owned(),
            request_id: request_id.0.clone(),
            idempotency_key: self.idempotency_key.clone(),
        }
    }

    /// An Idempotency-Key of theirs: of all visitors of the tenant, who are not told apart. No API key has the id of a tenant.
    pub(crate) fn key(&self, key: String) -> IdempotencyKey {
        let holder = ApiKeyId::from_uuid(self.tenant.id.uuid());
        IdempotencyKey { tenant: Some(self.tenant.id), holder, key }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| ApiError(Problem::new(Code::Internal, "The route is not public.")))
    }
}

/// May a page of others ask this way?
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sharing {
    /// Any page may read what anybody may read.
    Anybody,
    /// This page may send.
    With(HeaderValue),
    /// The page is not named by the tenant, or nobody knows which it is.
    Nobody,
}

/// Does the request come from a page of our own, by the host that it was sent to?
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let of_origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    host.is_some_and(|host| of_origin.is_some_and(|own| own.eq_ignore_ascii_case(host)))
}

fn sharing(method: &Method, headers: &HeaderMap, tenant: Option<&TenantRecord>) -> Sharing {
    if [Method::GET, Method::HEAD].contains(method) {
        return Sharing::Anybody;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Sharing::Anybody };
    let text = origin.to_str().unwrap_or_default();
    if is_own(text, headers) || tenant.is_some_and(|tenant| tenant.settings.allows_origin(text)) {
        return Sharing::With(origin.clone());
    }
    Sharing::Nobody
}

impl Sharing {
    fn tell(self, headers: &mut HeaderMap) {
        let allowed = match self {
            Self::Anybody => HeaderValue::from_static("*"),
            Self::With(origin) => {
                headers.append(header::VARY, HeaderValue::from_static("origin"));
                origin
            }
            Self::Nobody => {
                headers.append(header::VARY, HeaderValue::from_static("origin"));
                return;
            }
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
}

/// The answer to a browser that asks before it asks (`OPTIONS`), for this method.
fn preflight(wanted: &Method, sharing: Sharing) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let vary = "origin, access-control-request-method, access-control-request-headers";
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    let is_known = [Method::GET, Method::HEAD, Method::POST].contains(wanted);
    if sharing != Sharing::Nobody && is_known {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        let allowed =
            if let Sharing::With(origin) = sharing { origin } else { HeaderValue::from_static("*") };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
    response
}

/// The method that a browser asks about before it asks.
fn asked_before(method: &Method, headers: &HeaderMap) -> Option<Method> {
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    (*method == Method::OPTIONS && headers.contains_key(header::ORIGIN))
        .then(|| Method::from_bytes(wanted.as_bytes()).ok())
        .flatten()
}

static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
static REFERRER: (HeaderName, HeaderValue) =
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));

/// Let a visitor through to the tenant that is named in the path.
pub(crate) async fn visited(
    State(app): State<App>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let network = Network::from(source_of(request.extensions(), request.headers(), app.trusted_proxies()));
    let before = asked_before(request.method(), request.headers());
    let method = before.clone().unwrap_or_else(|| request.method().clone());
    let slug = path.iter().find_map(|(name, value)| (name == "tenant").then(|| value.to_owned()));
    let tenant = match app.visits().read(network, app.engine().now()) {
        Err(problem) => Err(problem),
        Ok(()) => app.engine().tenants.public_tenant(slug.as_deref().unwrap_or_default()).await,
    };
    let sharing = sharing(&method, request.headers(), tenant.as_ref().ok());
    if before.is_some() {
        return preflight(&method, sharing);
    }
    let mut response = match tenant {
        Err(problem) => ApiError(problem).into_response(),
        Ok(_) if sharing == Sharing::Nobody => ApiError(Problem::new(
            Code::OriginRefused,
            "The page that sends this is not one of the business.",
        ))
        .into_response(),
        Ok(tenant) => {
            let tenant = Arc::new(tenant);
            let visitor = Visitor { tenant, network, idempotency_key: None };
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
    };
    let headers = response.headers_mut();
    // What says nothing of being kept is not.
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE.clone());
    headers.insert(REFERRER.0.clone(), REFERRER.1.clone());
    sharing.tell(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages_are_known_by_the_host_that_was_asked() {
        let is = |origin: &str, host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_own(origin, &headers)
        };
        assert!(is("https://book.example", "book.example") && is("http://localhost:8080", "localhost:8080"));
        for (origin, host) in [
            ("null", "null"),
            ("", "book.example"),
            ("https://book.example.evil.example", "book.example"),
            ("https://evil.example", "book.example"),
            ("https://book.example:444", "book.example"),
            ("ftp://book.example", "book.example"),
        ] {
            assert!(!is(origin, host), "{origin} at {host}");
        }
    }
}
