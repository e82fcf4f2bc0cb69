//! Listings: where a tenant offers what it offers.

use serde_json::{Value, json};

use crate::Api;

const PATH: &str = "/api/listings";

#[tokio::test]
async fn each_bad_field_of_a_listing_is_named_and_nothing_is_stored() {
    let api = Api::new().await;
    let nothing = "0193b3f0-0000-7000-8000-000000000000";
    for (name, value, status, field) in [
        ("slug", Value::Null, 400, "/slug"),
        ("title", json!(7), 400, "/title"),
        ("time_zone", json!("Mars/Olympus"), 422, "/time_zone"),
        ("connection_id", json!("none"), 400, "/connection_id"),
        ("offer_when_degraded", json!("yes"), 400, "/offer_when_degraded"),
        ("colour", json!("red"), 400, "/colour"),
        ("slug", json!("a"), 422, "/slug"),
        ("slug", json!("-quay"), 422, "/slug"),
        ("slug", json!("Quay"), 422, "/slug"),
        ("title", json!("x".repeat(201)), 422, "/title"),
        ("description", json!("\u{0}"), 422, "/description"),
        ("booking_provider_id", json!(nothing), 422, "/connection_id"),
    ] {
        let mut body = json!({ "slug": "quay", "title": "Quay", "time_zone": "Europe/Lisbon" });
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
        let answer = api.send("POST", PATH, Some(&api.key), &[], body).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {value}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], field, "{name} {value}: {}", answer.body);
    }
    assert_eq!(api.ok("GET", PATH, Value::Null).await["items"], json!([]));
}

#[tokio::test]
async fn a_listing_changes_in_turn_and_its_slug_is_its_own() {
    let api = Api::new().await;
    let new = |slug: &str| json!({ "slug": slug, "title": "Quay", "time_zone": "Europe/Lisbon" });
    let quay = api.ok("POST", PATH, new("quay")).await;
    let pier = api.ok("POST", PATH, new("pier")).await;
    let path = format!("{PATH}/{}", pier["id"].as_str().unwrap());

    for answer in [
        api.send("POST", PATH, Some(&api.key), &[], new("quay")).await,
        api.send("PATCH", &path, Some(&api.key), &[], json!({ "slug": "quay" })).await,
    ] {
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (409, &json!("BERTH-E0409")));
        assert_eq!(answer.body["errors"][0]["field"], "/slug");
    }
    let changed = api.ok("PATCH", &path, json!({ "title": "Pier", "active": false })).await;
    assert_eq!(
        (&changed["slug"], &changed["title"], &changed["active"]),
        (&json!("pier"), &json!("Pier"), &json!(false))
    );
    let stale =
        api.send("PATCH", &path, Some(&api.key), &[("if-match", "\"1\"")], json!({ "title": "Old" })).await;
    assert_eq!(stale.status.as_u16(), 412);
    api.ok("DELETE", &path, Value::Null).await;
    assert_eq!(api.ok("GET", PATH, Value::Null).await["items"], json!([quay]));
}
