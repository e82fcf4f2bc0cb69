//! The simulator by itself.

use reqwest::Method;
use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::*;
use crate::faults::Fault;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

/// Wednesday, 10:00 in Warsaw.
const NOW: i64 = 1_893_574_800_000_000;
const HOUR: i64 = 3_600_000_000;

struct Client {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Client {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { clock: std::sync::Arc::new(|| NOW), ..Config::default() };
        change(&mut config);
        Self { simulator: Simulator::start(config).await.unwrap(), http: reqwest::Client::new() }
    }

    fn request(&self, method: &str, path: &str, version: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.simulator.url());
        let token = Config::default().token;
        self.http
            .request(Method::from_bytes(method.as_bytes()).unwrap(), url)
            .bearer_auth(token)
            .header("version", version)
    }

    /// Status and body, with the version that the path wants.
    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let version = if path.starts_with("/calendars") { "2021-04-15" } else { "2021-07-28" };
        let request = self.request(method, path, version);
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn contact(&self) -> Value {
        let body = json!({ "locationId": "loc_1", "firstName": "Ada", "email": "ada@example.com" });
        self.send("POST", "/contacts/upsert", body).await.1["contact"]["id"].clone()
    }

    async fn book(&self, start: &str) -> (u16, Value) {
        let contact = self.contact().await;
        let body =
            json!({ "calendarId": "cal_1", "locationId": "loc_1", "contactId": contact, "startTime": start });
        self.send("POST", "/calendars/events/appointments", body).await
    }
}

const START: &str = "2030-01-03T09:30:00+01:00";

#[tokio::test]
async fn tokens_versions_and_locations_are_checked() {
    let client = Client::new(|_| {}).await;
    let path = "/calendars/?locationId=loc_1";
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(client.request("GET", path, "2021-04-15")).await, 200);
    assert_eq!(status(client.request("GET", path, "2021-07-28")).await, 404, "the version of another part");
    let url = format!("{}{path}", client.simulator.url());
    assert_eq!(
        status(client.http.get(&url).bearer_auth("pit-wrong").header("version", "2021-04-15")).await,
        401
    );
    assert_eq!(client.send("GET", "/calendars/?locationId=loc_2", Value::Null).await.0, 403);
    assert_eq!(client.send("GET", "/calendars/", Value::Null).await.0, 422);
    let (_, location) = client.send("GET", "/locations/loc_1", Value::Null).await;
    assert_eq!(location["location"]["timezone"], "Europe/Warsaw");
}

#[tokio::test]
async fn a_slot_is_taken_once_and_only_in_its_own_words() {
    let client = Client::new(|_| {}).await;
    let slots = async || {
        let path = format!(
            "/calendars/cal_1/free-slots?startDate={}&endDate={}",
            NOW / 1_000,
            (NOW + 24 * HOUR) / 1_000
        );
        client.send("GET", &path, Value::Null).await.1
    };
    let before = slots().await;
    assert!(before["traceId"].is_string() && before["2030-01-03"]["slots"][1] == START, "{before}");
    let (status, refused) = client.book("2030-01-03T08:30:00Z").await;
    assert_eq!(
        (status, refused["message"].as_str()),
        (400, Some("The slot you have selected is no longer available."))
    );
    assert_eq!(client.book(START).await.0, 200);
    assert_eq!(client.book(START).await.0, 400, "taken");
    assert_eq!(client.book("2030-01-03T18:00:00+01:00").await.0, 400, "closed");
    assert!(!slots().await.to_string().contains(START));
    assert_eq!((client.simulator.appointments().len(), client.simulator.contacts().len()), (1, 1));
    let long = format!("/calendars/cal_1/free-slots?startDate=0&endDate={}", 32 * 86_400_000_i64);
    assert_eq!(client.send("GET", &long, Value::Null).await.0, 400);
}

#[tokio::test]
async fn appointments_are_moved_cancelled_and_deleted_in_place() {
    let client = Client::new(|_| {}).await;
    let (_, made) = client.book(START).await;
    assert!(made.get("dateUpdated").is_none(), "changes do not say when they happened");
    let path = format!("/calendars/events/appointments/{}", made["id"].as_str().unwrap());
    let moved = client.send("PUT", &path, json!({ "startTime": "2030-01-03T10:00:00+01:00" })).await;
    assert_eq!((moved.0, moved.1["endTime"].as_str()), (200, Some("2030-01-03T10:30:00+01:00")));
    let odd = client.send("PUT", &path, json!({ "appointmentStatus": "gone" })).await;
    assert!(odd.0 == 422 && odd.1["message"].is_array(), "{}", odd.1);
    client.send("PUT", &path, json!({ "appointmentStatus": "cancelled" })).await;
    let (_, shown) = client.send("GET", &path, Value::Null).await;
    assert_eq!(shown["event"]["appointmentStatus"], "cancelled");
    assert!(shown["event"]["dateUpdated"].as_str() > shown["event"]["dateAdded"].as_str());
    assert_eq!(client.book("2030-01-03T10:00:00+01:00").await.0, 200, "its time is free again");
    let events = format!(
        "/calendars/events?locationId=loc_1&startTime={}&endTime={}",
        NOW / 1_000,
        (NOW + 48 * HOUR) / 1_000
    );
    assert_eq!(client.send("GET", &events, Value::Null).await.0, 422);
    let (_, list) = client.send("GET", &format!("{events}&calendarId=cal_1"), Value::Null).await;
    assert_eq!(list["events"].as_array().unwrap().len(), 2, "cancelled ones are listed");
    let gone = client.send("DELETE", &path.replace("/appointments", ""), json!({})).await;
    assert_eq!((gone.0, &gone.1["succeeded"]), (201, &json!(true)));
    assert_eq!(client.send("GET", &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_blocked_slot_closes_its_calendar_until_it_is_deleted() {
    let client = Client::new(|_| {}).await;
    let body = json!({ "calendarId": "cal_1", "locationId": "loc_1", "title": "Busy", "startTime": START,
        "endTime": "2030-01-03T10:00:00+01:00" });
    let (status, block) = client.send("POST", "/calendars/events/block-slots", body).await;
    assert_eq!((status, &block["startTime"]), (201, &json!(START)));
    assert_eq!(client.book(START).await.0, 400);
    let blocked = |calendar: &str| {
        let (from, until) = (NOW / 1_000, (NOW + 48 * HOUR) / 1_000);
        format!(
            "/calendars/blocked-slots?locationId=loc_1&calendarId={calendar}&startTime={from}&endTime={until}"
        )
    };
    let (_, ours) = client.send("GET", &blocked("cal_1"), Value::Null).await;
    assert_eq!((&ours["events"][0]["id"], &ours["events"][0]["title"]), (&block["id"], &json!("Busy")));
    let (_, others) = client.send("GET", &blocked("cal_2"), Value::Null).await;
    assert_eq!(others["events"], json!([]));
    let path = format!("/calendars/events/{}", block["id"].as_str().unwrap());
    assert_eq!(client.send("DELETE", &path, json!({})).await.0, 201);
    assert_eq!(client.send("DELETE", &path, json!({})).await.0, 404);
    assert_eq!(client.book(START).await.0, 200);
}

#[tokio::test]
async fn contacts_are_found_again_and_paged() {
    let client = Client::new(|_| {}).await;
    let upsert = async |body: Value| client.send("POST", "/contacts/upsert", body).await;
    let first = upsert(json!({ "locationId": "loc_1", "firstName": "Ada", "email": "ada@example.com", "phone": "+48600100200" })).await;
    let again =
        upsert(json!({ "locationId": "loc_1", "firstName": "Eva", "email": "ADA@example.com" })).await;
    assert_eq!((&first.1["new"], &again.1["new"]), (&json!(true), &json!(false)));
    assert_eq!(first.1["contact"]["id"], again.1["contact"]["id"]);
    assert_eq!(
        (&again.1["contact"]["firstName"], &again.1["contact"]["phone"]),
        (&json!("Eva"), &json!("+48600100200"))
    );
    assert_eq!(upsert(json!({ "locationId": "loc_1", "firstName": "Nobody" })).await.0, 422);
    upsert(json!({ "locationId": "loc_1", "phone": "+48600100201" })).await;
    let search = async |more: Value| {
        let mut body = json!({ "locationId": "loc_1", "pageLimit": 1 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.send("POST", "/contacts/search", body).await.1
    };
    let one = search(json!({})).await;
    let two = search(json!({ "searchAfter": one["contacts"][0]["searchAfter"] })).await;
    let three = search(json!({ "searchAfter": two["contacts"][0]["searchAfter"] })).await;
    assert_ne!(one["contacts"][0]["id"], two["contacts"][0]["id"]);
    assert_eq!((one["total"].as_u64(), three["contacts"].as_array().map(Vec::len)), (Some(2), Some(0)));
}

#[tokio::test]
async fn messages_are_signed() {
    let client = Client::new(|config| config.signatures = Signatures::Both).await;
    let simulator = &client.simulator;
    let id = simulator.book_out_of_band("cal_1", NOW + 24 * HOUR).unwrap();
    simulator.move_out_of_band(&id, NOW + 25 * HOUR).unwrap();
    simulator.delete_out_of_band(&id).unwrap();
    let deliveries = simulator.take_deliveries();
    let kinds: Vec<Value> = deliveries
        .iter()
        .map(|d| serde_json::from_slice::<Value>(&d.body).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, ["AppointmentCreate", "AppointmentUpdate", "AppointmentDelete"]);
    let current = BASE64.decode(simulator.webhook_public_key()).unwrap();
    let legacy = BASE64.decode(simulator.legacy_webhook_public_key()).unwrap();
    for delivery in &deliveries {
        let signature =
            |name: &str| BASE64.decode(&delivery.headers.iter().find(|(n, _)| n == name).unwrap().1).unwrap();
        UnparsedPublicKey::new(&ED25519, &current)
            .verify(&delivery.body, &signature("x-ghl-signature"))
            .unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &legacy)
            .verify(&delivery.body, &signature("x-wh-signature"))
            .unwrap();
    }
    assert!(simulator.move_out_of_band(&id, NOW).is_err(), "it is gone");
}

#[tokio::test]
async fn too_many_requests_and_faults() {
    let client = Client::new(|_| {}).await;
    let list = async || client.request("GET", "/calendars/?locationId=loc_1", "2021-04-15").send().await;
    for _ in 0..100 {
        assert_eq!(list().await.unwrap().status(), 200);
    }
    let refused = list().await.unwrap();
    assert!(refused.status() == 429 && refused.headers()["x-ratelimit-interval-milliseconds"] == "10000");
    let client = Client::new(|config| config.rate_limit = false).await;
    client.simulator.script("POST /calendars/events/appointments", Fault::DropAfter);
    let contact = client.contact().await;
    let body =
        json!({ "calendarId": "cal_1", "locationId": "loc_1", "contactId": contact, "startTime": START });
    let path = "/calendars/events/appointments";
    let lost = client.request("POST", path, "2021-04-15").body(body.to_string()).send().await;
    assert!(lost.is_err() && client.simulator.active_appointments().len() == 1, "done, and nobody was told");
    client.simulator.script("GET /calendars", Fault::RateLimited { retry_after_seconds: Some(3) });
    let slow = client.request("GET", "/calendars/?locationId=loc_1", "2021-04-15").send().await.unwrap();
    assert!(slow.status() == 429 && slow.headers()["retry-after"] == "3");
}
