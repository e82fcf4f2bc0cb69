//! An upgrade drops nothing: versions are swapped again and again while calls run.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use berth_model::{plugins::plugin::PluginState, problem::Code};
use berth_store::records::GrantRecord;
use berth_tests::{TestClock, World, component, component_as, with_calcom};
use serde_json::json;

const SWAPS: usize = 100;
const CALLERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_versions_are_swapped() {
    let world = Arc::new(World::new(11, TestClock::start(), &[]).await);
    world.install(component("reference")).await;
    let first = world.engine.plugins.find_plugin("reference").await.unwrap().digest;
    let second = world
        .engine
        .plugins
        .install_plugin("test", "test", component_as("reference", "0.1.1"))
        .await
        .unwrap()
        .version
        .digest;
    let connection = world.connect("reference", json!({}), "reference_test_not_a_real_key").await;

    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (world, stop, answered) = (world.clone(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let (_, problem) =
                        world.engine.connections.connection_health(&world.caller, connection).await.unwrap();
                    assert_eq!(problem, None, "a call failed during an upgrade");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for swap in 0..SWAPS {
        let digest = if swap % 2 == 0 { &second } else { &first };
        world.engine.plugins.activate_plugin("test", "test", digest).await.unwrap();
        // Some calls run on each version before the next swap.
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 2 {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let calls = world.calls.0.lock().unwrap();
    for digest in [&first, &second] {
        assert!(calls.iter().any(|c| c.digest == digest.short()), "{} served", digest.short());
    }
    assert!(calls.iter().all(|c| c.outcome == "ok"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_rolled_back_quarantined_and_held() {
    let world = World::new(12, TestClock::start(), &[]).await;
    let engine = &world.engine;
    let plugin = world.install(component("reference")).await;
    let first = engine.plugins.find_plugin("reference").await.unwrap().digest;
    world.clock.advance_ms(1_000);
    world.install(component_as("reference", "0.1.1")).await;
    assert_ne!(engine.plugins.find_plugin("reference").await.unwrap().digest, first);
    world.clock.advance_ms(1_000);
    let back = engine.plugins.rollback_plugin("test", "test", &plugin).await.unwrap();
    assert_eq!((back.digest.clone(), back.state), (first.clone(), PluginState::Active));

    engine.plugins.quarantine_plugin("test", "test", &first, "it misbehaved").await.unwrap();
    let refused = engine.plugins.activate_plugin("test", "test", &first).await.unwrap_err();
    assert_eq!(refused.code, Code::PluginQuarantined);

    // One that asks for a host that is not granted waits until it is.
    let held = engine.plugins.install_plugin("test", "test", component("calcom")).await.unwrap().version;
    assert_eq!(held.state, PluginState::Held);
    let refused = engine.plugins.activate_plugin("test", "test", &held.digest).await.unwrap_err();
    assert_eq!(refused.code, Code::PluginHeld);
    let hosts = held.manifest.hosts.iter().cloned().collect();
    let grant =
        GrantRecord { plugin: held.plugin.clone(), tenant: None, listing: None, hosts, enabled: true };
    engine.plugins.set_grant("test", "test", grant).await.unwrap();
    assert_eq!(
        engine.plugins.activate_plugin("test", "test", &held.digest).await.unwrap().state,
        PluginState::Active
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_not_granted_is_named_wherever_it_shows() {
    let (world, simulator, connection, event_type) = with_calcom(13).await;
    let (engine, caller) = (&world.engine, &world.caller);
    let host = simulator.url().trim_start_matches("http://").to_owned();
    let line = format!("berth plugin grant calcom {host}");
    // As an upgrade did that granted only what the manifest asks for.
    let grant = GrantRecord {
        plugin: "calcom".parse().unwrap(),
        tenant: None,
        listing: None,
        hosts: ["api.cal.com".to_owned()].into(),
        enabled: true,
    };
    engine.plugins.set_grant("test", "test", grant).await.unwrap();

    let shown = engine.connections.connection(caller, connection).await.unwrap();
    let shown = engine.plugins.as_it_stands(shown).await.unwrap();
    assert_eq!(
        shown.status,
        berth_model::connections::connection::ConnectionStatus::Unavailable,
        "before anybody calls"
    );
    assert!(shown.status_detail.unwrap().contains(&line));
    let (_, problem) = engine.connections.connection_health(caller, connection).await.unwrap();
    let problem = problem.unwrap();
    assert!(problem.code == Code::HostNotGranted && problem.detail.contains(&line), "{problem:?}");
    let problem = engine.catalog.external_event_types(caller, connection, None).await.unwrap_err();
    assert!(problem.detail.contains(&line), "{problem:?}");
    // A request with a body is refused before anybody reads the body; that is not the reason.
    let request = berth_tests::request(event_type.id, "2026-11-24T00:30:00Z".parse().unwrap());
    let made = engine.bookings.book(caller, request).await.unwrap();
    assert!(made.pending, "it is kept until somebody grants the host");
    let calls = world.calls.0.lock().unwrap();
    let outcomes: Vec<&str> = calls.iter().map(|call| call.outcome).collect();
    assert!(outcomes.contains(&"host_not_granted"), "{outcomes:?}");
}
