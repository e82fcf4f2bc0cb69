//! What a business shows without a key.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::http::public::{STUDIO, studio};

#[tokio::test]
async fn a_business_shows_what_customers_need_and_no_more() {
    let brand = json!({ "brand": { "name": "Studio Ana", "accent": "#1a7f5a" }, "languages": ["pt", "en"],
        "embed_origins": ["https://secret.example"], "return_urls": ["https://secret.example/x"] });
    let (api, offered) = studio(brand).await;
    let id = offered.as_str().unwrap();
    let member = api.ok("GET", "/api/booking/team", Value::Null).await["items"][0]["id"].clone();
    let team = format!("/api/booking/team/{}", member.as_str().unwrap());
    api.ok("PATCH", &team, json!({ "email": "eve@example.com" })).await;
    let event_type = format!("/api/booking/event-types/{id}");
    let policy = json!({ "price": { "minor_units": 4_900, "currency": "EUR" }, "other_lengths_minutes": [60],
        "questions": [{ "key": "reason", "label": "What is it about?", "type": "text" }] });
    api.ok("PATCH", &event_type, json!({ "policy": policy })).await;

    let business = api.look(STUDIO).await;
    assert_eq!(business.status, StatusCode::OK);
    assert_eq!((&business.body["name"], &business.body["accent"]), (&json!("Studio Ana"), &json!("#1a7f5a")));
    assert_eq!(business.body["listings"][0]["slug"], "studio");
    assert_eq!(business.headers["cache-control"], "public, max-age=60");
    let listing = api.look(&format!("{STUDIO}/listings/studio")).await;
    let shown = &listing.body["event_types"][0];
    assert_eq!((&shown["id"], &shown["price"]["minor_units"]), (&offered, &json!(4_900)));
    let whole = api.look(&format!("{STUDIO}/event-types/{id}")).await;
    assert_eq!(whole.body["questions"][0]["key"], "reason");
    assert_eq!(whole.body["members"], json!([{ "id": member, "name": "Eve" }]));
    for answer in [&business, &listing, &whole] {
        for inner in [
            "eve@example.com",
            "secret.example",
            "weekly_hours",
            "external_id",
            "revision",
            "booking_provider",
        ] {
            assert!(!answer.text.contains(inner), "{inner}: {}", answer.text);
        }
        assert!(!answer.text.contains(&api.world.caller.tenant.to_string()), "{}", answer.text);
    }
    // Who has it is told that nothing changed.
    let tag = whole.headers["etag"].to_str().unwrap().to_owned();
    let path = format!("{STUDIO}/event-types/{id}");
    let same = api.visit("192.0.2.1", "GET", &path, &[("if-none-match", &tag)], Value::Null).await;
    assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(same.headers["access-control-allow-origin"], "*");
    api.ok("PATCH", &event_type, json!({ "title": "Another" })).await;
    let other = api.visit("192.0.2.1", "GET", &path, &[("if-none-match", &tag)], Value::Null).await;
    assert_eq!((other.status, &other.body["title"]), (StatusCode::OK, &json!("Another")));

    // What is closed is not there.
    api.ok("PATCH", &event_type, json!({ "active": false })).await;
    assert_eq!(api.look(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(api.look(&format!("{STUDIO}/listings/studio")).await.body["event_types"], json!([]));
    let listings = api.ok("GET", "/api/listings", Value::Null).await["items"][0]["id"].clone();
    api.ok("PATCH", &event_type, json!({ "active": true })).await;
    let of = format!("/api/listings/{}", listings.as_str().unwrap());
    api.ok("PATCH", &of, json!({ "active": false })).await;
    assert_eq!(api.look(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(api.look(&format!("{STUDIO}/listings/studio")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(api.look(STUDIO).await.body["listings"], json!([]));
}

#[tokio::test]
async fn questions_that_are_too_large_or_odd_are_refused() {
    let (api, offered) = studio(json!({})).await;
    let id = offered.as_str().unwrap();
    let slots = |rest: &str| format!("{STUDIO}/availability?event_type_id={id}&{rest}");
    for (rest, status) in [
        ("from=2026-11-24T00:00:00Z&to=2027-11-24T00:00:00Z&time_zone=UTC", 400),
        ("from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z&time_zone=UTC", 400),
        ("from=9999-12-31T00:00:00Z&to=2026-11-24T00:00:00Z&time_zone=UTC", 400),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=Mars/Base", 400),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC&explain=true", 400),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC&provider=builtin", 400),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC&length_minutes=7", 400),
        (
            "from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC&member_id=0193b3f0-0000-7000-8000-000000000000",
            404,
        ),
        ("from=1970-01-01T00:00:00Z&to=1970-01-02T00:00:00Z&time_zone=UTC", 200),
        ("from=2199-12-30T00:00:00Z&to=2199-12-31T23:59:59Z&time_zone=UTC", 200),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC", 200),
    ] {
        let answer = api.look(&slots(rest)).await;
        assert_eq!(answer.status.as_u16(), status, "{rest}: {}", answer.body);
    }
    let long = api.look(&slots(&format!("from={}", "x".repeat(60_000)))).await;
    assert!(long.status.is_client_error(), "{}", long.status);
    let found = api.look(&slots("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC")).await;
    let slot = &found.body["days"][0]["slots"][0];
    assert_eq!(slot["start"], "2026-11-24T00:00:00Z");
    assert_eq!((found.body["degraded"].clone(), slot.get("members")), (json!(false), None));
    assert_eq!(found.headers["cache-control"], "public, max-age=5");
}
