//! Who calls: API keys and what they may do.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use berth_engine::{Caller, may_come_from};
use berth_model::{
    id::{ApiKeyId, TenantId},
    problem::{Code, Problem},
    tenants::scope::Scope,
};
use berth_store::records::{ApiKeyRecord, IdempotencyKey};

use super::{app::App, problem::ApiError, request_id::RequestId, source};

/// The key that a request came with, checked, and the Idempotency-Key that is reserved for the request.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    pub(crate) key: ApiKeyRecord,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// Scopes that it was asked for, and has.
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Authenticated {
    /// A key that may be used.
    fn new(key: ApiKeyRecord) -> Self {
        Self { key, idempotency_key: None, asked: Arc::default() }
    }

    /// The rights that the answer of this request rests on.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Refused, if the key does not have this scope.
    pub(crate) fn check(&self, scope: Scope) -> Result<(), Problem> {
        self.check_named(scope.as_str())
    }

    /// The same, by the name of a scope that was written down.
    pub(crate) fn check_named(&self, scope: &str) -> Result<(), Problem> {
        if self.key.scopes.iter().any(|s| s == scope) {
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.to_owned());
            return Ok(());
        }
        Err(Problem::new(Code::MissingScope, format!("The key lacks the scope {scope}.")))
    }

    /// Does the key have this scope?
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.check(scope).is_ok()
    }

    /// Who acts, in audit rows.
    fn actor(&self) -> String {
        format!("key:{}", self.key.id)
    }

    /// May the key still do this? For a request that waits: it may have been revoked, or its tenant deleted, meanwhile.
    pub(crate) async fn again(&self, app: &App, headers: &HeaderMap, scope: Scope) -> Result<(), ApiError> {
        match app.engine().tenants.authenticate(bearer(headers)?).await? {
            Some(record) if record.id == self.key.id => Self::new(record).check(scope).map_err(ApiError),
            _ => Err(ApiError(unauthenticated("The API key is not valid any more: expired or revoked."))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError(unauthenticated("No API key was sent.")))
    }
}

/// A tenant, by a key of its own that has the scope of the route.
pub(crate) struct AsTenant(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for AsTenant {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let key = Authenticated::from_request_parts(parts, state).await?;
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
        if key.asked().is_empty() {
            // A route that says no scope is nobody's: see `routes!`.
            return Err(Problem::new(Code::Internal, "This route does not say which scope it needs.").into());
        }
        let tenant: TenantId = key.key.tenant.ok_or_else(|| {
            Problem::new(Code::MissingScope, "This is an operator's key; a tenant's key is needed here.")
                .with_hint("Make a tenant's key: berth key create --tenant SLUG --name NAME")
        })?;
        Ok(Self(Caller { tenant, actor: key.actor(), request_id, idempotency_key: key.idempotency_key }))
    }
}

/// Who runs Berth, by an operator's key.
pub(crate) struct AsOperator {
    /// For audit rows.
    pub(crate) actor: String,
    pub(crate) request_id: String,
}

impl<S: Sync> FromRequestParts<S> for AsOperator {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let key = Authenticated::from_request_parts(parts, state).await?;
        key.check(Scope::Operator)?;
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
        Ok(Self { actor: key.actor(), request_id })
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(header::AUTHORIZATION).ok_or_else(|| unauthenticated("No API key was sent."))?;
    // The scheme's name is in any case (RFC 9110, section 11.1).
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    parts
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .ok_or_else(|| unauthenticated("The Authorization header is not of the form Bearer <key>."))
}

/// The key that a request came with, on its answer: for the line that says how it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyUsed(pub(crate) ApiKeyId);

/// Where a key is sent in clear, it is refused, good or bad: others have it now.
fn in_clear(app: &App, request: &Request) -> Result<(), Problem> {
    if !app.https_only() || source::is_private(request.extensions(), request.headers(), app.trusted_proxies())
    {
        return Ok(());
    }
    Err(Problem::new(
        Code::KeyInClear,
        "This server is reached over https, and the key came over plain http, where others can read it.",
    )
    .with_hint(
        "Make a new key in its place, and send that over https only. Operators: a proxy that ends TLS stands in `trusted-proxies`, and writes X-Forwarded-Proto.",
    ))
}

/// Let only requests with a valid key through, no more often than allowed; every answer says how often that is.
pub(crate) async fn require_key(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let key = match bearer(request.headers()) {
        Ok(key) => key,
        Err(problem) => return ApiError(problem).into_response(),
    };
    if let Err(problem) = in_clear(&app, &request) {
        return ApiError(problem).into_response();
    }
    let record = match app.engine().tenants.authenticate(key).await {
        Ok(Some(record)) => record,
        Ok(None) => {
            return ApiError(unauthenticated("The API key is not valid: unknown, expired or revoked."))
                .into_response();
        }
        Err(problem) => return ApiError(problem).into_response(),
    };
    let from = source::source_of(request.extensions(), request.headers(), app.trusted_proxies());
    if !may_come_from(&record, from) {
        let from = from.map_or_else(|| "an address that is not known".to_owned(), |from| from.to_string());
        let detail = format!("The key may not be used from {from}.");
        let mut response = ApiError(Problem::new(Code::SourceRefused, detail)).into_response();
        response.extensions_mut().insert(KeyUsed(record.id));
        return response;
    }
    let id = record.id;
    let standing = app.rate().take(id, record.requests_per_minute);
    let mut response = match standing.check() {
        Ok(()) => {
            request.extensions_mut().insert(Authenticated::new(record));
            next.run(request).await
        }
        Err(problem) => ApiError(problem).into_response(),
    };
    standing.tell(response.headers_mut());
    response.extensions_mut().insert(KeyUsed(id));
    response
}

/// Which scope a key needs for each operation with a key, by path and method.
#[derive(Clone, Default)]
pub(crate) struct Rights(Arc<HashMap<String, Vec<(Method, Scope)>>>);

impl Rights {
    pub(crate) fn new(of: impl IntoIterator<Item = ((Method, String), Scope)>) -> Self {
        let mut rights: HashMap<_, Vec<_>> = HashMap::new();
        for ((method, path), scope) in of {
            rights.entry(path).or_default().push((method, scope));
        }
        Self(Arc::new(rights))
    }

    fn of(&self, method: &Method, path: &str) -> Option<Scope> {
        // What answers GET answers HEAD.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(path)?.iter().find(|(of, _)| of == method).map(|(_, scope)| *scope)
    }
}

/// Let only keys through that have the route's scope: before the body is read, and before anything is said of what was sent.
pub(crate) async fn require_scope(State(rights): State<Rights>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let key = request.extensions().get::<Authenticated>();
    // A method that the path does not take has none, and is refused as such by the router.
    if let (Some(scope), Some(key)) = (rights.of(request.method(), path), key)
        && let Err(problem) = key.check(scope)
    {
        return ApiError(problem).into_response();
    }
    next.run(request).await
}
