//! Bookings that were made at the provider, in lists beside ours and each whole.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{booking, key, mirror::out_of_time::Scene, refused};

const PATH: &str = "/api/booking";

/// Ours at ten, theirs at nine, eleven and, over, the day before.
pub(crate) async fn scene() -> (Scene, Value) {
    let scene = Scene::new(false).await;
    let ours = scene.book().await;
    let ada = ["Ada Nowak", "ada@example.org"];
    let mut over = scene.theirs("over", "2026-11-23T09:00:00Z", ["Cy Fox", "cy@example.org"]);
    over["status"] = json!("Cancelled");
    over["cancellation_reason"] = json!("Write to cy@example.org");
    scene
        .made_there(&[
            scene.theirs("early", "2026-11-24T09:00:00Z", ada),
            scene.theirs("late", "2026-11-24T11:00:00Z", ["Bea Nowak", "bea@example.org"]),
            over,
        ])
        .await;
    scene.sync().await;
    (scene, ours)
}

fn starts(page: &Value) -> Vec<(&str, &str)> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["origin"].as_str().unwrap(), row["start"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_in_one_list_in_one_order() {
    let (scene, ours) = scene().await;
    let api = &scene.api;
    let list = async |query: &str| api.ok("GET", &format!("{PATH}?{query}"), Value::Null).await;
    let plain = list("").await;
    assert_eq!(starts(&plain), [("berth", "2026-11-24T10:00:00Z")], "as it was");
    assert_eq!(plain["items"][0]["external"]["external_id"], ours["external_id"]);
    let all = list("origin=all").await;
    let expected = [
        ("external", "2026-11-23T09:00:00Z"),
        ("external", "2026-11-24T09:00:00Z"),
        ("berth", "2026-11-24T10:00:00Z"),
        ("external", "2026-11-24T11:00:00Z"),
    ];
    assert_eq!(starts(&all), expected);
    let early = &all["items"][1];
    assert_eq!(
        early["external"],
        json!({ "connection_id": scene.connection, "provider": "reference", "external_id": "early" })
    );
    assert_eq!(early["event_type_id"], scene.event_type, "{early}");
    assert_eq!((&early["attendee"]["name"], &early["member_id"]), (&json!("Ada Nowak"), &ours["member_id"]));
    assert!(early.get("raw").is_none() && early["customer_id"].is_string(), "{early}");

    // One cursor through both, also where rows come and go behind it.
    for order in ["start", "-start", "created", "-updated"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = list(&format!("origin=all&sort={order}&limit=1{cursor}")).await;
            seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let whole = list(&format!("origin=all&sort={order}")).await;
        let whole: Vec<Value> =
            whole["items"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
        assert_eq!(seen, whole, "{order}");
        assert_eq!(seen.len(), 4);
    }

    let (member, listing) = (ours["member_id"].as_str().unwrap(), ours["listing_id"].as_str().unwrap());
    for (query, found) in [
        ("origin=external".to_owned(), 3),
        ("origin=external&q=nowak".to_owned(), 2),
        ("origin=external&q=bea%40example.org".to_owned(), 1),
        ("origin=external&status=cancelled".to_owned(), 1),
        ("origin=all&status=confirmed".to_owned(), 3),
        (format!("origin=all&member_id={member}"), 3),
        (format!("origin=all&listing_id={listing}"), 4),
        (format!("origin=all&event_type_id={}", scene.event_type.as_str().unwrap()), 4),
        (format!("origin=all&connection_id={}", scene.connection), 4),
        ("origin=all&provider=reference".to_owned(), 4),
        ("origin=external&provider=builtin".to_owned(), 0),
        ("origin=external&external_id=late".to_owned(), 1),
        ("origin=all&from=2026-11-24&to=2026-11-24&time_zone=UTC".to_owned(), 3),
        (format!("origin=external&customer_id={}", early["customer_id"].as_str().unwrap()), 1),
    ] {
        assert_eq!(list(&query).await["items"].as_array().unwrap().len(), found, "{query}");
    }
    let shown = list("origin=all&expand=event_type,member,listing,customer").await;
    for row in shown["items"].as_array().unwrap() {
        for name in ["event_type", "member", "listing", "customer"] {
            assert_eq!(row["expanded"][name]["id"], row[format!("{name}_id")], "{name}: {row}");
        }
    }
    let days = "from=2026-11-23&to=2026-11-24&time_zone=UTC";
    let counts = list_counts(&scene, &format!("{days}&origin=all")).await;
    assert_eq!(counts, [json!({ "cancelled": 1 }), json!({ "confirmed": 3 })]);
    assert_eq!(list_counts(&scene, days).await, [json!({}), json!({ "confirmed": 1 })]);
    assert_eq!(list_counts(&scene, &format!("{days}&origin=external")).await[1], json!({ "confirmed": 2 }));
    let csv =
        api.send("GET", &format!("{PATH}?origin=all&format=csv"), Some(&api.key), &[], Value::Null).await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 5, "{}", csv.text);
    assert!(
        lines[0].ends_with(",origin,title") && lines[2].ends_with(",external,With Ada Nowak"),
        "{}",
        csv.text
    );
    let wrong = api.send("GET", &format!("{PATH}?origin=theirs"), Some(&api.key), &[], Value::Null).await;
    refused(&wrong, 400, "BERTH-E0401");
    assert!(wrong.body["detail"].as_str().unwrap().contains("berth, external, all"), "{}", wrong.body);
}

async fn list_counts(scene: &Scene, query: &str) -> Vec<Value> {
    let counts = scene.api.ok("GET", &format!("{PATH}/counts?{query}"), Value::Null).await;
    counts["days"].as_array().unwrap().iter().map(|day| day["by_status"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_shown_whole_and_to_whom_it_may() {
    let (scene, _) = scene().await;
    let api = &scene.api;
    let page = api.ok("GET", &format!("{PATH}?origin=external&sort=start"), Value::Null).await;
    let path = format!("{PATH}/external/{}", page["items"][1]["id"].as_str().unwrap());
    let whole = api.ok("GET", &path, Value::Null).await;
    assert_eq!(whole["raw"]["form"]["mail"], "ada@example.org", "{whole}");
    assert_eq!((&whole["place"], &whole["booking_id"]), (&json!("Room 2"), &Value::Null));
    // Whoever may not read customers sees no address, anywhere in it, and finds by none.
    let blind = key(&api.world, api.world.caller.tenant, &["bookings:read"]).await;
    for of in [&path, &format!("{PATH}?origin=all"), &format!("{PATH}?origin=all&format=csv")] {
        let answer = api.send("GET", of, Some(&blind), &[], Value::Null).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(!answer.text.contains("@example.org"), "{}", answer.text);
    }
    let found =
        api.send("GET", &format!("{PATH}?origin=external&q=ada%40ex"), Some(&blind), &[], Value::Null).await;
    assert_eq!(found.body["items"], json!([]));
    // Another tenant's is like none, and so is a booking of ours.
    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    let theirs = api.send("GET", &path, Some(&other), &[], Value::Null).await;
    refused(&theirs, 404, "BERTH-E0404");
    let made = api.ok("POST", PATH, booking(&scene.event_type, "2026-11-24T12:00:00Z")).await;
    let ours = format!("{PATH}/external/{}", made["id"].as_str().unwrap());
    refused(&api.send("GET", &ours, Some(&api.key), &[], Value::Null).await, 404, "BERTH-E0404");
}
