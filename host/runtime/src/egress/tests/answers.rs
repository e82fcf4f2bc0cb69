use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wasmtime_wasi_http::{Error, WasiHttpHooks};

use super::world::{HOST, Parts, Reply, Script, Server, World, ok, request};

#[tokio::test]
async fn failures_have_their_names() {
    let server = Server::start(|seen| match seen {
        s if s.contains("/short") => {
            Reply::Close("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome".into())
        }
        s if s.contains("/garbage") => Reply::Close("these are no headers\r\n\r\n".into()),
        _ => Reply::Close(Vec::new()),
    })
    .await;
    let mut world = World::new(&server.authority(), Parts::default());
    assert!(matches!(world.get(&server.url("/short")).await, Err(Error::HttpResponseIncomplete)));
    assert!(matches!(world.get(&server.url("/garbage")).await, Err(Error::HttpProtocolError)));
    assert!(matches!(world.get(&server.url("/nothing")).await, Err(Error::ConnectionTerminated)));
}

#[tokio::test]
async fn tls_names_the_host_and_does_not_wait_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("{HOST}:{}", listener.local_addr().unwrap().port());
    let url = format!("https://{authority}/");
    let mut world = World::new(&authority, Parts::default());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 4096];
        let n = stream.read(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        hello[..n].to_vec()
    };
    let (got, hello) = tokio::join!(world.get(&url), server);
    assert!(matches!(got, Err(Error::TlsProtocolError)));
    let says = |what: &[u8]| hello.windows(what.len()).any(|w| w == what);
    assert!(says(HOST.as_bytes()), "the pinned address does not replace the name");
    assert!(says(b"\x02h2"));
    assert!(!says(b"cal_test"));

    // It accepts connections and never says a word.
    let silent = Server::start(|_| ok("", "")).await;
    let mut parts = Parts::default();
    parts.limits.connect = Duration::from_millis(50);
    let mut world = World::new(&silent.authority(), parts);
    let got = world.get(&silent.url("/").replace("http:", "https:")).await;
    assert!(matches!(got, Err(Error::ConnectionTimeout)));
}

#[tokio::test]
async fn nobody_listens_or_nobody_is_known() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("{HOST}:{}", free.local_addr().unwrap().port());
    drop(free);
    let url = format!("http://{authority}/");
    let mut world = World::new(&authority, Parts::default());
    assert!(matches!(world.get(&url).await, Err(Error::ConnectionRefused)));
    let mut world = World::new(&authority, Parts { resolver: Script::new(&[]), ..Parts::default() });
    assert!(matches!(world.get(&url).await, Err(Error::DnsError { .. })));
    let mut world = World::new(&authority, Parts { resolver: Script::new(&[&[]]), ..Parts::default() });
    assert!(matches!(world.get(&url).await, Err(Error::DnsError { .. })));
    let too_many = vec!["127.0.0.1"; 65];
    let mut world = World::new(&authority, Parts { resolver: Script::new(&[&too_many]), ..Parts::default() });
    assert!(matches!(world.get(&url).await, Err(Error::DnsError { .. })));
}

#[tokio::test]
async fn the_providers_own_errors_are_answers() {
    let server = Server::start(|_| {
        Reply::Send("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n".into())
    })
    .await;
    let mut world = World::new(&server.authority(), Parts::default());
    let got = world.get(&server.url("/")).await.unwrap();
    assert_eq!((got.status.as_u16(), got.headers["retry-after"].to_str().unwrap()), (503, "7"));
    let record = world.record();
    assert_eq!((record.status, record.outcome.as_str()), (Some(503), "ok"));
}

#[tokio::test]
async fn records_outlive_a_call_that_was_cut_off() {
    let server = Server::start(|_| Reply::Hold(Vec::new())).await;
    let mut world = World::new(&server.authority(), Parts::default());
    let records = world.egress.records();
    let url = server.url("/bookings/42");
    let sent = world.egress.send_request(request("GET", &url, ""), None, Box::new(async { Ok(()) }));
    tokio::select! {
        _ = Box::into_pin(sent) => unreachable!("the server never answers"),
        () = server.arrived() => {}
    }
    drop(world);
    let left = records.snapshot();
    assert_eq!(
        (left.len(), left[0].outcome.as_str(), left[0].path.as_str()),
        (1, "unfinished", "/bookings/{}")
    );
}

#[tokio::test]
async fn a_host_that_nobody_granted() {
    let server = Server::start(|_| ok("", "fine")).await;
    let mut world = World::new(&server.authority(), Parts::default());
    let refused = world.get("https://other.example/steal?what=all").await;
    assert!(matches!(refused, Err(Error::HttpRequestDenied)));
    let record = world.record();
    assert_eq!((record.outcome.as_str(), record.host.as_str()), ("host_not_asked", "other.example"));
    assert_eq!(record.hint.as_deref(), Some(r#"plugin.toml: hosts = ["other.example"]"#));
}
