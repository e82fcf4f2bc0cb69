//! `kill -9` while bookings are made, on both databases: what was acknowledged is there afterwards, every confirmed booking exists once
//! at the provider, and whoever follows events has missed nothing.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

#[path = "crash/removal.rs"]
mod removal;
#[path = "crash/trouble.rs"]
mod trouble;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant as Moment},
};

use berth_model::time::Instant;
use berth_simulators::{
    calcom::{Config, Simulator},
    faults::Rates,
    machine_clock,
};
use berth_tests::{
    PATIENCE,
    process::{Database, Process},
};
use serde_json::{Value, json};

const ROUNDS: usize = 3;
const CLIENTS: usize = 8;
/// Longest wait for both sides to agree: a lease of the killed process must run out, and retries wait.
const SETTLE: Duration = Duration::from_secs(240);

/// A server with one event type, which is booked at a provider that is open round the clock.
struct Studio {
    simulator: Simulator,
    folder: tempfile::TempDir,
    berth: Arc<Process>,
    event_type: String,
}

impl Studio {
    async fn open(database: Option<&str>) -> Self {
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
        Self { simulator, folder, berth: Arc::new(berth), event_type }
    }
}

/// The slot of half an hour with this number, from tomorrow on.
fn slot(number: usize) -> Instant {
    let tomorrow = (machine_clock()() / 86_400_000_000 + 1) * 86_400_000_000;
    Instant::from_micros(tomorrow).plus_minutes(i64::try_from(number).unwrap() * 30)
}

/// Somebody books this slot.
fn booking(event_type: &str, number: usize) -> Value {
    json!({ "event_type": event_type, "start": slot(number),
        "attendee": { "name": "Ada", "email": format!("ada{number}@example.com"), "time_zone": "UTC" } })
}

/// Somebody who follows events, and keeps their place over every kill.
#[derive(Default)]
struct Reader {
    next: u64,
    read: Vec<Value>,
}

impl Reader {
    /// Read what there is; at the end, wait a little for more.
    async fn go_on(&mut self, berth: &Process) {
        loop {
            let page = berth.get(&format!("/api/events?epoch=1&after={}&limit=7&wait=1", self.next)).await;
            self.next = page["next"].as_u64().unwrap_or_else(|| panic!("{page}"));
            self.read.extend(page["items"].as_array().unwrap().iter().cloned());
            if page["has_more"] != true {
                return;
            }
        }
    }

    /// Sequences of the events of a booking, and the last of them.
    fn of(&self, booking: &Value) -> (Vec<i64>, Option<&Value>) {
        let of = || self.read.iter().filter(|event| event["subject_id"] == booking["id"]);
        (of().filter_map(|event| event["sequence"].as_i64()).collect(), of().next_back())
    }

    fn knows(&self, booking: &Value) -> bool {
        let sequence = booking["sequence"].as_i64().unwrap();
        self.of(booking).0.last() == Some(&sequence)
    }

    /// Nothing was missed, nothing came twice, and each booking is known as it is.
    fn has_it_right(&self, bookings: &[Value]) {
        assert!(self.read.iter().filter_map(|event| event["position"].as_u64()).eq(1..=self.next));
        for booking in bookings {
            let (sequences, last) = self.of(booking);
            assert!(sequences.iter().copied().eq(0..=booking["sequence"].as_i64().unwrap()), "{sequences:?}");
            let told = &last.unwrap()["data"];
            let how = |of: &Value| [of["status"].clone(), of["start"].clone(), of["end"].clone()];
            assert_eq!(how(told), how(booking));
        }
        let told = self.read.iter().filter(|event| event["kind"] == "booking.created").count();
        assert_eq!(told, bookings.len());
    }
}

async fn killed_while_booking(database: Option<&str>) {
    let Studio { simulator, folder: _folder, berth, event_type } = Studio::open(database).await;

    let mut acknowledged: Vec<String> = Vec::new();
    let mut reader = Reader::default();
    for round in 0..ROUNDS {
        let answered = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (berth, event_type, answered) = (berth.clone(), event_type.clone(), answered.clone());
                tokio::spawn(async move {
                    let body = booking(&event_type, round * CLIENTS + client);
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
        let until = Moment::now() + PATIENCE;
        while answered.load(Ordering::Relaxed) < (round + 1) * 2 && Moment::now() < until {
            tokio::task::yield_now().await;
        }
        berth.kill();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        berth.serve().await;
        reader.go_on(&berth).await;
    }

    let until = Moment::now() + SETTLE;
    let bookings = loop {
        let bookings = berth.bookings().await;
        reader.go_on(&berth).await;
        if bookings.iter().all(|b| b["provider_task"].is_null() && reader.knows(b)) {
            break bookings;
        }
        assert!(Moment::now() < until, "both sides never agreed: {bookings:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    berth.kill();

    reader.has_it_right(&bookings);
    assert!(!acknowledged.is_empty(), "something was acknowledged before each kill");
    for id in &acknowledged {
        assert!(bookings.iter().any(|b| b["id"] == **id), "{id} was acknowledged and is lost");
    }
    let mut counterparts = simulator.active_bookings().len();
    for booking in &bookings {
        let found = simulator.active_by_reference(booking["id"].as_str().unwrap()).len();
        let expected = usize::from(booking["status"] == "confirmed");
        assert_eq!(found, expected, "{booking} exists {found} times at the provider");
        counterparts -= found;
    }
    assert_eq!(counterparts, 0, "at the provider, unknown here");
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

/// A number in the database, or a change of it, past the process.
async fn sql(folder: &std::path::Path, database: Option<&str>, statement: &str) -> Option<i64> {
    use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
    let statement = AssertSqlSafe(statement.to_owned());
    if let Some(url) = database {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query(statement).fetch_optional(&mut connection).await.unwrap().map(|row| row.get(0))
    } else {
        let url = format!("sqlite:{}", folder.join("berth.db").display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(statement).fetch_optional(&mut connection).await.unwrap().map(|row| row.get(0))
    }
}

/// A job during which the process dies three times is not taken up a fourth time: it is shown to a person, who may take it up again.
async fn killed_by_a_job(database: Option<&str>) {
    const JOB: &str =
        "SELECT attempt FROM jobs WHERE kind = 'sync_booking' AND NOT dead AND leased_until IS NOT NULL";
    // The leases of the process that is gone run out.
    let over = match database {
        Some(_) => "UPDATE jobs SET leased_until = '2020-01-01T00:00:00Z' WHERE leased_until IS NOT NULL",
        None => "UPDATE jobs SET leased_until = 1 WHERE leased_until IS NOT NULL",
    };
    let Studio { simulator, folder, berth, event_type } = Studio::open(database).await;
    // What is held is booked without asking the provider what is free.
    let mut body = booking(&event_type, 0);
    let hold = json!({ "event_type": body["event_type"], "start": body["start"] });
    let (status, hold) = berth.post("/api/booking/holds", &hold).await.unwrap();
    assert_eq!(status, 201, "{hold}");
    body["hold"] = json!({ "id": hold["id"], "token": hold["token"] });
    // From now on the provider takes requests and answers none, so that the job is under way for as long as is needed.
    simulator.set_rates(Rates { latency_ms: (600_000, 600_000), ..Rates::default() });
    let client = {
        let berth = berth.clone();
        tokio::spawn(async move { berth.post("/api/booking", &body).await })
    };
    for time in 1..=3 {
        let until = Moment::now() + SETTLE;
        while sql(folder.path(), database, JOB).await != Some(time) {
            assert!(Moment::now() < until, "the job was not taken up for the {time}. time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        berth.kill();
        sql(folder.path(), database, over).await;
        berth.serve().await;
    }
    assert!(client.await.unwrap().is_err(), "nobody was told anything");

    let dead = async || {
        let page = berth.get("/api/admin/calcom/operations?state=dead_letter").await;
        let items = page["items"].as_array().unwrap().clone();
        items.into_iter().find(|item| item["kind"] == "sync_booking")
    };
    let until = Moment::now() + SETTLE;
    let letter = loop {
        if let Some(letter) = dead().await {
            break letter;
        }
        assert!(Moment::now() < until, "it is begun again without end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(letter["last_error"].as_str().unwrap().contains("3 times"), "{letter}");
    assert_eq!(letter["crashes"], 3, "{letter}");
    let booking = berth.bookings().await.remove(0);
    assert_eq!(
        (&booking["status"], &booking["provider_task"]),
        (&json!("pending"), &json!("create")),
        "{booking}"
    );
    assert_eq!(booking["provider_sync"]["state"], "dead_letter", "{booking}");

    simulator.set_rates(Rates::default());
    let again = format!("/api/admin/calcom/operations/{}/requeue", letter["id"].as_str().unwrap());
    assert_eq!(berth.post(&again, &json!(null)).await.unwrap().0, 202);
    let until = Moment::now() + SETTLE;
    while berth.bookings().await[0]["status"] != "confirmed" {
        assert!(Moment::now() < until, "it was not confirmed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(simulator.active_by_reference(booking["id"].as_str().unwrap()).len(), 1);
    assert!(dead().await.is_none());
    berth.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_the_process_is_put_aside_on_sqlite() {
    killed_by_a_job(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_the_process_is_put_aside_on_postgres() {
    let Some(database) = Database::new("crash_job").await else { return };
    killed_by_a_job(Some(&database.url)).await;
    database.drop_it().await;
}
