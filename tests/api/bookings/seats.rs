//! Seats of one meeting.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type, events::feed::kinds, key, refused};

/// Hundreds of clients want the seats of one meeting, hold them, or want all of a series.
#[tokio::test]
async fn a_storm_gets_as_many_seats_as_there_are() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "seats": 7 })).await;
    let start = "2026-11-24T09:00:00Z";
    let send = async |n: usize| match n % 3 {
        0 => api.send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, start)).await,
        1 => {
            let body = json!({ "event_type": event_type, "start": start });
            api.send("POST", "/api/booking/holds", Some(&api.key), &[], body).await
        }
        _ => {
            let mut body = booking(&event_type, start);
            body["recurrence"] = json!({ "rrule": "FREQ=DAILY;COUNT=2" });
            api.send("POST", "/api/booking", Some(&api.key), &[], body).await
        }
    };
    let answers = futures_util::future::join_all((0..210).map(send)).await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 7);
    let refused = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!(
        refused,
        203,
        "nobody anything else: {:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
}

async fn seats_left(api: &Api, event_type: &Value, start: &str) -> Value {
    let path = format!(
        "/api/booking/availability?event_type_id={}&from=2026-11-24T00:00:00Z&to=2026-11-26T00:00:00Z&time_zone=UTC",
        event_type.as_str().unwrap()
    );
    let days = api.ok("GET", &path, Value::Null).await["days"].clone();
    let slots = days.as_array().unwrap().iter().flat_map(|day| day["slots"].as_array().unwrap());
    let slot = slots.into_iter().find(|slot| slot["start"] == start);
    slot.map_or(json!(0), |slot| slot["seats_left"].clone())
}

#[tokio::test]
async fn a_booking_takes_more_seats_later_and_fewer() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "seats": 7 })).await;
    let (start, later) = ("2026-11-24T09:00:00Z", "2026-11-24T11:00:00Z");
    let made = api.ok("POST", "/api/booking", booking(&event_type, start)).await;
    let path = format!("/api/booking/{}", made["id"].as_str().unwrap());
    let patch = async |headers: &[(&str, &str)], body: Value| {
        api.send("PATCH", &path, Some(&api.key), headers, body).await
    };
    assert_eq!((&made["seats_taken"], seats_left(&api, &event_type, start).await), (&json!(1), json!(6)));

    let more = patch(&[("if-match", "\"0\"")], json!({ "seats": 4, "notes": "A class" })).await;
    assert_eq!(
        (more.status, &more.body["seats_taken"], &more.body["notes"]),
        (StatusCode::OK, &json!(4), &json!("A class"))
    );
    assert_eq!(more.headers["etag"], "\"1\"");
    assert_eq!(seats_left(&api, &event_type, start).await, 3);
    refused(&patch(&[("if-match", "\"0\"")], json!({ "seats_taken": 5 })).await, 412, "BERTH-E0415");
    let same = patch(&[], json!({ "seats_taken": 4 })).await;
    assert_eq!(same.headers["etag"], "\"1\"", "no change");

    // Others fill it: what is left is too little, and nothing of the change is done.
    let mut other = booking(&event_type, start);
    other["attendee"]["email"] = json!("bea@example.com");
    let other = api.ok("POST", "/api/booking", other).await;
    let full = patch(&[], json!({ "seats_taken": 7, "notes": "Too many" })).await;
    refused(&full, 409, "BERTH-E0410");
    assert_eq!(full.body["reason"], "seats");
    assert_eq!(
        (
            api.ok("GET", &path, Value::Null).await["notes"].clone(),
            seats_left(&api, &event_type, start).await
        ),
        (json!("A class"), json!(2))
    );
    for (seats, status, field) in [
        (json!(0), 422, "/seats_taken"),
        (json!(8), 422, "/seats_taken"),
        (json!(u32::MAX), 422, "/seats_taken"),
        (json!(-1), 400, "/seats_taken"),
        (json!(1.5), 400, "/seats_taken"),
        (json!("2"), 400, "/seats_taken"),
    ] {
        let answer = patch(&[], json!({ "seats_taken": seats })).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str()),
            (status, Some(field)),
            "{seats}: {}",
            answer.body
        );
    }

    // All of them move, and what was had before is free.
    let moved = api.ok("POST", &format!("{path}/reschedule"), json!({ "start": later })).await;
    assert_eq!(moved["seats_taken"], 4);
    assert_eq!(
        (seats_left(&api, &event_type, start).await, seats_left(&api, &event_type, later).await),
        (json!(6), json!(3))
    );
    let fewer = patch(&[], json!({ "seats_taken": 2 })).await;
    assert_eq!((fewer.status, seats_left(&api, &event_type, later).await), (StatusCode::OK, json!(5)));
    let steps = api.ok("GET", &format!("{path}/timeline"), Value::Null).await;
    let edits: Vec<&Value> = steps["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["action"] == "booking.edited")
        .map(|step| &step["data"])
        .collect();
    assert_eq!(
        (&edits[0]["changed"], &edits[0]["seats_taken"]),
        (&json!(["notes", "seats_taken"]), &json!(4))
    );
    api.world.engine.events.place_events().await.unwrap();
    let told = api.ok("GET", "/api/events?limit=200", Value::Null).await;
    assert_eq!(kinds(&told).iter().filter(|kind| **kind == "booking.updated").count(), 2, "{told}");
    api.ok("POST", &format!("{path}/cancel"), json!({})).await;
    assert_eq!(seats_left(&api, &event_type, later).await, 7);
    refused(&patch(&[], json!({ "seats_taken": 1 })).await, 409, "BERTH-E0562");

    // Twice at the same time: one of both is first, and no seat is taken twice.
    let path = format!("/api/booking/{}", other["id"].as_str().unwrap());
    let third = api.ok("POST", "/api/booking", booking(&event_type, start)).await;
    let third = format!("/api/booking/{}", third["id"].as_str().unwrap());
    let take = async |path: &str| {
        api.send("PATCH", path, Some(&api.key), &[], json!({ "seats_taken": 5 })).await.status.as_u16()
    };
    let both = tokio::join!(take(&path), take(&third));
    assert!([(200, 409), (409, 200)].contains(&both), "{both:?}");
    assert_eq!(seats_left(&api, &event_type, start).await, 1);
}

#[tokio::test]
async fn a_meeting_of_ones_own_has_no_seats_to_take() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({})).await;
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let path = format!("/api/booking/{}", made["id"].as_str().unwrap());
    let answer = api.send("PATCH", &path, Some(&api.key), &[], json!({ "seats_taken": 2 })).await;
    refused(&answer, 422, "BERTH-E0422");
    assert_eq!(answer.body["errors"][0]["field"], "/seats_taken");
    assert_eq!(api.ok("PATCH", &path, json!({ "seats_taken": 1 })).await["sequence"], 0, "as it is");
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, TENANT_SCOPES).await;
    let answer = api.send("PATCH", &path, Some(&theirs), &[], json!({ "seats_taken": 1 })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
