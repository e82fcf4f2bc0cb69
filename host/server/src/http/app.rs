//! The router and what is around every route.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use berth_engine::Engine;
use berth_model::{
    limits,
    problem::{Code, Problem},
    random::Random,
};
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use super::{
    auth::{KeyUsed, require_key},
    bodies::{Room, buffered},
    idempotency::{Known, idempotent},
    problem::ApiError,
    rate::Rate,
    rules,
};
use crate::{Readiness, api};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What handlers share.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    readiness: Readiness,
}

struct Inner {
    engine: Engine,
    rate: Rate,
    link_rate: Rate,
    bodies: Room,
    known: Known,
    metrics: PrometheusHandle,
    random: Arc<dyn Random>,
    trusted_proxies: Vec<IpNet>,
    https_only: bool,
}

/// What the configuration says of requests.
#[derive(Debug, Clone, Default)]
pub struct AppConfig {
    /// Requests of one key in a minute, where the key has no limit of its own.
    pub requests_per_minute: u32,
    /// Our own proxies: what they say of where a request comes from, and how, is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Are keys refused that came over plain http?
    pub https_only: bool,
}

impl App {
    /// Handlers over this engine, over http or https alike.
    #[must_use]
    pub fn new(
        engine: Engine,
        random: Arc<dyn Random>,
        requests_per_minute: u32,
        trusted_proxies: Vec<IpNet>,
    ) -> Self {
        Self::with(engine, random, AppConfig { requests_per_minute, trusted_proxies, https_only: false })
    }

    /// The same, as the configuration says.
    #[must_use]
    pub fn with(engine: Engine, random: Arc<dyn Random>, config: AppConfig) -> Self {
        let metrics = crate::telemetry::start_metrics();
        let AppConfig { requests_per_minute, trusted_proxies, https_only } = config;
        let (rate, link_rate) =
            (Rate::new(requests_per_minute), Rate::new(limits::LINK_REQUESTS_PER_MINUTE_MAX));
        let (bodies, known) = (Room::default(), Known::default());
        let inner =
            Inner { engine, rate, link_rate, bodies, known, metrics, random, trusted_proxies, https_only };
        Self { inner: Arc::new(inner), readiness: Readiness::default() }
    }

    /// The same, telling of what these checks found.
    #[must_use]
    pub fn with_readiness(self, readiness: Readiness) -> Self {
        Self { readiness, ..self }
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.inner.trusted_proxies
    }

    pub(crate) fn https_only(&self) -> bool {
        self.inner.https_only
    }

    pub(crate) fn rate(&self) -> &Rate {
        &self.inner.rate
    }

    /// Room for bodies.
    pub(crate) fn bodies(&self) -> &Room {
        &self.inner.bodies
    }

    /// Idempotency keys.
    pub(crate) fn known(&self) -> &Known {
        &self.inner.known
    }

    /// How often the links of bookings may be used.
    pub(crate) fn link_rate(&self) -> &Rate {
        &self.inner.link_rate
    }

    /// Metrics in the text format of Prometheus, with gauges as they are now.
    pub(crate) fn render_metrics(&self) -> String {
        self.inner.engine.publish_gauges();
        self.upkeep();
        self.inner.metrics.render()
    }

    /// Forget keys that are idle, and add up what was measured. To be called now and then: measurements that nobody reads are
    /// kept one by one until they are added up.
    pub fn upkeep(&self) {
        self.inner.rate.forget_idle();
        self.inner.link_rate.forget_idle();
        self.inner.known.forget();
        self.inner.metrics.run_upkeep();
    }
}

/// The id of a request: the caller's own, if it is a decent one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("unknown".to_owned())))
    }
}

/// The whole HTTP surface.
pub fn router(app: App) -> Router {
    let (keyed, open) = (api::keyed(), api::open());
    let document = api::document();
    let keyed = keyed
        .layer(middleware::from_fn_with_state(app.clone(), idempotent))
        .layer(middleware::from_fn_with_state(app.clone(), buffered))
        .layer(middleware::from_fn_with_state(app.clone(), require_key));
    let open = open.layer(middleware::from_fn_with_state(app.clone(), buffered));
    keyed
        .merge(open)
        .merge(api::docs(document))
        .fallback(|| async {
            ApiError(Problem::new(Code::NotFound, "There is no such path.").with_hint("See /docs."))
        })
        .method_not_allowed_fallback(|| async {
            ApiError(Problem::new(Code::MethodNotAllowed, "This path does not take this method."))
        })
        .layer(DefaultBodyLimit::max(limits::API_BODY_BYTES_MAX))
        .layer(middleware::from_fn(timed))
        .layer(CatchPanicLayer::custom(|_| {
            ApiError(Problem::new(Code::Internal, "The request could not be handled.")).into_response()
        }))
        .layer(middleware::from_fn_with_state(app.clone(), observed))
        .layer(Extension(()))
        .with_state(app)
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
            app.inner.random.fill(&mut bytes);
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
