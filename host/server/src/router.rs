//! The router and what is around every route.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{
    api,
    http::{
        app::App,
        auth::{KeyUsed, require_key, require_scope},
        bodies::buffered,
        contacts,
        idempotency::idempotent,
        problem::ApiError,
        public::visited,
        request_id::RequestId,
        rules,
        versions::versioned,
    },
};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The whole HTTP surface.
pub fn router(app: App) -> Router {
    let (keyed, rights) = api::keyed();
    let open = api::open();
    let public = api::public();
    let keyed = keyed
        // Innermost: what is below may go on in a task of its own.
        .layer(middleware::from_fn(contacts::shown_to_key))
        .layer(middleware::from_fn_with_state(app.clone(), idempotent))
        .layer(middleware::from_fn(versioned))
        .layer(middleware::from_fn_with_state(app.clone(), buffered))
        .layer(middleware::from_fn_with_state(rights, require_scope))
        .layer(middleware::from_fn_with_state(app.clone(), require_key));
    let open = open
        .layer(middleware::from_fn(versioned))
        .layer(middleware::from_fn_with_state(app.clone(), buffered));
    // Said here, so that what is around them is around it, too: a browser asks by `OPTIONS` whether it may ask.
    let public = public
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), idempotent))
        .layer(middleware::from_fn_with_state(app.clone(), buffered))
        .layer(middleware::from_fn_with_state(app.clone(), visited));
    keyed
        .merge(open)
        .merge(public)
        .merge(api::docs())
        .fallback(|| async {
            ApiError(Problem::new(Code::NotFound, "There is no such path.").with_hint("See /docs."))
        })
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(limits::API_BODY_BYTES_MAX))
        .layer(middleware::from_fn(timed))
        .layer(CatchPanicLayer::custom(|_| {
            ApiError(Problem::new(Code::Internal, "The request could not be handled.")).into_response()
        }))
        .layer(middleware::from_fn_with_state(app.clone(), observed))
        .layer(Extension(()))
        .with_state(app)
}

async fn not_allowed() -> ApiError {
    ApiError(Problem::new(Code::MethodNotAllowed, "This path does not take this method."))
}

/// No request takes longer than its limit.
async fn timed(request: Request, next: Next) -> Response {
    let longest = Duration::from_millis(limits::API_REQUEST_MS_MAX);
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError(Problem::new(Code::TimedOut, "The request took too long.")).into_response(),
    }
}

/// Methods by their names, as labels and in lines: whatever else a caller makes up is `other`.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A request id, a span, a metric, and a line that says how it went. No line has what a caller wrote into path or query.
async fn observed(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).and_then(|v| v.to_str().ok());
    let decent = |id: &&str| {
        (8..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let id = given.filter(decent).map_or_else(
        || {
            let mut bytes = [0; 8];
            app.random().fill(&mut bytes);
            format!("{:016x}", u64::from_be_bytes(bytes))
        },
        str::to_owned,
    );
    request.extensions_mut().insert(RequestId(id.clone()));
    let name = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let started = std::time::Instant::now();
    let span = tracing::info_span!("request", request_id = %id, method = name, route);
    let response = match rules::check(&request) {
        Ok(()) => next.run(request).instrument(span.clone()).await,
        Err(problem) => ApiError(problem).into_response(),
    };
    let mut response = rules::documented(response);
    let status = response.status().as_u16();
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let key = response.extensions().get::<KeyUsed>().map(|key| tracing::field::display(key.0));
    span.in_scope(|| {
        if api::monitoring::health::PATHS.contains(&route.as_str()) {
            tracing::debug!(status, ms, key, "request answered");
        } else {
            tracing::info!(status, ms, key, "request answered");
        }
    });
    metrics::histogram!("berth_request_seconds", "method" => name, "route" => route, "status" => status.to_string())
        .record(started.elapsed().as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}
