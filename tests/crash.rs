//! `kill -9` while bookings are made, on both databases: what was acknowledged is there afterwards, and every confirmed booking
//! exists once at the provider.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use berth_simulators::calcom::{Config, Simulator};
use berth_tests::process::{Database, Process};
use serde_json::json;

const ROUNDS: usize = 3;
const CLIENTS: usize = 8;
/// Longest wait for both sides to agree: a lease of the killed process must run out, and retries wait.
const SETTLE: Duration = Duration::from_secs(240);

async fn killed_while_booking(database: Option<&str>) {
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
    let url = simulator.url();
    let mut berth = Process::new(folder.path(), &url, database);
    berth.key = berth.set_up(&url);
    berth.serve().await;
    let event_type = berth.offer(&url).await;
    let berth = Arc::new(berth);

    let tomorrow = (berth_simulators::machine_clock()() / 86_400_000_000 + 1) * 86_400_000_000;
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let answered = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (berth, event_type, answered) = (berth.clone(), event_type.clone(), answered.clone());
                let slot = i64::try_from(round * CLIENTS + client).unwrap();
                tokio::spawn(async move {
                    let start = berth_model::time::Instant::from_micros(tomorrow + slot * 1_800_000_000);
                    let body = json!({ "event_type": event_type, "start": start,
                        "attendee": { "name": "Ada", "email": format!("ada{slot}@example.com"), "time_zone": "UTC" } });
                    let reply = berth.post("/api/booking", &body).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                    match reply {
                        Ok((201 | 202, made)) => Some(made["id"].as_str().unwrap().to_owned()),
                        // Nobody was told anything.
                        _ => None,
                    }
                })
            })
            .collect();
        // In the middle: some are answered, some are under way.
        let until = Instant::now() + Duration::from_secs(20);
        while answered.load(Ordering::Relaxed) < (round + 1) * 2 && Instant::now() < until {
            tokio::task::yield_now().await;
        }
        berth.kill();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        berth.serve().await;
    }

    let until = Instant::now() + SETTLE;
    let bookings = loop {
        let bookings = berth.bookings().await;
        if bookings.iter().all(|b| b["provider_task"].is_null()) {
            break bookings;
        }
        assert!(Instant::now() < until, "both sides never agreed: {bookings:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    berth.kill();

    assert!(!acknowledged.is_empty(), "something was acknowledged before each kill");
    for id in &acknowledged {
        assert!(bookings.iter().any(|b| b["id"] == **id), "{id} was acknowledged and is lost");
    }
    let mut twins = simulator.active_bookings().len();
    for booking in &bookings {
        let found = simulator.active_by_reference(booking["id"].as_str().unwrap()).len();
        let expected = usize::from(booking["status"] == "confirmed");
        assert_eq!(found, expected, "{booking} exists {found} times at the provider");
        twins -= found;
    }
    assert_eq!(twins, 0, "at the provider, unknown here");
    println!("kill -9: {} acknowledged, {} bookings in the end", acknowledged.len(), bookings.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    killed_while_booking(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_postgres() {
    let Some(database) = Database::new("crash").await else { return };
    killed_while_booking(Some(&database.url)).await;
    database.drop_it().await;
}
