//! What is given for a connection, in the spelling and under the names that people know.

use std::sync::Arc;

use berth_model::time::Clock as _;
use berth_simulators::gohighlevel;
use berth_tests::{TestClock, World, with_manifest};
use serde_json::{Value, json};

use crate::{Api, component, refused};

const PATH: &str = "/api/booking-providers";

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_among_the_credentials_is_one() {
    let clock = TestClock::start();
    let ticks = clock.clone();
    let config = gohighlevel::Config {
        clock: Arc::new(move || ticks.now().micros()),
        ..gohighlevel::Config::default()
    };
    let token = config.token.clone();
    let simulator = gohighlevel::Simulator::start(config).await.unwrap();
    let url = simulator.url();
    let world = World::new(7, clock, &[url.trim_start_matches("http://")]).await;
    world.install(component("gohighlevel")).await;
    let listing = world.offer(None, None).await.listing;
    let api = Api::over(world).await;
    let new = |settings: Value| {
        json!({ "provider": "gohighlevel", "listing_id": listing,
            "credentials": { "apiKey": token, "locationId": "loc_1" }, "settings": settings })
    };
    let made = api.ok("POST", PATH, new(json!({ "base_url": url, "syncDirection": "export" }))).await;
    assert_eq!((&made["settings"]["location_id"], &made["listing_id"]), (&json!("loc_1"), &json!(listing)));
    assert_eq!(
        (&made["provider"], &made["plugin"]),
        (&json!("gohighlevel"), &json!("gohighlevel")),
        "as before"
    );
    assert_eq!(made["credentials"], json!(["api-key"]));
    assert!(!made.to_string().contains(&token), "{made}");
    let of = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let mode = async || api.ok("GET", &format!("{of}/sync"), Value::Null).await["rules"]["mode"].clone();
    assert_eq!(mode().await, "export", "from the beginning");

    for (settings, field) in [
        (json!({ "base_url": url, "syncDirection": "upwards" }), "/settings/syncDirection"),
        (json!({ "base_url": url, "locationId": "loc_2" }), "/credentials/locationId"),
        (json!({ "base_url": url, "moon": 1 }), "/settings"),
    ] {
        let answer = api.send("POST", PATH, Some(&api.key), &[], new(settings.clone())).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{settings}: {}", answer.body);
    }

    // A change names what it changes; a setting among the credentials leaves the other settings alone.
    let other = json!({ "credentials": { "locationId": "loc_1" }, "name": "Desk" });
    let changed = api.ok("PUT", &of, other).await;
    assert_eq!((&changed["settings"]["base_url"], &changed["name"]), (&json!(url), &json!("Desk")));
    assert_eq!(changed["credentials"], json!(["api-key"]));
    let settings = json!({ "base_url": url, "location_id": "loc_1", "sync_direction": "import" });
    let changed = api.ok("PATCH", &of, json!({ "settings": settings })).await;
    assert_eq!(changed["settings"].get("sync_direction"), None);
    assert_eq!(mode().await, "import");
    // What the provider refuses changes nothing.
    let wrong = json!({ "credentials": { "apiKey": "pit-wrong" }, "settings": { "base_url": url, "location_id": "loc_1", "sync_direction": "off" } });
    let answer = api.send("PUT", &of, Some(&api.key), &[], wrong).await;
    refused(&answer, 422, "BERTH-E0500");
    assert_eq!(mode().await, "import");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_may_be_given_in_parts() {
    let api = Api::new().await;
    let parts = "parts = [{name=\"key-id\",label=\"Key\"},{name=\"key-secret\",label=\"Secret\"}]";
    let bytes = with_manifest(
        component("reference"),
        "description = \"Keeps its bookings in Berth itself. For trying things out, and for tests of every way to fail.\"\n\n[credentials.api-key]\nlabel = \"API key (any text)\"",
        &format!("[credentials.api-key]\nlabel = \"Key\"\n{parts}"),
    );
    api.world.install(bytes).await;
    let new = |credentials: Value| json!({ "provider": "reference", "credentials": credentials });
    let made = api.ok("POST", PATH, new(json!({ "keyId": "k", "keySecret": "s" }))).await;
    let id = serde_json::from_value(made["id"].clone()).unwrap();
    let tenant = api.world.caller.tenant;
    let kept = api.world.store.connection_credentials(tenant, id).await.unwrap();
    assert_eq!(kept["api-key"].expose(), "k:s");
    api.ok("POST", PATH, new(json!({ "api-key": { "key_id": "k", "key_secret": "s" } }))).await;
    api.ok("POST", PATH, new(json!({ "api-key": "k:s" }))).await;
    for (credentials, field) in [
        (json!({ "keyId": "k" }), "/credentials/key-secret"),
        (json!({ "keyId": "k:l", "keySecret": "s" }), "/credentials/key-id"),
        (json!({ "keyId": "", "keySecret": "s" }), "/credentials/key-id"),
        (json!({ "keyId": ["k"], "keySecret": "s" }), "/credentials/keyId"),
        (json!({ "moon": "x" }), "/credentials/moon"),
    ] {
        let answer = api.send("POST", PATH, Some(&api.key), &[], new(credentials.clone())).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{credentials}: {}", answer.body);
    }
    let listed = api.ok("GET", &format!("{PATH}/available"), Value::Null).await;
    assert_eq!(listed["items"][0]["credentials"][0]["parts"][1]["name"], "key-secret");
}
