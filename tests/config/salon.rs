//! A salon: three people, five services, three providers. From one document, and by hand with twelve calls, to the same end; then it is booked.

use std::sync::atomic::{AtomicUsize, Ordering};

use berth_simulators::{booksy, google, outlook};
use berth_tests::PATIENCE;
use serde_json::{Value, json};

use crate::{Scene, file};

const COMPONENTS: [&str; 3] = ["google-calendar", "outlook", "booksy"];
const CLIENT: &str = "booksy_test_client:booksy_test_not_a_real_secret";

struct Providers {
    google: google::Simulator,
    outlook: outlook::Simulator,
    booksy: booksy::Simulator,
}

impl Providers {
    async fn start() -> Self {
        Self {
            google: google::Simulator::start(google::Config::default()).await.unwrap(),
            outlook: outlook::Simulator::start(outlook::Config::default()).await.unwrap(),
            booksy: booksy::Simulator::start(booksy::Config {
                rate_limit: false,
                ..booksy::Config::default()
            })
            .await
            .unwrap(),
        }
    }

    async fn salon(&self) -> Scene {
        let urls = [self.google.url(), self.outlook.url(), self.booksy.url()];
        Scene::new(&urls.each_ref().map(String::as_str), &COMPONENTS).await
    }

    fn document(&self) -> String {
        file("salon.yaml")
            .replace("{{google}}", &self.google.api_url())
            .replace("{{outlook}}", &self.outlook.url())
            .replace("{{booksy}}", &self.booksy.url())
    }
}

/// The first time at which this can be booked, as somebody without a key sees it.
async fn first_slot(scene: &Scene, event_type: &str) -> String {
    let days = 86_400 * 1_000_000;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_micros()).unwrap();
    let at = |micros| berth_model::time::Instant::from_micros(micros).to_string();
    let path = format!(
        "/api/booking/availability?event_type_id={event_type}&time_zone=Europe/Warsaw&from={}&to={}",
        at(now + days),
        at(now + 7 * days)
    );
    let found = scene.process.get(&path).await;
    let slots =
        found["days"].as_array().into_iter().flatten().filter_map(|day| day["slots"].as_array()).flatten();
    let start = slots.filter_map(|slot| slot["start"].as_str()).next();
    start.unwrap_or_else(|| panic!("{found}")).to_owned()
}

async fn ids(scene: &Scene) -> Value {
    let page = scene.process.get("/api/booking/event-types?limit=50").await;
    let items = page["items"].as_array().unwrap().clone();
    items
        .into_iter()
        .map(|item| (item["slug"].as_str().unwrap().to_owned(), item["id"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn book(scene: &Scene, event_type: &str, more: Value) -> Value {
    let mut body = json!({ "event_type_id": event_type, "start": first_slot(scene, event_type).await,
        "attendee": { "name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw" } });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = scene.process.post("/api/booking", &body).await.unwrap();
    assert!(matches!(status, 201 | 202), "{status} {made}");
    made
}

/// What others do is waited for.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < end, "{what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salon_is_set_up_from_one_document_and_booked() {
    let providers = Providers::start().await;
    let scene = providers.salon().await;
    scene.write("salon.yaml", &providers.document());
    scene.write("outlook.token", "outlook_test_not_a_real_token\n");
    let environment = [("SALON_BOOKSY", CLIENT), ("SALON_GOOGLE", "ya29_test_not_a_real_token")];
    let key = &scene.process.key;
    let applied = scene.config_as(key, &["apply", "salon.yaml"], &environment);
    assert_eq!(applied.code, 0, "{applied:?}");
    let again = scene.config_as(key, &["apply", "salon.yaml"], &[]);
    assert_eq!((again.code, again.output.trim()), (0, "nothing to do"), "{again:?}");
    let exported = scene.config(&["export"]).output;
    for secret in ["booksy_test_not_a_real_secret", "ya29_test", "outlook_test"] {
        assert!(!exported.contains(secret), "{exported}");
    }
    assert!(exported.contains("env:BERTH_BOOKSY_CLIENT"), "{exported}");

    let ids = ids(&scene).await;
    let of = |slug: &str| ids[slug].as_str().unwrap().to_owned();
    let cut = book(&scene, &of("haircut"), json!({ "provider": "booksy" })).await;
    assert_eq!((&cut["provider"], &cut["status"]), (&json!("booksy"), &json!("confirmed")), "{cut}");
    assert_eq!(providers.booksy.bookings().len(), 1);
    let beard = book(&scene, &of("beard"), json!({})).await;
    until("Jan's calendar has the booking", || {
        providers.google.active_by_reference(beard["id"].as_str().unwrap()).len() == 1
    })
    .await;
    book(&scene, &of("nails"), json!({})).await;
    book(&scene, &of("colour"), json!({ "answers": { "allergies": "none" } })).await;
    book(&scene, &of("consultation"), json!({})).await;
    let bookings = scene.process.bookings().await;
    assert_eq!(bookings.len(), 5);
    assert!(bookings.iter().all(|booking| booking["status"] == "confirmed"), "{bookings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_hand_it_takes_twelve_calls() {
    let providers = Providers::start().await;
    let scene = providers.salon().await;
    let calls = AtomicUsize::new(0);
    let make = async |path: &str, body: Value| {
        calls.fetch_add(1, Ordering::Relaxed);
        let (status, made) = scene.process.post(path, &body).await.unwrap();
        assert_eq!(status, 201, "{path} {body}: {made}");
        made["id"].clone()
    };
    let zone = "Europe/Warsaw";
    let listing =
        make("/api/listings", json!({ "slug": "salon", "title": "Salon Ada", "time_zone": zone })).await;
    let week = |from: &str, to: &str| json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": from, "end": to }]);
    let person = |id: &str, name: &str, hours: Value| json!({ "user_id": id, "name": name, "time_zone": zone, "weekly_hours": hours });
    let mut ola = person("ola", "Ola", week("09:00", "17:00"));
    ola["role"] = json!("owner");
    ola["email"] = json!("ola@example.com");
    let ola = make("/api/booking/team", ola).await;
    let jan = make("/api/booking/team", person("jan", "Jan", week("09:00", "17:00"))).await;
    let iga = make("/api/booking/team", person("iga", "Iga", week("10:00", "18:00"))).await;
    let provider = |name: &str, provider: &str, token: &str, url: String| {
        json!({ "name": name, "provider": provider, "listing_id": listing, "credentials": { "oauth": token },
            "settings": { "base_url": url } })
    };
    let path = "/api/booking-providers";
    let url = providers.google.api_url();
    make(path, provider("Google Calendar", "google-calendar", "ya29_test_not_a_real_token", url)).await;
    let url = providers.outlook.url();
    make(path, provider("Outlook", "outlook", "outlook_test_not_a_real_token", url)).await;
    let booksy = make(
        "/api/booking-providers",
        json!({ "name": "Booksy", "provider": "booksy", "credentials": { "client": CLIENT },
        "settings": { "base_url": providers.booksy.url(), "business_id": "biz_1" } }),
    )
    .await;
    let offer = |slug: &str, title: &str, minutes: u32, members: Value, more: Value| {
        let mut body = json!({ "listing_id": listing, "slug": slug, "title": title, "length_minutes": minutes, "member_ids": members });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let there = |id: &str| json!([{ "connection_id": booksy, "external_id": id }]);
    let price = |minor: u32| json!({ "minor_units": minor, "currency": "PLN" });
    let path = "/api/booking/event-types";
    make(path, offer("haircut", "Haircut", 45, json!([ola]), json!({ "buffer_after_minutes": 10, "external": there("svc_1"), "policy": { "price": price(12_000) } }))).await;
    make(
        path,
        offer("consultation", "Consultation", 30, json!([ola]), json!({ "external": there("svc_2") })),
    )
    .await;
    make(path, offer("colour", "Colour", 90, json!([jan, iga]), json!({ "policy": { "price": price(25_000), "team_mode": "round_robin",
        "questions": [{ "key": "allergies", "label": "Are you allergic to anything?", "type": "text", "required": true }] } }))).await;
    make(path, offer("beard", "Beard", 20, json!([jan]), json!({}))).await;
    make(path, offer("nails", "Nails", 60, json!([iga]), json!({}))).await;
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls <= 12, "{calls} calls");

    // It is the same salon as the document's, but for what the tenant says of itself, and whose calendars are read.
    scene.write("salon.yaml", &providers.document());
    let different = scene.config(&["diff", "--prune", "salon.yaml"]);
    let titles: Vec<&str> = different.output.lines().filter(|line| !line.starts_with(' ')).collect();
    let expected = [
        "+ calendar \"default\" of iga over Outlook",
        "+ calendar \"primary\" of jan over Google Calendar",
        "~ tenant",
    ];
    assert_eq!(titles, expected, "{}", different.output);
    let ids = ids(&scene).await;
    let cut = book(&scene, ids["haircut"].as_str().unwrap(), json!({ "provider": "booksy" })).await;
    assert_eq!(cut["status"], "confirmed", "{cut}");
}
