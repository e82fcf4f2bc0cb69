//! The availability route over HTTP: a month of slots with 10,000 bookings in it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant as Moment},
};

use berth_model::time::{Instant, Interval};

use crate::{
    program::serve,
    scene::{Scene, fresh_postgres},
    table::{Table, Times, ratio, time},
};

const MEMBERS: usize = 10;
const BOOKINGS: usize = 10_000;
const REQUESTS: usize = 300;
/// By one thread over a plain connection.
const PLAIN_REQUESTS: usize = 2_000;
const WARM_UP: usize = 200;
/// Bookings made in between.
const CHANGES: usize = 100;

async fn ask(client: &reqwest::Client, url: &str, key: &str) -> (Duration, usize) {
    let started = Moment::now();
    let answer = client.get(url).bearer_auth(key).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.text().await.expect("a body"));
    let body = answer.bytes().await.expect("a body");
    (started.elapsed(), body.len())
}

/// One request after the other on one connection, by a thread that does nothing else: what a client with a runtime of its own adds is left out.
fn plainly(address: &str, path: &str, key: &str) -> Times {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_nodelay(true).expect("set");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n");
    let mut answer = vec![0; 64 * 1_024];
    let mut times = Vec::with_capacity(PLAIN_REQUESTS);
    for n in 0..PLAIN_REQUESTS + WARM_UP {
        let started = Moment::now();
        stream.write_all(request.as_bytes()).expect("asked");
        // These answers are some hundred bytes, which come at once.
        let read = stream.read(&mut answer).expect("answered");
        let took = started.elapsed();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..read]));
        if n >= WARM_UP {
            times.push(took);
        }
    }
    Times::new(times)
}

/// A customer books, then another looks: what was remembered of one member is out of date each time.
async fn while_booked(client: &reqwest::Client, url: &str, base: &str, key: &str, event_type: &str) -> Times {
    let later = format!(
        "{base}/api/booking/availability?event_type={event_type}&from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z&time_zone=Europe/Lisbon"
    );
    let answer = client.get(later).bearer_auth(key).send().await.expect("an answer");
    let answer: serde_json::Value = answer.json().await.expect("slots");
    let days = answer["days"].as_array().expect("days");
    let starts = days.iter().flat_map(|day| day["slots"].as_array().expect("slots")).step_by(2);
    let mut times = Vec::new();
    for slot in starts.take(CHANGES) {
        let body = serde_json::json!({
            "event_type": event_type,
            "start": slot["start"],
            "attendee": { "name": "Ada", "email": "ada@example.com", "time_zone": "Europe/Lisbon" },
        });
        let booked = client.post(format!("{base}/api/booking")).bearer_auth(key).json(&body);
        let answer = booked.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().await.expect("a body"));
        times.push(ask(client, url, key).await.0);
    }
    assert!(!times.is_empty(), "nothing was booked");
    Times::new(times)
}

async fn at_once(client: &reqwest::Client, url: &str, key: &str, clients: usize) -> Times {
    let each = (REQUESTS / clients).max(20);
    let tasks = (0..clients).map(|_| {
        let (client, url, key) = (client.clone(), url.to_owned(), key.to_owned());
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(each);
            for _ in 0..each {
                times.push(ask(&client, &url, &key).await.0);
            }
            times
        })
    });
    let mut all = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        all.extend(task.await.expect("finished"));
    }
    Times::new(all)
}

async fn on(table: &mut Table, name: &str, folder: &Path, database: Option<&str>) {
    let path = folder.join("berth.db");
    let url = database.map_or_else(|| format!("sqlite:{}", path.display()), str::to_owned);
    let scene = Scene::new(&url, MEMBERS).await;
    let from: Instant = "2026-12-01T00:00:00Z".parse().expect("an instant");
    let month = 31 * 1_440;
    // Forty minutes apart, twenty long: half of the half-hour slots of each member are gone.
    let each = BOOKINGS / MEMBERS;
    let step = month / i64::try_from(each).expect("small");
    let mut tasks = Vec::new();
    for (lane, member) in scene.members.iter().copied().enumerate() {
        let scene = Arc::clone(&scene);
        tasks.push(tokio::spawn(async move {
            for n in 0..i64::try_from(each).expect("small") {
                let start = from.plus_minutes(n * step + i64::try_from(lane).expect("small"));
                let (new, audit) = scene.booking(member, Interval::of_minutes(start, 20));
                scene.store.create_booking(new, audit).await.expect("booked");
            }
        }));
    }
    for task in tasks {
        task.await.expect("finished");
    }
    let key = scene.key().await;
    let event_type = scene.event_type.id;
    drop(scene);
    let (served, _) = serve(folder, database).await;
    let base = format!("http://{}", served.address);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let month = format!(
        "{base}/api/booking/availability?event_type={event_type}&from=2026-12-01T00:00:00Z&to=2027-01-01T00:00:00Z&time_zone=Europe/Lisbon"
    );
    let empty = format!(
        "{base}/api/booking/availability?event_type={event_type}&from=2027-03-01T00:00:00Z&to=2027-03-01T01:00:00Z&time_zone=Europe/Lisbon"
    );
    let first = ask(&client, &month, &key).await.0;
    for _ in 0..20 {
        ask(&client, &month, &key).await;
    }
    let floor = at_once(&client, &empty, &key, 1).await.median();
    let (address, path) = (served.address.clone(), empty.strip_prefix(&base).expect("a path").to_owned());
    let plain = tokio::task::spawn_blocking({
        let key = key.clone();
        move || (plainly(&address, &path, &key), plainly(&address, "/healthz", &key))
    });
    let (hour, hop) = plain.await.expect("asked");
    table.row(
        &format!("    {name}, an empty hour, p50 (p99)"),
        &format!("{} ({})", time(hour.median()), time(hour.percentile(99))),
        &format!(
            "{:.1} times a request that does nothing ({})",
            ratio(hour.median(), hop.median()),
            time(hop.median())
        ),
        "<= 0.25 ms on SQLite",
    );
    let one = at_once(&client, &month, &key, 1).await;
    let bytes = ask(&client, &month, &key).await.1;
    table.row(
        &format!("(e) {name}, one client, p50 (p99); {} kB", bytes / 1_024),
        &format!("{} ({})", time(one.median()), time(one.percentile(99))),
        &format!("{:.1} times an empty hour ({})", ratio(one.median(), floor), time(floor)),
        "p50 <= 3 ms on SQLite",
    );
    table.row(
        "    the first question after the start",
        &time(first),
        &format!("{:.1} times the next", ratio(first, one.median())),
        "",
    );
    let changing = while_booked(&client, &month, &base, &key, &event_type.to_string()).await;
    table.row(
        "    one client, a booking before each question, p50 (p99)",
        &format!("{} ({})", time(changing.median()), time(changing.percentile(99))),
        &format!("{:.1} times without", ratio(changing.median(), one.median())),
        "p50 <= 2 ms on SQLite",
    );
    for clients in [2, 4, 8, 16] {
        let many = at_once(&client, &month, &key, clients).await;
        let slower = ratio(many.median(), one.median());
        table.row(
            &format!("    {clients} clients, p50 (p99)"),
            &format!("{} ({})", time(many.median()), time(many.percentile(99))),
            &format!(
                "{slower:.1} times one client; p99 is {:.1} times p50",
                ratio(many.percentile(99), many.median())
            ),
            "p99 <= 5 x p50 where p50 doubles",
        );
        if slower >= 2.0 {
            break;
        }
    }
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section(&format!("the availability route: a month, {MEMBERS} members, {BOOKINGS} bookings"));
    let folder = tempfile::tempdir().expect("a folder");
    on(table, "SQLite", folder.path(), None).await;
    match std::env::var("BERTH_TEST_PG_URL") {
        Ok(url) => {
            let url = fresh_postgres(&url).await;
            let folder = tempfile::tempdir().expect("a folder");
            on(table, "PostgreSQL", folder.path(), Some(&url)).await;
        }
        Err(_) => table.row("PostgreSQL", "SKIPPED", "no server", ""),
    }
}
