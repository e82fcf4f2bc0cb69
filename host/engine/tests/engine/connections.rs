//! Connections: tried before they are saved, and silent about their credentials.

use berth_engine::{ConnectionPatch, Ends};
use berth_model::{
    connections::{
        connection::ConnectionStatus,
        secret::{Credentials, Secret},
    },
    outbound::provider::{CallError, ProviderError},
    problem::Code,
};
use berth_store::records::GrantRecord;

use crate::{
    provider::{Fault, LOST},
    world::{grant, new_connection, world},
};

const UNAUTHORISED: CallError = CallError::Provider(ProviderError::Unauthorised);

#[tokio::test]
async fn a_connection_is_tried_saved_and_subscribed() {
    let w = world().await;
    assert_eq!(w.connection.status, ConnectionStatus::Healthy);
    assert_eq!(w.connection.account["id"], "acc-1");
    assert_eq!(w.connection.credential_names, ["api-key", "webhook-secret"]);
    let url = format!("https://booking.example/api/webhooks/acme/{}", w.connection.id);
    assert_eq!(w.provider.state().subscribed, [url]);
    let subscription = w.connection.subscription.as_ref().unwrap();
    assert_eq!(subscription.id, format!("sub-of-{}-subscribe-1", w.connection.id));
    let credentials = w.engine.store().connection_credentials(w.tenant.id, w.connection.id).await.unwrap();
    assert!(credentials["webhook-secret"].expose().len() >= 43, "made up by the host");
}

#[tokio::test]
async fn what_the_provider_refuses_is_not_saved() {
    let w = world().await;
    w.provider.next("validate", Fault::Before(UNAUTHORISED));
    let problem = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderUnauthorised);
    assert_eq!(problem.errors[0].field, "/credentials");
    assert!(!format!("{problem:?}").contains("not_a_real_key"));
    assert_eq!(w.engine.connections.list_connections(&w.caller, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn all_fields_are_checked_at_once() {
    let w = world().await;
    let mut new = new_connection();
    new.name = String::new();
    new.settings = serde_json::json!({ "typo": 1 });
    new.credentials = Credentials::from([("nope".to_owned(), Secret::new("x".into()))]);
    let problem = w.engine.connections.create_connection(&w.caller, new).await.unwrap_err();
    let fields: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["/name", "/settings", "/credentials/nope", "/credentials/api-key"]);
}

#[tokio::test]
async fn rotated_credentials_are_tried_first_but_a_new_name_is_not() {
    let w = world().await;
    let rotate = || ConnectionPatch {
        credentials: Some(Credentials::from([("api-key".to_owned(), Secret::new("acme_test_new".into()))])),
        ..ConnectionPatch::default()
    };
    let stored = async || {
        let all = w.engine.store().connection_credentials(w.tenant.id, w.connection.id).await.unwrap();
        (all["api-key"].expose().to_owned(), all["webhook-secret"].expose().to_owned())
    };
    let before = stored().await;
    w.provider.next("validate", Fault::Before(UNAUTHORISED));
    let refused = w.engine.connections.update_connection(&w.caller, w.connection.id, rotate(), None).await;
    assert_eq!(refused.unwrap_err().code, Code::ProviderUnauthorised);
    assert_eq!(stored().await, before);
    w.engine.connections.update_connection(&w.caller, w.connection.id, rotate(), None).await.unwrap();
    let after = stored().await;
    assert_eq!((after.0.as_str(), &after.1), ("acme_test_new", &before.1), "the others stay");

    let tried = w.provider.count("validate");
    let rename = ConnectionPatch { name: Some("Acme 2".into()), ..ConnectionPatch::default() };
    let renamed =
        w.engine.connections.update_connection(&w.caller, w.connection.id, rename.clone(), None).await;
    assert_eq!(renamed.unwrap().name, "Acme 2");
    assert_eq!(w.provider.count("validate"), tried);
    let stale = w.engine.connections.update_connection(&w.caller, w.connection.id, rename, Some(1)).await;
    assert_eq!(stale.unwrap_err().code, Code::Changed);
}

#[tokio::test]
async fn what_is_not_in_use_is_removed() {
    let w = world().await;
    let booking = w.booked(crate::world::monday("10:00")).await;
    let problem = w.engine.catalog.delete_member(&w.caller, w.ana.id).await.unwrap_err();
    assert!(problem.code == Code::InUse && problem.detail.contains(&booking.id.to_string()), "{problem:?}");
    assert!(w.provider.state().unsubscribed.is_empty());
    let spare = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    w.provider.next("unsubscribe", Fault::Before(LOST));
    let ended = w.engine.connections.delete_connection(&w.caller, spare.id, None).await.unwrap();
    assert_eq!(ended, Ends::Removed);
    assert_eq!(w.provider.count("unsubscribe"), 1);
    assert_eq!(w.engine.connections.connection(&w.caller, spare.id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn health_says_what_is_wrong() {
    let w = world().await;
    for (fault, status, code) in [
        (Some(UNAUTHORISED), ConnectionStatus::Unauthorised, Some(Code::ProviderUnauthorised)),
        (Some(LOST), ConnectionStatus::Unavailable, Some(Code::ProviderUnavailable)),
        (None, ConnectionStatus::Healthy, None),
    ] {
        if let Some(error) = fault {
            w.provider.next("validate", Fault::Before(error));
        }
        let (connection, problem) =
            w.engine.connections.connection_health(&w.caller, w.connection.id).await.unwrap();
        assert_eq!((connection.status, problem.map(|p| p.code)), (status, code));
        assert_eq!(w.engine.connections.connection(&w.caller, w.connection.id).await.unwrap().status, status);
    }
}

#[tokio::test]
async fn a_plugin_without_hosts_or_version_says_so() {
    let w = world().await;
    let none = GrantRecord {
        plugin: "acme".parse().unwrap(),
        tenant: None,
        listing: None,
        hosts: grant(&[]),
        enabled: true,
    };
    w.engine.plugins.set_grant("operator", "req", none).await.unwrap();
    let problem = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderNotActive);
    assert!(problem.hint.unwrap().contains("berth plugin grant acme api.acme.example"));
    w.provider.state().active = false;
    let problem = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap_err();
    assert!(problem.detail.contains("no active version"), "{}", problem.detail);
}

#[tokio::test]
async fn event_types_are_remembered_as_long_as_the_manifest_says() {
    let w = world().await;
    let asked = || async {
        w.engine.catalog.external_event_types(&w.caller, w.connection.id, None).await.unwrap();
        w.provider.count("list_event_types")
    };
    assert_eq!((asked().await, asked().await), (1, 1));
    w.clock.pass_seconds(301);
    assert_eq!((asked().await, asked().await), (2, 2));
    // A message may mean that they changed.
    crate::webhooks::send_raw(&w, b"{}").await;
    w.later(0).await;
    assert_eq!(asked().await, 3);
}

#[tokio::test]
async fn a_provider_that_never_answers_is_left_alone_for_a_while() {
    let w = world().await;
    let health = || w.engine.connections.connection_health(&w.caller, w.connection.id);
    let before = w.provider.count("validate");
    for _ in 0..30 {
        w.provider.next("validate", crate::provider::Fault::Before(crate::provider::LOST));
        assert!(health().await.unwrap().1.is_some());
    }
    assert_eq!(w.provider.count("validate") - before, 10, "then nobody asks");
    w.provider.state().clear_faults();
    w.clock.pass_seconds(60);
    assert!(health().await.unwrap().1.is_none(), "one tries, and the breaker closes");
    assert!(health().await.unwrap().1.is_none());
}
