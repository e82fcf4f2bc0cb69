//! Where bookings take place: what an event type offers, what a booking chooses, and who is shown it.

use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type, refused};

const PATH: &str = "/api/booking";

fn locations() -> Value {
    json!({ "locations": [
        { "key": "office", "type": "in_person", "label": "Our office", "address": "Pier 1, Gdynia" },
        { "key": "call", "type": "phone" },
        { "key": "web", "type": "link", "url": "https://meet.example/room-1" },
    ] })
}

#[tokio::test]
async fn a_booking_chooses_where_it_is() {
    let api = Api::new().await;
    let offered = event_type(&api, locations()).await;
    let mut new = booking(&offered, "2026-11-24T09:00:00Z");
    for key in [Value::Null, json!("moon")] {
        new["location"] = key;
        let answer = api.send("POST", PATH, Some(&api.key), &[], new.clone()).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], "/location");
        assert!(answer.body["detail"].as_str().unwrap().contains("office, call, web"), "{}", answer.body);
    }
    new["location"] = json!("web");
    let made = api.ok("POST", PATH, new).await;
    assert_eq!(
        (&made["location"]["key"], &made["meeting_url"]),
        (&json!("web"), &json!("https://meet.example/room-1"))
    );
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let link = api.ok("GET", &format!("{path}/link"), Value::Null).await;
    let at = format!("/api/booking/manage/{}/invitation.ics", link["token"].as_str().unwrap());
    let invitation = async || api.send("GET", &at, None, &[], Value::Null).await.text.replace("\r\n ", "");
    let ics = invitation().await;
    for line in [
        "LOCATION:https://meet.example/room-1",
        "URL:https://meet.example/room-1",
        "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example/room-1",
    ] {
        assert!(ics.contains(line), "{line}: {ics}");
    }
    let moved = api.ok("PATCH", &path, json!({ "location": "office" })).await;
    assert_eq!(
        (&moved["location"]["address"], &moved["meeting_url"]),
        (&json!("Pier 1, Gdynia"), &Value::Null)
    );
    let ics = invitation().await;
    assert!(
        ics.contains("LOCATION:Pier 1\\, Gdynia")
            && !ics.contains("CONFERENCE")
            && ics.contains("SEQUENCE:1"),
        "{ics}"
    );
    let nowhere = api.send("PATCH", &path, Some(&api.key), &[], json!({ "location": null })).await;
    refused(&nowhere, 422, "BERTH-E0422");
    // What the event type offers later does not change what was promised.
    let of_type = format!("/api/booking/event-types/{}", offered.as_str().unwrap());
    api.ok("PATCH", &of_type, json!({ "policy": { "locations": null } })).await;
    assert_eq!(api.ok("GET", &path, Value::Null).await["location"]["key"], "office");
    let mut new = booking(&offered, "2026-11-24T10:00:00Z");
    new["location"] = json!("office");
    let answer = api.send("POST", PATH, Some(&api.key), &[], new).await;
    assert!(answer.body["detail"].as_str().unwrap().contains("offers no locations"), "{}", answer.body);
}

#[tokio::test]
async fn the_only_location_needs_no_choice() {
    let api = Api::new().await;
    let only = json!({ "locations": [{ "key": "call", "type": "phone", "phone": "+48600100200" }] });
    let offered = event_type(&api, only).await;
    let made = api.ok("POST", PATH, booking(&offered, "2026-11-24T09:00:00Z")).await;
    assert_eq!((&made["location"]["phone"], &made["meeting_url"]), (&json!("+48600100200"), &Value::Null));
    let of_type = format!("/api/booking/event-types/{}", offered.as_str().unwrap());
    for (location, field) in [
        (json!({ "key": "web", "type": "link", "url": "ftp://x.example" }), "/policy/locations/0/url"),
        (json!({ "key": "web", "type": "link" }), "/policy/locations/0/url"),
        (json!({ "key": "call", "type": "phone", "address": "Pier 1" }), "/policy/locations/0/address"),
    ] {
        let policy = json!({ "policy": { "locations": [location] } });
        let answer = api.send("PATCH", &of_type, Some(&api.key), &[], policy).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
}
