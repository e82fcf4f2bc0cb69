//! Rules of synchronisation: one, or several of which the highest that matches counts.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{key, mirror::out_of_time::Scene, refused};

#[tokio::test(flavor = "multi_thread")]
async fn several_rules_are_set_and_shown() {
    let scene = Scene::new(true).await;
    let of = format!("/api/booking-providers/{}/sync", scene.connection);
    let path = format!("{of}/rules");
    let rule = json!({ "id": "default", "name": "Default", "source_system": "both", "priority": 5,
        "conditions": { "buffer_times": { "before": 15, "after": 10 }, "max_advance_booking": 90 },
        "actions": { "sync_availability": true, "auto_resolve_conflicts": false, "notify_admin": true }, "active": true });
    let answer = scene.api.ok("PUT", &path, json!({ "rules": [rule] })).await;
    let shown = &answer["rules"];
    assert_eq!(shown["rules"], json!([rule]));
    assert_eq!(
        (&shown["mode"], &shown["buffer_minutes"], &shown["max_advance_days"], &shown["auto_resolve"]),
        (&json!("bidirectional"), &json!(15), &json!(90), &json!(false)),
        "what it comes to"
    );
    let again = scene.api.ok("PUT", &path, shown.clone()).await;
    assert_eq!(&again["rules"], shown, "what is answered may be sent back");
    let import = json!({ "rules": [{ "id": "a", "source_system": "reference" }, { "id": "b", "source_system": "platform", "active": false }] });
    assert_eq!(scene.api.ok("PUT", &path, import).await["rules"]["mode"], "import");
    // One object is one rule, as ever.
    let one = scene.api.ok("PUT", &path, json!({ "mode": "export", "buffer_minutes": 5 })).await;
    assert_eq!((&one["rules"]["mode"], one["rules"].get("rules")), (&json!("export"), None));
    assert_eq!(scene.api.ok("GET", &of, Value::Null).await["rules"], one["rules"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_say_nothing_are_refused_whole() {
    let scene = Scene::new(true).await;
    let path = format!("/api/booking-providers/{}/sync/rules", scene.connection);
    let before = scene.api.ok("GET", path.trim_end_matches("/rules"), Value::Null).await["rules"].clone();
    let many: Vec<Value> = (0..10_000).map(|i| json!({ "id": i.to_string() })).collect();
    for (body, status, field) in [
        (json!({ "rules": [] }), 422, "/rules"),
        (json!({ "rules": many }), 422, "/rules"),
        (json!({ "rules": [{ "id": "a", "source_system": "moon" }] }), 422, "/rules/0/source_system"),
        (json!({ "rules": [{ "id": "a" }, { "id": "a" }] }), 422, "/rules/1/id"),
        (json!({ "rules": [{ "id": "a", "priority": 1.5 }] }), 400, "/rules/0/priority"),
        (json!({ "rules": [{ "id": "a", "moon": true }] }), 400, "/rules/0/moon"),
        (json!({ "rules": [{ "id": "a", "actions": { "moon": true } }] }), 400, "/rules/0/actions/moon"),
        (json!({ "rules": [{ "name": "nobody" }] }), 400, "/rules/0/id"),
        (json!({ "moon": 1 }), 400, "/moon"),
    ] {
        let answer = scene.api.send("PUT", &path, Some(&scene.api.key), &[], body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{}: {}", field, answer.body);
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    let after = scene.api.ok("GET", path.trim_end_matches("/rules"), Value::Null).await["rules"].clone();
    assert_eq!(after, before);
    let other = scene.api.other_tenant().await;
    let theirs = key(&scene.api.world, other, berth_engine::TENANT_SCOPES).await;
    let answer = scene.api.send("PUT", &path, Some(&theirs), &[], json!({})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    refused(&answer, 404, "BERTH-E0404");
}
