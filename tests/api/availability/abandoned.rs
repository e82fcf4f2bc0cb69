//! Whoever goes away takes their question with them: a computation whose client has closed its connection ends, and its tenant's share is
//! free again.

use std::time::{Duration, Instant};

use berth_model::limits;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{Api, http::protocol::Socket};

/// Long enough to see that a share is taken: what is free is given at once.
const A_MOMENT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(120);
/// More than a tenant's share, on any machine.
const QUESTIONS: usize = 8;

/// As many hours as some people may have, for as long as a question may be about: in time all the same where much else goes on.
fn dear() -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let hours = |n: usize| json!({ "weekdays": days, "start": format!("{:02}:{:02}", n / 60, n % 60), "end": "24:00" });
    let hours: Vec<Value> = (0..limits::HOURS_RULES_MAX).map(hours).collect();
    let host =
        |n: usize| json!({ "id": format!("host {n}"), "timezone": "Europe/Lisbon", "working_hours": hours });
    let hosts: Vec<Value> = (0..2).map(host).collect();
    json!({ "kind": "slots", "range": { "start": "2026-01-01T00:00:00Z", "end": "2027-12-31T00:00:00Z" },
        "event_length_min": 60, "slot_interval_min": 1_440, "hosts": hosts })
}

/// Does a question of the tenant find room at once?
async fn is_free(api: &Api) -> bool {
    let room = api.world.engine.computing.run(api.world.caller.tenant, |_| Ok(()));
    timeout(A_MOMENT, room).await.is_ok_and(|done| done.is_ok())
}

/// Ask until it is so; how long that took.
async fn until(api: &Api, free: bool) -> Duration {
    let began = Instant::now();
    while is_free(api).await != free {
        assert!(began.elapsed() < LONG, "a share that is free: {free}, was waited for in vain");
        sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_ends_its_computation() {
    let socket = Socket::new(Api::new().await).await;
    let api = &socket.api;
    let path = "/api/booking/availability/compute";
    // What one question takes if it goes on to its end.
    let began = Instant::now();
    let whole = api.send("POST", path, Some(&api.key), &[], dear()).await;
    let takes = began.elapsed();
    assert!(matches!(whole.status.as_u16(), 200 | 422), "{} {}", whole.status, whole.body);
    assert!(takes > A_MOMENT * 5, "it is dear: {takes:?}");

    let body = dear().to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        api.key,
        body.len()
    );
    let mut connections = Vec::new();
    for _ in 0..QUESTIONS {
        let mut connection = TcpStream::connect(socket.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    until(api, false).await;
    drop(connections);
    let free = until(api, true).await;
    println!("a question takes {takes:?}; {QUESTIONS} whose connections were closed: free after {free:?}");
    assert!(free < takes / 2, "they went on for {free:?}, and one takes {takes:?}");
}
