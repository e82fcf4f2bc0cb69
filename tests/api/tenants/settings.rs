//! A tenant's own settings.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, key, refused};

const PATH: &str = "/api/tenant";

#[tokio::test]
async fn a_tenant_changes_what_it_says_of_itself_and_nothing_else() {
    let api = Api::new().await;
    let shown = api.send("GET", PATH, Some(&api.key), &[], Value::Null).await;
    assert_eq!((shown.status, shown.headers["etag"].to_str().unwrap()), (StatusCode::OK, "\"1\""));
    assert_eq!(shown.body["settings"]["public"], false, "nobody sees anything until the tenant says so");

    let first = json!({ "settings": { "public": true, "brand": { "name": "Studio" }, "clock": "12h" } });
    let changed = api.send("PATCH", PATH, Some(&api.key), &[("if-match", "\"1\"")], first.clone()).await;
    assert_eq!((changed.status, changed.headers["etag"].to_str().unwrap()), (StatusCode::OK, "\"2\""));
    refused(
        &api.send("PATCH", PATH, Some(&api.key), &[("if-match", "\"1\"")], first).await,
        412,
        "BERTH-E0415",
    );
    // What is absent stays, also inside of the brand; null sets the default.
    let next = json!({ "settings": { "brand": { "accent": "#000000" }, "clock": null } });
    let settings = api.ok("PATCH", PATH, next).await["settings"].clone();
    assert_eq!(
        (&settings["public"], &settings["brand"]["name"], &settings["brand"]["accent"], &settings["clock"]),
        (&json!(true), &json!("Studio"), &json!("#000000"), &Value::Null)
    );

    for (body, status, code, field) in [
        (json!({ "slug": "other" }), 400, "BERTH-E0400", "/slug"),
        (json!({ "settings": { "colour": "red" } }), 400, "BERTH-E0400", "/settings/colour"),
        (json!({ "settings": { "brand": { "font": "x" } } }), 400, "BERTH-E0400", "/settings/brand/font"),
        (json!({ "settings": { "clock": "13h" } }), 400, "BERTH-E0400", "/settings/clock"),
        (json!({ "settings": { "time_zone": "Mars/Base" } }), 422, "BERTH-E0422", "/settings/time_zone"),
        (json!({ "settings": { "embed_origins": ["*"] } }), 422, "BERTH-E0422", "/settings/embed_origins/0"),
        (
            json!({ "settings": { "return_urls": ["javascript:x"] } }),
            422,
            "BERTH-E0422",
            "/settings/return_urls/0",
        ),
        (
            json!({ "settings": { "public_bookings_per_hour": 0 } }),
            422,
            "BERTH-E0422",
            "/settings/public_bookings_per_hour",
        ),
        (json!({ "name": "" }), 422, "BERTH-E0422", "/name"),
    ] {
        let answer = api.send("PATCH", PATH, Some(&api.key), &[], body).await;
        refused(&answer, status, code);
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    let none = "0193b3f0-0000-7000-8000-000000000000";
    let answer = api.send("PATCH", PATH, Some(&api.key), &[], json!({ "default_connection_id": none })).await;
    refused(&answer, 404, "BERTH-E0404");

    // Another tenant has its own, and reads no other's.
    let other = api.other_tenant().await;
    let weak = key(&api.world, other, &["listings:read"]).await;
    let own = api.send("GET", PATH, Some(&weak), &[], Value::Null).await;
    assert_eq!((own.body["slug"].as_str(), &own.body["settings"]["public"]), (Some("other"), &json!(false)));
    refused(&api.send("PATCH", PATH, Some(&weak), &[], json!({})).await, 403, "BERTH-E0403");
}
