//! No credential is ever seen: not in a log line of any level, not in the database's files, not in an error, not in the list of calls. Known
//! values are planted, everything that can go wrong goes wrong, and then everything is searched for them.

use std::{collections::BTreeMap, sync::Arc};

use berth_engine::{NewConnection, NewOAuthClient, OAuthAnswer};
use berth_model::{
    connections::secret::{Credentials, Secret},
    outbound::provider::WebhookRequest,
    time::{Clock as _, Instant},
};
use berth_simulators::{
    faults::{Fault, Rates},
    google,
};
use berth_store::{Store, VaultKeys};
use berth_tests::{
    Seeded, TestClock, World,
    canary_secrets::{CanarySecrets, Log, texts_of},
    component,
};
use serde_json::json;

const KEY: &str = "cal_planted_and_made_up_key_0123456789";
const WRONG: &str = "cal_planted_and_wrong_key_9876543210";

async fn consent(url: &url::Url) -> OAuthAnswer {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(url.clone()).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let back: BTreeMap<String, String> =
        url::Url::parse(location).unwrap().query_pairs().into_owned().collect();
    OAuthAnswer { state: back["state"].clone(), code: Some(back["code"].clone()), ..OAuthAnswer::default() }
}

fn connection(plugin: &str, url: &str, credentials: Credentials) -> NewConnection {
    NewConnection {
        plugin: plugin.parse().unwrap(),
        name: "canaries".to_owned(),
        listing: None,
        settings: json!({ "base_url": url }),
        credentials,
        granted_hosts: None,
        webhook_sources: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_credentials_are_found_nowhere() {
    let log = Log::begin();
    let (clock, random) = (TestClock::start(), Arc::new(Seeded::new(7)));
    let folder = tempfile::tempdir().unwrap();
    let keys = VaultKeys::new(vec![("test".to_owned(), [7; 32])]).unwrap();
    let url = format!("sqlite:{}", folder.path().join("berth.db").display());
    let store = Store::open(&url, keys, random.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let cal = berth_tests::calcom_with_key(clock.clone(), 7, KEY).await;
    let shown = clock.clone();
    let config =
        google::Config { clock: Arc::new(move || shown.now().micros()), ..google::Config::default() };
    let google = google::Simulator::start(config).await.unwrap();
    let hosts = [cal.url(), google.url()].map(|url| url.trim_start_matches("http://").to_owned());
    let world =
        World::over_reaching(store, clock.clone(), random, &hosts.each_ref().map(String::as_str)).await;
    for plugin in ["calcom", "google-calendar"] {
        world.install(component(plugin)).await;
    }
    let mut said = Vec::new();
    let mut canaries = CanarySecrets::default();
    [KEY, WRONG].iter().for_each(|key| canaries.plant(key));
    let key = |text: &str| Credentials::from([("api-key".to_owned(), Secret::new(text.to_owned()))]);

    // A wrong key, a right one, bookings while much goes wrong, and messages with good and bad signatures.
    let refused = world
        .engine
        .connections
        .create_connection(&world.caller, connection("calcom", &cal.url(), key(WRONG)))
        .await;
    said.push(format!("{:?}", refused.unwrap_err()));
    let made = world
        .engine
        .connections
        .create_connection(&world.caller, connection("calcom", &cal.url(), key(KEY)))
        .await
        .unwrap();
    said.push(format!("{made:?}"));
    let event_type = world.offer(Some(made.id), Some("101")).await;
    cal.set_rates(Rates {
        server_error: 0.1,
        drop_after: 0.1,
        rate_limited: 0.05,
        malformed: 0.05,
        ..Rates::default()
    });
    cal.script("POST /v2/bookings", Fault::Truncated);
    let first: Instant = Instant::from_micros((clock.now().micros() / 86_400_000_000 + 2) * 86_400_000_000);
    for n in 0..20 {
        let request = berth_tests::request(event_type.id, first.plus_minutes(n * 30));
        said.push(format!("{:?}", world.engine.bookings.book(&world.caller, request).await));
        clock.advance_ms(30_000);
        world.engine.jobs.run_due_jobs(20).await.unwrap();
    }
    let credentials =
        world.engine.store().connection_credentials(world.caller.tenant, made.id).await.unwrap();
    credentials.values().for_each(|secret| canaries.plant(secret.expose()));
    for signature in ["00".repeat(32), credentials["webhook-secret"].expose().to_owned()] {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: vec![("x-cal-signature-256".to_owned(), signature)],
            query: String::new(),
            body: b"{}".to_vec(),
            received_at: world.engine.now(),
            subscription: None,
        };
        let plugin = "calcom".parse().unwrap();
        let refused = world.engine.inbound.receive_webhook(&plugin, made.id, request, None, "test").await;
        said.push(format!("{:?}", refused.unwrap_err()));
    }

    // Consent, tokens that are renewed, and a consent that ends.
    let registered = google::OAuthClient::default();
    canaries.plant(&registered.secret);
    let endpoint = |name: &str, path: &str| (name.to_owned(), format!("{}{path}", google.url()));
    let client = NewOAuthClient {
        client_id: registered.id,
        client_secret: Some(Secret::new(registered.secret)),
        endpoints: BTreeMap::from([
            endpoint("authorize", "/o/oauth2/v2/auth"),
            endpoint("token", "/token"),
            endpoint("revoke", "/revoke"),
        ]),
        return_addresses: Vec::new(),
    };
    let plugin = "google-calendar".parse().unwrap();
    let registered = world
        .engine
        .connections
        .set_oauth_client("operator", "test", &plugin, "oauth", client)
        .await
        .unwrap();
    said.push(format!("{registered:?}"));
    let new = connection("google-calendar", &google.api_url(), Credentials::new());
    let started = world.engine.connections.start_oauth(&world.caller, None, new, None).await.unwrap();
    let answer = consent(&started.url).await;
    canaries.plant(&answer.state);
    canaries.plant(answer.code.as_deref().unwrap());
    let consented = world.engine.connections.finish_oauth(answer, "test").await.result.unwrap();
    for _ in 0..3 {
        let credentials =
            world.engine.store().connection_credentials(world.caller.tenant, consented.id).await.unwrap();
        canaries.plant(credentials["oauth"].expose());
        clock.advance_ms(3_600_000);
        said.push(format!(
            "{:?}",
            world.engine.connections.connection_health(&world.caller, consented.id).await
        ));
    }
    google.revoke_consent();
    clock.advance_ms(3_600_000);
    said.push(format!("{:?}", world.engine.connections.connection_health(&world.caller, consented.id).await));
    said.push(format!("{:?}", world.calls.0.lock().unwrap()));

    assert!(canaries.len() >= 8, "{} canaries", canaries.len());
    let log = log.take();
    let holds = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
    assert!(holds(&log, "request of a component"), "the log is there");
    canaries.assert_absent("the log", &log);
    canaries.assert_absent("what callers are told", said.join("\n").as_bytes());
    // Pages as they are, what was removed included, and values in one piece.
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        canaries.assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    let texts = texts_of(&folder.path().join("berth.db")).await;
    // What is no secret is found, so that the search is one.
    assert!(texts.iter().any(|(_, bytes)| holds(bytes, "ada@example.com")));
    for (place, bytes) in &texts {
        canaries.assert_absent(place, bytes);
    }
}
