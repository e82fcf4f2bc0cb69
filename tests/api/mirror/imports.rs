//! Taking over what a provider has.

use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{key, mirror::out_of_time::Scene, refused};

/// All pages of an import: their items, and the digest of each.
async fn all(scene: &Scene, mode: &str) -> (Vec<Value>, Vec<Value>) {
    let path = format!("/api/booking-providers/{}/import", scene.connection);
    let (mut items, mut digests, mut cursor) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "what": ["event_types", "clients"], "mode": mode });
        body["cursor"] = cursor;
        let page = scene.api.ok("POST", &path, body).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        digests.push(page["digest"].clone());
        let Some(next) = page.get("next") else { return (items, digests) };
        cursor = next.clone();
    }
}

fn actions(items: &[Value]) -> Vec<(&str, &str)> {
    items
        .iter()
        .map(|item| (item["external_id"].as_str().unwrap(), item["action"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_what_is_done_and_the_same_again_is_nothing() {
    let scene = Scene::new(false).await;
    let api = &scene.api;
    let (shown, digests) = all(&scene, "preview").await;
    let event_types: Vec<&Value> = shown.iter().filter(|item| item["what"] == "event_types").collect();
    let of = |id: &str| event_types.iter().find(|item| item["external_id"] == id).unwrap()["action"].clone();
    assert!(["update", "unchanged"].contains(&of("consultation").as_str().unwrap()), "{shown:?}");
    assert_eq!((of("class"), of("retired")), (json!("create"), json!("refused")));
    let (_, again) = all(&scene, "preview").await;
    assert_eq!(digests, again, "a preview changes nothing");
    let (done, _) = all(&scene, "apply").await;
    assert_eq!(actions(&done), actions(&shown));
    let made = done.iter().find(|item| item["external_id"] == "class").unwrap();
    let path = format!("/api/booking/event-types/{}", made["event_type_id"].as_str().unwrap());
    let made = api.ok("GET", &path, Value::Null).await;
    assert_eq!(
        (&made["title"], &made["length_minutes"], &made["slug"], &made["policy"]["seats"]),
        (&json!("Class"), &json!(60), &json!("class"), &json!(4))
    );
    assert_eq!(
        made["external"],
        json!([{ "connection_id": scene.connection, "external_id": "class" }]),
        "{made}"
    );
    let (twice, _) = all(&scene, "apply").await;
    let left: Vec<_> = actions(&twice).into_iter().filter(|(_, action)| *action != "unchanged").collect();
    assert_eq!(
        left.iter().map(|(_, action)| *action).collect::<Vec<_>>(),
        vec!["refused"; left.len()],
        "{twice:?}"
    );
    // What changed there is followed, and what is no longer tied is tied again.
    api.ok("PATCH", &path, json!({ "title": "Lesson" })).await;
    let (after, _) = all(&scene, "preview").await;
    assert!(actions(&after).contains(&("class", "update")), "{after:?}");
    api.ok("PATCH", &path, json!({ "title": "Class", "external": [], "external_id": null })).await;
    let (after, _) = all(&scene, "preview").await;
    assert!(actions(&after).contains(&("class", "link")), "{after:?}");
    all(&scene, "apply").await;
    let tied = api.ok("GET", &path, Value::Null).await;
    assert_eq!(tied["external"][0]["external_id"], "class", "{tied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_become_customers_once() {
    let scene = Scene::new(false).await;
    let api = &scene.api;
    // Who books there is a client there.
    scene
        .made_there(&[
            scene.theirs("a", "2026-11-24T09:00:00Z", ["Ada Nowak", "ada@example.org"]),
            scene.theirs("b", "2026-11-24T11:00:00Z", ["Bea Nowak", "bea@example.org"]),
        ])
        .await;
    let path = format!("/api/booking-providers/{}/import", scene.connection);
    let clients = |mode: &str| json!({ "what": ["clients"], "mode": mode });
    let shown = api.ok("POST", &path, clients("preview")).await;
    assert_eq!(shown["counts"], json!({ "create": 2 }), "{shown}");
    let page = api.ok("GET", "/api/customers?q=nowak", Value::Null).await;
    assert_eq!(page["items"], json!([]), "nobody was made");
    let mut body = clients("apply");
    body["digest"] = shown["digest"].clone();
    let done = api.ok("POST", &path, body.clone()).await;
    let customer = done["items"][0]["customer_id"].as_str().unwrap();
    let whole = api.ok("GET", &format!("/api/customers/{customer}"), Value::Null).await;
    assert_eq!(whole["at_providers"][0]["external_id"], done["items"][0]["external_id"], "{whole}");
    let again = api.ok("POST", &path, clients("apply")).await;
    assert_eq!(again["counts"], json!({ "unchanged": 2 }), "{again}");
    assert_eq!(again["items"][0]["customer_id"], customer);
    // It is not as it was shown any more.
    let stale = api.send("POST", &path, Some(&api.key), &[], body).await;
    refused(&stale, 409, "BERTH-E0559");
    // Addresses that stand in titles are for who may see them, and customers are for who may write them.
    let tenant = api.world.caller.tenant;
    let half = key(&api.world, tenant, &["providers:write", "listings:write"]).await;
    refused(&api.send("POST", &path, Some(&half), &[], clients("preview")).await, 403, "BERTH-E0403");
    for (body, field) in [
        (json!({ "what": [], "mode": "preview" }), "/what"),
        (json!({ "what": ["members"], "mode": "preview" }), "/what/0"),
        (json!({ "what": ["moons"], "mode": "preview" }), "/what/0"),
        (json!({ "what": ["clients", "clients"], "mode": "preview" }), "/what"),
        (json!({ "what": vec!["clients"; 500], "mode": "preview" }), "/what"),
        (
            json!({ "what": ["event_types"], "mode": "preview", "listing_id": "0193b3f0-0000-7000-8000-000000000000" }),
            "/listing_id",
        ),
        (
            json!({ "what": ["event_types"], "mode": "preview", "member_ids": ["0193b3f0-0000-7000-8000-000000000000"] }),
            "/member_ids/0",
        ),
    ] {
        let answer = api.send("POST", &path, Some(&api.key), &[], body).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    for cursor in ["bm8", "WzksbnVsbF0", ""] {
        let mut body = clients("preview");
        body["cursor"] = json!(cursor);
        refused(&api.send("POST", &path, Some(&api.key), &[], body).await, 400, "BERTH-E0401");
    }
    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    refused(&api.send("POST", &path, Some(&other), &[], clients("preview")).await, 404, "BERTH-E0404");
}
