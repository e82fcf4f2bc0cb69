//! Three `berth` processes on one PostgreSQL: they share the queue, the plugins and the providers' rates. One is killed while bookings are
//! made: nothing is lost and nothing is there twice.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth_simulators::calcom::{Config, Simulator};
use berth_tests::{
    PATIENCE,
    process::{Database, Process},
};
use serde_json::{Value, json};

const REPLICAS: usize = 3;
/// So few that the provider's rate, of which the killed process keeps its part for a while, does not make the test wait for minutes.
const BOOKINGS: i64 = 24;
/// Longest wait for both sides to agree: a lease of the killed process must run out, and retries wait.
const SETTLE: Duration = Duration::from_secs(480);

/// What a customer was told.
async fn book(
    replica: &Process,
    event_type: &str,
    start: berth_model::time::Instant,
    n: i64,
) -> Option<String> {
    let body = json!({ "event_type": event_type, "start": start,
        "attendee": { "name": "Ada", "email": format!("ada{n}@example.com"), "time_zone": "UTC" } });
    match replica.post("/api/booking", &body).await {
        Ok((201 | 202, made)) => Some(made["id"].as_str().unwrap().to_owned()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_lose_and_double_nothing_when_one_is_killed() {
    let Some(database) = Database::new("replicas").await else { return };
    let config = Config {
        rate_limit: false,
        time_zone: chrono_tz::UTC,
        opens_minute: 0,
        closes_minute: 1_440,
        weekends: true,
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut replicas = Vec::new();
    for n in 0..REPLICAS {
        replicas.push(Process::new(
            &folder.path().join(n.to_string()),
            &simulator.url(),
            Some(&database.url),
        ));
    }
    // Set up by one; the others follow by the generation in the database.
    let key = replicas[0].set_up(&simulator.url());
    for replica in &mut replicas {
        replica.key.clone_from(&key);
        replica.serve().await;
    }
    let event_type = replicas[0].offer(&simulator.url()).await;
    for replica in &replicas {
        let plugins = replica.get("/api/booking-providers").await;
        assert_eq!(plugins["items"].as_array().unwrap().len(), 1, "each sees the connection");
    }

    let tomorrow = (berth_simulators::machine_clock()() / 86_400_000_000 + 1) * 86_400_000_000;
    let replicas = Arc::new(replicas);
    // Each slot is wanted twice, at two replicas: one customer gets it.
    let clients: Vec<_> = (0..BOOKINGS)
        .flat_map(|n| [(n, 0_i64), (n, 1)])
        .map(|(n, rival)| {
            let (replicas, event_type) = (replicas.clone(), event_type.clone());
            tokio::spawn(async move {
                let at = usize::try_from(n + rival).unwrap() % REPLICAS;
                let start = berth_model::time::Instant::from_micros(tomorrow + n * 1_800_000_000);
                book(&replicas[at], &event_type, start, n * 2 + rival).await
            })
        })
        .collect();
    // In the middle: some are answered, some are under way.
    let until = Instant::now() + PATIENCE;
    while simulator.active_bookings().len() < 5 && Instant::now() < until {
        tokio::task::yield_now().await;
    }
    replicas[2].kill();
    let mut acknowledged = Vec::new();
    for client in clients {
        acknowledged.extend(client.await.unwrap());
    }

    let until = Instant::now() + SETTLE;
    let bookings = loop {
        let bookings = replicas[0].bookings().await;
        if bookings.iter().all(|b| b["provider_task"].is_null()) {
            break bookings;
        }
        assert!(Instant::now() < until, "both sides never agreed: {bookings:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert!(acknowledged.len() > 5, "only {} were acknowledged", acknowledged.len());
    for id in &acknowledged {
        assert!(bookings.iter().any(|b| b["id"] == **id), "{id} was acknowledged and is lost");
    }
    let mut starts: Vec<&Value> =
        bookings.iter().filter(|b| b["status"] == "confirmed").map(|b| &b["start"]).collect();
    let confirmed = starts.len();
    starts.sort_by_key(|s| s.to_string());
    starts.dedup();
    assert_eq!(starts.len(), confirmed, "a slot was given twice");
    for booking in &bookings {
        let found = simulator.active_by_reference(booking["id"].as_str().unwrap()).len();
        let expected = usize::from(booking["status"] == "confirmed");
        assert_eq!(found, expected, "{booking} exists {found} times at the provider");
    }
    assert_eq!(simulator.active_bookings().len(), confirmed, "at the provider, unknown here");

    // A plugin that one replica sets aside serves nowhere any more.
    let digest = replicas[0].run(&["plugin", "list"])[0]["digest"].as_str().unwrap().to_owned();
    replicas[0].run(&["plugin", "quarantine", &digest, "--reason", "test"]);
    let until = Instant::now() + PATIENCE;
    loop {
        let connection = replicas[1].get("/api/booking-providers").await["items"][0]["id"].clone();
        let path = format!("/api/booking-providers/{}/health", connection.as_str().unwrap());
        let health = replicas[1].get(&path).await;
        if health["status"] != "healthy" {
            break;
        }
        assert!(Instant::now() < until, "the other replica did not follow: {health}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("three replicas: {} acknowledged, {confirmed} confirmed, one killed", acknowledged.len());
    drop(replicas);
    database.drop_it().await;
}
