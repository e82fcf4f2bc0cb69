//! Webhooks: who hears what, how it is signed, and when it comes again.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, code};
use crate::{booksy::webhooks::signature, front::Delivery};

const SECRET: &str = "made-up-webhook-secret-0123456789";

async fn subscribe(world: &World, events: &[&str]) -> String {
    let body = json!({ "url": "https://berth.example/hooks/c1", "events": events, "secret": SECRET });
    let (status, webhook) = world.post("/webhooks", body).await;
    assert_eq!((status, &webhook["secret"]), (201, &Value::Null), "the secret is never told");
    webhook["id"].as_str().unwrap().to_owned()
}

fn message(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> &'a str {
    delivery.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
}

fn kinds(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|d| message(d)["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn signatures_are_those_of_the_contract() {
    let body = br#"{"id":"evt_01","type":"booking.created","created_at":"2026-01-05T10:00:00Z","business_id":"biz_1","data":{"booking":{"id":"bk_1"}}}"#;
    let expected = "t=1767607200,v1=c52424d89a465f409885e13adb3b48ae16c5222385de21a98300504af6c217db";
    assert_eq!(signature("booksy-secret", 1_767_607_200, body), expected);
}

#[tokio::test]
async fn subscribers_hear_what_they_asked_for() {
    let world = World::new().await;
    subscribe(&world, &["booking.created", "booking.rescheduled", "availability.changed"]).await;
    assert_eq!(kinds(&world.simulator.take_deliveries()), ["webhook.test"]);
    let (_, made) = world.book("svc_1", "2026-01-05T09:00:00Z").await;
    let id = made["id"].as_str().unwrap();
    world.simulator.move_out_of_band(id, made_at("2026-01-05T12:00:00Z")).unwrap();
    world.simulator.cancel_out_of_band(id, "ill").unwrap();
    let told = world.simulator.take_deliveries();
    let changed = "availability.changed";
    assert_eq!(
        kinds(&told),
        ["booking.created", changed, "booking.rescheduled", changed, changed, changed],
        "nobody asked for cancellations"
    );
    let moved = message(&told[2]);
    assert_eq!(
        (&moved["data"]["booking"]["version"], &moved["data"]["previous"]["start"]),
        (&json!(2), &made["start"])
    );
    let seconds = header(&told[0], "x-booksy-signature")[2..12].parse().unwrap();
    assert_eq!(header(&told[0], "x-booksy-signature"), signature(SECRET, seconds, &told[0].body));
    assert_eq!(header(&told[0], "x-booksy-event"), "booking.created");
}

fn made_at(text: &str) -> i64 {
    crate::times::micros(text).unwrap()
}

#[tokio::test]
async fn what_is_not_taken_comes_again_four_times() {
    let world = World::new().await;
    subscribe(&world, &["client.erased"]).await;
    let mut last = world.simulator.take_deliveries().remove(0);
    for minutes in [5, 10, 20, 40] {
        world.simulator.not_taken(&last, 503);
        world.advance_seconds(minutes * 60 - 1);
        assert!(world.simulator.take_deliveries().is_empty(), "not before {minutes} minutes");
        world.advance_seconds(1);
        let again = world.simulator.take_deliveries().remove(0);
        assert_eq!(message(&again)["id"], message(&last)["id"], "the same message");
        assert_ne!(header(&again, "x-booksy-delivery"), header(&last, "x-booksy-delivery"));
        assert_ne!(header(&again, "x-booksy-signature"), header(&last, "x-booksy-signature"));
        last = again;
    }
    world.simulator.not_taken(&last, 503);
    world.advance_seconds(86_400);
    assert!(world.simulator.take_deliveries().is_empty(), "then never");
}

#[tokio::test]
async fn nobody_there_any_more_ends_a_subscription() {
    let world = World::new().await;
    let id = subscribe(&world, &["booking.created"]).await;
    let test = world.simulator.take_deliveries().remove(0);
    world.simulator.not_taken(&test, 410);
    assert_eq!(world.get("/webhooks").await.1["data"][0]["active"], false);
    world.book("svc_1", "2026-01-05T09:00:00Z").await;
    assert!(world.simulator.take_deliveries().is_empty());
    let path = format!("/webhooks/{id}");
    for status in [204, 404] {
        assert_eq!(world.send(Method::DELETE, &path, &[], Value::Null).await.status().as_u16(), status);
    }
}

#[tokio::test]
async fn a_subscription_needs_a_good_secret_address_and_events() {
    let world = World::new().await;
    let good = json!({ "url": "https://berth.example/", "events": ["booking.created"], "secret": SECRET });
    for (field, value) in [
        ("secret", json!("short")),
        ("url", json!("http://berth.example/")),
        ("events", json!(["booking.invented"])),
        ("events", json!([])),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = world.post("/webhooks", bad).await;
        assert_eq!(code(&refused), (400, "invalid_request"));
        assert_eq!(refused.1["error"]["details"][0]["field"], field);
    }
}
