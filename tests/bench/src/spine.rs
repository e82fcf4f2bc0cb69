//! What events, customers and the audit log cost those who book, and how soon readers have events.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant as Moment},
};

use berth_engine::EventQuery;
use berth_model::{
    events::{After, Cursor},
    limits,
    time::Interval,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    bare::{self, Spine},
    scene::{BOOKINGS, CLIENTS, Scene, fresh_postgres},
    table::{Table, Times, time},
};

/// Rounds with events and without, in turn.
const ROUNDS: i64 = 3;
/// Bookings of which is measured when a reader has them, and how many are made in a second.
const FOLLOWED: i64 = 600;
const PER_SECOND: u64 = 100;

/// Places events as the server does.
struct Placing(watch::Sender<bool>, JoinHandle<()>);

impl Placing {
    fn begin(scene: &Arc<Scene>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let engine = scene.world.engine.clone();
        Self(stop, tokio::spawn(async move { engine.events.keep_placing_events(stopping).await }))
    }

    async fn end(self) {
        self.0.send_replace(true);
        self.1.await.expect("ended");
    }
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section(&format!(
        "what events cost: bookings per second, {CLIENTS} clients, events placed meanwhile"
    ));
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    let folder = tempfile::tempdir_in(&folder).or_else(|_| tempfile::tempdir()).expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let on_sqlite = Scene::new(&url, CLIENTS).await;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        with.push(told(&on_sqlite, round * 2).await);
        // The statement is carried out and writes nothing, so that all else is the same.
        let mut conn = SqliteConnection::connect(&url).await.expect("connects");
        let untold = "CREATE TRIGGER untold BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END";
        conn.execute(untold).await.expect("made");
        without.push(told(&on_sqlite, round * 2 + 1).await);
        conn.execute("DROP TRIGGER untold").await.expect("dropped");
    }
    report(table, "SQLite, by the store", with, without);

    let server = std::env::var("BERTH_TEST_PG_URL").ok();
    let on_postgres = match &server {
        None => None,
        Some(server) => {
            let url = fresh_postgres(server).await;
            Some((Scene::new(&url, CLIENTS).await, url))
        }
    };
    if let Some((scene, url)) = &on_postgres {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            with.push(told(scene, round * 2).await);
            let mut conn = PgConnection::connect(url).await.expect("connects");
            for statement in [
                "CREATE FUNCTION untold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
                "CREATE TRIGGER untold BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION untold()",
            ] {
                conn.execute(AssertSqlSafe(statement.to_owned())).await.expect("made");
            }
            without.push(told(scene, round * 2 + 1).await);
            conn.execute("DROP FUNCTION untold CASCADE").await.expect("dropped");
        }
        report(table, "PostgreSQL, by the store", with, without);
    } else {
        table.row("PostgreSQL", "SKIPPED", "no server", "");
    }

    table.section("what customer, event and audit row cost: bookings per second, the same statements with them and without");
    let fresh = format!("sqlite:{}", folder.path().join("whole.db").display());
    let scene = Scene::new(&fresh, CLIENTS).await;
    let mut conn = SqliteConnection::connect(&fresh).await.expect("connects");
    conn.execute(bare::UNINDEXED).await.expect("dropped");
    drop(conn);
    whole(table, "SQLite", &scene, &fresh).await;
    if let Some(server) = &server {
        let fresh = fresh_postgres(server).await;
        let scene = Scene::new(&fresh, CLIENTS).await;
        let mut conn = PgConnection::connect(&fresh).await.expect("connects");
        conn.execute(bare::UNINDEXED).await.expect("dropped");
        whole(table, "PostgreSQL", &scene, &fresh).await;
    }

    table.section(&format!("from the commit until a reader has it, {PER_SECOND} bookings per second"));
    follow(table, "SQLite", &on_sqlite).await;
    if let Some((scene, _)) = &on_postgres {
        follow(table, "PostgreSQL", scene).await;
    }
}

/// Bookings per second, while events are placed.
async fn told(scene: &Arc<Scene>, round: i64) -> f64 {
    let placing = Placing::begin(scene);
    let rate = scene.through_the_store(round, false).await;
    placing.end().await;
    rate
}

/// Bookings per second of bare statements, by as many connections as PostgreSQL is given clients, and by one on SQLite.
async fn bare(scene: &Arc<Scene>, url: &str, lane: i64, spine: fn(&Scene) -> Spine) -> f64 {
    let each = BOOKINGS / i64::try_from(CLIENTS).expect("small");
    let started = Moment::now();
    if url.starts_with("sqlite") {
        let mut conn = bare::sqlite(url).await;
        for n in 0..each {
            bare::together(&mut conn, scene, lane_slot(scene, n, lane), || spine(scene)).await;
        }
    } else {
        let clients = (0..CLIENTS).map(|client| {
            let (scene, url) = (Arc::clone(scene), url.to_owned());
            tokio::spawn(async move {
                let mut conn = PgConnection::connect(&url).await.expect("connects");
                for n in 0..each {
                    let (member, slot) = (scene.members[client], lane_slot(&scene, n, lane));
                    let mut tx = conn.begin().await.expect("begun");
                    bare::on_postgres(&mut tx, &scene, member, slot, spine(&scene)).await;
                    tx.commit().await.expect("committed");
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("finished");
        }
    }
    BOOKINGS as f64 / started.elapsed().as_secs_f64()
}

/// Times of which each lane has its own, beside those of rounds through the store.
fn lane_slot(scene: &Scene, n: i64, lane: i64) -> Interval {
    scene.slot(n + lane * 1_000, 6)
}

/// What a booking costs more than its place and its row, with the store's own figures beside it.
async fn whole(table: &mut Table, name: &str, scene: &Arc<Scene>, url: &str) {
    let mut rates: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS {
        let lane = round * 3;
        rates[0].push(bare(scene, url, lane, |_| Spine::Without).await);
        let placing = Placing::begin(scene);
        rates[1].push(bare(scene, url, lane + 1, |_| Spine::KNOWN).await);
        rates[2].push(bare(scene, url, lane + 2, Spine::stranger).await);
        rates[3].push(scene.through_the_store(round * 2, false).await);
        rates[4].push(scene.through_the_store(round * 2 + 1, true).await);
        placing.end().await;
    }
    let [without, known, new, known_stored, new_stored] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    for (whose, with, stored) in
        [("a known customer", known, known_stored), ("a new customer", new, new_stored)]
    {
        table.row(
            &format!("{name}, {whose}"),
            &format!("{with:.0} (the store {stored:.0})"),
            &format!("{:.2} of place and row alone ({without:.0})", with / without),
            "",
        );
    }
}

fn report(table: &mut Table, what: &str, mut with: Vec<f64>, mut without: Vec<f64>) {
    with.sort_by(f64::total_cmp);
    without.sort_by(f64::total_cmp);
    let (with, without) = (with[with.len() / 2], without[without.len() / 2]);
    let compared = format!("{:.2} of that without events ({without:.0})", with / without);
    table.row(what, &format!("{with:.0}"), &compared, ">= 0.9");
}

/// How long after its commit each booking is read by somebody who waits for it.
async fn follow(table: &mut Table, what: &str, scene: &Arc<Scene>) {
    let placing = Placing::begin(scene);
    let (engine, caller) = (scene.world.engine.clone(), scene.world.caller.clone());
    engine.events.place_events().await.expect("placed");
    let mut query = EventQuery {
        cursor: Cursor { after: After::Latest, epoch: None },
        kinds: Vec::new(),
        limit: limits::EVENTS_PAGE_MAX,
    };
    let mut page = engine.events.events(&caller, &query).await.expect("read");
    let reader = tokio::spawn(async move {
        let mut read = HashMap::new();
        let mut wait = engine.events.wait_for_events(&caller).expect("there is room");
        while i64::try_from(read.len()).expect("small") < FOLLOWED {
            query.cursor = Cursor { after: After::Position(page.next), epoch: None };
            page = engine.events.events(&caller, &query).await.expect("read");
            let now = Moment::now();
            read.extend(page.events.iter().map(|event| (event.subject, now)));
            if page.events.is_empty() {
                wait.news(Duration::from_secs(5)).await;
            }
        }
        read
    });
    let mut committed = Vec::new();
    let mut turn = tokio::time::interval(Duration::from_millis(1_000 / PER_SECOND));
    for n in 0..FOLLOWED {
        turn.tick().await;
        let member = scene.members[usize::try_from(n).expect("small") % CLIENTS];
        let (new, audit) = scene.booking(member, scene.slot(n, 12));
        let id = new.booking.id.uuid();
        scene.store.create_booking(new, audit).await.expect("booked");
        committed.push((id, Moment::now()));
    }
    let read = reader.await.expect("read");
    placing.end().await;
    let times = committed.iter().map(|(id, at)| read[id].saturating_duration_since(*at)).collect();
    let times = Times::new(times);
    let compared = format!("median {}", time(times.median()));
    table.row(&format!("{what}, p99"), &time(times.percentile(99)), &compared, "<= 200 ms");
}
