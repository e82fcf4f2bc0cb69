//! A server, a gate and a call that belong to one test.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use berth_model::{
    connections::secret::Secret,
    id::Id,
    outbound::provider::{Asked, CallContext, EgressRecord},
    plugins::manifest::Manifest,
    time::{Clock, Instant},
};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Barrier, Notify},
    task::JoinHandle,
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::egress::{CallEgress, EgressLimits, Gate, GateConfig, Lookup, Resolve, Urgency};

pub(super) const KEY: &str = "cal_test_not_a_real_key";
pub(super) const HOST: &str = "api.acme.example";

/// What the server does with a request.
pub(super) enum Reply {
    /// Write these bytes and wait for the next request.
    Send(Vec<u8>),
    /// Write these bytes and close.
    Close(Vec<u8>),
    /// Write these bytes, and then nothing until the other side closes.
    Hold(Vec<u8>),
}

/// An answer with a length.
pub(super) fn ok(headers: &str, body: &str) -> Reply {
    Reply::Send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into())
}

/// An answer in chunks.
pub(super) fn chunked(pieces: &[&str]) -> Reply {
    let mut answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    for piece in pieces {
        write!(answer, "{:x}\r\n{piece}\r\n", piece.len()).unwrap();
    }
    Reply::Send((answer + "0\r\n\r\n").into())
}

/// A server on a free port of the loopback interface. Ends with the test.
pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
    arrived: Notify,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_in_groups(1, reply).await
    }

    /// Answers only when so many requests are there.
    pub(super) async fn start_in_groups(
        group: usize,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let (shared, reply, barrier) = (Arc::clone(&seen), Arc::new(reply), Arc::new(Barrier::new(group)));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (seen, reply, barrier) = (Arc::clone(&shared), Arc::clone(&reply), Arc::clone(&barrier));
                connections.spawn(async move { serve(stream, &seen, &*reply, &barrier).await });
            }
        });
        Self { port, seen, task }
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
    pub(super) fn in_flight_max(&self) -> usize {
        self.seen.in_flight_max.load(Ordering::SeqCst)
    }
    /// Until a request has arrived.
    pub(super) async fn arrived(&self) {
        self.seen.arrived.notified().await;
    }
    pub(super) fn authority(&self) -> String {
        format!("{HOST}:{}", self.port)
    }
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Seen,
    reply: &(impl Fn(&str) -> Reply + Sync),
    barrier: &Barrier,
) {
    while let Some(request) = read_request(&mut stream).await {
        let now = seen.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        seen.in_flight_max.fetch_max(now, Ordering::SeqCst);
        seen.requests.lock().unwrap().push(request.clone());
        seen.arrived.notify_one();
        barrier.wait().await;
        // Before the answer: after it the next request may already be on its way.
        seen.in_flight.fetch_sub(1, Ordering::SeqCst);
        match reply(&request) {
            Reply::Send(bytes) => stream.write_all(&bytes).await.unwrap_or_default(),
            Reply::Close(bytes) => return stream.write_all(&bytes).await.unwrap_or_default(),
            Reply::Hold(bytes) => {
                stream.write_all(&bytes).await.unwrap_or_default();
                while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
                return;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_string();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
    }
}

/// A clock that stands still until it is moved.
#[derive(Default)]
pub(super) struct Hands(AtomicI64);
impl Hands {
    pub(super) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}
impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant::from_seconds(1_767_607_200).plus_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A name server that gives one answer after the other, and then the last one for ever.
pub(super) struct Script(Mutex<Vec<Vec<IpAddr>>>, AtomicUsize);
impl Script {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = answers.iter().rev().map(|a| a.iter().map(|ip| ip.parse().unwrap()).collect());
        Arc::new(Self(Mutex::new(parsed.collect()), AtomicUsize::new(0)))
    }
    pub(super) fn lookups(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}
impl Resolve for Script {
    fn resolve<'a>(&'a self, _host: &'a str) -> Lookup<'a> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.0.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        Box::pin(async move { next.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// What a test may want to be different.
pub(super) struct Parts {
    pub(super) resolver: Arc<Script>,
    pub(super) limits: EgressLimits,
    pub(super) insecure: bool,
    pub(super) extra_roots: Vec<Vec<u8>>,
    pub(super) manifest: &'static str,
}
impl Default for Parts {
    fn default() -> Self {
        Self {
            resolver: Script::new(&[&["127.0.0.1"]]),
            limits: EgressLimits::default(),
            insecure: true,
            extra_roots: Vec::new(),
            manifest: r#"
[credentials.key]
label = "Key"
kind = "api-key"
attach = [{ header = "authorization", format = "Bearer {}" }]
"#,
        }
    }
}

pub(super) struct World {
    pub(super) hands: Arc<Hands>,
    pub(super) gate: Arc<Gate>,
    manifest: Arc<Manifest>,
    granted: Arc<BTreeSet<String>>,
    pub(super) egress: CallEgress,
}

pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl World {
    /// A gate that may reach this authority, and a call of tenant 1.
    pub(super) fn new(authority: &str, parts: Parts) -> Self {
        let manifest = Manifest::parse(&format!(
            "id = \"acme\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\nhosts = [\"{authority}\"]\n{}",
            parts.manifest
        ));
        let hands = Arc::new(Hands::default());
        let insecure = parts.insecure.then(|| authority.to_owned());
        let gate = Gate::new(GateConfig {
            interceptor: None,
            insecure_hosts: insecure.into_iter().collect(),
            extra_roots: parts.extra_roots,
            clock: Arc::clone(&hands) as _,
            resolver: parts.resolver,
            limits: parts.limits,
        })
        .unwrap();
        let manifest = Arc::new(manifest.unwrap());
        let granted = Arc::new(BTreeSet::from([authority.to_owned()]));
        let egress = CallEgress::new(
            Arc::clone(&gate),
            &context(1, &granted),
            Arc::clone(&manifest),
            Urgency::Booking,
        );
        Self { hands, gate, manifest, granted, egress }
    }

    /// Another call, of this tenant.
    pub(super) fn call_of(&self, tenant: u128) -> CallEgress {
        self.call(tenant, Urgency::Booking)
    }

    /// Another call, of this tenant, that reads everything.
    pub(super) fn bulk_call_of(&self, tenant: u128) -> CallEgress {
        self.call(tenant, Urgency::Bulk)
    }

    fn call(&self, tenant: u128, urgency: Urgency) -> CallEgress {
        let cx = context(tenant, &self.granted);
        CallEgress::new(Arc::clone(&self.gate), &cx, Arc::clone(&self.manifest), urgency)
    }

    pub(super) async fn get(&mut self, url: &str) -> Result<Got, Error> {
        send(&mut self.egress, request("GET", url, ""), None).await
    }

    pub(super) fn record(&self) -> EgressRecord {
        self.egress.records().snapshot().pop().unwrap()
    }
}

fn context(tenant: u128, granted: &Arc<BTreeSet<String>>) -> CallContext {
    CallContext {
        tenant: Id::from_uuid(uuid::Uuid::from_u128(tenant)),
        listing: None,
        connection: Id::from_uuid(uuid::Uuid::from_u128(tenant)),
        plugin: "acme".parse().unwrap(),
        call: Id::from_uuid(uuid::Uuid::from_u128(7)),
        request_id: "req-1".to_owned(),
        settings: Arc::new(serde_json::json!({})),
        credentials: Arc::new([("key".to_owned(), Secret::new(KEY.to_owned()))].into()),
        granted_hosts: Arc::clone(granted),
        asked: Asked::default(),
        in_background: false,
        despite_state: false,
    }
}

pub(super) fn request(method: &str, url: &str, body: &str) -> Request<WasiBody> {
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {}).boxed_unsync();
    Request::builder().method(method).uri(url).body(body).unwrap()
}

pub(super) async fn send(
    egress: &mut CallEgress,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Got, Error> {
    let sent = egress.send_request(request, options, Box::new(async { Ok(()) }));
    let (response, _) = Box::into_pin(sent).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Ok(Got {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
