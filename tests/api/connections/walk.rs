//! A walk over connections, and over the consents of people.

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    Api, booking, component,
    shop::with_outlook,
    walk::{Walk, at},
};

const PATH: &str = "/api/booking-providers";

#[tokio::test(flavor = "multi_thread")]
async fn connections() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    walk.get("/api/booking-providers/available").await;
    api.world.install(component("reference")).await;
    walk.get("/api/booking-providers/available").await;
    let new = |settings: Value| {
        let credentials = json!({ "api-key": "reference_test_not_a_real_key" });
        json!({ "provider": "reference", "name": "Front desk", "settings": settings, "credentials": credentials })
    };
    let made = walk.ask("POST", PATH, new(json!({ "page_size": 10 }))).await;
    walk.ask("POST", PATH, new(json!({ "page_size": 0 }))).await;
    let of = at(PATH, &made);
    let id = serde_json::from_value(made["id"].clone()).unwrap();
    let offered = api.world.offer(Some(id), Some("consultation")).await;
    api.ok("POST", "/api/booking", booking(&json!(offered.id), "2026-11-24T09:00:00Z")).await;
    walk.get(&of).await;
    walk.get(PATH).await;
    walk.ask("PATCH", &of, json!({ "name": "Desk", "webhook_sources": ["192.0.2.0/24"] })).await;
    walk.ask("PUT", &of, json!({ "provider": "reference", "settings": { "page_size": 20 } })).await;
    walk.ask("PUT", &of, json!({ "provider": "nobody" })).await;
    walk.get(&format!("{of}/health")).await;
    walk.get(&format!("{of}/event-types")).await;
    let calls = std::mem::take(&mut *api.world.calls.0.lock().unwrap());
    api.world.store.insert_calls(calls).await.unwrap();
    walk.get(&format!("{of}/calls?limit=2")).await;
    walk.ask("POST", &format!("{of}/webhook-secret/rotate"), json!({ "overlap_seconds": 60 })).await;
    walk.ask("POST", &format!("{of}/pause"), Value::Null).await;
    walk.get(&format!("{of}/event-types")).await;
    walk.ask("POST", &format!("{of}/resume"), Value::Null).await;
    walk.get(&format!("{of}/deletion")).await;
    walk.ask("DELETE", &of, Value::Null).await;
    walk.ask("POST", &format!("{of}/resume"), Value::Null).await;
    walk.end("connections", "connections");
}

/// Where the person's browser is sent back to with a consent.
async fn consent(started: &Value) -> String {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let asked = browser.get(started["url"].as_str().unwrap()).send().await.unwrap();
    let back = url::Url::parse(asked.headers()["location"].to_str().unwrap()).unwrap();
    format!("{}?{}", back.path(), back.query().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth() {
    let (api, simulator) = with_outlook().await;
    let mut walk = Walk::over(&api).await;
    let registered = berth_simulators::outlook::Client::default();
    let endpoint = |name: &str| format!("{}/common/oauth2/v2.0/{name}", simulator.url());
    let clients = "/api/operator/plugins/outlook/oauth-clients";
    let client = json!({ "client_id": registered.id, "client_secret": registered.secret,
        "endpoints": { "authorize": endpoint("authorize"), "token": endpoint("token") },
        "return_addresses": ["https://shop.example/connected"] });
    walk.operate("PUT", &format!("{clients}/oauth"), client).await;
    walk.operate("GET", clients, Value::Null).await;
    let new =
        json!({ "plugin": "outlook", "name": "Eve's calendar", "settings": { "base_url": simulator.url() } });
    let started = walk.ask("POST", &format!("{PATH}/oauth/start"), new).await;
    let back = consent(&started).await;
    walk.open("GET", &back, Value::Null).await;
    walk.open("GET", &back, Value::Null).await;
    let made = api.ok("GET", PATH, Value::Null).await["items"][0].clone();
    let of = at(PATH, &made);
    walk.get(&format!("{of}/oauth")).await;
    let again = json!({ "return_to": "https://shop.example/connected" });
    let started = walk.ask("POST", &format!("{of}/oauth/start"), again).await;
    walk.open("GET", &consent(&started).await, Value::Null).await;
    walk.ask("DELETE", &format!("{of}/oauth"), Value::Null).await;
    walk.get(&format!("{of}/oauth")).await;
    walk.operate("DELETE", &format!("{clients}/oauth"), Value::Null).await;
    walk.ask("POST", &format!("{of}/oauth/start"), json!({})).await;
    walk.end("connections", "oauth");
}
