//! `kill -9` while bookings are made, on both databases: what was acknowledged is there afterwards, and every confirmed booking
//! exists once at the provider.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use berth_simulators::calcom::{Config, Simulator};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor};

const ROUNDS: usize = 3;
const CLIENTS: usize = 8;
/// Longest wait for both sides to agree: a lease of the killed process must run out, and retries wait.
const SETTLE: Duration = Duration::from_secs(240);

fn program() -> PathBuf {
    let folder = std::env::var_os("BERTH_BINARIES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/debug"), PathBuf::from);
    let program = folder.join("berth");
    assert!(program.is_file(), "{} is not there; run `cargo build --bins` first", program.display());
    program
}

fn component() -> PathBuf {
    let folder = std::env::var_os("BERTH_COMPONENTS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/components"),
        PathBuf::from,
    );
    folder.join("calcom.wasm")
}

struct Berth {
    environment: Vec<(String, String)>,
    url: String,
    client: reqwest::Client,
    key: String,
}

/// A server process that is killed, not asked, when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Berth {
    fn new(folder: &std::path::Path, simulator: &Simulator, database: Option<&str>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = simulator.url().trim_start_matches("http://").to_owned();
        let mut environment = vec![
            ("BERTH_DATA_DIR".to_owned(), folder.display().to_string()),
            ("BERTH_LISTEN".to_owned(), format!("127.0.0.1:{port}")),
            ("BERTH_INSECURE_HOSTS".to_owned(), format!("[{host:?}]")),
            ("BERTH_VAULT_KEY".to_owned(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
            ("BERTH_LOG_FILTER".to_owned(), "error".to_owned()),
        ];
        environment.extend(database.map(|url| ("DATABASE_URL".to_owned(), url.to_owned())));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let mut berth =
            Self { environment, url: format!("http://127.0.0.1:{port}"), client, key: String::new() };
        berth.run(&["plugin", "install", "--activate", &component().display().to_string()]);
        berth.run(&["plugin", "grant", "calcom", "api.cal.com", &host]);
        berth.run(&["tenant", "create", "--tenant", "studio", "--name", "Studio"]);
        let key = berth.run(&["key", "create", "--tenant", "studio", "--name", "test"]);
        berth.key = key[0]["key"].as_str().unwrap().to_owned();
        berth
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).envs(self.environment.iter().cloned()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Value {
        let output = self.command(args).arg("--json").output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Start the server, and wait until it says that it is ready.
    async fn serve(&self) -> Running {
        let running = Running(self.command(&["serve"]).stdout(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let ready = self.client.get(format!("{}/readyz", self.url)).send().await;
            if ready.is_ok_and(|r| r.status().is_success()) {
                return running;
            }
            assert!(Instant::now() < until, "the server did not become ready");
            tokio::task::yield_now().await;
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let response =
            request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    async fn make(&self, path: &str, body: Value) -> String {
        let (status, made) = self.post(path, &body).await.unwrap();
        assert_eq!(status, 201, "{path}: {made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn bookings(&self) -> Vec<Value> {
        let request = self.client.get(format!("{}/api/booking?limit=100", self.url)).bearer_auth(&self.key);
        let text = request.send().await.unwrap().text().await.unwrap();
        let page: Value = serde_json::from_str(&text).unwrap();
        assert!(page["next"].is_null(), "one page holds them all");
        page["items"].as_array().unwrap().clone()
    }
}

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
    let berth = Arc::new(Berth::new(folder.path(), &simulator, database));

    let mut server = berth.serve().await;
    let connection = json!({ "plugin": "calcom", "name": "test", "settings": { "base_url": simulator.url() },
        "credentials": { "api-key": "cal_test_not_a_real_key" } });
    let connection = berth.make("/api/booking-providers", connection).await;
    let listing =
        json!({ "slug": "studio", "title": "Studio", "time_zone": "UTC", "booking_provider_id": connection });
    let listing = berth.make("/api/listings", listing).await;
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let member = json!({ "name": "Eve", "time_zone": "UTC", "weekly_hours": [{ "weekdays": days, "start": "00:00", "end": "24:00" }] });
    let member = berth.make("/api/booking/team", member).await;
    let event_type = json!({ "listing": listing, "slug": "consultation", "title": "Consultation", "length_minutes": 30,
        "members": [member], "external_id": "101" });
    let event_type = berth.make("/api/booking/event-types", event_type).await;

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
        drop(server);
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        server = berth.serve().await;
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
    drop(server);

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
    let Ok(server) = std::env::var("BERTH_TEST_PG_URL") else {
        println!("SKIPPED: kill -9 on PostgreSQL: BERTH_TEST_PG_URL is not set");
        return;
    };
    let name = format!("berth_crash_{}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    killed_while_booking(Some(&format!("{base}/{name}"))).await;
    connection.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
}
