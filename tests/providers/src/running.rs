//! A simulated service that listens, and what a test may do to any of them.

use std::{
    io,
    sync::{Arc, Mutex},
};

use crate::{
    faults::{Fault, Rates},
    front::{Delivery, RequestLine, Service, Shared, lock},
    server::Server,
};

/// A running simulator; it stops when dropped.
pub struct Running<S: Service> {
    server: Server,
    pub(crate) state: Shared<S>,
}

impl<S: Service> Drop for Running<S> {
    /// A test whose exchanges the service's own description does not allow fails, whatever else it shows.
    fn drop(&mut self) {
        let violations = lock(&self.state).violations().join("\n");
        assert!(
            violations.is_empty() || std::thread::panicking(),
            "against the description of {}:\n{violations}",
            S::NAME
        );
    }
}

impl<S: Service> Running<S> {
    /// Listen on this port of 127.0.0.1; 0 for any free one.
    pub(crate) async fn serve(port: u16, service: S) -> io::Result<Self> {
        // For the client that sends messages; another one may be installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let state: Shared<S> = Arc::new(Mutex::new(service));
        let server = Server::start(port, S::router(state.clone())).await?;
        Ok(Self { server, state })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Faults by chance from now on.
    pub fn set_rates(&self, rates: Rates) {
        lock(&self.state).common().faults.rates = rates;
    }

    /// The next request whose `METHOD path` contains `what` gets this fault.
    pub fn script(&self, what: &str, fault: Fault) {
        lock(&self.state).common().faults.script(what, fault);
    }

    /// Requests so far, without headers and bodies.
    pub fn requests(&self) -> Vec<RequestLine> {
        lock(&self.state).common().requests.clone()
    }

    /// Messages to subscribers that it kept, because it is not to send them.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        lock(&self.state).due()
    }
}
