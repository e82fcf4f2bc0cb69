//! A walk over messages from providers: signed, for an app's account, a handshake, and refused.

use std::sync::Arc;

use berth_model::time::Clock as _;
use berth_simulators::gohighlevel;
use berth_tests::{TestClock, World};
use serde_json::{Value, json};

use crate::{
    Api, booking, component,
    mirror::out_of_time::Scene,
    shop::{connect_outlook, with_outlook},
    walk::Walk,
};

#[tokio::test(flavor = "multi_thread")]
async fn messages() {
    let scene = Scene::new(false).await;
    let made = scene.book().await;
    let news = json!({ "id": made["external_id"], "reference": made["id"], "status": "confirmed",
        "start": "2026-11-24T12:00:00Z", "end": "2026-11-24T12:30:00Z", "event_type": "consultation" });
    let mut walk = Walk::over(&scene.api).await;
    let path = format!("/api/webhooks/reference/{}", scene.connection);
    let (headers, body) = scene.signed(&news).await;
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    walk.message("POST", &path, &headers, &body).await;
    walk.message("POST", &path, &[], &body).await;
    scene.work().await;
    let log = format!("/api/booking-providers/{}/webhooks", scene.connection);
    let kept = walk.get(&log).await;
    let of = format!("{log}/{}", kept["items"][0]["id"].as_str().unwrap());
    walk.get(&of).await;
    walk.ask("POST", &format!("{of}/reprocess"), Value::Null).await;
    walk.get(&format!("/api/booking-providers/{}/webhook-refusals", scene.connection)).await;
    walk.end("inbound", "messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes() {
    let (api, simulator) = with_outlook().await;
    let mut walk = Walk::over(&api).await;
    let connection = connect_outlook(&api, &simulator).await;
    let path = format!("/api/webhooks/outlook/{connection}");
    walk.message("GET", &format!("{path}?validationToken=anybody-there"), &[], "").await;
    walk.message("POST", &format!("{path}?validationToken=anybody-there"), &[], "").await;
    walk.message("GET", &path, &[], "").await;
    walk.end("inbound", "handshakes");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts() {
    let clock = TestClock::start();
    let ticks = clock.clone();
    let hours = berth_simulators::hours::Hours {
        time_zone: chrono_tz::UTC,
        opens_minute: 0,
        closes_minute: 24 * 60,
        weekends: true,
    };
    let calendar = gohighlevel::Calendar {
        id: "cal_1".to_owned(),
        slug: "cal_1".to_owned(),
        name: "Consultation".to_owned(),
        length_minutes: 30,
        auto_confirm: true,
    };
    let config = gohighlevel::Config {
        clock: Arc::new(move || ticks.now().micros()),
        rate_limit: false,
        calendars: vec![calendar],
        hours,
        ..gohighlevel::Config::default()
    };
    let token = config.token.clone();
    let simulator = gohighlevel::Simulator::start(config).await.unwrap();
    let url = simulator.url();
    let world = World::new(7, clock, &[url.trim_start_matches("http://")]).await;
    world.install(component("gohighlevel")).await;
    let settings = json!({ "base_url": url, "location_id": "loc_1", "webhook_public_key": simulator.webhook_public_key() });
    let connection = world.connect("gohighlevel", settings, &token).await;
    let offered = world.offer(Some(connection), Some("cal_1")).await;
    let api = Api::over(world).await;
    let mut walk = Walk::over(&api).await;
    api.ok("POST", "/api/booking", booking(&json!(offered.id), "2026-11-24T09:00:00Z")).await;
    let message = simulator.take_deliveries().pop().unwrap();
    let headers: Vec<(&str, &str)> =
        message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = String::from_utf8(message.body.clone()).unwrap();
    walk.message("POST", "/api/webhooks/gohighlevel", &headers, &body).await;
    walk.message("POST", "/api/webhooks/gohighlevel", &[], &body).await;
    walk.get(&format!("/api/booking-providers/{connection}/webhooks")).await;
    walk.end("inbound", "accounts");
}
