//! The program as a whole: how soon it is ready, and how much memory it takes.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::table::{Table, Times, ratio, time};

/// All that are there.
const COMPONENTS: [&str; 8] =
    ["booksy", "calcom", "caldav", "calendly", "gohighlevel", "google-calendar", "outlook", "reference"];
const STARTS: usize = 15;
const CONNECTIONS: usize = 1_000;
const READY_SECONDS_MAX: u64 = 30;

/// A server of our own, stopped when dropped.
pub struct Served {
    child: Child,
    pub address: String,
}

impl Served {
    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The release build of the program.
pub fn binary() -> PathBuf {
    std::env::var_os("BERTH_BINARIES")
        .map_or_else(|| PathBuf::from("target/release"), PathBuf::from)
        .join("berth")
}

/// The program with a data folder of its own.
pub fn berth(folder: &Path, database: Option<&str>) -> Command {
    let mut command = Command::new(binary());
    command.env_clear().env("BERTH_DATA_DIR", folder).env("BERTH_LOG_FILTER", "error");
    command.env("BERTH_REQUESTS_PER_MINUTE", "4000000000").current_dir(folder).stdin(Stdio::null());
    if let Some(url) = database {
        command
            .env("DATABASE_URL", url)
            .env("BERTH_VAULT_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    }
    command
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

async fn answers(address: &str, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}

/// Start it and wait until it is ready. How long that took.
pub async fn serve(folder: &Path, database: Option<&str>) -> (Served, Duration) {
    let address = format!("127.0.0.1:{}", free_port());
    let started = Instant::now();
    let mut command = berth(folder, database);
    let child =
        command.arg("serve").env("BERTH_LISTEN", &address).stdout(Stdio::null()).stderr(Stdio::inherit());
    let served = Served { child: child.spawn().expect("the program is built"), address: address.clone() };
    while !answers(&address, "/readyz").await {
        assert!(
            started.elapsed() < Duration::from_secs(READY_SECONDS_MAX),
            "the server did not become ready"
        );
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    (served, started.elapsed())
}

/// Resident memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0.0);
    kib / 1_024.0
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section("the program, with all components installed and active");
    let folder = tempfile::tempdir().expect("a folder");
    for name in COMPONENTS {
        let file = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&file, berth_tests::component(name)).expect("written");
        let mut install = berth(folder.path(), None);
        let done = install.args(["plugin", "install", "--activate"]).arg(&file).output().expect("it runs");
        if !done.status.success() {
            println!("{}", String::from_utf8_lossy(&done.stderr));
        }
    }
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(serve(folder.path(), None).await.1);
    }
    let ready = Times::new(times);
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let started = Instant::now();
        berth(folder.path(), None).arg("--version").output().expect("it runs");
        times.push(started.elapsed());
    }
    let bare = Times::new(times).median();
    table.row(
        "start-up to ready, warm cache, median (p99)",
        &format!("{} ({})", time(ready.median()), time(ready.percentile(99))),
        &format!("{:.1} times `berth --version` ({})", ratio(ready.median(), bare), time(bare)),
        "<= 60 ms",
    );

    let (served, _) = serve(folder.path(), None).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = resident_mib(served.child.id());
    table.row("resident memory, idle", &format!("{idle:.1} MiB"), "", "<= 46 MiB");
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(&served.address).await.expect("connects");
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", served.address);
        stream.write_all(request.as_bytes()).await.expect("asked");
        let mut answer = [0; 1_024];
        assert!(stream.read(&mut answer).await.expect("answered") > 0);
        open.push(stream);
    }
    let busy = resident_mib(served.child.id());
    table.row(
        &format!("resident memory, {CONNECTIONS} open connections"),
        &format!("{busy:.1} MiB"),
        &format!("{:.1} kB for each connection", (busy - idle) * 1_024.0 / CONNECTIONS as f64),
        "",
    );
}
