//! Whoever goes away takes their question with them: a computation whose client has closed its connection ends, and its tenant's share is
//! free again.

use std::time::{Duration, Instant};

use berth_engine::TENANT_SCOPES;
use berth_model::{id::TenantId, limits};
use berth_tests::PATIENCE;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{Api, http::protocol::Socket, key};

/// Long enough to see that a share is taken: what is free is given at once. Whoever is not given it asks again.
const A_MOMENT: Duration = Duration::from_millis(100);
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
async fn is_free(api: &Api, tenant: TenantId) -> bool {
    let room = api.world.engine.computing.run(tenant, |_| Ok(()));
    timeout(A_MOMENT, room).await.is_ok_and(|done| done.is_ok())
}

/// Ask until it is so.
async fn until(api: &Api, tenant: TenantId, free: bool) {
    let began = Instant::now();
    while is_free(api, tenant).await != free {
        assert!(began.elapsed() < PATIENCE, "a share that is free: {free}, was waited for in vain");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Connections over which so many dear questions are asked.
async fn asking(socket: &Socket, key: &str, questions: usize) -> Vec<TcpStream> {
    let body = dear().to_string();
    let request = format!(
        "POST /api/booking/availability/compute HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connections = Vec::new();
    for _ in 0..questions {
        let mut connection = TcpStream::connect(socket.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    connections
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_ends_its_computation() {
    let socket = Socket::new(Api::new().await).await;
    let (api, tenant) = (&socket.api, socket.api.world.caller.tenant);
    let other = api.other_tenant().await;
    let others_key = key(&api.world, other, TENANT_SCOPES).await;
    // Others ask before, and for half as much; and they stay.
    let stays = asking(&socket, &others_key, QUESTIONS).await;
    until(api, other, false).await;
    let goes = asking(&socket, &api.key, QUESTIONS * 2).await;
    until(api, tenant, false).await;
    drop(goes);
    until(api, tenant, true).await;
    assert!(
        !is_free(api, other).await,
        "what nobody waits for was computed as long as what somebody waits for"
    );
    drop(stays);
}
