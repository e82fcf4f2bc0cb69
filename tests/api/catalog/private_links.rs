//! Links to one event type, as the business makes them and as those who are given them use them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Api,
    http::public::{STUDIO, studio},
    key, refused,
};

const PATH: &str = "/api/booking/private-links";

async fn private(api: &Api, event_type: &Value) {
    let path = format!("/api/booking/event-types/{}", event_type.as_str().unwrap());
    api.ok("PATCH", &path, json!({ "policy": { "visibility": "private" } })).await;
}

fn visit(event_type: &Value, start: &str, link: &Value) -> Value {
    json!({ "event_type_id": event_type, "start": start, "link": link,
        "attendee": { "name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw" } })
}

#[tokio::test]
async fn who_has_a_link_sees_and_books_what_nobody_else_does() {
    let (api, offered) = studio(json!({})).await;
    private(&api, &offered).await;
    let id = offered.as_str().unwrap();
    let at_ten = |link: &Value| visit(&offered, "2026-11-24T10:00:00Z", link);
    let listing = api.look(&format!("{STUDIO}/listings/studio")).await;
    assert_eq!(listing.body["event_types"], json!([]), "it is not listed");
    refused(&api.look(&format!("{STUDIO}/event-types/{id}")).await, 404, "BERTH-E0404");
    let bookings = format!("{STUDIO}/bookings");
    let without = api.visit("192.0.2.1", "POST", &bookings, &[], at_ten(&Value::Null)).await;
    refused(&without, 404, "BERTH-E0404");

    let made = api.ok("POST", PATH, json!({ "event_type_id": offered, "name": "Ada" })).await;
    assert_eq!(
        (&made["single_use"], &made["state"], &made["uses"]),
        (&json!(true), &json!("open"), &json!(0))
    );
    let token = made["token"].as_str().unwrap();
    let led = api.look(&format!("{STUDIO}/links/{token}")).await;
    assert_eq!((led.status, &led.body["id"]), (StatusCode::OK, &offered), "{}", led.body);
    assert_eq!(led.headers["cache-control"], "private, no-store");
    let slots = format!(
        "{STUDIO}/availability?event_type_id={id}&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC"
    );
    refused(&api.look(&slots).await, 404, "BERTH-E0404");
    let slots = api.look(&format!("{slots}&link={token}")).await;
    assert_eq!(slots.status, StatusCode::OK);
    assert!(slots.headers["cache-control"].to_str().unwrap().starts_with("private"));
    let hold = json!({ "event_type_id": offered, "start": "2026-11-24T10:00:00Z", "link": token });
    let hold = api.visit("192.0.2.1", "POST", &format!("{STUDIO}/holds"), &[], hold).await;
    assert_eq!(hold.status, StatusCode::CREATED, "{}", hold.body);
    let mut body = at_ten(&made["token"]);
    body["hold"] = json!({ "id": hold.body["id"], "token": hold.body["token"] });
    let once = [("idempotency-key", "first")];
    let booked = api.visit("192.0.2.1", "POST", &bookings, &once, body.clone()).await;
    assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);

    // It is used: that is said, and a repeat of the same request is told what it made.
    let again = api.visit("192.0.2.1", "POST", &bookings, &once, body).await;
    assert_eq!((again.status, &again.text), (StatusCode::CREATED, &booked.text));
    for answer in [
        api.look(&format!("{STUDIO}/links/{token}")).await,
        api.look(&format!("{STUDIO}/event-types/{id}?link={token}")).await,
        api.visit(
            "192.0.2.1",
            "POST",
            &bookings,
            &[],
            visit(&offered, "2026-11-24T12:00:00Z", &made["token"]),
        )
        .await,
    ] {
        refused(&answer, 410, "BERTH-E0569");
        assert_eq!(answer.body["state"], "used");
    }
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let shown = api.ok("GET", &path, Value::Null).await;
    assert_eq!((&shown["state"], &shown["uses"]), (&json!("used"), &json!(1)));
    let steps = api.ok("GET", "/api/booking", Value::Null).await;
    let timeline = format!("/api/booking/{}/timeline", steps["items"][0]["id"].as_str().unwrap());
    assert_eq!(api.ok("GET", &timeline, Value::Null).await["items"][0]["data"]["private_link"], made["id"]);
}

#[tokio::test]
async fn a_link_ends_with_its_time_or_when_it_is_deleted() {
    let (api, offered) = studio(json!({})).await;
    private(&api, &offered).await;
    let now = berth_model::time::Clock::now(&*api.world.clock);
    let ends = json!({ "event_type_id": offered, "name": "This week", "single_use": false,
        "expires_at": now.plus_seconds(3_600) });
    let made = api.ok("POST", PATH, ends).await;
    let token = made["token"].as_str().unwrap().to_owned();
    for start in ["2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"] {
        let body = visit(&offered, start, &made["token"]);
        let booked = api.visit("192.0.2.1", "POST", &format!("{STUDIO}/bookings"), &[], body).await;
        assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
    }
    api.world.clock.advance_ms(3_600_000);
    let late = api.look(&format!("{STUDIO}/links/{token}")).await;
    refused(&late, 410, "BERTH-E0569");
    assert_eq!(late.body["state"], "expired");

    let other = api.ok("POST", PATH, json!({ "event_type_id": offered, "name": "Bea" })).await;
    let path = format!("{PATH}/{}", other["id"].as_str().unwrap());
    api.ok("DELETE", &path, Value::Null).await;
    refused(
        &api.look(&format!("{STUDIO}/links/{}", other["token"].as_str().unwrap())).await,
        404,
        "BERTH-E0404",
    );
    refused(&api.send("GET", &path, Some(&api.key), &[], Value::Null).await, 404, "BERTH-E0404");
    // Cut, changed and made-up tokens are nobody's, like those of another tenant.
    let mut changed = token.clone();
    changed.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    for wrong in [&token[1..], &token[..20], changed.as_str(), "x", "%00", &"A".repeat(4_000)] {
        let answer = api.look(&format!("{STUDIO}/links/{wrong}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}: {}", answer.body);
    }
    let tenant = api.other_tenant().await;
    let foreign = key(&api.world, tenant, &["listings:write"]).await;
    let settings = json!({ "settings": { "public": true } });
    assert!(api.send("PATCH", "/api/tenant", Some(&foreign), &[], settings).await.status.is_success());
    refused(&api.look(&format!("/api/public/other/links/{token}")).await, 404, "BERTH-E0404");
    let listed = api.send("GET", PATH, Some(&foreign), &[], Value::Null).await;
    assert_eq!(listed.body["items"], json!([]));
    let stolen = json!({ "event_type_id": offered, "name": "Mine" });
    let stolen = api.send("POST", PATH, Some(&foreign), &[], stolen).await;
    refused(&stolen, 422, "BERTH-E0422");
    assert_eq!(stolen.body["errors"][0]["field"], "/event_type_id");
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    for method in ["GET", "DELETE"] {
        refused(&api.send(method, &path, Some(&foreign), &[], Value::Null).await, 404, "BERTH-E0404");
    }
}

#[tokio::test]
async fn what_a_link_may_say_is_bounded() {
    let (api, offered) = studio(json!({})).await;
    let now = berth_model::time::Clock::now(&*api.world.clock);
    for (field, value) in [
        ("/name", json!("")),
        ("/name", json!("a\u{202e}b")),
        ("/expires_at", json!(now)),
        ("/expires_at", json!(now.plus_seconds(731 * 86_400))),
        ("/expires_at", json!("2199-12-31T23:59:59Z")),
    ] {
        let mut body = json!({ "event_type_id": offered, "name": "Ada" });
        body[&field[1..]] = value;
        let answer = api.send("POST", PATH, Some(&api.key), &[], body.clone()).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}");
    }
    let weak = key(&api.world, api.world.caller.tenant, &["listings:read"]).await;
    let read = api.send("GET", PATH, Some(&weak), &[], Value::Null).await;
    refused(&read, 403, "BERTH-E0403");
}
