//! Berth as a process: started, asked over HTTP, and killed.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Instant,
};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{PATIENCE, find_component};

/// The program.
pub fn program() -> PathBuf {
    let folder = std::env::var_os("BERTH_BINARIES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/debug"), PathBuf::from);
    let program = folder.join("berth");
    assert!(program.is_file(), "{} is not there; run `cargo build --bins` first", program.display());
    program
}

/// An address of this machine at which nobody listens; another test may have chosen the same before.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A PostgreSQL database of its own.
pub struct Database {
    pub url: String,
    server: String,
    name: String,
}

impl Database {
    /// None, said aloud, where there is no server.
    pub async fn new(what: &str) -> Option<Self> {
        let Ok(server) = std::env::var("BERTH_TEST_PG_URL") else {
            println!("SKIPPED: {what} on PostgreSQL: BERTH_TEST_PG_URL is not set");
            return None;
        };
        let name = format!("berth_{what}_{}", std::process::id());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        Some(Self { url, server, name })
    }

    pub async fn drop_it(self) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        let name = &self.name;
        connection.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
    }
}

/// One process; killed, not asked, when this is dropped.
pub struct Process {
    environment: Vec<(String, String)>,
    url: String,
    client: reqwest::Client,
    pub key: String,
    log: Option<PathBuf>,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Not started yet. Its data are in this folder, and in this PostgreSQL database if one is named; its components may reach
    /// this simulator.
    pub fn new(folder: &Path, simulator: &str, database: Option<&str>) -> Self {
        // Once per process; another test may have chosen the same before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = free_address();
        let host = simulator.trim_start_matches("http://");
        let environment = [
            ("BERTH_DATA_DIR", folder.display().to_string()),
            ("BERTH_LISTEN", listen.clone()),
            ("BERTH_INSECURE_HOSTS", format!("[{host:?}]")),
            ("BERTH_VAULT_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
            ("BERTH_LOG_FILTER", "error".to_owned()),
        ];
        let database = database.map(|url| ("DATABASE_URL", url.to_owned()));
        let environment = environment.into_iter().chain(database);
        Self {
            environment: environment.map(|(name, value)| (name.to_owned(), value)).collect(),
            url: format!("http://{listen}"),
            client: reqwest::Client::builder().timeout(PATIENCE).build().unwrap(),
            key: String::new(),
            log: None,
            child: Mutex::new(None),
        }
    }

    /// With an address at which it shows its metrics; the page.
    pub fn show_metrics(&mut self) -> String {
        let address = free_address();
        self.set("BERTH_METRICS_LISTEN", &address);
        format!("http://{address}/metrics")
    }

    /// With another value in its environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Write the server's log to this file, not to where the test's own goes.
    pub fn log_to(&mut self, file: &Path) {
        self.log = Some(file.to_owned());
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).envs(self.environment.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// A command, by itself; what it says.
    pub fn run(&self, args: &[&str]) -> Value {
        let output = self.command(args).arg("--json").output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// The Cal.com component, a tenant and a key; the key.
    pub fn set_up(&self, simulator: &str) -> String {
        self.run(&["plugin", "install", "--activate", &find_component("calcom").display().to_string()]);
        self.run(&["plugin", "grant", "calcom", "api.cal.com", simulator.trim_start_matches("http://")]);
        self.tenant()
    }

    /// A tenant and its key; the key.
    pub fn tenant(&self) -> String {
        self.run(&["tenant", "create", "--tenant", "studio", "--name", "Studio"]);
        let key = self.run(&["key", "create", "--tenant", "studio", "--name", "test"]);
        key[0]["key"].as_str().unwrap().to_owned()
    }

    /// Start the server.
    pub fn start(&self) {
        let mut command = self.command(&["serve"]);
        if let Some(log) = &self.log {
            command.stderr(File::options().create(true).append(true).open(log).unwrap());
        }
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        *self.child.lock().unwrap() = Some(child);
    }

    /// Start the server, and wait until it says that it is ready.
    pub async fn serve(&self) {
        self.start();
        let until = Instant::now() + PATIENCE;
        loop {
            let ready = self.client.get(format!("{}/readyz", self.url)).send().await;
            if ready.is_ok_and(|r| r.status().is_success()) {
                return;
            }
            assert!(Instant::now() < until, "the server did not become ready");
            tokio::task::yield_now().await;
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.lock().unwrap().as_ref().map(Child::id)
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let response =
            request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// All bookings, which fit on a page.
    pub async fn bookings(&self) -> Vec<Value> {
        let page = self.get("/api/booking?limit=100").await;
        assert!(page["next"].is_null(), "one page holds them all");
        page["items"].as_array().unwrap().clone()
    }

    async fn make(&self, path: &str, body: Value) -> String {
        let (status, made) = self.post(path, &body).await.unwrap();
        assert_eq!(status, 201, "{path}: {made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// A connection, a listing, somebody who works round the clock, and an event type of half an hour.
    pub async fn offer(&self, simulator: &str) -> String {
        let connection = json!({ "plugin": "calcom", "name": "test", "settings": { "base_url": simulator },
            "credentials": { "api-key": "cal_test_not_a_real_key" } });
        let connection = self.make("/api/booking-providers", connection).await;
        self.offer_over(Some(&connection)).await
    }

    /// The same, of the built-in provider.
    pub async fn offer_built_in(&self) -> String {
        self.offer_over(None).await
    }

    async fn offer_over(&self, connection: Option<&str>) -> String {
        let listing = json!({ "slug": "studio", "title": "Studio", "time_zone": "UTC", "booking_provider_id": connection });
        let listing = self.make("/api/listings", listing).await;
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let member = json!({ "name": "Eve", "time_zone": "UTC",
            "weekly_hours": [{ "weekdays": days, "start": "00:00", "end": "24:00" }] });
        let member = self.make("/api/booking/team", member).await;
        let event_type = json!({ "listing": listing, "slug": "consultation", "title": "Consultation",
            "length_minutes": 30, "members": [member], "external_id": connection.map(|_| "101") });
        self.make("/api/booking/event-types", event_type).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
