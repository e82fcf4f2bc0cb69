//! Routes with what describes them, and the scope that a key needs for each. The description is megabytes while it is made, and is made
//! when somebody asks for it.

use std::convert::Infallible;

use axum::{
    Router,
    extract::Request,
    http::Method,
    response::IntoResponse,
    routing::{MethodFilter, MethodRouter, Route},
};
use berth_model::tenants::scope::Scope;
use tower::{Layer, Service};
use utoipa::openapi::{HttpMethod, OpenApi};
use utoipa_axum::{
    PathItemExt as _,
    router::{OpenApiRouter, UtoipaMethodRouter},
};

use crate::http::app::App;

/// Handlers of one path, as `routes!` of `utoipa_axum`, but that they are described later, and that each says what a key needs for it:
/// `routes!(create: BookingsWrite, list: BookingsRead)`. What needs no key says nothing.
macro_rules! routes {
    ($($handler:path $(: $scope:ident)?),+ $(,)?) => {{
        let mut handlers = $crate::api::described::Handlers::new(|| utoipa_axum::routes!($($handler),+));
        $(
            utoipa_axum::paste! {
                let path = utoipa_axum::routes!(@path [path()] of $handler);
                let methods = utoipa_axum::routes!(@path [methods()] of $handler);
            }
            let scope: &[berth_model::tenants::scope::Scope] = &[$(berth_model::tenants::scope::Scope::$scope)?];
            for (method, filter) in $crate::api::described::filters(&methods) {
                handlers.methods = handlers.methods.on(filter, $handler);
                handlers.rights.extend(scope.iter().map(|scope| (method.clone(), *scope)));
            }
            handlers.path = path;
        )+
        handlers
    }};
}
pub(super) use routes;

/// Methods, as routes are told of them.
pub(super) fn filters(methods: &[HttpMethod]) -> Vec<(Method, MethodFilter)> {
    let name = |method: &HttpMethod| match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    };
    methods.iter().map(|method| (name(method), method.to_method_filter())).collect()
}

/// See [`routes`].
pub(super) struct Handlers {
    pub(super) path: String,
    pub(super) methods: MethodRouter<App>,
    /// What a key needs for each method.
    pub(super) rights: Vec<(Method, Scope)>,
    describe: fn() -> UtoipaMethodRouter<App>,
}

impl Handlers {
    pub(super) fn new(describe: fn() -> UtoipaMethodRouter<App>) -> Self {
        Self { path: String::new(), methods: MethodRouter::new(), rights: Vec::new(), describe }
    }
}

/// Routes, how each is described, and what a key needs for each.
#[derive(Default)]
pub(super) struct Described {
    router: Router<App>,
    describe: Vec<fn() -> UtoipaMethodRouter<App>>,
    rights: Vec<((Method, String), Scope)>,
}

impl Described {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn routes(mut self, of: Handlers) -> Self {
        self.describe.push(of.describe);
        self.rights.extend(of.rights.into_iter().map(|(method, scope)| ((method, of.path.clone()), scope)));
        Self { router: self.router.route(&of.path, of.methods), ..self }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        self.describe.extend(other.describe);
        self.rights.extend(other.rights);
        Self { router: self.router.merge(other.router), ..self }
    }

    pub(super) fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self { router: self.router.layer(layer), ..self }
    }

    /// The routes alone.
    pub(super) fn router(self) -> Router<App> {
        self.router
    }

    /// What a key needs for each operation; one that says nothing needs none.
    pub(super) fn rights(&self) -> &[((Method, String), Scope)] {
        &self.rights
    }

    /// What describes them, in a document that begins with this.
    pub(super) fn document(self, begin: OpenApi) -> OpenApi {
        let router = OpenApiRouter::<App>::with_openapi(begin);
        self.describe.into_iter().fold(router, |router, describe| router.routes(describe())).into_openapi()
    }
}
