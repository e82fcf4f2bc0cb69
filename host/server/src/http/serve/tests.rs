//! Connections over loopback. Nothing here sleeps: limits are either an hour, and nothing may wait for them, or so short that whoever
//! waits for the end of a connection has it at once.

use std::{net::SocketAddr, path::Path, time::Duration};

use axum::routing::{get, post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{tls::Look, *};
use crate::http::problem::ApiError;

const HOUR: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(30);
/// Longest wait for what comes at once.
const PATIENCE: Duration = Duration::from_mins(1);
const ASK: &str = "GET /hello HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

fn patient() -> ConnectionLimits {
    ConnectionLimits {
        connections: 100,
        share: 100,
        header: HOUR,
        idle: HOUR,
        body_step: HOUR,
        body_bytes: 1,
    }
}

fn router() -> Router {
    let echo = async |request: axum::extract::Request| -> Result<String, ApiError> {
        let body = crate::http::body::read(request.into_body(), 1_000).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    };
    Router::new().route("/hello", get(async || "hello")).route("/echo", post(echo))
}

struct Served {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn new(limits: ConnectionLimits, tls: Option<Arc<Tls>>) -> Self {
        Self::with(router(), limits, tls, &[]).await
    }

    async fn with(
        router: Router,
        limits: ConnectionLimits,
        tls: Option<Arc<Tls>>,
        proxies: &[IpNet],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let server = HttpServer { router, limits, tls, trusted_proxies: proxies.into() };
        let ended = tokio::spawn(serve(listener, server, stopped));
        Self { address, stop, ended }
    }

    async fn open(&self, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // It may be closed before everything is sent: what comes back says more.
        let _ = stream.write_all(sent.as_bytes()).await;
        stream
    }

    async fn ask(&self, sent: &str) -> String {
        end(&mut self.open(sent).await).await
    }

    /// All connections are gone when it returns.
    async fn end(self) {
        let _ = self.stop.send(true);
        tokio::time::timeout(PATIENCE, self.ended).await.expect("it ends").unwrap();
    }
}

/// What comes until the other side ends, one way or the other.
async fn end(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut all = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends");
    String::from_utf8(all).unwrap()
}

/// One answer, whose body ends with this.
async fn until(stream: &mut TcpStream, last: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(last) {
        let mut piece = [0; 1_000];
        let read =
            tokio::time::timeout(PATIENCE, stream.read(&mut piece)).await.expect("it answers").unwrap();
        assert!(read > 0, "{all}");
        all.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    all
}

#[tokio::test]
async fn nobody_is_kept_out_by_those_who_only_hold_connections() {
    let few = ConnectionLimits { connections: 8, share: 8, ..patient() };
    let served = Served::new(few, None).await;
    let mut held = Vec::new();
    for sent in [
        "",
        "GET /hello HT",
        "GET /hello HTTP/1.1\r\nhost: here\r\nx: ",
        "POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nhalf",
        "POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha",
        "GET /hello HTTP/1.1\r\nhost: here\r\n\r\n",
    ] {
        for _ in 0..40 {
            held.push(served.open(sent).await);
        }
        assert!(served.ask(ASK).await.ends_with("hello"), "behind {sent:?}");
    }
    served.end().await;
    drop(held);
    // A slow one goes on while others come and go: byte by byte, and everybody else is answered.
    let served = Served::new(patient(), None).await;
    let slow = "POST /echo HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 5\r\n\r\nslow!";
    let mut stream = served.open("").await;
    let mut asked = 0;
    for byte in slow.bytes() {
        stream.write_all(&[byte]).await.unwrap();
        assert!(served.ask(ASK).await.ends_with("hello"));
        asked += 1;
    }
    assert!(asked > 60);
    assert!(end(&mut stream).await.ends_with("slow!"));
    served.end().await;
}

#[tokio::test]
async fn who_is_under_way_is_never_closed_for_another() {
    let (begun, mut begins) = mpsc::unbounded_channel::<()>();
    let (go, gate) = watch::channel(false);
    let work = move || {
        let (begun, mut gate) = (begun.clone(), gate.clone());
        async move {
            begun.send(()).unwrap();
            gate.wait_for(|go| *go).await.unwrap();
            "done"
        }
    };
    let router = router().route("/work", get(work));
    let served =
        Served::with(router, ConnectionLimits { connections: 3, share: 3, ..patient() }, None, &[]).await;
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(served.open("GET /work HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await);
        begins.recv().await.unwrap();
    }
    let refused = served.ask(ASK).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("BERTH-E0506"), "{refused}");
    go.send(true).unwrap();
    for worker in &mut workers {
        assert!(end(worker).await.ends_with("done"));
    }
    assert!(served.ask(ASK).await.ends_with("hello"), "there is room again");
    served.end().await;
}

#[tokio::test]
async fn one_address_closes_its_own_and_a_proxy_has_no_share() {
    let limits = ConnectionLimits { connections: 50, share: 2, ..patient() };
    let served = Served::new(limits.clone(), None).await;
    let mut first = served.open("").await;
    let _others = (served.open("").await, served.open("").await);
    assert_eq!(end(&mut first).await, "", "it made room for those that came after it");
    served.end().await;

    let served = Served::with(router(), limits, None, &["127.0.0.0/8".parse().unwrap()]).await;
    let mut first = served.open("").await;
    let _others = (served.open("").await, served.open("").await, served.open("").await);
    first.write_all(ASK.as_bytes()).await.unwrap();
    assert!(end(&mut first).await.ends_with("hello"));
    served.end().await;
}

#[tokio::test]
async fn silence_and_slowness_end() {
    let served = Served::new(ConnectionLimits { header: SOON, ..patient() }, None).await;
    for sent in ["", "GET /hello HTTP/1.1\r\nhost: he"] {
        assert_eq!(served.ask(sent).await, "", "{sent:?}");
    }
    served.end().await;

    let served = Served::new(ConnectionLimits { idle: SOON, ..patient() }, None).await;
    for second in ["", "GET /hello HTTP/1.1\r\n"] {
        let answers = served.ask(&format!("GET /hello HTTP/1.1\r\nhost: here\r\n\r\n{second}")).await;
        assert!(answers.ends_with("hello"), "it is answered before it ends: {answers}");
    }
    served.end().await;

    let served = Served::new(ConnectionLimits { body_step: SOON, body_bytes: 10, ..patient() }, None).await;
    for body in [
        "content-length: 50\r\n\r\n",
        "content-length: 50\r\n\r\nslow",
        "transfer-encoding: chunked\r\n\r\n4\r\nslow\r\n",
    ] {
        let answer = served.ask(&format!("POST /echo HTTP/1.1\r\nhost: here\r\n{body}")).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("BERTH-E0408"), "{answer}");
    }
    served.end().await;
}

#[tokio::test]
async fn what_hyper_refuses_is_a_problem_document_too() {
    let served = Served::new(patient(), None).await;
    let long = format!("GET /hello HTTP/1.1\r\nhost: here\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let many = format!("GET /hello HTTP/1.1\r\nhost: here\r\n{}\r\n", "x: y\r\n".repeat(200));
    let path = format!("GET /{} HTTP/1.1\r\nhost: here\r\n\r\n", "y".repeat(70_000));
    for (sent, status, code) in [
        ("nonsense\r\n\r\n", 400, "E0420"),
        ("GET /hello HTTP/1.1\r\nhost: here\r\nna me: x\r\n\r\n", 400, "E0420"),
        ("GET /hello HTTP/1.1\r\nhost: here\r\nx: a\0b\r\n\r\n", 400, "E0420"),
        ("POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: x\r\n\r\n", 400, "E0420"),
        ("POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400, "E0420"),
        ("POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: nonsense\r\n\r\n", 400, "E0420"),
        ("GET /hello HTTP/9.9\r\nhost: here\r\n\r\n", 400, "E0420"),
        ("POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400, "E0420"),
        ("POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n", 400, "E0420"),
        ("POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 1001\r\n\r\n", 413, "E0413"),
        (&long, 431, "E0431"),
        (&many, 431, "E0431"),
        (&path, 431, "E0431"),
    ] {
        let answer = served.ask(sent).await;
        let shown: String = sent.chars().take(80).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
        assert!(answer.contains("content-type: application/problem+json"), "{shown:?}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
        assert_eq!(body["code"], format!("BERTH-{code}"), "{shown:?}");
    }
    let large = format!(
        "POST /echo HTTP/1.1\r\nhost: here\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n",
        "y".repeat(1_001)
    );
    assert!(served.ask(&large).await.starts_with("HTTP/1.1 413"));
    // Two at once, of which the second is nonsense: the first is answered as if it were alone.
    let both = served.ask("GET /hello HTTP/1.1\r\nhost: here\r\n\r\nnonsense\r\n\r\n").await;
    assert!(both.starts_with("HTTP/1.1 200") && both.contains("HTTP/1.1 400"), "{both}");
    served.end().await;
}

#[tokio::test]
async fn a_server_that_ends_answers_what_is_under_way_and_nothing_else() {
    let served = Served::new(patient(), None).await;
    let mut silent = served.open("").await;
    let mut kept = served.open("GET /hello HTTP/1.1\r\nhost: here\r\n\r\n").await;
    until(&mut kept, "hello").await;
    let mut busy = served
        .open("POST /echo HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n")
        .await;
    until(&mut busy, "100 Continue\r\n\r\n").await;
    served.stop.send(true).unwrap();
    assert_eq!((end(&mut silent).await, end(&mut kept).await), (String::new(), String::new()));
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody new");
    busy.write_all(b"late").await.unwrap();
    assert!(end(&mut busy).await.ends_with("late"));
    served.end().await;
}

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(self.path("certificate.pem"), pem("CERTIFICATE", cert.der())).unwrap();
        std::fs::write(self.path("key.pem"), pem("PRIVATE KEY", &signing_key.serialize_der())).unwrap();
        cert.der().clone()
    }
}

/// Ask over TLS, believing this certificate alone.
async fn ask_privately(
    served: &Served,
    name: &str,
    trusted: CertificateDer<'static>,
) -> Result<String, io::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(served.address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(ASK.as_bytes()).await?;
    Ok(end(&mut stream).await)
}

#[tokio::test]
async fn a_certificate_is_replaced_while_the_server_runs_and_a_bad_one_is_not() {
    let files = Files { folder: tempfile::tempdir().unwrap() };
    let (certificate, key) = (files.path("certificate.pem"), files.path("key.pem"));
    let open = || Tls::open(certificate.clone(), key.clone());
    assert!(open().err().unwrap().contains("certificate.pem"));
    let first = files.write("first.example");
    let tls = open().unwrap();
    let how = async |request: axum::extract::Request| format!("{:?}", request.extensions().get::<Arrival>());
    let router = router().route("/how", get(how));
    let served = Served::with(router, patient(), Some(Arc::clone(&tls)), &[]).await;
    assert!(ask_privately(&served, "first.example", first.clone()).await.unwrap().ends_with("hello"));
    assert_eq!(tls.look(), Look::Same);

    let second = files.write("second.example");
    assert_eq!(tls.look(), Look::Replaced);
    assert!(ask_privately(&served, "second.example", second.clone()).await.unwrap().ends_with("hello"));
    assert!(ask_privately(&served, "first.example", first).await.is_err(), "the one before is gone");

    // A key that is not the certificate's, garbage, nothing: told once, and the last good one serves.
    let refuse = |path: &Path, text: &[u8]| {
        std::fs::write(path, text).unwrap();
        let Look::Refused(error) = tls.look() else { panic!("it must be refused") };
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(!error.contains("PRIVATE"), "{error}");
        assert_eq!(tls.look(), Look::Same, "it is told once");
    };
    let other = generate_simple_self_signed(["other.example".to_owned()]).unwrap().signing_key;
    refuse(&key, pem("PRIVATE KEY", &other.serialize_der()).as_bytes());
    refuse(&certificate, b"garbage");
    refuse(&certificate, b"");
    std::fs::remove_file(&certificate).unwrap();
    assert!(matches!(tls.look(), Look::Refused(_)));
    assert!(ask_privately(&served, "second.example", second).await.unwrap().ends_with("hello"));
    let third = files.write("third.example");
    assert_eq!(tls.look(), Look::Replaced);
    assert!(ask_privately(&served, "third.example", third).await.unwrap().ends_with("hello"));

    // Plain http there is not answered, and holds nothing.
    assert!(!served.ask(ASK).await.contains("200"));
    let mut silent = served.open("").await;
    served.stop.send(true).unwrap();
    assert_eq!(end(&mut silent).await, "");
    served.end().await;
}
