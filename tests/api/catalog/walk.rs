//! A walk over listings, members and event types.

use serde_json::{Value, json};

use crate::{
    Api,
    http::public::{STUDIO, studio},
    mirror::out_of_time::Scene,
    walk::{Walk, at},
};

#[tokio::test]
async fn listings() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let made = json!({ "slug": "quay", "title": "Quay", "description": "By the water.", "time_zone": "Europe/Lisbon" });
    let made = walk.ask("POST", "/api/listings", made).await;
    walk.ask("POST", "/api/listings", json!({ "slug": "Quay!", "title": "", "time_zone": "Mars/Base" }))
        .await;
    let path = at("/api/listings", &made);
    walk.get(&path).await;
    walk.get("/api/listings").await;
    walk.ask("PATCH", &path, json!({ "title": "The quay", "time_zone": "Atlantic/Azores" })).await;
    walk.get(&format!("{path}/deletion")).await;
    walk.ask("DELETE", &path, Value::Null).await;
    walk.get(&path).await;
    walk.end("catalog", "listings");
}

#[tokio::test]
async fn members() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let hours = json!([{ "weekdays": ["Mon", "Tue"], "start": "09:00", "end": "17:00" }]);
    let made = json!({ "name": "Eve", "email": "eve@example.com", "time_zone": "Europe/Lisbon", "weekly_hours": hours,
        "role": "owner", "turns": { "priority": 3 } });
    walk.ask("POST", "/api/booking/team", made).await;
    let made = walk.ask("POST", "/api/booking/team", json!({ "name": "Ana", "time_zone": "UTC" })).await;
    walk.ask("POST", "/api/booking/team", json!({ "name": "", "time_zone": "UTC" })).await;
    let path = at("/api/booking/team", &made);
    walk.get(&path).await;
    walk.get("/api/booking/team").await;
    walk.ask("PATCH", &path, json!({ "name": "Ana Costa", "weekly_hours": hours })).await;
    walk.ask("DELETE", &path, Value::Null).await;
    walk.get(&path).await;
    walk.end("catalog", "members");
}

#[tokio::test]
async fn event_types() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "Europe/Lisbon" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let member = json!({ "name": "Eve", "time_zone": "UTC" });
    let member = api.ok("POST", "/api/booking/team", member).await["id"].clone();
    let path = "/api/booking/event-types";
    let new = json!({ "listing": listing, "slug": "talk", "title": "Talk", "length_minutes": 30, "members": [member],
        "buffer_after_minutes": 10, "policy": { "seats": 2, "confirmation": "manual" } });
    let made = walk.ask("POST", path, new.clone()).await;
    walk.ask("POST", path, new).await;
    let wrong =
        json!({ "listing": listing, "slug": "long", "title": "Long", "length_minutes": 0, "members": [] });
    walk.ask("POST", path, wrong).await;
    let of = at(path, &made);
    walk.get(&of).await;
    walk.get(path).await;
    walk.ask("PATCH", &of, json!({ "title": "A talk", "length_minutes": 45 })).await;
    walk.ask("POST", &format!("{of}/duplicate"), json!({ "slug": "talk-2" })).await;
    walk.get(&format!("{of}/deletion")).await;
    walk.ask("DELETE", &of, Value::Null).await;
    walk.get(&of).await;
    walk.end("catalog", "event_types");
}

#[tokio::test]
async fn private_links() {
    let (api, offered) = studio(json!({})).await;
    let mut walk = Walk::over(&api).await;
    let path = "/api/booking/private-links";
    let new = json!({ "event_type_id": offered, "name": "Ada Nowak", "expires_at": "2026-12-24T00:00:00Z" });
    let made = walk.ask("POST", path, new).await;
    walk.ask("POST", path, json!({ "event_type_id": offered, "name": "" })).await;
    let of = at(path, &made);
    walk.get(&of).await;
    walk.get(&format!("{path}?event_type_id={}", offered.as_str().unwrap())).await;
    walk.open("GET", &format!("{STUDIO}/links/{}", made["token"].as_str().unwrap()), Value::Null).await;
    walk.ask("DELETE", &of, Value::Null).await;
    walk.get(&of).await;
    walk.end("catalog", "private_links");
}

#[tokio::test(flavor = "multi_thread")]
async fn links() {
    let scene = Scene::new(false).await;
    let mut walk = Walk::over(&scene.api).await;
    let path = format!("/api/booking/event-types/{}/links", scene.event_type.as_str().unwrap());
    walk.ask("POST", &path, json!({ "name": "Ada Nowak" })).await;
    walk.ask("POST", &path, json!({ "name": "Ada Nowak", "single_use": false })).await;
    walk.ask("POST", &path, json!({ "name": "Ada Nowak", "provider": "builtin" })).await;
    let path = format!("/api/booking-providers/{}/resolve-link", scene.connection);
    walk.ask("POST", &path, json!({ "url": "https://reference.example/consultation" })).await;
    walk.ask("POST", &path, json!({ "url": "https://reference.example/nothing" })).await;
    walk.end("catalog", "links");
}

#[tokio::test]
async fn public() {
    let (api, offered) = studio(json!({ "brand": { "accent": "#1a7f5a" } })).await;
    let mut walk = Walk::over(&api).await;
    let id = offered.as_str().unwrap();
    walk.open("GET", STUDIO, Value::Null).await;
    walk.open("GET", "/api/public/nobody", Value::Null).await;
    walk.open("GET", &format!("{STUDIO}/listings/studio"), Value::Null).await;
    walk.open("GET", &format!("{STUDIO}/event-types/{id}"), Value::Null).await;
    let slots = format!(
        "{STUDIO}/availability?event_type_id={id}&from=2026-11-24T09:00:00Z&to=2026-11-24T10:00:00Z&time_zone=Europe/Lisbon"
    );
    walk.open("GET", &slots, Value::Null).await;
    let hold = json!({ "event_type_id": offered, "start": "2026-11-24T09:00:00Z" });
    let held = walk.open("POST", &format!("{STUDIO}/holds"), hold).await;
    let of = at(&format!("{STUDIO}/holds"), &held);
    let token = json!({ "token": held["token"] });
    walk.open("POST", &format!("{of}/extend"), token.clone()).await;
    walk.open("POST", &format!("{of}/release"), token).await;
    let person = json!({ "name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw" });
    let new = json!({ "event_type_id": offered, "start": "2026-11-24T09:00:00Z", "attendee": person });
    walk.open("POST", &format!("{STUDIO}/bookings"), new.clone()).await;
    walk.open("POST", &format!("{STUDIO}/bookings"), new).await;
    walk.end("catalog", "public");
}
