//! Bookings, what is free, and clients.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, booking, code, header, read};

/// Free starts of a day as `hour:minute staff left`.
async fn free(world: &World, service: &str) -> Vec<String> {
    let path =
        format!("/availability?service_id={service}&from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z");
    let (status, answer) = world.get(&path).await;
    assert_eq!(status, 200, "{answer}");
    let slots = answer["slots"].as_array().unwrap();
    let shown = slots.iter().map(|s| {
        let staff = s["staff_id"].as_str().unwrap();
        format!("{} {staff} {}", &s["start"].as_str().unwrap()[11..16], s["capacity_left"])
    });
    shown.collect()
}

#[tokio::test]
async fn a_booking_lives() {
    let world = World::new().await;
    let (status, made) = world.book("svc_1", "2026-01-05T10:00:00+01:00").await;
    assert_eq!((status, &made["status"], &made["version"]), (201, &json!("confirmed"), &json!(1)));
    assert_eq!(
        (&made["start"], &made["end"]),
        (&json!("2026-01-05T09:00:00.000Z"), &json!("2026-01-05T09:45:00.000Z"))
    );
    let at = format!("/bookings/{}", made["id"].as_str().unwrap());
    assert_eq!(header(&world.send(Method::GET, &at, &[], Value::Null).await, "etag"), "\"1\"");

    let moves = json!({ "start": "2026-01-06T10:00:00Z", "reason": "clash" });
    let stale = [("if-match", "\"7\"")];
    let stale =
        read(world.send(Method::POST, &format!("{at}/reschedule"), &stale, moves.clone()).await).await;
    assert_eq!(code(&stale), (412, "version_conflict"));
    let (status, moved) = world.post(&format!("{at}/reschedule"), moves).await;
    assert_eq!((status, &moved["id"], &moved["version"]), (200, &made["id"], &json!(2)));
    assert_eq!(moved["end"], "2026-01-06T10:45:00.000Z", "it keeps its length");

    let (status, cancelled) = world.post(&format!("{at}/cancel"), json!({ "reason": "ill" })).await;
    assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")));
    assert_eq!(cancelled["cancellation"]["reason"], "ill");
    assert_eq!(code(&world.post(&format!("{at}/cancel"), json!({})).await), (422, "already_cancelled"));
    let late = json!({ "start": "2026-01-07T10:00:00Z" });
    assert_eq!(code(&world.post(&format!("{at}/reschedule"), late).await), (422, "not_reschedulable"));
}

#[tokio::test]
async fn a_booking_waits_is_confirmed_and_ends() {
    let world = World::new().await;
    let (_, made) = world.book("svc_4", "2026-01-05T09:00:00Z").await;
    assert_eq!(made["status"], "pending");
    let at = |action: &str| format!("/bookings/{}/{action}", made["id"].as_str().unwrap());
    assert_eq!(code(&world.post(&at("complete"), Value::Null).await), (422, "not_reschedulable"));
    assert_eq!(world.post(&at("confirm"), Value::Null).await.1["status"], "confirmed");
    assert_eq!(world.post(&at("no_show"), Value::Null).await.1["status"], "no_show");
    assert_eq!(code(&world.post(&at("cancel"), json!({})).await), (422, "not_reschedulable"));
}

#[tokio::test]
async fn one_key_makes_one_booking() {
    let world = World::new().await;
    let key = [("idempotency-key", "k-1")];
    let post = async |body: Value| world.send(Method::POST, "/bookings", &key, body).await;
    let (_, first) = read(post(booking("svc_1", "2026-01-05T09:00:00Z")).await).await;
    let again = post(booking("svc_1", "2026-01-05T09:00:00Z")).await;
    assert_eq!(header(&again, "idempotency-replayed"), "true");
    assert_eq!(read(again).await.1["id"], first["id"]);
    let other = read(post(booking("svc_1", "2026-01-05T12:00:00Z")).await).await;
    assert_eq!(code(&other), (409, "idempotency_mismatch"));
    assert_eq!(world.simulator.bookings().len(), 1);
    world.advance_seconds(24 * 3_600);
    let next_day = read(post(booking("svc_1", "2026-01-06T12:00:00Z")).await).await;
    assert_eq!(next_day.0, 201, "a key is known for a day");
}

#[tokio::test]
async fn what_is_taken_kept_free_or_closed_is_not_offered() {
    let world = World::new().await;
    assert_eq!(free(&world, "svc_1").await.first().unwrap(), "08:00 stf_1 1", "09:00 in Warsaw");
    assert_eq!(world.book("svc_1", "2026-01-05T09:30:00Z").await.0, 201);
    // 09:30 to 10:15 and ten minutes: neither 08:45, whose ten minutes would reach into it, nor 10:15.
    let left = free(&world, "svc_1").await;
    assert_eq!(&left[..2], ["08:00 stf_1 1", "11:00 stf_1 1"]);
    for start in
        ["2026-01-05T09:30:00Z", "2026-01-05T10:20:00Z", "2026-01-05T16:00:00Z", "2026-01-10T10:00:00Z"]
    {
        assert_eq!(code(&world.book("svc_1", start).await), (409, "slot_unavailable"), "{start}");
    }
    let block =
        json!({ "start": "2026-01-05T11:00:00Z", "end": "2026-01-05T16:00:00Z", "reason": "training" });
    let (status, block) = world.post("/blocks", block).await;
    assert_eq!(status, 201);
    assert_eq!(free(&world, "svc_1").await, ["08:00 stf_1 1"]);
    let (_, busy) = world.get("/busy?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z&staff_id=stf_1").await;
    let sources: Vec<&str> =
        busy["data"].as_array().unwrap().iter().map(|b| b["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["booking", "block"]);
    assert_eq!(busy["data"][1]["id"], block["id"]);
    let booked =
        json!({ "start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z", "staff_id": "stf_1" });
    assert_eq!(code(&world.post("/blocks", booked).await), (409, "slot_unavailable"));
    let gone = format!("/blocks/{}", block["id"].as_str().unwrap());
    assert_eq!(world.send(Method::DELETE, &gone, &[], Value::Null).await.status().as_u16(), 204);
    assert_eq!(free(&world, "svc_1").await.len(), left.len());
}

#[tokio::test]
async fn people_share_a_class_and_staff_share_a_service() {
    let world = World::new().await;
    for left in (0..8).rev() {
        assert_eq!(world.book("svc_3", "2026-01-05T10:00:00Z").await.0, 201);
        let offered = free(&world, "svc_3").await.into_iter().find(|slot| slot.starts_with("10:00"));
        assert_eq!(offered, (left > 0).then(|| format!("10:00 stf_2 {left}")));
    }
    assert_eq!(code(&world.book("svc_3", "2026-01-05T10:00:00Z").await), (409, "slot_unavailable"));
    let (first, second) = (
        world.book("svc_2", "2026-01-05T12:00:00Z").await,
        world.book("svc_2", "2026-01-05T12:00:00Z").await,
    );
    assert_eq!((&first.1["staff_id"], &second.1["staff_id"]), (&json!("stf_1"), &json!("stf_2")));
    let mut third = booking("svc_2", "2026-01-05T12:00:00Z");
    assert_eq!(code(&world.post("/bookings", third.clone()).await), (409, "slot_unavailable"));
    third["staff_id"] = json!("stf_3");
    assert_eq!(code(&world.post("/bookings", third).await), (400, "invalid_request"));
}

#[tokio::test]
async fn changes_come_in_order_and_none_is_missed() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for hour in 9..14 {
        let (_, made) = world.book("svc_2", &format!("2026-01-05T{hour:02}:00:00Z")).await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let (_, first) = world.get("/bookings?limit=3").await;
    assert_eq!(first["data"].as_array().unwrap().len(), 3);
    // The first changes in between: it moves to the end, and pushes nothing off the next page.
    world.advance_seconds(1);
    world.post(&format!("/bookings/{}/cancel", ids[0]), json!({})).await;
    let next = format!("/bookings?limit=3&cursor={}", first["next_cursor"].as_str().unwrap());
    let (_, second) = world.get(&next).await;
    let seen: Vec<&str> =
        second["data"].as_array().unwrap().iter().map(|b| b["id"].as_str().unwrap()).collect();
    assert_eq!(seen, [&ids[3], &ids[4], &ids[0]]);
    assert_eq!(second["next_cursor"], Value::Null);
    let (_, since) = world.get("/bookings?updated_since=2026-01-05T06:00:01Z").await;
    assert_eq!(since["data"].as_array().unwrap().len(), 1);
    let (_, window) =
        world.get("/bookings?from=2026-01-05T10:15:00Z&to=2026-01-05T12:00:00Z&status=confirmed").await;
    assert_eq!(window["data"].as_array().unwrap().len(), 2, "10:00 and 11:00");
    assert_eq!(code(&world.get("/bookings?cursor=junk").await), (400, "invalid_request"));
}

#[tokio::test]
async fn clients_are_known_hidden_and_erased() {
    let world = World::new().await;
    let (_, made) = world.book("svc_1", "2026-01-05T09:00:00Z").await;
    let (_, found) = world.get("/clients?email=ADA@example.com").await;
    assert_eq!(found["data"][0]["id"], made["client_id"]);
    assert_eq!(
        world.book("svc_1", "2026-01-05T12:00:00Z").await.1["client_id"],
        made["client_id"],
        "the same person"
    );
    let (_, hidden) = world.get("/clients?email=cyd@example.com").await;
    assert_eq!(
        (&hidden["data"][0]["first_name"], &hidden["data"][0]["email"]),
        (&json!("Cyd"), &Value::Null)
    );

    let id = made["client_id"].as_str().unwrap();
    let phone = json!({ "phone": "+48600100200" });
    let changed = world.send(Method::PATCH, &format!("/clients/{id}"), &[], phone).await;
    assert_eq!(read(changed).await.1["phone"], "+48600100200");
    let erase = async || {
        world.send(Method::DELETE, &format!("/clients/{id}"), &[], Value::Null).await.status().as_u16()
    };
    assert_eq!((erase().await, erase().await), (204, 404));
    let (_, left) = world.get(&format!("/bookings/{}", made["id"].as_str().unwrap())).await;
    assert_eq!((&left["status"], &left["client"]["first_name"]), (&json!("confirmed"), &Value::Null));
    for (field, body) in [
        ("first_name", json!({ "email": "x@example.com" })),
        ("email", json!({ "first_name": "X" })),
        ("email", json!({ "first_name": "X", "email": "x" })),
    ] {
        let refused = world.post("/clients", body).await;
        assert_eq!((refused.0, &refused.1["error"]["details"][0]["field"]), (400, &json!(field)));
    }
}
