//! From a person's consent to a token that renews itself, and to the end of the consent.

use std::collections::BTreeMap;

use berth_engine::{NewConnection, NewOAuthClient};
use berth_model::{
    bookings::booking::BookingStatus,
    connections::{
        connection::ConnectionStatus,
        secret::{Credentials, Secret},
    },
};
use berth_simulators::outlook;
use reqwest::{Client, redirect::Policy};
use serde_json::json;
use url::Url;

use crate::{Scene, installed};

/// The person opens the address at which Microsoft asks for consent, says yes, and the browser follows back to us.
async fn consent(url: &Url) {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let asked = browser.get(url.clone()).send().await.unwrap();
    let back = asked.headers()["location"].to_str().unwrap();
    let page = browser.get(back).send().await.unwrap();
    assert!(page.status().is_success(), "{}: {}", page.status(), page.text().await.unwrap());
}

#[tokio::test]
async fn a_person_consents_and_the_token_renews_itself_until_the_consent_ends() {
    let (world, simulator, receiver) = installed(5).await;
    let registered = outlook::Client::default();
    let endpoint = |name: &str| {
        let address = format!("{}/common/oauth2/v2.0/{name}", simulator.url());
        (name.to_owned(), address)
    };
    let client = NewOAuthClient {
        client_id: registered.id,
        client_secret: Some(Secret::new(registered.secret)),
        endpoints: BTreeMap::from([endpoint("authorize"), endpoint("token")]),
        return_addresses: Vec::new(),
    };
    let plugin = "outlook".parse().unwrap();
    world.engine.connections.set_oauth_client("operator", "test", &plugin, "oauth", client).await.unwrap();
    let new = NewConnection {
        plugin,
        name: "Eve's calendar".to_owned(),
        listing: None,
        settings: json!({ "base_url": simulator.url() }),
        credentials: Credentials::new(),
        granted_hosts: None,
        webhook_sources: None,
    };
    let started = world.engine.connections.start_oauth(&world.caller, None, new, None).await.unwrap();
    let asked: BTreeMap<String, String> = started.url.query_pairs().into_owned().collect();
    assert_eq!(asked["scope"], "offline_access User.Read Calendars.ReadWrite");
    assert_eq!((asked["response_mode"].as_str(), asked["code_challenge_method"].as_str()), ("query", "S256"));
    consent(&started.url).await;
    let connection =
        world.engine.connections.list_connections(&world.caller, None, 10).await.unwrap().remove(0);
    assert_eq!(
        (connection.status, connection.account["email"].as_str()),
        (ConnectionStatus::Healthy, Some("eve@example.com"))
    );
    let event_type = world.offer(Some(connection.id), Some("default")).await;
    let scene = Scene { world, simulator, connection: connection.id, event_type, receiver };
    assert_eq!(scene.book(scene.tomorrow(9)).await.booking.status, BookingStatus::Confirmed);

    // An access token lives an hour.
    scene.world.clock.advance_ms(2 * 3_600_000);
    assert_eq!(scene.book(scene.tomorrow(10)).await.booking.status, BookingStatus::Confirmed);

    scene.simulator.revoke_consent();
    scene.world.clock.advance_ms(2 * 3_600_000);
    let waiting = scene.book(scene.tomorrow(11)).await;
    assert!(waiting.pending);
    let connection =
        scene.world.engine.connections.connection(&scene.world.caller, scene.connection).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Unauthorised);

    // The person consents again, and what waited is written.
    let engine = &scene.world.engine;
    let again =
        engine.connections.restart_oauth(&scene.world.caller, scene.connection, None, None).await.unwrap();
    consent(&again.url).await;
    scene.world.clock.advance_ms(6 * 3_600_000);
    scene.settle().await;
    assert_eq!(scene.booking(waiting.booking.id).await.status, BookingStatus::Confirmed);
    assert_eq!(scene.simulator.events_by_reference(&waiting.booking.id.to_string()).len(), 1);
}
