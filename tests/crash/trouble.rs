//! A database that cannot be written or is away, as a running server tells of it; and the files of a server.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use berth_tests::{PATIENCE, own_postgres::OwnPostgres, process::Process};
use rustix::{
    fs::Mode,
    process::{Pid, Resource, Rlimit, prlimit, umask},
};
use serde_json::{Value, json};

/// Nobody listens there, and nobody is asked.
const NOBODY: &str = "http://127.0.0.1:9";

fn process(folder: &Path, database: Option<&str>) -> Process {
    // Somebody else may have said so before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Process::new(folder, NOBODY, database)
}

async fn with_a_key(folder: &Path, database: Option<&str>) -> Process {
    let mut berth = process(folder, database);
    berth.log_to(&folder.join("berth.log"));
    berth.key = berth.tenant();
    berth.serve().await;
    berth
}

fn member(n: usize) -> Value {
    json!({ "name": format!("Eve {n}"), "time_zone": "UTC" })
}

/// Ask until it is ready; what it said when it was asked first, and how long that took.
async fn until_ready(berth: &Process) -> (Value, Duration) {
    let begun = Instant::now();
    let first = berth.get("/readyz").await;
    let took = begun.elapsed();
    let mut now = first.clone();
    while now["ready"] != true {
        assert!(begun.elapsed() < PATIENCE, "{now}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        now = berth.get("/readyz").await;
    }
    (first, took)
}

async fn refused(berth: &Process, n: usize, code: &str) {
    let (status, answer) = berth.post("/api/booking/team", &member(n)).await.unwrap();
    assert_eq!((status, &answer["code"]), (503, &json!(code)), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("database"), "the cause is named: {answer}");
}

/// The log is on the same disk, and whoever has something to say of the trouble cannot.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let berth = with_a_key(folder.path(), None).await;
    let mut made = 0;
    let pid = Pid::from_raw(i32::try_from(berth.pid().unwrap()).unwrap());
    let limit = |bytes| {
        // Only the limit that can be lifted again.
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    };
    for round in 0..3 {
        assert_eq!(berth.post("/api/booking/team", &member(made)).await.unwrap().0, 201);
        made += 1;
        limit(Some(1));
        for n in 0..20 {
            refused(&berth, 100 + n, "BERTH-E0533").await;
        }
        assert_eq!(
            berth.get("/api/booking/team").await["items"].as_array().unwrap().len(),
            made,
            "it is read"
        );
        let not_ready = berth.get("/readyz").await;
        assert_eq!(not_ready["ready"], false, "{not_ready}");
        assert!(not_ready.to_string().contains("disk"), "the cause is named in round {round}: {not_ready}");
        limit(None);
        until_ready(&berth).await;
    }
    assert_eq!(berth.get("/api/booking/team").await["items"].as_array().unwrap().len(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_away_is_named_and_needs_no_restart() {
    let Some(mut server) = OwnPostgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = server.url().to_owned();
    let berth = with_a_key(folder.path(), Some(&url)).await;
    for round in 0..2 {
        assert_eq!(berth.post("/api/booking/team", &member(round)).await.unwrap().0, 201);
        server.stop();
        refused(&berth, 100, "BERTH-E0532").await;
        let begun = Instant::now();
        for n in 0..50 {
            refused(&berth, n, "BERTH-E0532").await;
        }
        println!("50 refusals while PostgreSQL is away: {:?}", begun.elapsed());
        server.start_again();
        let (first, took) = until_ready(&berth).await;
        println!("/readyz answered in {took:?}: {first}");
    }
    assert_eq!(berth.get("/api/booking/team").await["items"].as_array().unwrap().len(), 2);
}

fn open_to_others(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if std::fs::metadata(&path).unwrap().permissions().mode() & 0o077 != 0 {
            found.push(path.clone());
        }
        if path.is_dir() {
            open_to_others(&path, found);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_for_their_owner_whatever_the_folder_and_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let before = umask(Mode::empty());
    let berth = process(folder.path(), None);
    berth.set_up(NOBODY);
    berth.serve().await;
    umask(before);
    let mut found = Vec::new();
    open_to_others(folder.path(), &mut found);
    assert!(found.is_empty(), "open to others: {found:?}");
    assert!(folder.path().join("berth.db-wal").is_file() && folder.path().join("compiled").is_dir());
}
