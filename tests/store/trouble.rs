//! What becomes of a database that goes away, cannot be written, or shows its files.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant as Moment},
};

use berth_store::{Store, StoreError, TroubleKind, records::NewBooking};
use berth_tests::{PATIENCE, own_postgres::OwnPostgres};
use sqlx::{Connection, SqliteConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::world::{NOON, World, keys, on_sqlite, random, span};

fn kind<T>(result: &Result<T, StoreError>) -> Option<TroubleKind> {
    result.as_ref().err().and_then(StoreError::trouble).map(|trouble| trouble.kind)
}

/// Until the store knows that its database works, or does not.
async fn until(store: &Store, works: bool) {
    let begun = Moment::now();
    while store.trouble().is_none() != works {
        assert!(begun.elapsed() < PATIENCE, "{:?}", store.trouble());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn modes(folder: &Path) -> Vec<(String, u32)> {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mode = |file: &std::fs::DirEntry| file.metadata().unwrap().permissions().mode() & 0o777;
    files.map(|file| (file.file_name().to_string_lossy().into_owned(), mode(&file))).collect()
}

#[tokio::test]
async fn the_files_of_a_database_are_for_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.path().join("berth.db");
    let url = format!("sqlite:{}", file.display());
    for round in 0..2 {
        let store = Store::open(&url, keys(), random()).await.unwrap();
        store.migrate().await.unwrap();
        let found = modes(folder.path());
        assert_eq!(found.len(), 3, "database, log and its index: {found:?}");
        assert!(found.iter().all(|(_, mode)| *mode == 0o600), "round {round}: {found:?}");
        if round == 0 {
            // Not closed: the log stays, and both are opened wide by somebody who meant well.
            for (name, _) in found {
                let path = folder.path().join(name);
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_was_erased_is_in_no_file() {
    on_sqlite(async |world: &World| {
        const SECRET: &str = "a made-up diagnosis of 2026 that nobody else may read";
        let scene = world.scene("quay").await;
        let file = world.file.clone().unwrap();
        // Small values within a page, and one that is longer than a page.
        let long = SECRET.repeat(400);
        for (key, value) in [("small", SECRET), ("long", long.as_str())] {
            world
                .store
                .state_set(
                    scene.tenant,
                    scene.connection,
                    key,
                    value.as_bytes()[..value.len().min(16_000)].to_vec(),
                )
                .await
                .unwrap();
        }
        let holds = |what: &str| {
            let folder = file.parent().unwrap();
            let files =
                std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
            files.into_iter().any(|bytes| bytes.windows(what.len()).any(|window| window == what.as_bytes()))
        };
        assert!(holds(SECRET), "it is there first");
        for key in ["small", "long"] {
            world.store.state_delete(scene.tenant, scene.connection, key).await.unwrap();
        }
        world.store.prune(NOON).await.unwrap();
        assert!(!holds(SECRET), "it was erased");
        // Somebody else may have read from the log in between: then it is emptied the next time.
        let mut other = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut other).await.unwrap();
        assert!(!holds(SECRET));
    })
    .await;
}

#[tokio::test]
async fn a_read_only_file_is_read_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("berth.db").display());
    let store = Store::open(&url, keys(), random()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let store = Store::open(&format!("{url}?mode=ro"), keys(), random()).await.unwrap();
    assert_eq!(kind(&store.try_write().await), Some(TroubleKind::ReadOnly));
    assert!(store.list_tenants().await.unwrap().is_empty());
    assert_eq!(store.trouble().unwrap().kind, TroubleKind::ReadOnly);
}

/// Something between us and a server, which can stop to pass anything on without hanging up.
struct Pipe {
    url: String,
    frozen: Arc<AtomicBool>,
    thawed: Arc<Notify>,
}

impl Pipe {
    async fn to(url: &str) -> Self {
        let (head, rest) = url.rsplit_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{head}@{}/{name}", listener.local_addr().unwrap());
        let (frozen, thawed) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (server, is_frozen, thaw) = (server.to_owned(), frozen.clone(), thawed.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, is_frozen, thaw) = (server.clone(), is_frozen.clone(), thaw.clone());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    let (a, b) = (is_frozen.clone(), thaw.clone());
                    tokio::select! {
                        () = pass(from_client, to_server, a, b) => {}
                        () = pass(from_server, to_client, is_frozen, thaw) => {}
                    }
                });
            }
        });
        Self { url, frozen, thawed }
    }

    fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::SeqCst);
        self.thawed.notify_waiters();
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    frozen: Arc<AtomicBool>,
    thawed: Arc<Notify>,
) {
    let mut bytes = vec![0; 16_384];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        loop {
            let thaw = thawed.notified();
            if !frozen.load(Ordering::SeqCst) {
                break;
            }
            thaw.await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

async fn store_at(url: &str) -> Store {
    let store = Store::open(url, keys(), random()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_stops_is_away_and_comes_back() {
    let Some(mut server) = OwnPostgres::start() else { return };
    let store = store_at(server.url()).await;
    // Many connections, all of which will be lost.
    let reads = futures_util::future::join_all((0..20).map(|_| store.list_tenants())).await;
    assert!(reads.iter().all(Result::is_ok));
    server.stop();
    let begun = Moment::now();
    // The first find it out, each in its own way; none of them for long.
    let found = futures_util::future::join_all((0..40).map(|n| {
        let store = store.clone();
        async move { if n % 2 == 0 { store.ping().await } else { store.try_write().await } }
    }))
    .await;
    assert!(found.iter().all(|result| kind(result) == Some(TroubleKind::Away)), "{found:?}");
    println!("a stopped PostgreSQL was found out in {:?}", begun.elapsed());
    until(&store, false).await;
    let begun = Moment::now();
    for _ in 0..1_000 {
        assert_eq!(kind(&store.ping().await), Some(TroubleKind::Away));
    }
    println!("1,000 refusals of a PostgreSQL that is known to be away: {:?}", begun.elapsed());
    let away = Store::open(server.url(), keys(), random()).await.unwrap_err();
    assert!(away.to_string().contains("refuses connections"), "named at start: {away}");
    server.start_again();
    until(&store, true).await;
    let after = futures_util::future::join_all((0..40).map(|n| {
        let store = store.clone();
        async move { if n % 2 == 0 { store.ping().await } else { store.try_write().await } }
    }))
    .await;
    assert!(after.iter().all(Result::is_ok), "without a restart: {after:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_alone_is_not_noticed() {
    let Some(server) = OwnPostgres::start() else { return };
    let store = store_at(server.url()).await;
    let mut admin = sqlx::PgConnection::connect(server.url()).await.unwrap();
    for _ in 0..5 {
        store.try_write().await.unwrap();
        // Once they are gone: one that is only told to go may still begin, and lose its change.
        let end =
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'berth'";
        sqlx::query(end).execute(&mut admin).await.unwrap();
        store.try_write().await.expect("a change is made again with another connection");
    }
    assert!(store.trouble().is_none());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_falls_silent_is_away_and_comes_back() {
    let Some(server) = OwnPostgres::start() else { return };
    let pipe = Pipe::to(server.url()).await;
    let store = store_at(&pipe.url).await;
    futures_util::future::join_all((0..20).map(|_| store.list_tenants())).await;
    pipe.freeze(true);
    let begun = Moment::now();
    let found = futures_util::future::join_all((0..40).map(|n| {
        let store = store.clone();
        async move { if n % 2 == 0 { store.ping().await } else { store.try_write().await } }
    }))
    .await;
    // Who waited for a connection may be told so.
    let not_now = |result| kind(result) == Some(TroubleKind::Away) || matches!(result, Err(StoreError::Busy));
    assert!(found.iter().all(not_now), "{found:?}");
    until(&store, false).await;
    assert!(begun.elapsed() < PATIENCE);
    println!("a silent PostgreSQL was found out in {:?}", begun.elapsed());
    let begun = Moment::now();
    assert_eq!(kind(&store.ping().await), Some(TroubleKind::Away));
    println!("then it is refused in {:?}", begun.elapsed());
    pipe.freeze(false);
    until(&store, true).await;
    store.try_write().await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_may_only_be_read_says_so() {
    let Some(server) = OwnPostgres::start() else { return };
    let store = store_at(server.url()).await;
    let mut admin = sqlx::PgConnection::connect(server.url()).await.unwrap();
    let set = |on: &str| {
        sqlx::query(sqlx::AssertSqlSafe(format!("ALTER SYSTEM SET default_transaction_read_only = {on}")))
    };
    set("on").execute(&mut admin).await.unwrap();
    sqlx::query("SELECT pg_reload_conf()").execute(&mut admin).await.unwrap();
    until_read_only(&store).await;
    assert!(store.list_tenants().await.unwrap().is_empty(), "it is read all the same");
    assert_eq!(store.trouble().unwrap().kind, TroubleKind::ReadOnly);
    sqlx::query("SET default_transaction_read_only = off").execute(&mut admin).await.unwrap();
    set("off").execute(&mut admin).await.unwrap();
    sqlx::query("SELECT pg_reload_conf()").execute(&mut admin).await.unwrap();
    until(&store, true).await;
    store.try_write().await.unwrap();
    store.close().await;
}

/// The server takes its settings over in its own time.
async fn until_read_only(store: &Store) {
    let begun = Moment::now();
    while kind(&store.try_write().await) != Some(TroubleKind::ReadOnly) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_while_postgres_restarts() {
    let Some(mut server) = OwnPostgres::start() else { return };
    let store = store_at(server.url()).await;
    let world = World::of(store.clone(), server.url());
    let scene = world.scene("quay").await;
    let mut acknowledged = Vec::new();
    for round in 0..2_i64 {
        let writers: Vec<_> = (0..60)
            .map(|n| {
                let at = (round * 60 + n) * 60;
                let (new, audit): (NewBooking, _) = (world.booking(&scene, span(at, at + 60)), world.audit());
                let store = store.clone();
                tokio::spawn(async move {
                    let id = new.booking.id;
                    store.create_booking(new, audit).await.map(|_| id)
                })
            })
            .collect();
        server.stop();
        server.start_again();
        for writer in writers {
            match writer.await.unwrap() {
                Ok(id) => acknowledged.push(id),
                Err(error) => {
                    assert_eq!(error.trouble().map(|t| t.kind), Some(TroubleKind::Away), "{error:?}")
                }
            }
        }
        until(&store, true).await;
    }
    println!("{} of 120 were acknowledged", acknowledged.len());
    for id in &acknowledged {
        assert!(store.booking(scene.tenant, *id).await.is_ok(), "{id} was acknowledged and is lost");
    }
    store.close().await;
}
