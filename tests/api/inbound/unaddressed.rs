//! Messages that name neither a connection nor an account are tried against the secrets of a few connections.

use axum::http::StatusCode;
use berth_model::{
    connections::secret::{Credentials, Secret},
    id::ConnectionId,
    limits,
    time::Clock as _,
};
use ring::hmac;
use serde_json::{Value, json};

use crate::{Answer, Api, component, fixtures, refused};

const PATH: &str = "/api/webhooks/reference";

async fn installed() -> Api {
    let api = Api::new().await;
    api.world.install(component("reference")).await;
    api
}

/// A connection that verifies messages with this secret.
async fn connect(api: &Api, secret: &str) -> ConnectionId {
    // Ids follow the clock.
    api.world.clock.advance_ms(10);
    let made = fixtures::connect(api, "reference").await;
    let mut credentials = Credentials::new();
    credentials.insert("webhook-secret".to_owned(), Secret::new(secret.to_owned()));
    let tenant = api.world.caller.tenant;
    let connection = api.world.store.connection(tenant, made).await.unwrap();
    let revision = connection.revision;
    let audit = fixtures::audit(api);
    api.world.store.update_connection(connection, Some(credentials), revision, audit).await.unwrap();
    made
}

async fn send(api: &Api, secret: &str, body: &str) -> Answer {
    let at = api.world.clock.now().micros() / 1_000_000;
    let tag =
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), format!("{at}.{body}").as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let at = at.to_string();
    let headers = [("x-reference-timestamp", at.as_str()), ("x-reference-signature", tag.as_str())];
    api.send_body("POST", PATH, None, &headers, body.to_owned()).await
}

async fn kept(api: &Api, connection: ConnectionId) -> usize {
    let path = format!("/api/booking-providers/{connection}/webhooks");
    api.ok("GET", &path, Value::Null).await["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connection_whose_secret_proves_it_gets_it() {
    let api = installed().await;
    let one = connect(&api, "one").await;
    let (two, three) = (connect(&api, "shared").await, connect(&api, "shared").await);
    assert_eq!(send(&api, "one", "{}").await.status, StatusCode::OK);
    assert_eq!((kept(&api, one).await, kept(&api, two).await, kept(&api, three).await), (1, 0, 0));
    assert_eq!(send(&api, "shared", "{\"n\":1}").await.status, StatusCode::OK);
    assert_eq!((kept(&api, one).await, kept(&api, two).await, kept(&api, three).await), (1, 1, 1));
    // Another tenant's, too, if its secret proves it: whoever has the secret is the provider.
    let nobody = send(&api, "nobody", "{}").await;
    refused(&nobody, 404, "BERTH-E0404");
    assert!(nobody.body["hint"].as_str().unwrap().contains("/api/webhooks/{provider}/{connection}"));
    // Nothing of it is noted with connections that it is not for.
    let refusals =
        api.ok("GET", &format!("/api/booking-providers/{one}/webhook-refusals"), Value::Null).await;
    assert!(!refusals.to_string().contains("mismatch"), "{refusals}");
    refused(&api.send("POST", PATH, None, &[], json!({})).await, 404, "BERTH-E0404");
    refused(&api.send("POST", "/api/webhooks/nobody", None, &[], json!({})).await, 404, "BERTH-E0404");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_fifty_secrets_are_tried() {
    let api = installed().await;
    let mut made = Vec::new();
    for n in 0..=limits::WEBHOOK_SECRETS_TRIED_MAX {
        made.push(connect(&api, &format!("secret {n}")).await);
    }
    let last = limits::WEBHOOK_SECRETS_TRIED_MAX;
    assert_eq!(send(&api, &format!("secret {}", last - 1), "{}").await.status, StatusCode::OK);
    assert_eq!(kept(&api, made[last - 1]).await, 1);
    refused(&send(&api, &format!("secret {last}"), "{}").await, 404, "BERTH-E0404");
    assert_eq!(kept(&api, made[last]).await, 0, "it is the fifty-first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_is_wrong_again_and_again_is_put_off() {
    let api = installed().await;
    let one = connect(&api, "one").await;
    for _ in 0..limits::WEBHOOK_WRONG_TRIALS_PER_MINUTE_MAX {
        refused(&send(&api, "wrong", "{}").await, 404, "BERTH-E0404");
    }
    let put_off = send(&api, "one", "{}").await;
    refused(&put_off, 429, "BERTH-E0429");
    assert!(put_off.headers.contains_key("retry-after"));
    api.world.clock.advance_ms(60_000);
    assert_eq!(send(&api, "one", "{}").await.status, StatusCode::OK);
    assert_eq!(kept(&api, one).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_key_signs_for_all_is_nobodys_without_an_account() {
    let api = Api::new().await;
    api.world.install(component("gohighlevel")).await;
    fixtures::connect(&api, "gohighlevel").await;
    let headers = [("x-ghl-signature", "AAAA")];
    let answer = api.send_body("POST", "/api/webhooks/gohighlevel", None, &headers, "{}".to_owned()).await;
    refused(&answer, 401, "BERTH-E0520");
}
