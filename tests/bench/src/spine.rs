//! What events cost those who book, and how soon readers have them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant as Moment},
};

use berth_engine::EventQuery;
use berth_model::{
    events::{After, Cursor},
    limits,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    commits::{BOOKINGS, CLIENTS, Scene, bare_postgres, fresh_postgres},
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
            with.push(told(scene, round * 4).await);
            let mut conn = PgConnection::connect(url).await.expect("connects");
            for statement in [
                "CREATE FUNCTION untold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
                "CREATE TRIGGER untold BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION untold()",
            ] {
                conn.execute(AssertSqlSafe(statement.to_owned())).await.expect("made");
            }
            without.push(told(scene, round * 4 + 1).await);
            conn.execute("DROP FUNCTION untold CASCADE").await.expect("dropped");
        }
        report(table, "PostgreSQL, by the store", with, without);
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let placing = Placing::begin(scene);
            with.push(bare(scene, url, round * 4 + 2, true).await);
            placing.end().await;
            without.push(bare(scene, url, round * 4 + 3, false).await);
        }
        report(table, "PostgreSQL, bare statements, one more each", with, without);
    } else {
        table.row("PostgreSQL", "SKIPPED", "no server", "");
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
    let rate = scene.through_the_store(round).await;
    placing.end().await;
    rate
}

async fn bare(scene: &Arc<Scene>, url: &str, round: i64, told: bool) -> f64 {
    let started = Moment::now();
    let clients = (0..CLIENTS).map(|client| {
        let (scene, url) = (Arc::clone(scene), url.to_owned());
        tokio::spawn(async move {
            let mut conn = PgConnection::connect(&url).await.expect("connects");
            for n in 0..BOOKINGS / i64::try_from(CLIENTS).expect("small") {
                bare_postgres(&mut conn, &scene, scene.members[client], scene.slot(n, round), told).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("finished");
    }
    BOOKINGS as f64 / started.elapsed().as_secs_f64()
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
