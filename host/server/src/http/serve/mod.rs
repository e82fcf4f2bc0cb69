//! The HTTP server: connections are accepted, bounded, and served until the server ends.

pub(crate) mod bare;
pub(crate) mod body;
mod register;
pub(crate) mod tls;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use http_body::Body as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc, watch},
};
use tower::ServiceExt;

use super::{arrival::Arrival, rules};

use self::{
    bare::Documented,
    body::{Broken, Pace, Received, Sent},
    register::{Register, Ticket, Waits},
    tls::Tls,
};

/// How connections are bounded.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// At the same time.
    pub connections: usize,
    /// Of these, from one address that is no proxy of ours.
    pub share: usize,
    /// From the opening to the end of the first request's header.
    pub header: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// A body must bring `body_bytes` in each such time.
    pub body_step: Duration,
    /// See `body_step`.
    pub body_bytes: u64,
}

impl ConnectionLimits {
    /// The usual ones, for so many connections.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            connections,
            share: connections.div_ceil(limits::CONNECTIONS_SHARE_PARTS),
            header: Duration::from_millis(limits::HEADER_MS_MAX),
            idle: Duration::from_millis(limits::CONNECTION_IDLE_MS_MAX),
            body_step: Duration::from_millis(limits::BODY_STEP_MS),
            body_bytes: limits::BODY_STEP_BYTES_MIN,
        }
    }
}

/// What is served, and how.
#[derive(Clone)]
pub struct HttpServer {
    /// What answers.
    pub router: Router,
    /// How connections are bounded.
    pub limits: ConnectionLimits,
    /// TLS, if it ends here.
    pub tls: Option<Arc<Tls>>,
    /// Proxies of ours: their connections are many people's, and have no share.
    pub trusted_proxies: Arc<[IpNet]>,
}

/// Serve until told to stop; then answer what is under way.
pub async fn serve(listener: TcpListener, server: HttpServer, stop: watch::Receiver<bool>) {
    accept(&Mutex::new(Some(listener)), server, stop).await;
}

/// The same with a listener that is still there if this fails; it is closed when told to stop.
pub(crate) async fn accept(
    listener: &Mutex<Option<TcpListener>>,
    server: HttpServer,
    mut stop: watch::Receiver<bool>,
) {
    let mut place = listener.lock().await;
    let Some(listener) = &*place else { return };
    let register = Register::new(server.limits.connections, server.limits.share);
    let shared = Arc::new(Shared { server });
    // Every connection holds one end: when nothing can be received any more, all are gone.
    let (alive, mut gone) = mpsc::channel::<()>(1);
    let mut backoff = Duration::ZERO;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                backoff = Duration::ZERO;
                let Some(ticket) = register.admit(shared.source(peer)) else {
                    turn_away(&stream);
                    continue;
                };
                #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
                metrics::gauge!("berth_connections_open").set(register.open() as f64);
                let (shared, stop, alive) = (Arc::clone(&shared), stop.clone(), alive.clone());
                tokio::spawn(async move {
                    shared.connection(stream, peer, ticket, stop).await;
                    drop(alive);
                });
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                // No files or no memory: one that waits makes room, and then others get their turn.
                if backoff.is_zero() {
                    tracing::warn!(%error, open = register.open(), "a connection was not accepted");
                }
                register.make_room();
                backoff = next_backoff(backoff);
                tokio::time::sleep(backoff).await;
            }
        }
    }
    // Nobody waits in vain for a listener that accepts no more.
    *place = None;
    drop((place, alive));
    let _ = gone.recv().await;
}

fn next_backoff(before: Duration) -> Duration {
    let first = Duration::from_millis(limits::ACCEPT_BACKOFF_MS_MIN);
    before.saturating_mul(2).clamp(first, Duration::from_millis(limits::ACCEPT_BACKOFF_MS_MAX))
}

/// Errors of one connection that was gone before it was accepted.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

/// Every connection does something: this one is told, if it listens, and closed.
fn turn_away(stream: &TcpStream) {
    metrics::counter!("berth_connections_closed_total", "why" => "turned away").increment(1);
    let problem = Problem::new(Code::Busy, "There are too many connections.").with_retry_after_seconds(1);
    // A few hundred bytes always fit into an empty buffer.
    let _ = stream.try_write(&bare::answer(problem));
}

struct Shared {
    server: HttpServer,
}

impl Shared {
    /// The address whose share a connection counts in.
    fn source(&self, peer: SocketAddr) -> Option<IpAddr> {
        let peer = peer.ip().to_canonical();
        (!self.server.trusted_proxies.iter().any(|network| network.contains(&peer))).then_some(peer)
    }

    async fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        ticket: Ticket,
        stop: watch::Receiver<bool>,
    ) {
        let _ = stream.set_nodelay(true);
        let ticket = Arc::new(ticket);
        let Some(tls) = &self.server.tls else {
            return self.requests(stream, peer, Arrival { tls: false }, ticket, stop).await;
        };
        let (header, idle) = (self.server.limits.header, self.server.limits.idle);
        let mut stopped = stop.clone();
        let encrypted = tokio::select! {
            encrypted = tls.acceptor.accept(stream) => encrypted,
            () = ticket.over(header, idle) => return,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        match encrypted {
            Ok(stream) => self.requests(stream, peer, Arrival { tls: true }, ticket, stop).await,
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        }
    }

    /// Answer the requests of one connection, one after the other.
    async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        peer: SocketAddr,
        arrival: Arrival,
        ticket: Arc<Ticket>,
        mut stop: watch::Receiver<bool>,
    ) {
        let limits = &self.server.limits;
        let pace = Pace { step: limits.body_step, bytes: limits.body_bytes };
        let service = service_fn(|request: Request<Incoming>| {
            let (router, ticket) = (self.server.router.clone(), Arc::clone(&ticket));
            async move { answer(router, request, peer, arrival, pace, ticket).await }
        });
        let connection = http1::Builder::new()
            .header_read_timeout(None)
            .max_header_size(limits::REQUEST_HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(Documented::new(stream)), service);
        let mut connection = pin!(connection);
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended");
                    }
                    return;
                }
                () = ticket.over(limits.header, limits.idle) => return,
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    if !ticket.is_busy() {
                        return;
                    }
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    arrival: Arrival,
    pace: Pace,
    ticket: Arc<Ticket>,
) -> Result<Response<Body>, Broken> {
    let waits = (!request.body().is_end_stream()).then_some(Waits::Receiving);
    if !ticket.now(waits) {
        return Err(Broken::Closed);
    }
    let of_server = request.uri().path() == "*";
    let of_body = Arc::clone(&ticket);
    let method = request.method().clone();
    let mut request = request.map(|body| Body::new(Received::new(body, of_body, pace)));
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(arrival);
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    // Whether its body was read or not: from now on the answer is sent.
    if !ticket.now(None) {
        return Err(Broken::Closed);
    }
    let response = rules::options(&method, of_server, response);
    Ok(response.map(|body| Body::new(Sent::new(body, ticket))))
}

#[cfg(test)]
mod tests;
