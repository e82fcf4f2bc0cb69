//! Questions at both ends of time: they take no longer, and no more memory, than the same at an ordinary date.

use std::time::Instant as Moment;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    program::{Served, resident_mib, serve},
    scene::Scene,
    table::{Table, Times, ratio, time},
};

/// Times that each question is asked.
const ROUNDS: usize = 100;
const WARM_UP: usize = 10;

/// A month: its first instant, its last one, and its first day.
struct Month {
    from: &'static str,
    to: &'static str,
    day: &'static str,
}

const ORDINARY: Month =
    Month { from: "2027-01-01T00:00:00Z", to: "2027-01-31T23:59:59.999999Z", day: "2027-01-01" };
const FIRST: Month =
    Month { from: "1970-01-01T00:00:00Z", to: "1970-01-31T23:59:59.999999Z", day: "1970-01-01" };
const LAST: Month =
    Month { from: "2199-12-01T00:00:00Z", to: "2199-12-31T23:59:59.999999Z", day: "2199-12-01" };

/// Who asks, and of what.
struct Asking {
    client: reqwest::Client,
    served: Served,
    key: String,
    event_type: String,
}

impl Asking {
    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.served.address)).json(body)
    }

    /// Each by its name. What is answered (a booking in 1970 is refused) is not what is measured.
    fn questions(&self, month: &Month) -> [(&'static str, RequestBuilder); 5] {
        let Month { from, to, day } = month;
        let slots = format!(
            "http://{}/api/booking/availability?event_type={}&from={from}&to={to}&time_zone=Europe/Lisbon",
            self.served.address, self.event_type
        );
        let every = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
        let computed = json!({
            "kind": "slots", "now": from, "range": { "start": from, "end": to }, "event_length_min": 30,
            "hosts": [{ "id": "ana", "timezone": "Europe/Lisbon",
                "working_hours": [{ "weekdays": every, "start": "00:00", "end": "24:00" }] }],
        });
        // Of the leap days after 2199 there is none.
        let recurrence = json!({
            "kind": "rrule", "dtstart_local": format!("{day}T09:00:00"),
            "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "take_first": 50,
        });
        let generated = json!({
            "pattern": { "weekdays": ["Mon"], "hours": { "start": "09:00", "end": "17:00" } },
            "time_zone": "Europe/Lisbon", "from": from, "to": to, "length_minutes": 30,
        });
        let booking = json!({
            "event_type": self.event_type, "start": to,
            "attendee": { "name": "Ada", "email": "ada@example.com", "time_zone": "UTC" },
        });
        [
            ("a month of slots", self.client.get(slots)),
            ("the same without a database", self.post("/api/booking/availability/compute", &computed)),
            ("a recurrence that hardly comes", self.post("/api/booking/availability/compute", &recurrence)),
            ("a pattern", self.post("/api/booking/availability/generate", &generated)),
            ("a booking", self.post("/api/booking", &booking)),
        ]
    }

    /// How long each takes.
    async fn ask(&self, month: &Month) -> Vec<(&'static str, Times)> {
        let mut all = Vec::new();
        for (name, question) in self.questions(month) {
            let mut times = Vec::with_capacity(ROUNDS);
            for n in 0..ROUNDS + WARM_UP {
                let question = question.try_clone().expect("a body in memory").bearer_auth(&self.key);
                let started = Moment::now();
                let answer = question.send().await.expect("an answer");
                let status = answer.status().as_u16();
                let body = answer.text().await.expect("a body");
                assert!(matches!(status, 200 | 409 | 422), "{name}: {status} {body}");
                if n >= WARM_UP {
                    times.push(started.elapsed());
                }
            }
            all.push((name, Times::new(times)));
        }
        all
    }
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section(&format!("both ends of time: each question {ROUNDS} times"));
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(&format!("sqlite:{}", folder.path().join("berth.db").display()), 10).await;
    let (key, event_type) = (scene.key().await, scene.event_type.id.to_string());
    drop(scene);
    let (served, _) = serve(folder.path(), None).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let asking = Asking { client, served, key, event_type };
    let ordinary = asking.ask(&ORDINARY).await;
    let before = resident_mib(asking.served.id());
    for (end, month) in [("1970", &FIRST), ("2199", &LAST)] {
        for ((name, times), (_, usual)) in asking.ask(month).await.iter().zip(&ordinary) {
            table.row(
                &format!("{end}, {name}: worst (p50)"),
                &format!("{} ({})", time(times.percentile(100)), time(times.median())),
                &format!(
                    "{:.1} times in 2027 ({}); p50 {:.1} times",
                    ratio(times.percentile(100), usual.percentile(100)),
                    time(usual.percentile(100)),
                    ratio(times.median(), usual.median())
                ),
                "p50 <= 2 times",
            );
        }
    }
    let after = resident_mib(asking.served.id());
    table.row(
        "resident memory after them",
        &format!("{after:.1} MiB"),
        &format!("{before:.1} MiB after 2027"),
        "",
    );
}
