//! A walk over members' own calendars, invitations and feeds.

use serde_json::{Value, json};

use crate::{
    Api, booking,
    shop::{connect_outlook, with_outlook},
    walk::{Walk, at},
};

#[tokio::test(flavor = "multi_thread")]
async fn connected() {
    let (api, simulator) = with_outlook().await;
    let mut walk = Walk::over(&api).await;
    let connection = connect_outlook(&api, &simulator).await;
    let member = json!({ "name": "Ana", "time_zone": "UTC" });
    let member = api.ok("POST", "/api/booking/team", member).await["id"].clone();
    let path = "/api/booking/calendar/integrations";
    let new = |calendar: &str| json!({ "member": member, "connection": connection, "calendar": calendar, "writes": true });
    let made = walk.ask("POST", path, new("default")).await;
    walk.ask("POST", path, new("nobodys")).await;
    let of = at(path, &made);
    walk.get(&of).await;
    walk.get(path).await;
    walk.ask("PATCH", &of, json!({ "writes": false })).await;
    walk.ask("POST", &format!("{of}/sync"), Value::Null).await;
    walk.ask("DELETE", &of, Value::Null).await;
    walk.get(&of).await;
    walk.end("calendars", "connected");
}

#[tokio::test]
async fn feeds() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = api.world.offer(None, None).await;
    let made = api.ok("POST", "/api/booking", booking(&json!(offered.id), "2026-11-24T09:00:00Z")).await;
    walk.get(&format!("{}/invitation.ics", at("/api/booking", &made))).await;
    for path in [
        format!("/api/booking/team/{}/feed", offered.members[0]),
        format!("/api/listings/{}/feed", offered.listing),
    ] {
        let feed = walk.ask("PUT", &path, Value::Null).await;
        let token = feed["url"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
        walk.open("GET", &format!("/api/booking/feed.ics?token={token}"), Value::Null).await;
        walk.ask("DELETE", &path, Value::Null).await;
        walk.open("GET", &format!("/api/booking/feed.ics?token={token}"), Value::Null).await;
    }
    walk.end("calendars", "feeds");
}
