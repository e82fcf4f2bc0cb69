//! Links to event types where they are booked, and what stands behind those of a provider.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{booking, key, mirror::out_of_time::Scene, refused};

const LINKS: &str = "/api/booking/private-links";

fn of(event_type: &Value) -> String {
    format!("/api/booking/event-types/{}/links", event_type.as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_makes_links_makes_its_own_and_berth_the_others() {
    let scene = Scene::new(false).await;
    let api = &scene.api;
    let path = of(&scene.event_type);
    let made = api.ok("POST", &path, json!({ "name": "Ada" })).await;
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("https://") && url.ends_with("?uses=1"), "{made}");
    assert_eq!(
        (&made["provider"], &made["connection_id"], &made["token"], &made["state"]),
        (&json!("reference"), &json!(scene.connection), &Value::Null, &json!("open"))
    );
    let read = api.ok("GET", &format!("{LINKS}/{}", made["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(read, made);
    // A key stands for one link there, also when the answer was lost before it was written down here.
    let once = [("idempotency-key", "once-1")];
    let first = api.send("POST", &path, Some(&api.key), &once, json!({ "name": "Bea" })).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let again = api.send("POST", &path, Some(&api.key), &once, json!({ "name": "Bea" })).await;
    assert!(again.status != StatusCode::CREATED || again.body["id"] == first.body["id"], "{}", again.text);
    let all = api.ok("GET", LINKS, Value::Null).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");

    let ours =
        api.ok("POST", &path, json!({ "name": "Cy", "provider": "builtin", "single_use": false })).await;
    assert_eq!(
        (&ours["provider"], &ours["url"], &ours["connection_id"]),
        (&json!("builtin"), &Value::Null, &Value::Null)
    );
    assert!(ours["token"].is_string());
    for (body, field) in [
        (json!({ "name": "Cy", "single_use": false }), "/single_use"),
        (json!({ "name": "Cy", "expires_at": "2026-12-24T00:00:00Z" }), "/expires_at"),
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(201) }), "/name"),
        (json!({ "name": "Cy", "provider": "No Name" }), "/provider"),
        (json!({ "name": "Cy", "provider": "builtin", "expires_at": "2020-01-01T00:00:00Z" }), "/expires_at"),
    ] {
        let answer = api.send("POST", &path, Some(&api.key), &[], body).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    // Nobody else's event type, and not without the right.
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, berth_engine::TENANT_SCOPES).await;
    refused(&api.send("POST", &path, Some(&theirs), &[], json!({ "name": "Cy" })).await, 404, "BERTH-E0404");
    let reader = key(&api.world, api.world.caller.tenant, &["listings:read"]).await;
    refused(&api.send("POST", &path, Some(&reader), &[], json!({ "name": "Cy" })).await, 403, "BERTH-E0403");
    // It is good for nothing here: it leads to the provider.
    let gone = api
        .send(
            "DELETE",
            &format!("{LINKS}/{}", made["id"].as_str().unwrap()),
            Some(&api.key),
            &[],
            Value::Null,
        )
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let booked = api.ok("POST", "/api/booking", booking(&scene.event_type, "2026-11-24T09:00:00Z")).await;
    assert_eq!(booked["status"], "confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_link_leads_to_the_event_type_there_and_here() {
    let scene = Scene::new(false).await;
    let api = &scene.api;
    let listed =
        api.ok("GET", &format!("/api/booking-providers/{}/event-types", scene.connection), Value::Null).await;
    let items = listed["items"].as_array().unwrap();
    let there = items.iter().find(|item| item["id"] == "consultation").unwrap();
    let url = there["booking_url"].as_str().unwrap();
    let path = format!("/api/booking-providers/{}/resolve-link", scene.connection);
    let found = api.ok("POST", &path, json!({ "url": url })).await;
    assert_eq!((&found["external_id"], &found["url"]), (&json!("consultation"), &json!(url)));
    assert_eq!(found["event_type_ids"], json!([scene.event_type]), "{found}");
    assert_eq!(found["payload"]["title"], found["title"]);
    // One that nothing here stands for is found, too.
    let other = items.iter().find(|item| item["id"] != "consultation").unwrap();
    let found = api.ok("POST", &path, json!({ "url": other["booking_url"] })).await;
    assert_eq!((&found["external_id"], &found["event_type_ids"]), (&other["id"], &json!([])));
    for wrong in [
        "",
        "consultation",
        "http://reference.example/consultation",
        "javascript:alert(1)",
        "https://reference.example/nothing",
        "https://other.example/consultation",
    ] {
        let answer = api.send("POST", &path, Some(&api.key), &[], json!({ "url": wrong })).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], "/url", "{wrong}: {}", answer.body);
    }
    let long = format!("https://reference.example/{}", "x".repeat(2_048));
    refused(&api.send("POST", &path, Some(&api.key), &[], json!({ "url": long })).await, 422, "BERTH-E0422");
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, berth_engine::TENANT_SCOPES).await;
    refused(&api.send("POST", &path, Some(&theirs), &[], json!({ "url": url })).await, 404, "BERTH-E0404");
}
