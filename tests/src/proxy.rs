//! What stands between us and a server of somebody else: it loses answers, and can hide what the server knows to do.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use crate::radicale::Radicale;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_simulators::{
    faults::{Fault, Faults, Rates},
    server::{Server, hang_up},
};

/// Largest message that passes, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How Radicale says that it counts busy times.
const COUNTS_BUSY: &str = "<C:free-busy-query />";

/// A running proxy.
pub struct Proxy {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    behind: String,
    client: reqwest::Client,
    faults: Mutex<Faults>,
    hides_counting: AtomicBool,
}

impl Proxy {
    /// In front of this server; chance follows the seed.
    pub async fn start(radicale: &Radicale, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            behind: radicale.url(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            faults: Mutex::new(Faults::new(seed)),
            hides_counting: AtomicBool::new(false),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        Self { server: Server::start(0, router).await.unwrap(), shared }
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The next request whose `METHOD path` contains `what` gets this fault.
    pub fn fault(&self, what: &str, fault: Fault) {
        self.shared.faults.lock().unwrap().script(what, fault);
    }

    /// Faults by chance from now on.
    pub fn set_rates(&self, rates: Rates) {
        self.shared.faults.lock().unwrap().rates = rates;
    }

    /// From now on the server does not say that it counts busy times.
    pub fn hide_counting(&self) {
        self.shared.hides_counting.store(true, Ordering::Relaxed);
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let fault = shared.faults.lock().unwrap().next(parts.method.as_str(), parts.uri.path());
    match fault {
        Some(Fault::DropBefore) => return hang_up(),
        Some(Fault::ServerError) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::RateLimited { .. }) => {
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response();
        }
        _ => {}
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap();
    parts.headers.remove(header::HOST);
    let url = format!("{}{}", shared.behind, parts.uri.path_and_query().unwrap());
    let sent = shared.client.request(parts.method, url).headers(parts.headers).body(body).send().await;
    let answer = sent.unwrap();
    match fault {
        Some(Fault::DropAfter) => return hang_up(),
        Some(Fault::Malformed) => return "<html>Maintenance</html>".into_response(),
        _ => {}
    }
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let mut body = answer.text().await.unwrap();
    if shared.hides_counting.load(Ordering::Relaxed) {
        body = body.replace(COUNTS_BUSY, "");
    }
    headers.remove(header::CONTENT_LENGTH);
    let mut response = Response::new(Body::from(body));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}
