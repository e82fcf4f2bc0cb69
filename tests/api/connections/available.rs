//! What can be connected to.

use berth_store::records::GrantRecord;
use serde_json::{Value, json};

use crate::{Api, component, key, refused};

const PATH: &str = "/api/booking-providers/available";

#[tokio::test(flavor = "multi_thread")]
async fn it_is_what_is_installed_and_granted_here() {
    let api = Api::new().await;
    assert_eq!(api.ok("GET", PATH, Value::Null).await, json!({ "items": [] }));
    api.world.install(component("reference")).await;
    api.world.install(component("calcom")).await;
    // Installed, not serving.
    api.world.engine.plugins.install_plugin("t", "t", component("gohighlevel")).await.unwrap();
    let found = api.ok("GET", PATH, Value::Null).await;
    let names = |found: &Value| {
        let names =
            found["items"].as_array().unwrap().iter().map(|one| one["provider"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&found), ["calcom", "reference"]);
    let calcom = &found["items"][0];
    assert_eq!((&calcom["version"], &calcom["oauth_client"]), (&json!("0.1.0"), &json!(false)));
    assert_eq!(calcom["webhooks"]["address"], "http://127.0.0.1:9/api/webhooks/calcom/{connection_id}");
    assert_eq!(calcom["settings_schema"]["properties"]["base_url"]["type"], "string");
    assert_eq!(calcom["capabilities"]["bookings"], true);
    let credentials: Vec<(&str, &str, bool)> = calcom["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["name"].as_str().unwrap(), c["kind"].as_str().unwrap(), c["consent"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        credentials,
        [("api-key", "api-key", false), ("oauth", "oauth2", true), ("webhook-secret", "generated", false)]
    );

    let first = api.ok("GET", &format!("{PATH}?limit=1"), Value::Null).await;
    assert_eq!(names(&first), ["calcom"]);
    let next = format!("{PATH}?limit=1&cursor={}", first["next"].as_str().unwrap());
    let second = api.ok("GET", &next, Value::Null).await;
    assert_eq!((names(&second), &second["next"]), (vec!["reference".to_owned()], &Value::Null));
    assert_eq!(names(&api.ok("GET", &format!("{PATH}?provider=nobody"), Value::Null).await), [""; 0]);
    refused(
        &api.send("GET", &format!("{PATH}?plugin=calcom"), Some(&api.key), &[], Value::Null).await,
        400,
        "BERTH-E0401",
    );

    // Another tenant may be granted less.
    let other = api.other_tenant().await;
    let narrowed = GrantRecord {
        plugin: "calcom".parse().unwrap(),
        tenant: Some(other),
        listing: None,
        hosts: std::collections::BTreeSet::new(),
        enabled: false,
    };
    api.world.engine.plugins.set_grant("t", "t", narrowed).await.unwrap();
    let theirs = key(&api.world, other, &["providers:read"]).await;
    let theirs = api.send("GET", PATH, Some(&theirs), &[], Value::Null).await;
    assert_eq!(names(&theirs.body), ["reference"]);
    assert_eq!(names(&api.ok("GET", PATH, Value::Null).await), ["calcom", "reference"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_with_whose_client_people_can_consent() {
    let (api, simulator) = crate::shop::with_outlook().await;
    let outlook = |found: &Value| found["items"][0].clone();
    let before = outlook(&api.ok("GET", PATH, Value::Null).await);
    assert_eq!((&before["provider"], &before["oauth_client"]), (&json!("outlook"), &json!(false)));
    let endpoint = |name: &str| format!("{}/common/oauth2/v2.0/{name}", simulator.url());
    let client = berth_engine::NewOAuthClient {
        client_id: "id".to_owned(),
        client_secret: None,
        endpoints: [("authorize", endpoint("authorize")), ("token", endpoint("token"))]
            .map(|(name, address)| (name.to_owned(), address))
            .into(),
        return_addresses: Vec::new(),
    };
    let plugin = "outlook".parse().unwrap();
    api.world.engine.connections.set_oauth_client("t", "t", &plugin, "oauth", client).await.unwrap();
    let after = outlook(&api.ok("GET", PATH, Value::Null).await);
    assert_eq!(
        (&after["oauth_client"], &after["credentials"][1]["oauth_client"]),
        (&json!(true), &json!(true)),
        "{after}"
    );
}
