//! A private PostgreSQL server for the tests: own data folder, own port, gone afterwards.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A running server, stopped when dropped.
pub(crate) struct Postgres {
    bin: PathBuf,
    dir: PathBuf,
    /// User to run as, when we are root and the server refuses to be.
    user: Option<&'static str>,
    port: u16,
    pub(crate) url: String,
    /// What it does for durability.
    settings: &'static str,
}

/// A server that is thrown away needs none.
const THROWN_AWAY: &str = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off";

/// Folders with server binaries, newest version first.
fn server_binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|v| Some((v.file_name().to_string_lossy().parse().ok()?, v.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    if let Some((_, bin)) = found.into_iter().next() {
        return Some(bin);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|dir| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file())
}

impl Postgres {
    /// Start one for tests, of which durability is no concern; the error says why there is none.
    pub(crate) fn start() -> Result<Self, String> {
        Self::start_with(THROWN_AWAY)
    }

    /// Start one with these settings.
    pub(crate) fn start_with(settings: &'static str) -> Result<Self, String> {
        let bin = server_binaries().ok_or(
            "no PostgreSQL server is installed; install your system's package (postgresql), or set BERTH_TEST_PG_URL",
        )?;
        let id = Command::new("id").arg("-u").output();
        let user = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0").then_some("postgres");
        // The port is free now; nobody else on this machine is told of it.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|e| e.to_string())?
            .port();
        let dir = std::env::temp_dir().join(format!("berth-test-postgres-{}-{port}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let server = Self { bin, dir, user, port, url, settings };
        server.init()?;
        server.run_server()?;
        Ok(server)
    }

    fn init(&self) -> Result<(), String> {
        if let Some(user) = self.user {
            let owner = Command::new("chown").arg(user).arg(&self.dir).status();
            if !owner.is_ok_and(|s| s.success()) {
                return Err(format!("the folder for PostgreSQL could not be given to the user {user}"));
            }
        }
        let data = self.dir.join("data");
        self.run(
            "initdb",
            &["-D", &text(&data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"],
        )
    }

    /// Start the server on its data.
    pub(crate) fn run_server(&self) -> Result<(), String> {
        let data = self.dir.join("data");
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=300 {}",
            self.port,
            text(&self.dir),
            self.settings
        );
        let log = self.dir.join("log");
        self.run("pg_ctl", &["-D", &text(&data), "-l", &text(&log), "-w", "-o", &options, "start"])
    }

    /// Stop it; its data stay until this is dropped.
    pub(crate) fn stop(&self) -> Result<(), String> {
        self.run("pg_ctl", &["-D", &text(&self.dir.join("data")), "-m", "fast", "-w", "stop"])
    }

    fn run(&self, program: &str, args: &[&str]) -> Result<(), String> {
        let program = self.bin.join(program);
        let mut command = match self.user {
            None => Command::new(&program),
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(&program);
                command
            }
        };
        let done =
            command.args(args).current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null()).status();
        if done.as_ref().is_ok_and(std::process::ExitStatus::success) {
            Ok(())
        } else {
            Err(format!("{} failed", program.display()))
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("the private PostgreSQL was not stopped: {error}");
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
