//! What is left of a request in the log.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::Api;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_leaves_one_line_without_what_its_caller_wrote() {
    let api = Api::new().await;
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Where there is one subscriber alone, what another thread meets first is asked of that thread's, which is none, and never again.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    // What other tests have met first, while nobody listened, is asked for anew.
    api.send("GET", "/api/listings", Some(&api.key), &[], Value::Null).await;
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    let id = "0193b3f0-0000-7000-8000-00000000beef";
    let known = [("x-request-id", "request-4711")];
    api.send("GET", &format!("/api/booking/{id}?token=made-up"), Some(&api.key), &known, Value::Null).await;
    api.send("MADEUP", "/made-up?made-up", Some("berth_made-up"), &[], Value::Null).await;
    api.send("GET", "/api/booking/manage/made-up", None, &[], Value::Null).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        api.send("GET", path, None, &[], Value::Null).await;
    }
    drop(guard);
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = lines.lines().filter(|line| line.contains("request answered")).collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let record = api.ok("GET", "/api/sdk/auth", Value::Null).await["items"][0]["id"].clone();
    for part in [
        "INFO",
        "request-4711",
        "method=\"GET\"",
        "/api/booking/{id}",
        "status=404",
        " ms=",
        record.as_str().unwrap(),
    ] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(lines[1].contains("method=\"other\"") && lines[1].contains("route=\"none\""), "{}", lines[1]);
    for line in lines {
        assert!(!line.contains("made-up") && !line.contains("beef") && !line.contains(&api.key), "{line}");
    }
}
