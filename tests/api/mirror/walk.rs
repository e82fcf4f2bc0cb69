//! A walk over synchronisation, conflicts, and the comparison of both sides.

use serde_json::{Value, json};

use crate::{
    booking,
    mirror::{adopt, lists, out_of_time::Scene},
    walk::{Walk, at},
};

#[tokio::test(flavor = "multi_thread")]
async fn synchronisation() {
    let scene = Scene::new(false).await;
    scene.book().await;
    let mut walk = Walk::over(&scene.api).await;
    let of = format!("/api/booking-providers/{}", scene.connection);
    let rules = json!({ "mode": "bidirectional", "auto_resolve": false, "buffer_minutes": 5, "max_advance_days": 90 });
    walk.ask("PUT", &format!("{of}/sync/rules"), rules).await;
    walk.ask("PUT", &format!("{of}/sync/rules"), json!({ "max_advance_days": 0 })).await;
    walk.ask("POST", &format!("{of}/sync"), json!({ "full": true })).await;
    scene.work().await;
    walk.get(&format!("{of}/sync")).await;
    walk.get(&format!("{of}/mirror?kind=event_type")).await;
    walk.get(&format!("{of}/mirror?kind=moon")).await;
    let admin = "/api/admin/reference";
    walk.ask("POST", &format!("{admin}/full-sync"), Value::Null).await;
    scene.work().await;
    for what in ["sync-status", "health", "errors"] {
        walk.get(&format!("{admin}/{what}")).await;
    }
    let period = "from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z";
    walk.get(&format!("{admin}/reconciliation?{period}")).await;
    walk.get(&format!("{admin}/reconciliation?{period}&format=csv")).await;
    walk.get("/api/admin/nobody/health").await;
    walk.end("mirror", "synchronisation");
}

#[tokio::test(flavor = "multi_thread")]
async fn external_bookings() {
    let (scene, _) = lists::scene().await;
    let mut walk = Walk::over(&scene.api).await;
    let listed = walk.get("/api/booking?origin=all&from=2026-11-24T00:00:00Z").await;
    walk.get("/api/booking?origin=theirs").await;
    let of = at("/api/booking/external", &listed["items"][0]);
    walk.get(&of).await;
    walk.ask("POST", &format!("{of}/adopt"), json!({})).await;
    let over = adopt::row(&scene, "over").await;
    walk.ask("POST", &adopt::of(&over), json!({})).await;
    walk.get(&of).await;
    let path = format!("/api/booking-providers/{}/import", scene.connection);
    walk.ask("POST", &path, json!({ "what": ["event_types"], "mode": "preview" })).await;
    walk.ask("POST", &path, json!({ "what": ["clients"], "mode": "apply" })).await;
    walk.ask("POST", &path, json!({ "what": ["members"], "mode": "apply" })).await;
    walk.end("mirror", "external_bookings");
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts() {
    let scene = Scene::new(false).await;
    scene.book().await;
    // It is moved there to a time that is taken here.
    let mut here = booking(&scene.event_type, "2026-11-24T12:00:00Z");
    here["provider"] = json!("builtin");
    let here = scene.api.ok("POST", "/api/booking", here).await;
    scene.moved_there(["2026-11-24T12:00:00Z", "2026-11-24T12:30:00Z"]).await;
    scene.sync().await;
    let mut walk = Walk::over(&scene.api).await;
    let path = "/api/admin/reference/conflicts";
    let listed = walk.get(path).await;
    let of = format!("{path}/{}", listed["items"][0]["id"].as_str().unwrap());
    walk.ask("POST", &format!("{of}/resolve"), json!({ "resolution": "nobodys" })).await;
    walk.ask("POST", &format!("{of}/resolve"), json!({ "resolution": "ours" })).await;
    scene.work().await;
    walk.ask("POST", &format!("{of}/revert"), Value::Null).await;
    // And when it is free.
    scene.api.ok("POST", &format!("{}/cancel", at("/api/booking", &here)), json!({})).await;
    walk.ask("POST", &format!("{of}/revert"), Value::Null).await;
    walk.get(&format!("{path}?all=true")).await;
    walk.end("mirror", "conflicts");
}
