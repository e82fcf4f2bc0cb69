//! What is granted is added to, and who would lose a host is asked first.

use berth_engine::{GrantChange, NewConnection};
use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionStatus},
    outbound::provider::{CallError, ProviderError},
    plugins::plugin::HostGrant,
    problem::Code,
};
use berth_store::records::GrantRecord;
use proptest::prelude::*;
use serde_json::json;

use crate::{
    provider::{Fault, MANIFEST},
    world::{World, grant, new_connection, world},
};

const OWN: &str = "cal.studio.example";

fn change(add: &[&str], remove: &[&str], force: bool) -> GrantChange {
    GrantChange {
        plugin: "acme".parse().unwrap(),
        tenant: None,
        listing: None,
        add: grant(add),
        remove: grant(remove),
        force,
    }
}

fn level(hosts: &[&str]) -> GrantRecord {
    GrantRecord {
        plugin: "acme".parse().unwrap(),
        tenant: None,
        listing: None,
        hosts: grant(hosts),
        enabled: true,
    }
}

async fn granted(w: &World) -> HostGrant {
    let all = w.engine.plugins.list_grants(&"acme".parse().unwrap(), None, None).await.unwrap();
    all[0].hosts.clone()
}

/// A connection to a server of the tenant's own, which is granted.
async fn self_hosted(w: &World) -> ConnectionRecord {
    w.engine.plugins.install_plugin("operator", "req", MANIFEST.into()).await.unwrap();
    w.engine.plugins.change_grant("operator", "req", change(&[OWN], &[], false)).await.unwrap();
    let new = NewConnection {
        name: "Own server".into(),
        settings: json!({ "base_url": format!("https://{OWN}/api") }),
        ..new_connection()
    };
    w.engine.connections.create_connection(&w.caller, new).await.unwrap()
}

#[tokio::test]
async fn granting_adds_and_what_is_revoked_is_named_first() {
    let w = world().await;
    let own = self_hosted(&w).await;
    // As an upgrade does: it grants what the new version asks for.
    let (now, losing) = w
        .engine
        .plugins
        .change_grant("operator", "req", change(&["api.acme.example"], &[], false))
        .await
        .unwrap();
    assert_eq!((now.hosts, losing.len()), (grant(&["api.acme.example", OWN]), 0), "nothing is revoked");

    let refused =
        w.engine.plugins.change_grant("operator", "req", change(&[], &[OWN], false)).await.unwrap_err();
    assert_eq!(refused.code, Code::InUse);
    for named in ["Own server", &own.id.to_string(), OWN] {
        assert!(refused.detail.contains(named), "{}", refused.detail);
    }
    assert!(!refused.detail.contains(&w.connection.id.to_string()), "the other keeps what it asks for");
    assert_eq!(granted(&w).await.len(), 2, "nothing changed");

    let by_replacing = w
        .engine
        .plugins
        .replace_grant("operator", "req", level(&["api.acme.example"]), false)
        .await
        .unwrap_err();
    assert_eq!(by_replacing.code, Code::InUse);
    let (now, losing) =
        w.engine.plugins.change_grant("operator", "req", change(&[], &[OWN], true)).await.unwrap();
    assert_eq!(now.hosts, grant(&["api.acme.example"]));
    assert_eq!(losing.iter().map(|l| l.connection).collect::<Vec<_>>(), [own.id]);
}

#[tokio::test]
async fn a_connection_that_may_not_reach_its_host_is_not_healthy() {
    let w = world().await;
    let own = self_hosted(&w).await;
    assert_eq!(w.engine.plugins.as_it_stands(own.clone()).await.unwrap().status, ConnectionStatus::Healthy);
    w.engine.plugins.set_grant("operator", "req", level(&["api.acme.example"])).await.unwrap();
    let shown = w.engine.plugins.as_it_stands(own.clone()).await.unwrap();
    assert_eq!(shown.status, ConnectionStatus::Unavailable);
    assert!(shown.status_detail.unwrap().contains(&format!("berth plugin grant acme {OWN}")));
    let other = w.engine.plugins.as_it_stands(w.connection.clone()).await.unwrap();
    assert_eq!(other.status, ConnectionStatus::Healthy);
    // Whatever the level that takes it away.
    w.engine.plugins.set_grant("operator", "req", level(&["api.acme.example", OWN])).await.unwrap();
    let narrower = GrantRecord { tenant: Some(w.tenant.id), ..level(&["api.acme.example"]) };
    w.engine.plugins.set_grant("operator", "req", narrower).await.unwrap();
    assert_eq!(w.engine.plugins.as_it_stands(own).await.unwrap().status, ConnectionStatus::Unavailable);
}

#[tokio::test]
async fn what_a_wildcard_still_grants_is_not_revoked_in_silence() {
    let w = world().await;
    w.engine.plugins.change_grant("operator", "req", change(&["*.acme.example"], &[], false)).await.unwrap();
    let refused = w
        .engine
        .plugins
        .change_grant("operator", "req", change(&[], &["api.acme.example"], false))
        .await
        .unwrap_err();
    assert_eq!((refused.code, refused.errors[0].field.as_str()), (Code::Invalid, "/remove/0"));
    assert!(refused.detail.contains("*.acme.example"), "{}", refused.detail);
    for bad in ["https://api.acme.example", "a b", "", "API.acme.example", "a\u{202e}b"] {
        let refused =
            w.engine.plugins.change_grant("operator", "req", change(&[bad], &[], false)).await.unwrap_err();
        assert_eq!(refused.errors[0].field, "/add/0", "{bad}");
    }
    let mut of_tenant = change(&["x.example"], &[], false);
    of_tenant.tenant = Some(w.tenant.id);
    let refused = w.engine.plugins.change_grant("operator", "req", of_tenant).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongState, "to add to a level that says nothing would narrow it");
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_named_with_the_line_that_grants_it() {
    let w = world().await;
    let not_granted =
        || CallError::HostNotGranted { plugin: "acme".parse().unwrap(), host: "files.acme.example".into() };
    w.provider.next("validate", Fault::Before(not_granted()));
    let (connection, problem) =
        w.engine.connections.connection_health(&w.caller, w.connection.id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Unavailable);
    let line = "berth plugin grant acme files.acme.example";
    assert!(connection.status_detail.unwrap().contains(line) && problem.unwrap().detail.contains(line));
    w.provider.next("list_event_types", Fault::Before(not_granted()));
    let problem = w.engine.catalog.external_event_types(&w.caller, w.connection.id, None).await.unwrap_err();
    assert!(problem.code == Code::HostNotGranted && problem.detail.contains(line), "{problem:?}");
    // What comes next is said, not what was.
    w.provider.next(
        "validate",
        Fault::Before(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None })),
    );
    let (connection, _) = w.engine.connections.connection_health(&w.caller, w.connection.id).await.unwrap();
    assert!(!connection.status_detail.unwrap().contains(line), "what is wrong now is something else");
    let (connection, problem) =
        w.engine.connections.connection_health(&w.caller, w.connection.id).await.unwrap();
    assert!(connection.status == ConnectionStatus::Healthy && problem.is_none());
}

#[tokio::test]
async fn the_address_to_enter_by_hand_is_shown_while_nothing_is_subscribed() {
    let w = world().await;
    let mut connection = w.connection.clone();
    connection.subscription = None;
    let address = w.engine.connections.webhook_address_to_enter(&connection).unwrap();
    assert_eq!(
        address, "https://booking.example/api/webhooks/acme",
        "one address for all accounts of an app"
    );
    let own = w.engine.connections.webhook_address(&connection).unwrap();
    assert_eq!(own, format!("https://booking.example/api/webhooks/acme/{}", connection.id));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever is granted and revoked in whatever order: nothing but what is revoked goes, and without force nobody loses a host.
    #[test]
    fn nobody_loses_a_host_unasked(steps in proptest::collection::vec((0_usize..4, any::<bool>(), any::<bool>()), 1..12)) {
        let hosts = ["api.acme.example", OWN, "files.acme.example", "*.acme.example"];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let w = world().await;
            let own = self_hosted(&w).await;
            let mut expected = granted(&w).await;
            for (host, adds, force) in steps {
                let host = hosts[host];
                let step = if adds { change(&[host], &[], force) } else { change(&[], &[host], force) };
                match w.engine.plugins.change_grant("operator", "req", step).await {
                    Ok((now, losing)) => {
                        if adds { expected.insert(host.to_owned()); } else { expected.remove(host); }
                        prop_assert_eq!(&now.hosts, &expected);
                        prop_assert!(force || losing.is_empty());
                    }
                    Err(problem) => prop_assert!(!adds, "{problem}"),
                }
                prop_assert_eq!(&granted(&w).await, &expected);
                let healthy = w.engine.plugins.as_it_stands(own.clone()).await.unwrap().status == ConnectionStatus::Healthy;
                prop_assert_eq!(healthy, expected.contains(OWN));
            }
            Ok(())
        })?;
    }
}
