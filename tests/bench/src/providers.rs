//! What comes from providers: webhooks taken in, everything read, and the queue that works it off.

use std::{
    sync::Arc,
    time::{Duration, Instant as Moment},
};

use berth_model::{
    id::{ConnectionId, JobId},
    jobs::kind::{JobKind, JobQueue},
    limits,
    mirror::sync::SyncPhase,
    outbound::provider::WebhookRequest,
    time::{Clock as _, Instant},
};
use berth_store::{
    Store,
    records::{Claim, JobEnd, NewJob},
};
use berth_tests::{Seeded, TestClock, World, component};
use serde_json::json;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::{
    program::resident_mib,
    scene::fresh_postgres,
    table::{Table, Times},
};

const CLIENTS: usize = 32;
const MESSAGES: usize = 3_200;
const JOBS: usize = 4_000;
const BOOKINGS: i64 = 10_000;
/// Jobs claimed at once, by Berth and by the bare loop.
const BATCH: usize = 32;

/// Jobs that are ended at once, as by a worker of the product.
const AT_ONCE: usize = limits::JOB_BOOKINGS_WORKERS;

/// Measure.
pub async fn run(table: &mut Table) {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    let folder = tempfile::tempdir_in(&folder).or_else(|_| tempfile::tempdir()).expect("a folder");
    let sqlite = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let postgres = std::env::var("BERTH_TEST_PG_URL").ok();

    table.section(&format!("webhooks taken in, {CLIENTS} senders, verified and stored before each answer"));
    intake(table, "SQLite (WAL, synchronous=FULL)", &sqlite("intake.db")).await;
    if let Some(url) = &postgres {
        intake(table, "PostgreSQL", &fresh_postgres(url).await).await;
    }
    table.section(&format!("the queue: {JOBS} jobs claimed and ended, {BATCH} at a time"));
    queue_on_sqlite(table, &sqlite("queue.db")).await;
    if let Some(url) = &postgres {
        queue_on_postgres(table, &fresh_postgres(url).await).await;
    }
    table.section(&format!("everything read: {BOOKINGS} bookings through the sandboxed Cal.com component"));
    full_sync(table, &sqlite("sync.db")).await;
}

async fn connected(
    url: &str,
    simulator: &berth_simulators::calcom::Simulator,
) -> (World, ConnectionId, Arc<TestClock>) {
    let (clock, random) = (TestClock::start(), Arc::new(Seeded::new(7)));
    let keys = berth_store::VaultKeys::new(vec![("bench".to_owned(), [7; 32])]).expect("keys");
    let store = Store::open(url, keys, random.clone()).await.expect("opens");
    store.migrate().await.expect("migrates");
    let host = simulator.url().trim_start_matches("http://").to_owned();
    let world = World::over_reaching(store, clock.clone(), random, &[&host]).await;
    world.install(component("calcom")).await;
    let settings = json!({ "base_url": simulator.url() });
    let connection = world.connect("calcom", settings, "cal_test_not_a_real_key").await;
    (world, connection, clock)
}

async fn intake(table: &mut Table, what: &str, url: &str) {
    let clock = TestClock::start();
    let simulator = berth_tests::calcom(clock, 7).await;
    let (world, connection, _) = connected(url, &simulator).await;
    let world = Arc::new(world);
    let credentials =
        world.engine.store().connection_credentials(world.caller.tenant, connection).await.expect("there");
    let secret = credentials["webhook-secret"].expose().to_owned();
    let key = Arc::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()));
    let started = Moment::now();
    let senders = (0..CLIENTS).map(|sender| {
        let (world, key) = (world.clone(), key.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            for n in 0..MESSAGES / CLIENTS {
                let body = json!({ "triggerEvent": "PING", "createdAt": world.engine.now(),
                    "payload": { "sender": sender, "n": n, "text": "x".repeat(1_500) } })
                .to_string()
                .into_bytes();
                let tag = ring::hmac::sign(&key, &body);
                let hex = tag.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
                let request = WebhookRequest {
                    method: "POST".to_owned(),
                    headers: vec![("x-cal-signature-256".to_owned(), hex)],
                    query: String::new(),
                    body,
                    received_at: world.engine.now(),
                    subscription: None,
                };
                let plugin = "calcom".parse().expect("an id");
                let began = Moment::now();
                let taken =
                    world.engine.inbound.receive_webhook(&plugin, connection, request, None, "bench").await;
                taken.expect("taken");
                times.push(began.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        times.extend(sender.await.expect("finished"));
    }
    let per_second = MESSAGES as f64 / started.elapsed().as_secs_f64();
    let times = Times::new(times);
    let said = format!("p50 {:?}, p99 {:?}", rounded(times.median()), rounded(times.percentile(99)));
    table.row(what, &format!("{per_second:.0}/s"), &said, "");
}

fn rounded(time: Duration) -> Duration {
    Duration::from_micros(u64::try_from(time.as_micros() / 100 * 100).unwrap_or(0))
}

async fn enqueue(store: &Store, world: &World) {
    for n in 0..JOBS {
        let job = NewJob {
            id: JobId::new(world.engine.now(), &*world.random),
            tenant: world.caller.tenant,
            kind: JobKind::SyncBooking,
            payload: json!({ "n": n }),
            due_at: Instant::from_seconds(1),
            dedup_key: format!("bench:{n}"),
            leased_until: None,
        };
        store.enqueue_job(job).await.expect("queued");
    }
}

/// Claim and end all jobs, so many ends at once.
async fn through_the_queue(store: &Store, clock: &TestClock, at_once: usize) -> f64 {
    let (started, mut done) = (Moment::now(), 0);
    while done < JOBS {
        let now = clock.now();
        let jobs = store
            .claim_jobs(now, now.plus_seconds(60), Claim::any(JobQueue::Bookings, BATCH))
            .await
            .expect("claimed");
        assert!(!jobs.is_empty(), "all are due");
        for jobs in jobs.chunks(at_once) {
            let ends = jobs.iter().map(|job| store.end_job(job.tenant, job.id, job.attempt, JobEnd::Done));
            for ended in futures_util::future::join_all(ends).await {
                assert!(ended.expect("ended"));
                done += 1;
            }
        }
    }
    JOBS as f64 / started.elapsed().as_secs_f64()
}

const CLAIM: &str = "UPDATE jobs SET attempt = attempt + 1, leased_until = $2 WHERE (tenant_id, id) IN (
    SELECT tenant_id, id FROM jobs WHERE NOT dead AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
    ORDER BY priority, due_at, id LIMIT 32) RETURNING tenant_id, id";
const DONE: &str = "DELETE FROM jobs WHERE tenant_id = $1 AND id = $2";

macro_rules! bare_queue {
    ($name:ident, $connection:ty, $at:expr) => {
        /// The same statements on a connection of their own: each commits by itself, with the same durability.
        async fn $name(conn: &mut $connection, now: Instant) -> f64 {
            let at = $at;
            let (started, mut done) = (Moment::now(), 0);
            while done < JOBS {
                let claimed: Vec<(uuid::Uuid, uuid::Uuid)> = sqlx::query_as(CLAIM)
                    .bind(at(now))
                    .bind(at(now.plus_seconds(60)))
                    .fetch_all(&mut *conn)
                    .await
                    .expect("claimed");
                assert!(!claimed.is_empty(), "all are due");
                for (tenant, id) in claimed {
                    sqlx::query(DONE).bind(tenant).bind(id).execute(&mut *conn).await.expect("ended");
                    done += 1;
                }
            }
            JOBS as f64 / started.elapsed().as_secs_f64()
        }
    };
}

bare_queue!(bare_on_sqlite, SqliteConnection, |at: Instant| at.micros());
bare_queue!(bare_on_postgres, PgConnection, |at: Instant| at.to_chrono());

async fn over(url: &str) -> (World, Store, Arc<TestClock>) {
    let (clock, random) = (TestClock::start(), Arc::new(Seeded::new(7)));
    let keys = berth_store::VaultKeys::new(vec![("bench".to_owned(), [7; 32])]).expect("keys");
    let store = Store::open(url, keys, random.clone()).await.expect("opens");
    store.migrate().await.expect("migrates");
    (World::over(store.clone(), clock.clone(), random).await, store, clock)
}

async fn queue_on_sqlite(table: &mut Table, url: &str) {
    let (world, store, clock) = over(url).await;
    enqueue(&store, &world).await;
    let ours = through_the_queue(&store, &clock, 1).await;
    enqueue(&store, &world).await;
    let together = through_the_queue(&store, &clock, AT_ONCE).await;
    enqueue(&store, &world).await;
    let options: sqlx::sqlite::SqliteConnectOptions = url.parse().expect("a URL");
    let options = options
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(5));
    let mut conn = SqliteConnection::connect_with(&options).await.expect("connects");
    let bare = bare_on_sqlite(&mut conn, clock.now()).await;
    say(table, "SQLite, one after the other", ours, bare);
    say(table, "SQLite, as a worker ends them", together, bare);
}

async fn queue_on_postgres(table: &mut Table, url: &str) {
    let (world, store, clock) = over(url).await;
    enqueue(&store, &world).await;
    let ours = through_the_queue(&store, &clock, 1).await;
    enqueue(&store, &world).await;
    let together = through_the_queue(&store, &clock, AT_ONCE).await;
    enqueue(&store, &world).await;
    let mut conn = PgConnection::connect(url).await.expect("connects");
    let bare = bare_on_postgres(&mut conn, clock.now()).await;
    say(table, "PostgreSQL, one after the other", ours, bare);
    say(table, "PostgreSQL, as a worker ends them", together, bare);
}

fn say(table: &mut Table, what: &str, ours: f64, bare: f64) {
    let compared = format!("bare claim loop {bare:.0}/s, ratio {:.2}", ours / bare);
    table.row(what, &format!("{ours:.0}/s"), &compared, "");
}

async fn full_sync(table: &mut Table, url: &str) {
    let clock = TestClock::start();
    let simulator = berth_tests::calcom(clock.clone(), 7).await;
    let (world, connection, worlds) = connected(url, &simulator).await;
    let first = (clock.now().micros() / 86_400_000_000 + 2) * 86_400_000_000;
    for n in 0..BOOKINGS {
        simulator.book_out_of_band(101, first + n * 1_800_000_000).expect("free");
    }
    let before = resident_mib(std::process::id());
    let (mut halfway, started) = (before, Moment::now());
    world.engine.mirror.start_sync(&world.caller, connection, true).await.expect("started");
    // Ends: each round reads pages, and there are no more than bookings.
    for round in 0..BOOKINGS {
        if world.engine.jobs.run_due_jobs(1).await.expect("worked") == 0 {
            let state =
                world.engine.mirror.sync_status(&world.caller, connection).await.expect("there").state;
            if state.phase == SyncPhase::Idle {
                break;
            }
            // The provider's rate is used up; the world's clock is what it refills by.
            clock.advance_ms(60_000);
            worlds.advance_ms(60_000);
        }
        if round == 1 {
            halfway = resident_mib(std::process::id());
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    let after = resident_mib(std::process::id());
    let status = world.engine.mirror.sync_status(&world.caller, connection).await.expect("there").state;
    assert_eq!(status.phase, SyncPhase::Idle, "everything is read");
    let compared = format!(
        "{} bookings on {} pages; resident {before:.0} -> {halfway:.0} -> {after:.0} MiB (with the simulator)",
        status.items, status.pages
    );
    table.row(
        "full synchronisation",
        &format!("{:.0}/s", status.items as f64 / elapsed),
        &compared,
        "memory flat",
    );
}
