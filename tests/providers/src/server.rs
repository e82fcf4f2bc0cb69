//! An HTTP server on loopback that can also hang up without an answer.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpListener, sync::watch};
use tower::{Service, ServiceExt, service_fn};

/// Marks a response that is never sent: the connection ends instead.
#[derive(Debug, Clone, Copy)]
pub struct HangUp;

/// A response that hangs up.
pub fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    stop: Arc<watch::Sender<bool>>,
}

impl Server {
    /// Serve on this loopback port (0: any free one).
    pub async fn start(port: u16, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(accept(listener, router, stopped));
        Ok(Self { address, stop: Arc::new(stop) })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted { Ok((stream, _)) => stream, Err(_) => return },
            _ = stopped.changed() => return,
        };
        let _ = stream.set_nodelay(true);
        let (router, mut stopped) = (router.clone(), stopped.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let router = router.clone();
                async move { answer(router, request.map(Body::new)).await }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            tokio::select! {
                _ = connection => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

async fn answer(mut router: Router, request: Request) -> io::Result<Response> {
    let ready = <Router as ServiceExt<Request>>::ready(&mut router).await;
    let service: &mut Router = match ready {
        Ok(service) => service,
        Err(never) => match never {},
    };
    let response: Result<Response, Infallible> = service.call(request).await;
    match response {
        Ok(response) if response.extensions().get::<HangUp>().is_some() => {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "hung up on purpose"))
        }
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
