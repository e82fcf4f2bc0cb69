use std::time::Duration;

use futures_util::future::join_all;
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpHooks};

use super::world::{Parts, Reply, Server, World, ok, request, send};
use crate::egress::EgressLimits;

fn limited(change: impl FnOnce(&mut EgressLimits)) -> Parts {
    let mut parts = Parts::default();
    change(&mut parts.limits);
    parts
}

#[tokio::test]
async fn requests_of_one_call_are_counted() {
    let server = Server::start(|_| ok("", "fine")).await;
    let mut world = World::new(&server.authority(), limited(|l| l.requests = 2));
    for _ in 0..2 {
        world.get(&server.url("/")).await.unwrap();
    }
    assert!(matches!(world.get(&server.url("/")).await, Err(Error::ConnectionLimitReached)));
    assert_eq!((world.record().outcome.as_str(), server.requests().len()), ("too_many_requests", 2));
    let mut next_call = world.call_of(1);
    assert!(send(&mut next_call, request("GET", &server.url("/"), ""), None).await.is_ok());
}

#[tokio::test]
async fn requests_of_one_call_run_so_many_at_once() {
    let server = Server::start_in_groups(2, |_| ok("", "fine")).await;
    let mut world = World::new(&server.authority(), limited(|l| l.concurrent = 2));
    let url = server.url("/");
    let all: Vec<_> = (0..6)
        .map(|_| {
            let sent = world.egress.send_request(request("GET", &url, ""), None, Box::new(async { Ok(()) }));
            Box::into_pin(sent)
        })
        .collect();
    assert!(join_all(all).await.iter().all(Result::is_ok));
    assert_eq!((server.requests().len(), server.in_flight_max()), (6, 2));
}

#[tokio::test]
async fn bodies_are_capped_both_ways() {
    let big = "x".repeat(2_000);
    let without_length = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{big}");
    let server = Server::start(move |seen| match seen {
        s if s.contains("/length") => ok("", &big),
        s if s.contains("/small") => ok("", "fine"),
        _ => Reply::Close(without_length.clone().into()),
    })
    .await;
    let parts = limited(|l| (l.body_in_bytes, l.body_out_bytes) = (1_000, 1_000));
    let mut world = World::new(&server.authority(), parts);
    for path in ["/length", "/endless"] {
        let refused = world.get(&server.url(path)).await;
        assert!(matches!(refused, Err(Error::HttpResponseBodySize(_))), "{path}");
        assert_eq!(world.record().outcome, "answer_too_large", "{path}");
    }
    let before = server.requests().len();
    let sent =
        send(&mut world.egress, request("POST", &server.url("/small"), &"x".repeat(1_001)), None).await;
    assert!(matches!(sent, Err(Error::HttpRequestBodySize(_))));
    assert_eq!((world.record().outcome.as_str(), server.requests().len()), ("body_out_too_large", before));
    assert!(
        send(&mut world.egress, request("POST", &server.url("/small"), &"x".repeat(1_000)), None)
            .await
            .is_ok()
    );
    assert_eq!((world.record().bytes_out, world.record().bytes_in), (1_000, 4));
}

#[tokio::test]
async fn answers_of_one_call_are_summed() {
    let server = Server::start(|_| ok("", &"x".repeat(600))).await;
    let mut world = World::new(&server.authority(), limited(|l| l.call_body_in_bytes = 1_000));
    assert!(world.get(&server.url("/")).await.is_ok());
    assert!(matches!(world.get(&server.url("/")).await, Err(Error::HttpResponseBodySize(_))));
    assert_eq!(world.record().outcome, "call_body_in_exhausted");
}

#[tokio::test]
async fn headers_of_an_answer_are_capped() {
    let server = Server::start(|_| ok(&format!("x-long: {}\r\n", "x".repeat(2_000)), "fine")).await;
    let mut world = World::new(&server.authority(), limited(|l| l.header_bytes = 1_000));
    assert!(matches!(world.get(&server.url("/")).await, Err(Error::HttpResponseHeaderSectionSize(_))));
}

#[tokio::test]
async fn a_server_that_stalls_is_left() {
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome";
    let server = Server::start(move |seen| {
        Reply::Hold(if seen.contains("/silent") { Vec::new() } else { begun.into() })
    })
    .await;
    let short = Duration::from_millis(50);
    let mut world = World::new(&server.authority(), limited(|l| l.between_bytes = short));
    assert!(matches!(world.get(&server.url("/drip")).await, Err(Error::ConnectionReadTimeout)));
    assert_eq!(world.record().outcome, "between_bytes_timeout");

    // The component may ask for less patience than the host has, and not for more.
    let mut world = World::new(&server.authority(), limited(|l| l.first_byte = short));
    let patient =
        RequestOptions { first_byte_timeout: Some(Duration::from_hours(1)), ..RequestOptions::default() };
    let left = send(&mut world.egress, request("GET", &server.url("/silent"), ""), Some(patient)).await;
    assert!(matches!(left, Err(Error::HttpResponseTimeout)));
    assert_eq!(world.record().outcome, "first_byte_timeout");

    let mut world = World::new(&server.authority(), Parts::default());
    let hasty = RequestOptions {
        connect_timeout: None,
        first_byte_timeout: Some(short),
        between_bytes_timeout: Some(short),
    };
    let left = send(&mut world.egress, request("GET", &server.url("/silent"), ""), Some(hasty)).await;
    assert!(matches!(left, Err(Error::HttpResponseTimeout)));

    let mut world = World::new(&server.authority(), limited(|l| l.request = short));
    assert!(matches!(world.get(&server.url("/drip")).await, Err(Error::HttpResponseTimeout)));
    assert_eq!(world.record().outcome, "request_timeout");
}

#[tokio::test]
async fn the_rate_of_the_manifest_holds_for_the_connection() {
    let server = Server::start(|_| ok("", "fine")).await;
    let parts = Parts { manifest: "rate-limit = { requests = 1, per-seconds = 3600 }", ..Parts::default() };
    let mut world = World::new(&server.authority(), parts);
    world.get(&server.url("/")).await.unwrap();
    let refused = world.get(&server.url("/")).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.headers["retry-after"].to_str().unwrap()), (429, "3600"));
    let record = world.record();
    assert_eq!((record.outcome.as_str(), record.status, server.requests().len()), ("rate_limited", None, 1));
    let mut another_connection = world.call_of(2);
    let other = send(&mut another_connection, request("GET", &server.url("/"), ""), None).await.unwrap();
    assert_eq!(other.status.as_u16(), 200);
}

#[tokio::test]
async fn connections_of_one_provider_share_its_rate() {
    let server = Server::start(|_| ok("", "fine")).await;
    let parts = Parts {
        manifest: "rate-limit = { requests = 3, per-seconds = 3600 }\nprovider-rate-limit = { requests = 4, per-seconds = 7200 }",
        ..Parts::default()
    };
    let world = World::new(&server.authority(), parts);
    let url = server.url("/");
    let mut statuses = Vec::new();
    for (tenant, is_bulk) in [(1, true), (2, true), (2, true), (2, true), (2, false), (1, false), (3, false)]
    {
        let mut call = if is_bulk { world.bulk_call_of(tenant) } else { world.call_of(tenant) };
        let got = send(&mut call, request("GET", &url, ""), None).await.unwrap();
        let wait = got.headers.get("retry-after").map(|seconds| seconds.to_str().unwrap().to_owned());
        statuses.push((got.status.as_u16(), wait));
    }
    let (passed, later) = ((200, None), |seconds: &str| (429, Some(seconds.to_owned())));
    // The last one is left by what reads everything.
    let expected =
        [passed.clone(), passed.clone(), passed.clone(), later("7200"), passed, later("7200"), later("7200")];
    assert_eq!((statuses.as_slice(), server.requests().len()), (expected.as_slice(), 4));
}
