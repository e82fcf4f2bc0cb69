//! HTTP as its RFCs have it, in raw bytes over a connection: whatever is refused is a problem document.

use berth_server::{ConnectionLimits, HttpServer, serve};
use berth_tests::PATIENCE;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{Api, booking};

/// An API behind a socket; it ends when this is dropped.
pub(crate) struct Socket {
    pub(crate) api: Api,
    pub(crate) address: std::net::SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Socket {
    pub(crate) async fn new(api: Api) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = api.router.clone();
        let server =
            HttpServer { router, limits: ConnectionLimits::new(100), tls: None, trusted_proxies: [].into() };
        tokio::spawn(serve(listener, server, stopped));
        Self { api, address, _stop: stop }
    }

    /// Send these bytes; everything that comes back until the connection ends.
    pub(crate) async fn raw(&self, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut all = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it is answered");
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// Status, head, and body as JSON.
fn taken_apart(answer: &str) -> (u16, String, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn requests_are_read_as_the_rfcs_say() {
    let socket = Socket::new(Api::new().await).await;
    let key = &socket.api.key;
    let text = |template: &str| {
        let listing = r#"{"slug":"quay","title":"Quay","time_zone":"UTC"}"#;
        template
            .replace("KEY", &format!("authorization: Bearer {key}"))
            .replace("LEN", &format!("content-length: {}", listing.len()))
            .replace("LISTING", listing)
            .replace('|', "\r\n")
    };
    let big =
        format!("POST /api/listings HTTP/1.1|host: a|KEY|connection: close|content-length: {}||", 300 * 1024);
    let long = format!("GET /healthz HTTP/1.1|host: a|x: {}||", "y".repeat(40_000));
    let many = format!("GET /healthz HTTP/1.1|host: a|{}|", "x: y|".repeat(150));
    for (sent, status, code) in [
        // Host.
        ("GET /healthz HTTP/1.1|host: a|connection: close||", 200, ""),
        ("GET /healthz HTTP/1.1|connection: close||", 400, "E0420"),
        ("GET /healthz HTTP/1.1|host: a|host: a|connection: close||", 400, "E0420"),
        ("GET /healthz HTTP/1.1|host: a|host: b|connection: close||", 400, "E0420"),
        ("GET /healthz HTTP/1.1|host: a b|connection: close||", 400, "E0420"),
        ("GET /healthz HTTP/1.1|host:|connection: close||", 400, "E0420"),
        ("GET /healthz HTTP/1.0||", 200, ""),
        ("GET http://elsewhere.example/healthz HTTP/1.1|host: a|connection: close||", 200, ""),
        // What a body is wrapped in.
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|transfer-encoding: gzip, chunked||0||",
            501,
            "E0534",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|transfer-encoding: Chunked||0||",
            400,
            "E0400",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|content-encoding: gzip|LEN||LISTING",
            415,
            "E0419",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|content-encoding: br|LEN||LISTING",
            415,
            "E0419",
        ),
        // Who asks.
        ("GET /api/listings HTTP/1.1|host: a|KEY|connection: close||", 200, ""),
        ("GET /api/listings HTTP/1.1|host: a|authorization: bearer K_Y|connection: close||", 200, ""),
        ("GET /api/listings HTTP/1.1|host: a|authorization: BEARER   K_Y|connection: close||", 200, ""),
        ("GET /api/listings HTTP/1.1|host: a|authorization: Basic K_Y|connection: close||", 401, "E0402"),
        ("GET /api/listings HTTP/1.1|host: a|authorization: BearerK_Y|connection: close||", 401, "E0402"),
        ("GET /api/listings HTTP/1.1|host: a|KEY|KEY|connection: close||", 400, "E0420"),
        // Methods.
        ("HEAD /healthz HTTP/1.1|host: a|connection: close||", 200, ""),
        ("HEAD /nothing HTTP/1.1|host: a|connection: close||", 404, ""),
        ("OPTIONS * HTTP/1.1|host: a|connection: close||", 204, ""),
        ("OPTIONS /healthz HTTP/1.1|host: a|connection: close||", 204, ""),
        ("OPTIONS /api/listings HTTP/1.1|host: a|KEY|connection: close||", 204, ""),
        ("TRACE /healthz HTTP/1.1|host: a|connection: close||", 405, "E0405"),
        ("MADEUP /healthz HTTP/1.1|host: a|connection: close||", 405, "E0405"),
        ("CONNECT a:443 HTTP/1.1|host: a:443|connection: close||", 404, "E0404"),
        ("GET /docs/nothing HTTP/1.1|host: a|connection: close||", 404, "E0404"),
        // Bodies.
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|content-type: text/plain|LEN|connection: close||LISTING",
            415,
            "E0419",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|content-type: application/x-www-form-urlencoded|LEN|connection: close||LISTING",
            415,
            "E0419",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|content-type: application/json|content-type: text/plain|LEN|connection: close||LISTING",
            400,
            "E0420",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|transfer-encoding: chunked||zz|",
            400,
            "E0420",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|transfer-encoding: chunked||2|{}x|0||",
            400,
            "E0420",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|connection: close|transfer-encoding: chunked||-1|",
            400,
            "E0420",
        ),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|idempotency-key: a|transfer-encoding: chunked||zz|",
            400,
            "E0420",
        ),
        (
            "POST /api/booking/holidays/import HTTP/1.1|host: a|KEY|transfer-encoding: chunked||zz|",
            400,
            "E0420",
        ),
        ("POST /api/webhooks/acme HTTP/1.1|host: a|transfer-encoding: chunked||zz|", 400, "E0420"),
        ("POST /api/listings HTTP/1.1|host: a|KEY|connection: close|content-length: 2||[]", 400, "E0400"),
        ("POST /api/listings HTTP/1.1|host: a|KEY|connection: close|content-length: -2||{}", 400, "E0420"),
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|idempotency-key: a|idempotency-key: b|LEN|connection: close||LISTING",
            400,
            "E0420",
        ),
        (&big, 413, "E0413"),
        (&long, 431, "E0431"),
        (&many, 431, "E0431"),
        ("nonsense||", 400, "E0420"),
        ("GET /healthz HTTP/1.1|host: a|na me: x||", 400, "E0420"),
        // Queries.
        ("GET /api/listings?limit=1&limit=2 HTTP/1.1|host: a|KEY|connection: close||", 400, "E0401"),
        ("GET /api/listings?limit%3d1 HTTP/1.1|host: a|KEY|connection: close||", 400, "E0401"),
        // What is right.
        (
            "POST /api/listings HTTP/1.1|host: a|KEY|content-type: Application/Vnd.Berth+JSON; charset=UTF-8|LEN|connection: close||LISTING",
            201,
            "",
        ),
        ("POST /api/listings HTTP/1.1|host: a|KEY|LEN|connection: close||LISTING", 409, "E0409"),
    ] {
        let shown: String = sent.chars().take(120).collect();
        let answer = socket.raw(text(sent).replace("K_Y", key).as_bytes()).await;
        let (got, head, body) = taken_apart(&answer);
        assert_eq!(got, status, "{shown}: {answer}");
        assert!(!answer.contains(key.as_str()), "{shown}");
        if !code.is_empty() {
            assert!(head.contains("content-type: application/problem+json"), "{shown}: {head}");
            assert_eq!(body["code"], format!("BERTH-{code}"), "{shown}: {body}");
            assert!(body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{shown}: {body}");
        }
        if status == 405 || (status == 204 && !shown.contains('*')) {
            assert!(head.contains("allow: ") && head.contains("get"), "{shown}: {head}");
        }
    }
    let root = socket.raw(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(root.starts_with("HTTP/1.1 307") && root.contains("location: /docs/\r\n"), "{root}");
}

/// Each object in turn as an array of its members' values, and each name in turn twice (as text).
fn misshapen(value: &Value) -> Vec<String> {
    fn walk(value: &Value, put: &dyn Fn(Value) -> Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.push(put(Value::Array(members.values().cloned().collect())).to_string());
                for (name, member) in members {
                    let twice = format!("{}: {member}, {}: {member}", json!(name), json!(name));
                    found.push(
                        put(json!("PUT HERE")).to_string().replace("\"PUT HERE\"", &format!("{{{twice}}}")),
                    );
                    let members = members.clone();
                    let inner = |changed: Value| {
                        let mut members = members.clone();
                        members.insert(name.clone(), changed);
                        put(Value::Object(members))
                    };
                    walk(member, &inner, found);
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    let inner = |changed: Value| {
                        let mut items = items.clone();
                        items[n] = changed;
                        put(Value::Array(items))
                    };
                    walk(item, &inner, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, &|changed| changed, &mut found);
    found
}

#[tokio::test]
async fn no_array_is_taken_for_an_object_and_no_name_is_given_twice() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let listing =
        api.ok("POST", "/api/listings", json!({ "slug": "quay", "title": "Quay", "time_zone": "UTC" })).await;
    let hours = json!([{ "weekdays": ["Mon"], "start": "09:00", "end": "17:00" }]);
    let member = json!({ "name": "Eve", "time_zone": "UTC", "weekly_hours": hours });
    let id = api.ok("POST", "/api/booking/team", member.clone()).await["id"].clone();
    let mut hold = booking(&event_type, "2026-11-24T00:30:00Z");
    hold.as_object_mut().unwrap().remove("attendee");
    let range = json!({ "start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z" });
    let mut tried = 0;
    for (path, body) in [
        ("/api/booking", booking(&event_type, "2026-11-24T00:30:00Z")),
        ("/api/booking/holds", hold),
        ("/api/booking/team", member),
        ("/api/sdk/auth", json!({ "name": "a", "scopes": ["bookings:read"], "sources": [] })),
        (
            "/api/booking-providers",
            json!({ "plugin": "acme", "name": "a", "settings": { "x": {} }, "credentials": { "api-key": "abcd" } }),
        ),
        (
            "/api/booking/event-types",
            json!({ "listing": listing["id"], "slug": "talk", "title": "Talk", "length_minutes": 30, "members": [id],
                "policy": { "booking_window": { "type": "rolling", "days": 30 }, "limits": [{ "per": "day", "max_bookings": 3 }],
                "questions": [{ "key": "why", "label": "Why?", "type": "text" }] } }),
        ),
        (
            "/api/booking/patterns",
            json!({ "member": id, "weekdays": ["Mon"], "hours": { "start": "09:00", "end": "10:00" } }),
        ),
        (
            "/api/booking/availability/compute",
            json!({ "kind": "slots", "now": null, "range": range, "event_length_min": 60,
                "hosts": [{ "id": "ana", "timezone": "Europe/Lisbon", "busy": [range],
                    "working_hours": [{ "weekdays": ["mon"], "start": "09:00", "end": "11:00" }] }] }),
        ),
    ] {
        for text in misshapen(&body) {
            let answer = api.send_text("POST", path, &api.key, &text).await;
            assert!(
                [400, 422].contains(&answer.status.as_u16()),
                "{path} {text}: {} {}",
                answer.status,
                answer.body
            );
            tried += 1;
        }
        let well = api.send_text("POST", path, &api.key, &body.to_string()).await;
        assert_ne!(well.status.as_u16(), 400, "only its shape was wrong: {path} {}", well.body);
    }
    assert!(tried > 60, "{tried}");
    let twice = api.send_text("POST", "/api/listings", &api.key, r#"{"slug":"a","sl\u0075g":"b"}"#).await;
    assert_eq!(twice.body["errors"][0], json!({ "field": "/slug", "message": "is given twice" }));
}
