//! Routes with what describes them. The description is megabytes while it is made, and is made when somebody asks for it.

use std::convert::Infallible;

use axum::{Router, extract::Request, response::IntoResponse, routing::Route};
use tower::{Layer, Service};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::http::app::App;

/// Handlers of one path, as `routes!` of `utoipa_axum`, but that they are described later.
macro_rules! routes {
    ($first:path $(, $more:path)* $(,)?) => {{
        use utoipa_axum::PathItemExt as _;
        utoipa_axum::paste! {
            let path = utoipa_axum::routes!(@path [path()] of $first);
            let methods = utoipa_axum::routes!(@path [methods()] of $first);
        }
        let handlers = axum::routing::MethodRouter::new();
        let handlers = methods.iter().fold(handlers, |on, method| on.on(method.to_method_filter(), $first));
        $(
            utoipa_axum::paste! {
                let methods = utoipa_axum::routes!(@path [methods()] of $more);
            }
            let handlers = methods.iter().fold(handlers, |on, method| on.on(method.to_method_filter(), $more));
        )*
        $crate::api::described::Handlers { path, methods: handlers, describe: || utoipa_axum::routes!($first $(, $more)*) }
    }};
}
pub(super) use routes;

/// See [`routes`].
pub(super) struct Handlers {
    pub(super) path: String,
    pub(super) methods: axum::routing::MethodRouter<App>,
    pub(super) describe: fn() -> UtoipaMethodRouter<App>,
}

/// Routes, and how each is described.
#[derive(Default)]
pub(super) struct Described {
    router: Router<App>,
    describe: Vec<fn() -> UtoipaMethodRouter<App>>,
}

impl Described {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn routes(mut self, of: Handlers) -> Self {
        self.describe.push(of.describe);
        Self { router: self.router.route(&of.path, of.methods), ..self }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        self.describe.extend(other.describe);
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

    /// What describes them, in a document that begins with this.
    pub(super) fn document(self, begin: OpenApi) -> OpenApi {
        let router = OpenApiRouter::<App>::with_openapi(begin);
        self.describe.into_iter().fold(router, |router, describe| router.routes(describe())).into_openapi()
    }
}
