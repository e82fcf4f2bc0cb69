//! A walk over bookings: each by itself, in series, held, by their customers, and on other clocks.

use berth_model::{bookings::clocks::Clocks, id::BookingId, time::Instant};
use serde_json::{Value, json};

use crate::{
    Api, booking,
    bookings::event_type,
    walk::{Walk, at},
};

const PATH: &str = "/api/booking";

#[tokio::test]
async fn bookings() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({ "confirmation": "manual" })).await;
    let mut new = booking(&offered, "2026-11-24T09:00:00Z");
    new["guests"] = json!(["bea@example.com"]);
    new["notes"] = json!("By the door.");
    let made = walk.ask("POST", PATH, new.clone()).await;
    walk.ask("POST", PATH, new).await;
    let of = at(PATH, &made);
    walk.ask("POST", &format!("{of}/confirm"), Value::Null).await;
    walk.get(&of).await;
    walk.get(PATH).await;
    walk.get(&format!("{PATH}?q=ada&status=confirmed&sort=-start&expand=event_type,member,listing,customer"))
        .await;
    walk.get(&format!("{PATH}/counts?from=2026-11-24&to=2026-11-25&time_zone=Europe/Warsaw")).await;
    walk.ask("POST", &format!("{of}/reschedule"), json!({ "start": "2026-11-24T10:00:00Z" })).await;
    walk.ask("POST", &format!("{of}/no-show"), Value::Null).await;
    let day_ms = 24 * 3_600_000;
    api.world.clock.advance_ms(2 * day_ms);
    walk.ask("POST", &format!("{of}/no-show"), Value::Null).await;
    walk.ask("PATCH", &of, json!({ "notes": "Late." })).await;
    walk.get(&format!("{of}/timeline")).await;
    let made = api.ok("POST", PATH, booking(&offered, "2026-11-27T09:00:00Z")).await;
    walk.ask("POST", &format!("{}/decline", at(PATH, &made)), json!({ "reason": "Closed" })).await;
    let made = api.ok("POST", PATH, booking(&offered, "2026-11-27T09:00:00Z")).await;
    walk.ask("POST", &format!("{}/cancel", at(PATH, &made)), json!({ "reason": "Ill" })).await;
    walk.ask("POST", &format!("{}/confirm", at(PATH, &made)), Value::Null).await;
    walk.end("bookings", "bookings");
}

#[tokio::test]
async fn changes() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({})).await;
    let of_type = format!("/api/booking/event-types/{}", offered.as_str().unwrap());
    let eve = api.ok("GET", &of_type, Value::Null).await["member_ids"][0].clone();
    let hours = json!([{ "weekdays": ["Tue"], "start": "09:00", "end": "12:00" }]);
    let bob = json!({ "name": "Bob", "time_zone": "UTC", "weekly_hours": hours });
    let bob = api.ok("POST", "/api/booking/team", bob).await["id"].clone();
    api.ok("PATCH", &of_type, json!({ "members": [eve, bob] })).await;
    let mut new = booking(&offered, "2026-11-24T09:00:00Z");
    new["member"] = eve;
    let made = api.ok("POST", PATH, new).await;
    let of = at(PATH, &made);
    let patch = json!({ "notes": "By the ramp.", "metadata": { "order": "17" }, "attendee": { "phone": "+48600100200" } });
    walk.ask("PATCH", &of, patch).await;
    walk.ask("PATCH", &of, json!({ "guests": ["ada@example.com"] })).await;
    walk.ask("POST", &format!("{of}/guests"), json!({ "guests": ["bea@example.com"] })).await;
    walk.ask("DELETE", &format!("{of}/guests?email=bea@example.com"), Value::Null).await;
    walk.ask("POST", &format!("{of}/reassign"), json!({ "member_id": bob })).await;
    walk.ask("POST", &format!("{of}/cancel"), json!({})).await;
    walk.ask("POST", &format!("{of}/reassign"), json!({})).await;
    walk.end("bookings", "changes");
}

#[tokio::test]
async fn bulk() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({})).await;
    let made = api.ok("POST", PATH, booking(&offered, "2026-11-24T09:00:00Z")).await;
    let bulk = format!("{PATH}/bulk");
    let mut change =
        json!({ "mode": "preview", "action": "move", "booking_ids": [made["id"]], "by_days": 1 });
    walk.ask("POST", &bulk, change.clone()).await;
    // The digest is of this moment.
    let seen = api.ok("POST", &bulk, change.clone()).await;
    (change["mode"], change["digest"]) = (json!("apply"), seen["digest"].clone());
    let accepted = walk.ask("POST", &bulk, change.clone()).await;
    while api.world.engine.jobs.run_due_jobs(10).await.unwrap() > 0 {}
    walk.get(&at(&bulk, &accepted)).await;
    walk.get(&bulk).await;
    change["digest"] = json!("1.0");
    walk.ask("POST", &bulk, change).await;
    walk.end("bookings", "bulk");
}

#[tokio::test]
async fn series() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({})).await;
    api.ok("POST", PATH, booking(&offered, "2026-12-01T09:00:00Z")).await;
    let mut new = booking(&offered, "2026-11-24T09:00:00Z");
    new["recurrence"] = json!({ "every_weeks": 1, "count": 3 });
    walk.ask("POST", PATH, new.clone()).await;
    new["recurrence"]["mode"] = json!("best_effort");
    let made = walk.ask("POST", PATH, new).await;
    let of = at(PATH, &made["done"][0]);
    let later = json!({ "start": "2026-11-24T10:00:00Z", "scope": "series" });
    walk.ask("POST", &format!("{of}/reschedule"), later).await;
    walk.ask("POST", &format!("{of}/cancel"), json!({ "scope": "series" })).await;
    walk.end("bookings", "series");
}

#[tokio::test]
async fn holds() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({})).await;
    let path = "/api/booking/holds";
    let new = json!({ "event_type": offered, "start": "2026-11-24T09:00:00Z", "seconds": 120 });
    let made = walk.ask("POST", path, new.clone()).await;
    walk.ask("POST", path, new).await;
    let of = at(path, &made);
    walk.get(&of).await;
    let more = json!({ "token": made["token"], "seconds": 600 });
    walk.ask("POST", &format!("{of}/extend"), more).await;
    walk.ask("DELETE", &of, Value::Null).await;
    walk.get(&of).await;
    walk.end("bookings", "holds");
}

#[tokio::test]
async fn manage() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({})).await;
    let made = api.ok("POST", PATH, booking(&offered, "2026-11-24T09:00:00Z")).await;
    let link = walk.get(&format!("{}/link", at(PATH, &made))).await;
    let of = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    walk.open("GET", &of, Value::Null).await;
    walk.open("GET", &format!("{of}/invitation.ics"), Value::Null).await;
    walk.open("POST", &format!("{of}/reschedule"), json!({ "start": "2026-11-24T10:00:00Z" })).await;
    walk.open("POST", &format!("{of}/cancel"), json!({ "reason": "Ill" })).await;
    walk.open("GET", "/api/booking/manage/nobodys", Value::Null).await;
    walk.end("bookings", "manage");
}

#[tokio::test]
async fn clock_changes() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = event_type(&api, json!({})).await;
    let made = api.ok("POST", PATH, booking(&offered, "2026-11-24T10:00:00Z")).await;
    // As if clocks had shown an hour less when it was made.
    let at_instant = |text: &str| text.parse::<Instant>().unwrap();
    let told =
        Clocks::at(at_instant("2026-11-24T09:00:00Z"), "Europe/Warsaw".parse().unwrap(), "Europe/Warsaw");
    let id: BookingId = serde_json::from_value(made["id"].clone()).unwrap();
    let of = (api.world.caller.tenant, id, at_instant("2026-11-24T10:00:00Z"));
    api.world.store.set_clocks(of, told.unwrap(), None).await.unwrap();
    walk.get("/api/booking/clock-changes").await;
    let path = format!("{}/clock", at(PATH, &made));
    walk.ask("POST", &path, json!({ "keep": "customer_clock" })).await;
    walk.ask("POST", &path, json!({ "keep": "instant" })).await;
    walk.end("bookings", "clock_changes");
}
