use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, uri::Scheme};
use wasmtime_wasi_http::{Error, WasiHttpHooks};

use super::world::{KEY, Parts, Server, World, chunked, ok, request, send};

#[tokio::test]
async fn the_key_goes_out_and_never_comes_back() {
    let (half, rest) = KEY.split_at(9);
    let server = Server::start(move |seen| {
        assert!(seen.contains(&format!("authorization: Bearer {KEY}\r\n")), "{seen}");
        match seen.lines().next().unwrap_or_default() {
            l if l.contains("/plain") => ok(&format!("x-echo: <{KEY}>\r\nset-cookie: sid=1\r\n"), seen),
            l if l.contains("/split") => chunked(&["you sent ", half, rest, "."]),
            l if l.contains("/base64") => ok("", &STANDARD.encode(format!("key={KEY}"))),
            _ => ok("", &KEY.replace('_', "\\u005f")),
        }
    })
    .await;
    let mut world = World::new(&server.authority(), Parts::default());

    let plain = world.get(&server.url("/plain?customer=ada")).await.unwrap();
    assert_eq!(plain.headers["x-echo"], "<[removed]>");
    assert!(!plain.headers.contains_key("set-cookie"));
    assert!(plain.body.contains("Bearer [removed]") && !plain.body.contains(KEY), "{}", plain.body);
    assert_eq!(plain.headers["content-length"], plain.body.len().to_string());

    assert_eq!(world.get(&server.url("/split")).await.unwrap().body, "you sent [removed].");
    let encoded = world.get(&server.url("/base64")).await.unwrap().body;
    assert!(encoded.contains("[removed]"), "{encoded}");

    let withheld = world.get(&server.url("/escaped")).await;
    assert!(matches!(withheld, Err(Error::InternalError(_))));
    assert_eq!(world.record().outcome, "credential_echoed");

    let records = world.egress.records().snapshot();
    assert_eq!(
        (records[0].path.as_str(), records[0].status, records[0].outcome.as_str()),
        ("/plain", Some(200), "ok")
    );
    let printed = format!("{records:?}");
    assert!(!printed.contains(KEY) && !printed.contains("ada"), "{printed}");
}

#[tokio::test]
async fn a_credential_that_was_not_sent_does_not_come_back_either() {
    let server = Server::start(|seen| {
        assert!(!seen.contains(KEY), "{seen}");
        ok("", &format!(r#"{{"webhooks":[{{"secret":"{KEY}"}}]}}"#))
    })
    .await;
    let elsewhere = r#"
[credentials.key]
label = "Webhook secret"
kind = "generated"
attach = [{ body-field = "/secret", method = "POST", path = "/webhooks" }]
"#;
    let mut world = World::new(&server.authority(), Parts { manifest: elsewhere, ..Parts::default() });
    let got = world.get(&server.url("/webhooks")).await.unwrap();
    assert_eq!(got.body, r#"{"webhooks":[{"secret":"[removed]"}]}"#);
}

#[tokio::test]
async fn what_the_component_may_not_set_is_never_sent() {
    let server = Server::start(|_| ok("", "fine")).await;
    let mut world = World::new(&server.authority(), Parts::default());
    for (name, value) in [
        ("authorization", "Bearer mine"),
        ("cookie", "sid=1"),
        ("proxy-authorization", "made-up"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade"),
        ("host", "metadata.internal"),
        ("range", "bytes=0-3"),
    ] {
        let mut smuggling = request("POST", &server.url("/"), "body");
        smuggling.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        let refused = send(&mut world.egress, smuggling, None).await;
        assert!(matches!(refused, Err(Error::HttpRequestDenied)), "{name}");
        let record = world.record();
        assert_eq!(record.outcome, "forbidden_header", "{name}");
        assert!(record.hint.is_some_and(|h| h.contains(name) && !h.contains(value)), "{name}");
    }
    let mut wrong_length = request("POST", &server.url("/"), "body");
    wrong_length.headers_mut().insert("content-length", HeaderValue::from_static("400"));
    let refused = send(&mut world.egress, wrong_length, None).await;
    assert!(matches!(refused, Err(Error::HttpRequestBodySize(_))));
    assert_eq!(server.requests().len(), 0);

    let mut right_length = request("POST", &server.url("/"), "body");
    right_length.headers_mut().insert("content-length", HeaderValue::from_static("4"));
    right_length.headers_mut().insert("accept-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(send(&mut world.egress, right_length, None).await.unwrap().body, "fine");
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.matches("content-length").count(), 1, "{seen}");
    assert!(seen.contains("accept-encoding: identity\r\n") && !seen.contains("gzip"), "{seen}");
    assert!(seen.contains(&format!("host: {}\r\n", server.authority())), "{seen}");
}

#[tokio::test]
async fn large_answers_are_searched_to_the_end() {
    let server = Server::start(|_| ok("", &format!("{}{KEY}", "x".repeat(300 * 1024)))).await;
    let mut world = World::new(&server.authority(), Parts::default());
    let got = world.get(&server.url("/")).await.unwrap();
    assert_eq!((got.body.len(), &got.body[300 * 1024..]), (300 * 1024 + 9, "[removed]"));
}

#[tokio::test]
async fn compressed_answers_are_refused() {
    let server = Server::start(|_| ok("content-encoding: gzip\r\n", "xxxx")).await;
    let mut world = World::new(&server.authority(), Parts::default());
    let refused = world.get(&server.url("/")).await;
    assert!(matches!(refused, Err(Error::HttpResponseContentCoding(_))));
}

#[tokio::test]
async fn wasmtime_is_told_the_same() {
    let mut world = World::new("api.acme.example", Parts::default());
    let filter = world.egress.forbidden_header_filter();
    for (name, forbidden) in [
        ("authorization", true),
        ("cookie", true),
        ("host", true),
        ("proxy-connection", true),
        ("content-type", false),
        ("accept", false),
        ("content-length", false),
    ] {
        assert_eq!(filter(&HeaderName::from_static(name)), forbidden, "{name}");
    }
    assert!(!world.egress.is_supported_scheme(&"ftp".parse::<Scheme>().unwrap()));
    assert_eq!(format!("{:?}", world.egress).matches(KEY).count(), 0);
}
