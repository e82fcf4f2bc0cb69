//! Bookings whose clocks show another time than was told.

use axum::http::StatusCode;
use berth_model::{bookings::clocks::Clocks, id::BookingId, time::Instant};
use serde_json::{Value, json};

use crate::{Api, booking, key};

#[tokio::test]
async fn what_a_law_changed_is_listed_and_the_tenant_chooses() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let tenant = api.world.caller.tenant;
    let mut ids = Vec::new();
    for (start, told) in [
        ("2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"),
        // As if clocks had shown an hour less when it was made.
        ("2026-11-24T10:00:00Z", "2026-11-24T09:00:00Z"),
        ("2026-11-24T12:00:00Z", "2026-11-24T11:00:00Z"),
    ] {
        let made = api.ok("POST", "/api/booking", booking(&event_type, start)).await;
        let id: BookingId = serde_json::from_value(made["id"].clone()).unwrap();
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let clocks = Clocks::at(at(told), "Europe/Warsaw".parse().unwrap(), "Europe/Warsaw").unwrap();
        api.world.store.set_clocks((tenant, id, at(start)), clocks, None).await.unwrap();
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let [_, stays, goes] = ids.as_slice() else { panic!() };
    let listed = async || api.ok("GET", "/api/booking/clock-changes", Value::Null).await["items"].clone();
    let both = listed().await;
    assert_eq!(
        (both[0]["booking_id"].as_str(), both[1]["booking_id"].as_str()),
        (Some(&**stays), Some(&**goes))
    );
    assert_eq!(
        (&both[0]["told"]["listing"], &both[0]["shows"]["listing"]["start"]),
        (&json!({ "zone": "Europe/Warsaw", "start": "2026-11-24T10:00:00" }), &json!("2026-11-24T11:00:00"))
    );
    // One by one: a page may have fewer and a next.
    let first = api.ok("GET", "/api/booking/clock-changes?limit=1", Value::Null).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let next = format!("/api/booking/clock-changes?limit=1&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(api.ok("GET", &next, Value::Null).await["items"][0]["booking_id"], json!(goes));

    let path = |id: &str| format!("/api/booking/{id}/clock");
    let weak = key(&api.world, tenant, &["bookings:read"]).await;
    let keep = |keep: &str| json!({ "keep": keep });
    let refused = api.send("POST", &path(stays), Some(&weak), &[], keep("instant")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let wrong = api.send("POST", &path(stays), Some(&api.key), &[], keep("sundial")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let kept = api.ok("POST", &path(stays), keep("instant")).await;
    assert_eq!(kept["start"], "2026-11-24T10:00:00Z");
    let moved = api.ok("POST", &path(goes), keep("customer_clock")).await;
    assert_eq!(moved["start"], "2026-11-24T11:00:00Z");
    assert_eq!(listed().await, json!([]));
    let again = api.send("POST", &path(stays), Some(&api.key), &[], keep("instant")).await;
    assert_eq!((again.status, again.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0411")));
    let steps = api.ok("GET", &format!("/api/booking/{stays}/timeline"), Value::Null).await;
    assert_eq!(steps["items"][1]["action"], "booking.clock_kept");
}
