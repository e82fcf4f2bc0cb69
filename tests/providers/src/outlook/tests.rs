//! The simulator by itself, spoken to by a plain client.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use axum::{Router, extract::Query, routing::post};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::{Value, json};

use super::{Config, Simulator};
use crate::{faults::Fault, server::Server};

/// Monday 2026-11-23 at 07:00 UTC.
const START: i64 = 1_795_417_200_000_000;
const HOUR: i64 = 3_600_000_000;
const PROPERTY: &str = "String {00000000-0000-4000-8000-000000000001} Name made_up";

struct World {
    simulator: Simulator,
    clock: Arc<AtomicI64>,
    client: Client,
}

impl World {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let shown = Arc::clone(&clock);
        let mut config =
            Config { clock: Arc::new(move || shown.load(Ordering::Relaxed)), ..Config::default() };
        change(&mut config);
        let simulator = Simulator::start(config).await.unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { simulator, clock, client }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn ask(&self, method: Method, target: &str, body: Value) -> (StatusCode, Value) {
        let url = if target.starts_with("http") {
            target.to_owned()
        } else {
            format!("{}{target}", self.simulator.url())
        };
        let request = self.client.request(method, url).bearer_auth("outlook_test_not_a_real_token");
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, target: &str) -> Value {
        let (status, body) = self.ask(Method::GET, target, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{target}: {body}");
        body
    }

    /// An event that begins so many hours after the start and lasts one.
    async fn create(&self, hours: i64, extra: Value) -> Value {
        let mut body = json!({ "subject": "Ada", "start": super::views::time(START + hours * HOUR),
            "end": super::views::time(START + (hours + 1) * HOUR) });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let (status, event) = self.ask(Method::POST, "/v1.0/me/events", body).await;
        assert_eq!(status, StatusCode::CREATED, "{event}");
        event
    }
}

fn ids(page: &Value) -> Vec<&str> {
    page["value"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_repeated_transaction_makes_one_event() {
    let world = World::new().await;
    let first = world.create(1, json!({ "transactionId": "t-1" })).await;
    let second = world.create(1, json!({ "transactionId": "t-1" })).await;
    assert_eq!(first["id"], second["id"]);
    let other = world.create(1, json!({ "transactionId": "t-2" })).await;
    assert_ne!(first["id"], other["id"], "a calendar takes any number of events at a time");
    assert_eq!(world.simulator.events().len(), 2);
}

#[tokio::test]
async fn an_event_lives_and_is_gone() {
    let world = World::new().await;
    let property = json!([{ "id": PROPERTY, "value": "Ref-1" }]);
    let event = world.create(1, json!({ "singleValueExtendedProperties": property })).await;
    assert_eq!(event["start"], json!({ "dateTime": "2026-11-23T08:00:00.0000000", "timeZone": "UTC" }));
    assert!(event.get("singleValueExtendedProperties").is_none(), "only where it is asked for");
    let path = format!("/v1.0/me/events/{}", event["id"].as_str().unwrap());
    let expand = format!("$expand=singleValueExtendedProperties($filter=id eq '{PROPERTY}')");
    assert_eq!(world.get(&format!("{path}?{expand}")).await["singleValueExtendedProperties"], property);
    let filter = format!(
        "$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq 'ref-1')"
    );
    assert_eq!(ids(&world.get(&format!("/v1.0/me/events?{filter}")).await).len(), 1, "case does not matter");
    let second = format!("/v1.0/me/calendars/{}/events", world.simulator.calendars()[1].id);
    assert!(ids(&world.get(&format!("{second}?{filter}")).await).is_empty(), "each calendar lists its own");
    let warsaw = json!({ "start": { "dateTime": "2026-11-23T12:00:00", "timeZone": "Europe/Warsaw" },
        "end": { "dateTime": "2026-11-23T13:00:00", "timeZone": "Europe/Warsaw" } });
    let (_, moved) = world.ask(Method::PATCH, &path, warsaw).await;
    assert_eq!(moved["start"]["dateTime"], "2026-11-23T11:00:00.0000000");
    let (status, _) = world.ask(Method::PATCH, &path, json!({ "isAllDay": true })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a day begins at midnight");
    let (status, _) = world.ask(Method::POST, &format!("{path}/cancel"), json!({ "comment": "" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "nobody is invited: no meeting");
    let (status, _) = world.ask(Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for (method, path, code) in [
        (Method::GET, path.as_str(), "ErrorItemNotFound"),
        (Method::DELETE, path.as_str(), "ErrorItemNotFound"),
        (Method::GET, "/v1.0/me/events/junk", "ErrorInvalidIdMalformed"),
    ] {
        let (_, refused) = world.ask(method, path, Value::Null).await;
        assert_eq!(refused["error"]["code"], code, "{path}");
    }
}

#[tokio::test]
async fn a_view_is_paged_and_shows_what_touches_it() {
    let world = World::new().await;
    for hours in [3, 1, 2] {
        world.create(hours, json!({})).await;
    }
    world.create(500, json!({})).await;
    let window = "startDateTime=2026-11-23T08:30:00Z&endDateTime=2026-11-24T00:00:00Z";
    let first = world.get(&format!("/v1.0/me/calendarView?{window}&$top=2&$select=id,start")).await;
    assert_eq!(first["value"][0]["start"]["dateTime"], "2026-11-23T08:00:00.0000000");
    assert!(first["value"][0].get("subject").is_none());
    let second = world.get(first["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!((ids(&first).len(), ids(&second).len()), (2, 1));
    assert!(second.get("@odata.nextLink").is_none());
    let (status, _) = world.ask(Method::GET, "/v1.0/me/calendarView", Value::Null).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn deltas_tell_changes_deletions_and_what_left_the_window() {
    let world = World::new().await;
    let mut made = Vec::new();
    for hours in 1..=3 {
        made.push(world.create(hours, json!({})).await["id"].as_str().unwrap().to_owned());
    }
    let window = "startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-24T00:00:00Z";
    let first = world.get(&format!("/v1.0/me/calendarView/delta?{window}&$top=2")).await;
    // Changed while the pages are read: told in the next round.
    assert!(world.simulator.move_event(&made[0], START + 5 * HOUR));
    let second = world.get(first["@odata.nextLink"].as_str().unwrap()).await;
    let seen: Vec<&str> = [ids(&first), ids(&second)].concat();
    assert!(seen.contains(&made[1].as_str()) && seen.contains(&made[2].as_str()));
    assert!(world.simulator.delete_event(&made[1]) && !world.simulator.delete_event(&made[1]));
    assert!(world.simulator.move_event(&made[2], START + 500 * HOUR));
    let link = second["@odata.deltaLink"].as_str().unwrap().to_owned();
    let news = world.get(&link).await;
    assert_eq!(ids(&news), [made[0].as_str(), made[1].as_str(), made[2].as_str()]);
    assert!(news["value"][0].get("@removed").is_none());
    assert_eq!(news["value"][1]["@removed"]["reason"], "deleted");
    assert_eq!(news["value"][2]["@removed"]["reason"], "deleted", "it lies outside of the window");
    let quiet = world.get(news["@odata.deltaLink"].as_str().unwrap()).await;
    assert!(ids(&quiet).is_empty());
    world.simulator.forget_sync_states();
    let (status, gone) = world.ask(Method::GET, &link, Value::Null).await;
    assert_eq!((status, gone["error"]["code"].as_str()), (StatusCode::GONE, Some("SyncStateNotFound")));
    let selected = format!("/v1.0/me/calendarView/delta?{window}&$select=id");
    assert_eq!(world.ask(Method::GET, &selected, Value::Null).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn schedules_of_those_who_are_known() {
    let world = World::with(|config| config.colleagues[0].busy.push((START + HOUR, START + 2 * HOUR))).await;
    world.create(3, json!({})).await;
    let body = json!({ "schedules": ["eve@example.com", "room@example.com", "nobody@example.com"],
        "startTime": { "dateTime": "2026-11-23T07:00:00", "timeZone": "UTC" },
        "endTime": { "dateTime": "2026-11-23T12:00:00", "timeZone": "UTC" }, "availabilityViewInterval": 60 });
    let (_, answer) = world.ask(Method::POST, "/v1.0/me/calendar/getSchedule", body.clone()).await;
    let views: Vec<_> =
        answer["value"].as_array().unwrap().iter().map(|s| s["availabilityView"].as_str().unwrap()).collect();
    assert_eq!(views, ["00020", "02000", ""]);
    assert_eq!(answer["value"][2]["error"]["responseCode"], "ErrorMailRecipientNotFound");
    let personal = World::with(|config| config.personal = true).await;
    let (status, _) = personal.ask(Method::POST, "/v1.0/me/calendar/getSchedule", body).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

/// A receiver that repeats the token, or something else; what it got.
async fn receiver(honest: bool) -> (Server, Arc<Mutex<Vec<Value>>>) {
    let got: Arc<Mutex<Vec<Value>>> = Arc::default();
    let inbox = Arc::clone(&got);
    let answer = move |query: Query<std::collections::BTreeMap<String, String>>, body: String| async move {
        inbox.lock().unwrap().push(serde_json::from_str(&body).unwrap_or_default());
        match query.get("validationToken") {
            Some(token) if honest => token.clone(),
            Some(_) => "no token".to_owned(),
            None => String::new(),
        }
    };
    (Server::start(0, Router::new().route("/hook", post(answer))).await.unwrap(), got)
}

fn subscription(url: &str) -> Value {
    json!({ "changeType": "created,updated,deleted", "notificationUrl": url, "lifecycleNotificationUrl": url,
        "resource": "me/events", "expirationDateTime": "2026-11-25T00:00:00Z", "clientState": "made-up-state" })
}

#[tokio::test]
async fn a_receiver_must_repeat_the_token() {
    let world = World::new().await;
    let ((honest, got), (other, _)) = (receiver(true).await, receiver(false).await);
    let body = subscription(&format!("{}/hook?c=1", honest.url()));
    let (status, made) = world.ask(Method::POST, "/v1.0/subscriptions", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(got.lock().unwrap().len(), 2, "both addresses were asked");
    for url in [format!("{}/hook", other.url()), format!("{}/nothing", honest.url())] {
        let (status, refused) = world.ask(Method::POST, "/v1.0/subscriptions", subscription(&url)).await;
        assert_eq!(
            (status, refused["error"]["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("ValidationError"))
        );
    }
    for (name, value) in
        [("expirationDateTime", "2026-12-25T00:00:00Z"), ("resource", "me/messages"), ("changeType", "moved")]
    {
        let mut bad = subscription("https://berth.example/hook");
        bad[name] = json!(value);
        assert_eq!(
            world.ask(Method::POST, "/v1.0/subscriptions", bad).await.0,
            StatusCode::BAD_REQUEST,
            "{name}"
        );
    }
    let path = format!("/v1.0/subscriptions/{}", made["id"].as_str().unwrap());
    let renewal = json!({ "expirationDateTime": "2026-11-24T00:00:00Z" });
    assert_eq!(world.ask(Method::PATCH, &path, renewal.clone()).await.0, StatusCode::OK);
    world.clock.fetch_add(24 * HOUR, Ordering::Relaxed);
    assert_eq!(
        world.ask(Method::PATCH, &path, renewal).await.0,
        StatusCode::BAD_REQUEST,
        "in the past by now"
    );
    assert_eq!(
        world.ask(Method::DELETE, &path, Value::Null).await.0,
        StatusCode::NOT_FOUND,
        "it ended by itself"
    );
}

#[tokio::test]
async fn every_change_is_notified_with_the_client_state() {
    let world = World::new().await;
    world.ask(Method::POST, "/v1.0/subscriptions", subscription("https://berth.example/hook")).await;
    let id = world.create(1, json!({})).await["id"].as_str().unwrap().to_owned();
    world.simulator.move_event(&id, START + 2 * HOUR);
    world.simulator.delete_event(&id);
    world.simulator.lifecycle("missed");
    let items: Vec<Value> = world
        .simulator
        .take_deliveries()
        .iter()
        .map(|d| serde_json::from_slice::<Value>(&d.body).unwrap()["value"][0].clone())
        .collect();
    let kinds: Vec<_> =
        items.iter().map(|i| i["changeType"].as_str().or(i["lifecycleEvent"].as_str()).unwrap()).collect();
    assert_eq!(kinds, ["created", "updated", "deleted", "missed"]);
    assert!(items.iter().all(|i| i["clientState"] == "made-up-state"));
    assert!(items[..3].iter().all(|i| i["resourceData"]["id"] == id.as_str()));
    world.simulator.lifecycle("subscriptionRemoved");
    assert!(world.simulator.subscriptions().is_empty());
}

#[tokio::test]
async fn faults_and_refusals() {
    let world = World::new().await;
    world.simulator.script("GET /v1.0/me", Fault::RateLimited { retry_after_seconds: Some(7) });
    let url = format!("{}/v1.0/me", world.simulator.url());
    let limited = world.client.get(&url).send().await.unwrap();
    assert_eq!(
        (limited.status(), limited.headers()["retry-after"].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );
    let stranger = world.client.get(&url).bearer_auth("guessed").send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    world.simulator.script("POST /v1.0/me/events", Fault::DropAfter);
    let lost = world
        .client
        .post(format!("{url}/events"))
        .bearer_auth("outlook_test_not_a_real_token")
        .json(&json!({ "start": super::views::time(START), "end": super::views::time(START + HOUR) }));
    assert!(lost.send().await.is_err());
    assert_eq!(world.simulator.events().len(), 1, "the work was done");
}

#[tokio::test]
async fn a_user_consents_and_tokens_are_renewed() {
    let world = World::new().await;
    let client = super::Client::default();
    // The verifier and challenge of RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let base = format!("{}/common/oauth2/v2.0", world.simulator.url());
    let consent = async || {
        let answer = world
            .client
            .get(format!("{base}/authorize"))
            .query(&[
                ("client_id", client.id.as_str()),
                ("response_type", "code"),
                ("redirect_uri", &client.redirect_uris[0]),
                ("scope", "offline_access User.Read Calendars.ReadWrite"),
                ("state", "s t"),
                ("code_challenge", challenge),
                ("code_challenge_method", "S256"),
            ])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND);
        let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let query: std::collections::BTreeMap<String, String> = back.query_pairs().into_owned().collect();
        assert_eq!(query["state"], "s t");
        query["code"].clone()
    };
    let token = async |form: &[(&str, &str)]| {
        let own = [("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
        let form: Vec<(&str, &str)> = own.iter().chain(form).copied().collect();
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = world.client.post(format!("{base}/token")).body(body);
        let answer =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (code, uri) = (consent().await, client.redirect_uris[0].clone());
    let with = |code: &str, verifier: &str| {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &uri),
            ("code_verifier", verifier),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let exchange = async |code: &str, verifier: &str| {
        let form = with(code, verifier);
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        token(&form).await
    };
    assert_eq!(exchange(&code, "wrong").await.1["error"], "invalid_grant");
    assert_eq!(exchange(&code, verifier).await.1["error"], "invalid_grant", "a code is used once");
    let (status, granted) = exchange(&consent().await, verifier).await;
    assert_eq!(status, StatusCode::OK, "{granted}");
    let me = async |token: &Value| {
        let url = format!("{}/v1.0/me", world.simulator.url());
        world.client.get(url).bearer_auth(token.as_str().unwrap()).send().await.unwrap().status()
    };
    assert_eq!(me(&granted["access_token"]).await, StatusCode::OK);
    world.clock.fetch_add(2 * HOUR, Ordering::Relaxed);
    assert_eq!(me(&granted["access_token"]).await, StatusCode::UNAUTHORIZED, "it lives an hour");
    let renewal = granted["refresh_token"].as_str().unwrap();
    let (_, renewed) = token(&[("grant_type", "refresh_token"), ("refresh_token", renewal)]).await;
    assert_ne!(renewed["refresh_token"], granted["refresh_token"], "replaced on each use");
    assert_eq!(me(&renewed["access_token"]).await, StatusCode::OK);
    world.simulator.revoke_consent();
    assert_eq!(me(&renewed["access_token"]).await, StatusCode::UNAUTHORIZED);
    let (_, refused) = token(&[("grant_type", "refresh_token"), ("refresh_token", renewal)]).await;
    assert_eq!(refused["error"], "invalid_grant");
}

#[tokio::test]
async fn a_user_may_say_no_and_nobody_is_sent_elsewhere() {
    let world = World::with(|config| config.consents = false).await;
    let client = super::Client::default();
    let ask = async |uri: &str| {
        let query = [
            ("client_id", client.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", uri),
            ("scope", "User.Read"),
            ("state", "s"),
        ];
        let url = format!("{}/common/oauth2/v2.0/authorize", world.simulator.url());
        world.client.get(url).query(&query).send().await.unwrap()
    };
    let no = ask(&client.redirect_uris[0]).await;
    assert!(no.headers()["location"].to_str().unwrap().contains("error=access_denied"));
    let elsewhere = ask("https://elsewhere.example/").await;
    assert_eq!(elsewhere.status(), StatusCode::BAD_REQUEST);
    assert!(elsewhere.headers().get("location").is_none());
}
