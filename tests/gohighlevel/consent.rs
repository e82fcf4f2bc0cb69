//! A person consents to an app in their sub-account, and the tokens renew themselves: each refresh spends the token that it used.

use std::collections::BTreeMap;

use berth_engine::{NewConnection, NewOAuthClient, OAuthAnswer};
use berth_model::connections::{
    connection::ConnectionStatus,
    secret::{Credentials, Secret},
};
use berth_simulators::gohighlevel::App;
use serde_json::json;
use url::Url;

use super::scenario::Scenario;

/// A day, in milliseconds: more than the life of an access token.
const DAY_MS: i64 = 86_400_000;

/// The person opens the address, chooses the sub-account, and is sent back.
async fn consent(url: &Url) -> OAuthAnswer {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.get(url.clone()).send().await.unwrap();
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let back: BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    OAuthAnswer { state: back["state"].clone(), code: Some(back["code"].clone()), ..OAuthAnswer::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_consents_and_no_refresh_token_is_used_twice() {
    let scenario = Scenario::open("cal_1", json!({})).await;
    let (world, url) = (&scenario.world, scenario.simulator.url());
    let app = App::default();
    let endpoint = |name: &str, path: &str| (name.to_owned(), format!("{url}{path}"));
    let client = NewOAuthClient {
        client_id: app.client_id,
        client_secret: Some(Secret::new(app.client_secret)),
        endpoints: BTreeMap::from([
            endpoint("authorize", "/v2/oauth/chooselocation"),
            endpoint("token", "/oauth/token"),
        ]),
        return_addresses: Vec::new(),
    };
    let plugin = "gohighlevel".parse().unwrap();
    world.engine.connections.set_oauth_client("operator", "test", &plugin, "oauth", client).await.unwrap();
    let new = NewConnection {
        plugin,
        name: "by consent".to_owned(),
        listing: None,
        settings: json!({ "base_url": url, "location_id": "loc_1" }),
        credentials: Credentials::new(),
        granted_hosts: None,
        webhook_sources: None,
    };
    let started = world.engine.connections.start_oauth(&world.caller, None, new, None).await.unwrap();
    let asked: BTreeMap<String, String> = started.url.query_pairs().into_owned().collect();
    assert!(asked["scope"].contains("calendars/events.write contacts.readonly"));
    let finished = world.engine.connections.finish_oauth(consent(&started.url).await, "test").await;
    let connection = finished.result.unwrap();
    assert_eq!(
        (&connection.account["id"], &connection.account["name"]),
        (&json!("loc_1"), &json!("Eve's practice"))
    );

    for _ in 0..3 {
        world.clock.advance_ms(DAY_MS);
        let (health, problem) =
            world.engine.connections.connection_health(&world.caller, connection.id).await.unwrap();
        assert_eq!((health.status, problem), (ConnectionStatus::Healthy, None));
    }
    let tokens: Vec<u16> = scenario
        .simulator
        .requests()
        .into_iter()
        .filter(|request| request.path == "/oauth/token")
        .map(|request| request.status)
        .collect();
    assert_eq!(tokens, [200; 4], "one for the code, and one a day");
}
