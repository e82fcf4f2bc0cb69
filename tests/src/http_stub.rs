//! The HTTP interface of an engine that does not exist yet, for providers that must know its address before.

use std::sync::{Arc, OnceLock};

use axum::{Router, extract::Request, response::Response};
use berth_server::{App, router};
use berth_simulators::server::Server;
use tower::ServiceExt;

use crate::World;

/// Requests of one key in a minute: more than a test makes.
const REQUESTS_MAX: u32 = 100_000;

/// An address, and what is behind it once there is something.
pub struct HttpStub {
    server: Server,
    behind: Arc<OnceLock<Router>>,
}

impl HttpStub {
    /// Closed.
    pub async fn build() -> Self {
        let behind: Arc<OnceLock<Router>> = Arc::default();
        let api = Arc::clone(&behind);
        let front = Router::new().fallback(move |request: Request| async move {
            let api = api.get().expect("the engine is there before anybody is told the address").clone();
            let answer: Response = api.oneshot(request).await.unwrap();
            answer
        });
        Self { server: Server::start(0, front).await.unwrap(), behind }
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// From now on the world's engine answers.
    pub fn open(&self, world: &World) {
        let api = router(App::new(world.engine.clone(), world.random.clone(), REQUESTS_MAX, Vec::new()));
        assert!(self.behind.set(api).is_ok(), "opened once");
    }
}
