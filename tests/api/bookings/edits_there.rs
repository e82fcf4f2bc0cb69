//! Changing what is written on bookings that a provider has, and whom they are with: delivered there, or refused with the way to it.

use std::sync::Arc;

use axum::http::StatusCode;
use berth_model::time::Clock as _;
use berth_simulators::google;
use berth_tests::{TestClock, World, component};
use serde_json::{Value, json};

use crate::{Answer, Api, booking, refused, shop};

const PATH: &str = "/api/booking";

struct There {
    api: Api,
    connection: String,
    /// Path of a booking that the provider has.
    path: String,
    event_type: Value,
}

/// A booking over a connection to this provider.
async fn there(api: Api, connection: berth_model::id::ConnectionId, external_id: &str, start: &str) -> There {
    let event_type = json!(api.world.offer_as("annex", Some(connection), Some(external_id)).await.id);
    let made = api.ok("POST", PATH, booking(&event_type, start)).await;
    assert!(made["external_id"].is_string() && made["provider_task"].is_null(), "{made}");
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    There { api, connection: connection.to_string(), path, event_type }
}

async fn reference() -> There {
    let api = Api::new().await;
    api.world.install(component("reference")).await;
    let connection = api.world.connect("reference", json!({}), "reference_not_a_real_key").await;
    there(api, connection, "consultation", "2026-11-24T09:00:00Z").await
}

impl There {
    async fn patched(&self, body: Value) -> Answer {
        self.api.send("PATCH", &self.path, Some(&self.api.key), &[], body).await
    }

    async fn reassigned(&self, body: Value) -> Answer {
        self.api.send("POST", &format!("{}/reassign", self.path), Some(&self.api.key), &[], body).await
    }

    async fn actions(&self) -> Vec<String> {
        let steps = self.api.ok("GET", &format!("{}/timeline", self.path), Value::Null).await;
        steps["items"].as_array().unwrap().iter().map(|s| s["action"].as_str().unwrap().to_owned()).collect()
    }

    /// Another member, who can be booked for it.
    async fn bob(&self) -> Value {
        let hours = json!([{ "weekdays": ["Tue"], "start": "09:00", "end": "12:00" }]);
        let new = json!({ "name": "Bob", "time_zone": "UTC", "weekly_hours": hours });
        let bob = self.api.ok("POST", "/api/booking/team", new).await["id"].clone();
        let of_type = format!("/api/booking/event-types/{}", self.event_type.as_str().unwrap());
        let members = self.api.ok("GET", &of_type, Value::Null).await["member_ids"].clone();
        self.api.ok("PATCH", &of_type, json!({ "members": [members[0], bob] })).await;
        bob
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_delivered_to_a_provider_that_can_be_told() {
    let t = reference().await;
    let done = t
        .patched(json!({
            "notes": "By the door", "guests": ["bea@example.com"], "attendee": { "name": "Ada Kos" },
            "metadata": { "order": "17" },
        }))
        .await;
    let b = &done.body;
    assert_eq!(
        (done.status, &b["notes"], &b["attendee"]["name"]),
        (StatusCode::OK, &json!("By the door"), &json!("Ada Kos")),
        "{b}"
    );
    assert_eq!((&b["local_changes"], &b["provider_task"]), (&json!([]), &Value::Null));
    assert!(
        t.actions().await.ends_with(&["booking.edited".to_owned(), "booking.update_delivered".to_owned()])
    );
    // The next reading finds nothing that differs, and the reconciliation, too.
    t.api.ok("POST", &format!("/api/booking-providers/{}/sync", t.connection), json!({})).await;
    t.api.world.engine.jobs.run_due_jobs(20).await.unwrap();
    let conflicts = t.api.ok("GET", "/api/admin/reference/conflicts", Value::Null).await;
    assert_eq!(conflicts["items"], json!([]));
    assert_eq!(t.api.ok("GET", &t.path, Value::Null).await["notes"], "By the door");

    // What only a person can do there.
    let refusal = t.patched(json!({ "notes": "not by API" })).await;
    refused(&refusal, 422, "BERTH-E0504");
    let url = refusal.body["url"].as_str().unwrap();
    assert!(url.starts_with("https://reference.example/bookings/"), "{}", refusal.body);
    assert!(refusal.body["hint"].as_str().unwrap().contains("local_only"), "{}", refusal.body);
    let now = t.api.ok("GET", &t.path, Value::Null).await;
    assert_eq!(now["notes"], "By the door", "it is as both sides had it");
    assert!(now["reason"].as_str().unwrap().contains("https://reference.example"), "{now}");
    assert!(t.actions().await.contains(&"booking.update_refused".to_owned()));
    let here = t.patched(json!({ "notes": "not by API", "local_only": true })).await;
    assert_eq!(
        (here.status, &here.body["local_changes"]),
        (StatusCode::OK, &json!(["notes"])),
        "{}",
        here.body
    );
    // And what is delivered later differs no more.
    let told = t.patched(json!({ "notes": "At the gate" })).await;
    assert_eq!((told.status, &told.body["local_changes"]), (StatusCode::OK, &json!([])), "{}", told.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_given_to_whoever_the_provider_knows() {
    let t = reference().await;
    let bob = t.bob().await;
    let unknown = t.reassigned(json!({ "member_id": bob })).await;
    refused(&unknown, 422, "BERTH-E0565");
    assert_eq!(unknown.body["member_id"], bob);
    let calendar = |id: &str| json!({ "member_id": bob, "connection_id": t.connection, "calendar": id, "reads": true, "writes": false });
    let connect = "/api/booking/calendar/integrations";
    let busy = t.api.ok("POST", connect, calendar("busy")).await;
    refused(&t.reassigned(json!({ "member_id": bob })).await, 409, "BERTH-E0410");
    let now = t.api.ok("GET", &t.path, Value::Null).await;
    assert_ne!(now["member_id"], bob, "{now}");
    assert!(t.actions().await.contains(&"booking.reassign_refused".to_owned()));
    let at = format!("{connect}/{}", busy["id"].as_str().unwrap());
    t.api.send("DELETE", &at, Some(&t.api.key), &[], Value::Null).await;
    t.api.ok("POST", connect, calendar("bob")).await;
    let given = t.reassigned(json!({ "member_id": bob })).await;
    assert_eq!((given.status, &given.body["member_id"]), (StatusCode::OK, &bob), "{}", given.body);
    assert_eq!((&given.body["local_changes"], &given.body["provider_task"]), (&json!([]), &Value::Null));
    let actions = t.actions().await;
    assert!(actions.contains(&"booking.reassign_delivered".to_owned()), "{actions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_shows_what_is_written_and_keeps_its_owner() {
    let (api, simulator) = shop::with_outlook().await;
    let connection = shop::connect_outlook(&api, &simulator).await;
    let t = there(api, connection, "default", "2026-11-24T09:00:00Z").await;
    let done = t.patched(json!({ "notes": "By the door", "guests": ["bea@example.com"] })).await;
    assert_eq!((done.status, &done.body["local_changes"]), (StatusCode::OK, &json!([])), "{}", done.body);
    let events = simulator.events();
    let [event] = &events[..] else { panic!("{events:?}") };
    let people: Vec<&str> =
        event.attendees.iter().map(|a| a["emailAddress"]["address"].as_str().unwrap()).collect();
    assert_eq!(people, ["ada@example.com", "bea@example.com"]);
    assert!(event.content["content"].as_str().unwrap().ends_with("By the door"), "{}", event.content);
    let bob = t.bob().await;
    let connect = "/api/booking/calendar/integrations";
    let calendar = json!({ "member_id": bob, "connection_id": t.connection, "calendar": "bob@example.com", "reads": true, "writes": false });
    t.api.send("POST", connect, Some(&t.api.key), &[], calendar).await;
    let refusal = t.reassigned(json!({ "member_id": bob })).await;
    assert_eq!(refusal.status.as_u16(), 422, "{}", refusal.body);
}

/// Where people meet is in the booking, in the invitation and in the member's feed.
async fn shows_where_people_meet(t: &There, url: &str) {
    let now = t.api.ok("GET", &t.path, Value::Null).await;
    let shown = now["meeting_url"].as_str().unwrap_or_default();
    assert!(shown.starts_with(url), "{now}");
    let link = t.api.ok("GET", &format!("{}/link", t.path), Value::Null).await;
    let invitation = format!("/api/booking/manage/{}/invitation.ics", link["token"].as_str().unwrap());
    let feed = format!("/api/booking/team/{}/feed", now["member_id"].as_str().unwrap());
    let feed = t.api.ok("PUT", &feed, Value::Null).await;
    let feed = format!("/api/booking/feed.ics?token={}", feed["token"].as_str().unwrap());
    for at in [invitation, feed] {
        let ics = t.api.send("GET", &at, None, &[], Value::Null).await.text.replace("\r\n ", "");
        assert!(ics.contains(&format!("CONFERENCE;VALUE=URI;FEATURE=VIDEO:{shown}")), "{at}: {ics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_gives_to_meet_is_shown_wherever_people_look() {
    let shop = shop::Shop::new(7).await;
    let made = shop.book("2026-11-24T09:00:00Z").await;
    let path = shop::of(&made);
    let connection = shop.connection.rsplit('/').next().unwrap().to_owned();
    let t = There { api: shop.api, connection, path, event_type: shop.event_type };
    shows_where_people_meet(&t, "https://app.cal.com/video/").await;
    // Another place, and more guests, are delivered; fewer are for a person.
    let of_type = format!("/api/booking/event-types/{}", t.event_type.as_str().unwrap());
    let office = json!({ "key": "office", "type": "in_person", "address": "Pier 1" });
    let video = json!({ "key": "video", "type": "provider" });
    t.api.ok("PATCH", &of_type, json!({ "policy": { "locations": [office, video] } })).await;
    let moved = t.patched(json!({ "location": "office" })).await;
    assert_eq!((moved.status, &moved.body["local_changes"]), (StatusCode::OK, &json!([])), "{}", moved.body);
    let guests = |list: Value| json!({ "guests": list });
    let more = t.patched(guests(json!(["bea@example.com", "cleo@example.com"]))).await;
    assert_eq!((more.status, &more.body["local_changes"]), (StatusCode::OK, &json!([])), "{}", more.body);
    let at_provider = shop.provider.bookings();
    assert_eq!(
        (at_provider[0].location.as_deref(), at_provider[0].guests.len()),
        (Some("Pier 1"), 2),
        "{at_provider:?}"
    );
    let fewer = t.patched(guests(json!(["bea@example.com"]))).await;
    refused(&fewer, 422, "BERTH-E0504");
    assert!(
        fewer.body["url"].as_str().unwrap().starts_with("https://app.cal.com/booking/"),
        "{}",
        fewer.body
    );
    refused(&t.patched(json!({ "notes": "x" })).await, 422, "BERTH-E0504");

    let (api, simulator) = shop::with_outlook().await;
    let settings = json!({ "base_url": simulator.url(), "online_meeting": true });
    let token = berth_simulators::outlook::Config::default().access_token;
    let connection = api.world.connect_with("outlook", settings, "oauth", &token).await;
    let t = there(api, connection, "default", "2026-11-24T09:00:00Z").await;
    shows_where_people_meet(&t, "https://teams.example.com/").await;
    // The way into the meeting stands in the text of the event, which is for people therefore.
    refused(&t.patched(json!({ "notes": "x" })).await, 422, "BERTH-E0504");

    let clock = TestClock::start();
    let shown = clock.clone();
    let config =
        google::Config { clock: Arc::new(move || shown.now().micros()), ..google::Config::default() };
    let token = config.access_token.clone();
    let simulator = google::Simulator::start(config).await.unwrap();
    let world = World::new(9, clock, &[simulator.url().trim_start_matches("http://")]).await;
    world.install(component("google-calendar")).await;
    let settings = json!({ "base_url": simulator.api_url(), "meet": true });
    let connection = world.connect_with("google-calendar", settings, "oauth", &token).await;
    let t = there(Api::over(world).await, connection, "primary", "2026-11-24T09:00:00Z").await;
    shows_where_people_meet(&t, "https://meet.google.com/").await;
    let noted = t.patched(json!({ "notes": "By the door", "guests": ["bea@example.com"] })).await;
    assert_eq!((noted.status, &noted.body["local_changes"]), (StatusCode::OK, &json!([])), "{}", noted.body);
    assert_eq!(noted.body["meeting_url"], t.api.ok("GET", &t.path, Value::Null).await["meeting_url"]);
}
