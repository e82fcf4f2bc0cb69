//! A booking beside connections on which nothing is said.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::{
    program::{berth, resident_mib, serve},
    table::{Table, Times, ratio, time},
};

const SILENT: usize = 10_000;
const BOOKINGS: usize = 200;

struct Studio {
    client: reqwest::Client,
    base: String,
    key: String,
    event_type: Value,
    starts: std::vec::IntoIter<Value>,
}

impl Studio {
    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.key).json(&body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 201, "{path}: {}", answer.text().await.expect("a body"));
        answer.json().await.expect("JSON")
    }

    async fn new(base: String, key: String) -> Self {
        // As customers come: each with a connection of their own.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        let mut studio = Self { client, base, key, event_type: Value::Null, starts: Vec::new().into_iter() };
        let listing = studio
            .post("/api/listings", json!({ "slug": "studio", "title": "Studio", "time_zone": "UTC" }))
            .await;
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let hours = json!([{ "weekdays": days, "start": "00:00", "end": "24:00" }]);
        let member = json!({ "name": "Eve", "time_zone": "UTC", "weekly_hours": hours });
        let member = studio.post("/api/booking/team", member).await;
        let event_type = json!({ "listing": listing["id"], "slug": "talk", "title": "Talk", "length_minutes": 30,
            "members": [member["id"]] });
        studio.event_type = studio.post("/api/booking/event-types", event_type).await["id"].clone();
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        let now =
            chrono::DateTime::from_timestamp(i64::try_from(now).expect("an instant"), 0).expect("an instant");
        let day = |n| (now + chrono::Days::new(n)).format("%Y-%m-%dT00:00:00Z");
        let path = format!(
            "{}/api/booking/availability?event_type={}&from={}&to={}&time_zone=UTC",
            studio.base,
            studio.event_type.as_str().expect("an id"),
            day(2),
            day(50)
        );
        let slots = studio.client.get(path).bearer_auth(&studio.key).send().await.expect("an answer");
        let slots: Value = slots.json().await.expect("JSON");
        let days = slots["days"].as_array().expect("days").iter();
        let starts = days
            .flat_map(|day| day["slots"].as_array().expect("slots").iter().map(|slot| slot["start"].clone()));
        studio.starts = starts.collect::<Vec<_>>().into_iter();
        studio
    }

    async fn book(&mut self) -> Times {
        let mut times = Vec::new();
        for _ in 0..BOOKINGS {
            let start = self.starts.next().expect("a slot");
            let attendee = json!({ "name": "Ada", "email": "ada@example.com", "time_zone": "UTC" });
            let body = json!({ "event_type": self.event_type, "start": start, "attendee": attendee });
            let started = Instant::now();
            self.post("/api/booking", body).await;
            times.push(started.elapsed());
        }
        Times::new(times)
    }
}

fn run_json(folder: &std::path::Path, args: &[&str]) -> Value {
    let output = berth(folder, None).args(args).arg("--json").output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section("connections on which nothing is said");
    let folder = tempfile::tempdir().expect("a folder");
    run_json(folder.path(), &["tenant", "create", "--tenant", "studio", "--name", "Studio"]);
    let key = run_json(folder.path(), &["key", "create", "--tenant", "studio", "--name", "bench"]);
    let key = key[0]["key"].as_str().expect("a key").to_owned();
    let (served, _) = serve(folder.path(), None).await;
    let mut studio = Studio::new(format!("http://{}", served.address), key).await;
    studio.book().await;
    let alone = studio.book().await;
    let resting = resident_mib(served.id());
    let mut silent = Vec::with_capacity(SILENT);
    let opened = Instant::now();
    for _ in 0..SILENT {
        silent.push(TcpStream::connect(&served.address).await.expect("connects"));
    }
    let opened = opened.elapsed();
    let beside = studio.book().await;
    let peak = resident_mib(served.id());
    // The longest that they may be silent is over: all of them are gone.
    tokio::time::sleep(Duration::from_millis(berth_model::limits::HEADER_MS_MAX) + Duration::from_secs(1))
        .await;
    let after = resident_mib(served.id());
    table.row(
        &format!("a booking beside {SILENT} silent connections, p50 (p99)"),
        &format!("{} ({})", time(beside.median()), time(beside.percentile(99))),
        &format!(
            "{:.2} of alone: {} ({})",
            ratio(beside.median(), alone.median()),
            time(alone.median()),
            time(alone.percentile(99))
        ),
        "<= 1.2",
    );
    table.row(
        "resident memory beside them, and when they are gone",
        &format!("{peak:.1}, {after:.1} MiB"),
        &format!("{resting:.1} MiB before; opened in {}", time(opened)),
        "",
    );
}
