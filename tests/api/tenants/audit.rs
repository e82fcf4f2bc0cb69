//! The audit log, as a tenant reads it.

use serde_json::{Value, json};

use crate::{Api, key, refused, shop::Shop};

const PATH: &str = "/api/audit";

#[tokio::test]
async fn it_says_who_did_what_and_quotes_nothing_that_people_wrote() {
    let shop = Shop::new(31).await;
    let api = &shop.api;
    let booked = shop.book("2026-11-24T10:00:00+01:00").await;
    let id = booked["id"].as_str().unwrap();
    let why = json!({ "reason": "My mother is ill, call +48 600 700 800" });
    api.ok("POST", &format!("/api/booking/{id}/cancel"), why).await;

    let of = format!("{PATH}?subject_kind=booking&subject_id={id}");
    let answer = api.send("GET", &of, Some(&api.key), &[], Value::Null).await;
    let items = answer.body["items"].as_array().unwrap();
    let actions: Vec<_> = items.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions.first(), Some(&"booking.cancelled"), "the latest first: {actions:?}");
    assert!(actions.contains(&"booking.created"), "{actions:?}");
    assert!(items[0]["withheld"].as_array().unwrap().contains(&json!("reason")), "{}", items[0]);
    assert!(items[0]["actor"].as_str().unwrap().starts_with("key:"), "{}", items[0]);
    let whole = api.send("GET", PATH, Some(&api.key), &[], Value::Null).await.text;
    for word in ["mother", "600", "Ada", "ada@example.com"] {
        assert!(!answer.text.contains(word) && !whole.contains(word), "{word} is quoted: {whole}");
    }

    // By who and what.
    let actor = items[0]["actor"].as_str().unwrap();
    let by = api.ok("GET", &format!("{PATH}?actor={actor}&action=booking.cancelled"), Value::Null).await;
    assert_eq!(by["items"].as_array().unwrap().len(), 1, "{by}");
    let none = api.ok("GET", &format!("{PATH}?action=booking.eaten"), Value::Null).await;
    assert_eq!((none["items"].clone(), &none["next"]), (json!([]), &Value::Null));
}

#[tokio::test]
async fn it_is_read_page_by_page_and_by_days() {
    let api = Api::new().await;
    for n in 0..7 {
        api.ok("PATCH", "/api/tenant", json!({ "name": format!("Studio {n}") })).await;
    }
    let mut seen = Vec::new();
    let mut path = format!("{PATH}?action=tenant.updated&limit=3");
    loop {
        let page = api.ok("GET", &path, Value::Null).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        assert!(seen.len() < 20, "it does not end");
        path = format!("{PATH}?action=tenant.updated&limit=3&cursor={next}");
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    let of = |from: &str, to: &str| format!("{PATH}?action=tenant.updated&from={from}&to={to}&time_zone=UTC");
    let found = api.ok("GET", &of("2026-11-23", "2026-11-23"), Value::Null).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 7, "{found}");
    let found = api.ok("GET", &of("2001-01-01", "2001-12-31"), Value::Null).await;
    assert_eq!(found["items"], json!([]));
}

#[tokio::test]
async fn it_needs_its_scope_and_ends_at_the_tenants_wall() {
    let api = Api::new().await;
    api.ok("PATCH", "/api/tenant", json!({ "name": "Studio" })).await;
    let weak = key(&api.world, api.world.caller.tenant, &["listings:read"]).await;
    refused(&api.send("GET", PATH, Some(&weak), &[], Value::Null).await, 403, "BERTH-E0403");
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, &["audit:read"]).await;
    let seen =
        api.send("GET", &format!("{PATH}?action=tenant.updated"), Some(&theirs), &[], Value::Null).await;
    assert_eq!(seen.body["items"], json!([]), "{}", seen.text);
    for (query, field) in [
        ("from=2026-11-01", "time_zone"),
        ("from=2026-11-02&to=2026-10-01&time_zone=UTC", "to"),
        ("subject_id=1", "subject_id"),
        ("reason=ill", "reason"),
        ("cursor=zz", "cursor"),
        ("limit=201", "limit"),
    ] {
        let answer = api.send("GET", &format!("{PATH}?{query}"), Some(&api.key), &[], Value::Null).await;
        refused(&answer, 400, "BERTH-E0401");
        assert!(answer.body["detail"].as_str().unwrap().contains(field), "{query}: {}", answer.text);
    }
}
