//! The Calendly simulator keeps Calendly's rules.

use std::{
    collections::BTreeSet,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use berth_simulators::{
    calendly::{Config, Simulator},
    faults::Fault,
};
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

const ROOT: &str = "https://api.calendly.com";
const CONSULTATION: &str = "CONSULTATION0001";
const CALL: &str = "PHONECALL0000001";
const WORKSHOP: &str = "WORKSHOP00000001";
const MINUTE: i64 = 60_000_000;

fn micros(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

/// Friday noon; the host works from 9 to 17 in Warsaw, an hour before UTC.
fn start() -> i64 {
    micros("2030-01-04T12:00:00Z")
}

struct Service {
    simulator: Simulator,
    clock: Arc<AtomicI64>,
    http: reqwest::Client,
    token: String,
}

impl Service {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(AtomicI64::new(start()));
        let same = Arc::clone(&clock);
        let mut config =
            Config { clock: Arc::new(move || same.load(Ordering::Relaxed)), ..Config::default() };
        change(&mut config);
        let token = config.api_key.clone();
        let simulator = Simulator::start(config).await.unwrap();
        Self { simulator, clock, http: reqwest::Client::new(), token }
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}{path}", self.simulator.url());
        let request = self.http.request(method, url).bearer_auth(&self.token);
        if body.is_null() { request.send().await } else { request.json(&body).send().await }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let answer = self.send(method, path, body).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn book(&self, body: Value) -> (u16, Value) {
        self.ask(Method::POST, "/invitees", body).await
    }

    /// Subscribe to everything about bookings.
    async fn subscribe(&self) {
        let body = json!({ "url": "http://127.0.0.1:9/hook", "events": ["invitee.created", "invitee.canceled"],
            "organization": format!("{ROOT}/organizations/STUDIO0000000001"), "user": format!("{ROOT}/users/EVE0000000000001"),
            "scope": "user", "signing_key": "made-up-key" });
        let (status, body) = self.ask(Method::POST, "/webhook_subscriptions", body).await;
        assert_eq!(status, 201, "{body}");
    }
}

fn invitee(email: &str) -> Value {
    json!({ "name": "Ada", "email": email, "timezone": "Europe/Warsaw" })
}

fn consultation(start: &str, email: &str) -> Value {
    json!({ "event_type": format!("{ROOT}/event_types/{CONSULTATION}"), "start_time": start, "invitee": invitee(email),
        "location": { "kind": "zoom_conference" } })
}

fn workshop(email: &str) -> Value {
    json!({ "event_type": format!("{ROOT}/event_types/{WORKSHOP}"), "start_time": "2030-01-07T08:00:00Z",
        "invitee": invitee(email), "location": { "kind": "physical" } })
}

fn last(uri: &Value) -> String {
    uri.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn only_the_token_opens_it_and_five_hundred_requests_a_minute() {
    let service = Service::new(|_| {}).await;
    let other = Service { token: "another".to_owned(), http: reqwest::Client::new(), ..service };
    assert_eq!(other.ask(Method::GET, "/users/me", Value::Null).await.0, 401);
    let service = Service { token: Config::default().api_key, ..other };
    for left in (0..499_u32).rev() {
        let answer = service.send(Method::GET, "/users/me", Value::Null).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-ratelimit-remaining"], left.to_string());
    }
    let answer = service.send(Method::GET, "/users/me", Value::Null).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["x-ratelimit-reset"], "60");
    service.clock.fetch_add(MINUTE, Ordering::Relaxed);
    assert_eq!(service.ask(Method::GET, "/users/me", Value::Null).await.0, 200);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let service = Service::new(|_| {}).await;
    let path = format!("/event_types?user={ROOT}/users/EVE0000000000001&count=2");
    let first = service.get(&path).await;
    let names: Vec<_> = first["collection"].as_array().unwrap().iter().map(|e| e["name"].clone()).collect();
    assert_eq!(names, ["Consultation", "Phone call"]);
    let token = first["pagination"]["next_page_token"].as_str().unwrap();
    let second = service.get(&format!("{path}&page_token={token}")).await;
    assert_eq!(second["collection"].as_array().unwrap().len(), 1);
    assert_eq!(second["pagination"]["next_page_token"], Value::Null);
    for (query, status) in [
        ("", 400),
        ("?user=https://api.calendly.com/users/SOMEBODY", 403),
        ("?user=https://api.calendly.com/users/EVE0000000000001&count=101", 400),
        ("?user=https://api.calendly.com/users/EVE0000000000001&page_token=junk", 400),
    ] {
        let path = format!("/event_types{query}");
        assert_eq!(service.ask(Method::GET, &path, Value::Null).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn times_are_those_of_the_host_and_of_the_future() {
    let service = Service::new(|_| {}).await;
    let times = |from: &str, to: &str| {
        format!(
            "/event_type_available_times?event_type={ROOT}/event_types/{CONSULTATION}&start_time={from}&end_time={to}"
        )
    };
    let monday = service.get(&times("2030-01-05T00:00:00Z", "2030-01-08T00:00:00Z")).await;
    let monday = monday["collection"].as_array().unwrap();
    assert_eq!(monday.len(), 16, "no weekend");
    assert_eq!(monday[0]["start_time"], "2030-01-07T08:00:00.000000Z");
    for (from, to) in [
        ("2030-01-04T12:00:00Z", "2030-01-05T00:00:00Z"),
        ("2030-01-05T00:00:00Z", "2030-02-06T00:00:00Z"),
        ("2030-01-06T00:00:00Z", "2030-01-05T00:00:00Z"),
    ] {
        assert_eq!(service.ask(Method::GET, &times(from, to), Value::Null).await.0, 400, "{from} {to}");
    }
    let busy = |to: &str| {
        format!(
            "/user_busy_times?user={ROOT}/users/EVE0000000000001&start_time=2030-01-05T00:00:00Z&end_time={to}"
        )
    };
    service.simulator.book_out_of_band(CONSULTATION, micros("2030-01-07T09:00:00Z")).unwrap();
    assert_eq!(service.get(&busy("2030-01-12T00:00:00Z")).await["collection"].as_array().unwrap().len(), 1);
    assert_eq!(service.ask(Method::GET, &busy("2030-01-12T00:00:01Z"), Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_booking_must_fit_the_event_type() {
    let service = Service::new(|_| {}).await;
    let with = |pointer: &str, name: &str, value: Value| {
        let mut body = consultation("2030-01-07T09:00:00Z", "ada@example.com");
        body.pointer_mut(pointer).unwrap()[name] = value;
        body
    };
    let tracking = json!({ "utm_source": "berth" });
    for (body, parameter) in [
        (with("", "event_type", json!("https://elsewhere.example/1")), "event_type"),
        (with("", "start_time", json!("soon")), "start_time"),
        (with("", "start_time", json!("2030-01-04T11:59:00Z")), "start_time"),
        (with("", "start_time", json!("2030-01-05T09:00:00Z")), "start_time"),
        (with("", "start_time", json!("2030-01-07T09:10:00Z")), "start_time"),
        (with("/invitee", "name", json!("")), "invitee.name"),
        (with("/invitee", "email", json!("nobody")), "invitee.email"),
        (with("/invitee", "timezone", json!("Mars/Olympus")), "invitee.timezone"),
        (with("", "location", Value::Null), "location"),
        (with("/location", "kind", json!("physical")), "location.kind"),
        (with("", "tracking", tracking), "tracking.utm_campaign"),
        (with("", "event_guests", json!(["a@example.com"].repeat(11))), "event_guests"),
        (
            with(
                "",
                "questions_and_answers",
                json!([{ "question": "company?", "answer": "x", "position": 0 }]),
            ),
            "questions_and_answers",
        ),
    ] {
        let (status, refusal) = service.book(body).await;
        assert_eq!(
            (status, refusal["details"][0]["parameter"].as_str()),
            (400, Some(parameter)),
            "{refusal}"
        );
    }
    let gone = with("", "event_type", json!(format!("{ROOT}/event_types/GONE")));
    assert_eq!(service.book(gone).await.0, 404);
    assert!(service.simulator.bookings().is_empty(), "nothing was made");
}

#[tokio::test]
async fn one_host_is_at_one_place() {
    let service = Service::new(|_| {}).await;
    let (status, made) = service.book(consultation("2030-01-07T09:00:00Z", "ada@example.com")).await;
    assert_eq!((status, made["resource"]["status"].as_str()), (201, Some("active")));
    let (status, refusal) = service.book(consultation("2030-01-07T09:00:00Z", "bob@example.com")).await;
    assert_eq!((status, refusal["details"][0]["code"].as_str()), (400, Some("already_filled")));
    // Another event type's start inside of it is taken too.
    let taken = service.simulator.book_out_of_band(CALL, micros("2030-01-07T09:15:00Z")).unwrap_err();
    assert!(taken.contains("already_filled"));
    let event = service.get(&format!("/scheduled_events/{}", last(&made["resource"]["event"]))).await;
    assert_eq!(event["resource"]["end_time"], "2030-01-07T09:30:00.000000Z");
}

#[tokio::test]
async fn a_group_shares_an_event_until_it_is_full_and_is_cancelled_as_one() {
    let service = Service::new(|_| {}).await;
    let mut events = BTreeSet::new();
    for n in 0..8 {
        let (status, made) = service.book(workshop(&format!("guest{n}@example.com"))).await;
        assert_eq!(status, 201, "{made}");
        events.insert(last(&made["resource"]["event"]));
    }
    assert_eq!(events.len(), 1);
    assert_eq!(service.book(workshop("late@example.com")).await.0, 400);
    let event = events.pop_first().unwrap();
    let path = format!("/scheduled_events/{event}/invitees?email=guest3@example.com");
    assert_eq!(service.get(&path).await["collection"].as_array().unwrap().len(), 1);
    let cancel = format!("/scheduled_events/{event}/cancellation");
    assert_eq!(service.ask(Method::POST, &cancel, json!({ "reason": "ill" })).await.0, 201);
    assert_eq!(service.ask(Method::POST, &cancel, json!({})).await.0, 403, "once only");
    assert!(service.simulator.active_bookings().is_empty());
}

#[tokio::test]
async fn what_is_over_cannot_be_cancelled() {
    let service = Service::new(|_| {}).await;
    let id = service.simulator.book_out_of_band(CONSULTATION, micros("2030-01-04T13:00:00Z")).unwrap();
    service.simulator.mark_no_show(&id).unwrap_err();
    service.clock.fetch_add(120 * MINUTE, Ordering::Relaxed);
    assert!(service.simulator.cancel_out_of_band(&id, "late").unwrap_err().contains("past"));
    service.simulator.mark_no_show(&id).unwrap();
}

#[tokio::test]
async fn events_are_listed_by_start_and_state() {
    let service = Service::new(|_| {}).await;
    let ids = ["2030-01-08T09:00:00Z", "2030-01-07T09:00:00Z", "2030-01-09T09:00:00Z"]
        .map(|at| service.simulator.book_out_of_band(CONSULTATION, micros(at)).unwrap());
    service.simulator.cancel_out_of_band(&ids[2], "ill").unwrap();
    let list = async |query: &str| {
        let path = format!("/scheduled_events?user={ROOT}/users/EVE0000000000001{query}");
        let body = service.get(&path).await;
        let starts = body["collection"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["start_time"].as_str().unwrap()[8..10].to_owned());
        starts.collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["07", "08", "09"]);
    assert_eq!(list("&sort=start_time:desc").await, ["09", "08", "07"]);
    assert_eq!(list("&status=active").await, ["07", "08"]);
    assert_eq!(list("&status=canceled").await, ["09"]);
    assert_eq!(
        list("&min_start_time=2030-01-08T00:00:00Z&max_start_time=2030-01-09T00:00:00Z").await,
        ["08"]
    );
    assert!(list("&invitee_email=nobody@example.com").await.is_empty());
}

#[tokio::test]
async fn a_move_is_a_new_event_and_two_signed_messages() {
    let service = Service::new(|_| {}).await;
    service.subscribe().await;
    let old = service.simulator.book_out_of_band(CONSULTATION, micros("2030-01-07T09:00:00Z")).unwrap();
    service.simulator.take_deliveries();
    let taken = service.simulator.book_out_of_band(CONSULTATION, micros("2030-01-07T10:00:00Z")).unwrap();
    assert!(service.simulator.move_out_of_band(&old, micros("2030-01-07T10:00:00Z")).is_err());
    assert_eq!(service.simulator.active_bookings().len(), 2, "a refused move changes nothing");
    service.simulator.cancel_out_of_band(&taken, "").unwrap();
    service.simulator.take_deliveries();

    let new = service.simulator.move_out_of_band(&old, micros("2030-01-07T10:00:00Z")).unwrap();
    let told = service.simulator.take_deliveries();
    let bodies: Vec<Value> = told.iter().map(|d| serde_json::from_slice(&d.body).unwrap()).collect();
    let uri = |id: &str| json!(format!("{ROOT}/scheduled_events/{}", id.replace('/', "/invitees/")));
    assert_eq!(
        (&bodies[0]["event"], &bodies[1]["event"]),
        (&json!("invitee.canceled"), &json!("invitee.created"))
    );
    let (gone, made) = (&bodies[0]["payload"], &bodies[1]["payload"]);
    assert_eq!(
        (&gone["uri"], &gone["rescheduled"], &gone["new_invitee"]),
        (&uri(&old), &json!(true), &uri(&new))
    );
    assert_eq!(
        (&made["uri"], &made["rescheduled"], &made["old_invitee"]),
        (&uri(&new), &json!(false), &uri(&old))
    );
    assert_eq!(made["scheduled_event"]["start_time"], "2030-01-07T10:00:00.000000Z");
    assert!(service.simulator.move_out_of_band(&old, micros("2030-01-07T11:00:00Z")).is_err(), "it is over");

    let header = &told[0].headers.iter().find(|(name, _)| name == "Calendly-Webhook-Signature").unwrap().1;
    let (time, tag) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert_eq!(time, (start() / 1_000_000).to_string());
    let signed = [time.as_bytes(), b".", &told[0].body].concat();
    let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"made-up-key"), &signed);
    assert_eq!(tag, expected.as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>());
}

#[tokio::test]
async fn a_subscription_is_made_once_for_an_address() {
    let service = Service::new(|_| {}).await;
    service.subscribe().await;
    let list = format!(
        "/webhook_subscriptions?organization={ROOT}/organizations/STUDIO0000000001&user={ROOT}/users/EVE0000000000001&scope=user"
    );
    let made = service.get(&list).await["collection"][0].clone();
    assert_eq!((made["state"].as_str(), made.get("signing_key")), (Some("active"), None));
    let mut same = json!({ "url": made["callback_url"], "events": made["events"], "organization": made["organization"],
        "user": made["user"], "scope": "user" });
    assert_eq!(service.ask(Method::POST, "/webhook_subscriptions", same.clone()).await.0, 409);
    same["user"] = json!(format!("{ROOT}/users/SOMEBODY"));
    assert_eq!(service.ask(Method::POST, "/webhook_subscriptions", same).await.0, 403);
    service.simulator.disable_webhooks();
    assert_eq!(service.get(&list).await["collection"][0]["state"], "disabled");
    service.simulator.book_out_of_band(CONSULTATION, micros("2030-01-07T09:00:00Z")).unwrap();
    assert!(service.simulator.take_deliveries().is_empty());
    let path = format!("/webhook_subscriptions/{}", last(&made["uri"]));
    assert_eq!(service.ask(Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(service.ask(Method::DELETE, &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn faults_come_when_they_are_asked_for() {
    let service = Service::new(|_| {}).await;
    let book = async |minute: u32, fault| {
        service.simulator.script("POST /invitees", fault);
        let start = format!("2030-01-07T09:{minute:02}:00Z");
        service.send(Method::POST, "/invitees", consultation(&start, "ada@example.com")).await
    };
    assert!(book(0, Fault::DropBefore).await.is_err());
    assert_eq!(book(0, Fault::ServerError).await.unwrap().status(), 500);
    let limited = book(0, Fault::RateLimited { retry_after_seconds: Some(7) }).await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "7");
    assert!(service.simulator.bookings().is_empty(), "nothing was done");
    assert!(book(0, Fault::DropAfter).await.is_err());
    let malformed = book(30, Fault::Malformed).await.unwrap();
    assert_eq!((malformed.status().as_u16(), malformed.json::<Value>().await.is_err()), (201, true));
    assert_eq!(service.simulator.active_bookings().len(), 2, "both were done");
    assert_eq!(service.simulator.requests().len(), 5);
}

#[tokio::test]
async fn it_runs_alone() {
    let mut alone = tokio::process::Command::new(env!("CARGO_BIN_EXE_berth-simulator"))
        .args(["calendly", "--port", "0", "--api-key", "made_up_token"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(alone.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    let http = reqwest::Client::new();
    let me = http.get(format!("{url}/users/me")).bearer_auth("made_up_token").send().await.unwrap();
    assert_eq!(me.json::<Value>().await.unwrap()["resource"]["slug"], "eve");
    let state: Value =
        http.get(format!("{url}/_simulator/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (state["bookings"].clone(), state["requests"][0]["path"].as_str()),
        (json!([]), Some("/users/me"))
    );
    alone.kill().await.unwrap();
}
