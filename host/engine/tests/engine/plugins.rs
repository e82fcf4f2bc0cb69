//! The life of a plugin's versions.

use std::sync::atomic::Ordering;

use berth_model::{
    id::InstallationId,
    limits,
    plugins::{
        installation::{Installation, InstallationState},
        plugin::PluginState,
    },
    problem::Code,
};
use berth_store::records::GrantRecord;

use crate::{
    provider::MANIFEST,
    world::{World, grant, world},
};

pub(crate) async fn install(
    w: &World,
    version: &str,
    hosts: &str,
) -> berth_model::plugins::plugin::PluginVersion {
    let text = MANIFEST.replace("1.0.0", version).replace("\"api.acme.example\"", hosts);
    w.engine.plugins.install_plugin("operator", "req", text.into_bytes()).await.unwrap().version
}

#[tokio::test]
async fn a_version_that_asks_for_more_waits_for_approval() {
    let w = world().await;
    let held = install(&w, "2.0.0", r#""api.acme.example", "files.acme.example""#).await;
    assert_eq!(held.state, PluginState::Held);
    let problem = w.engine.plugins.activate_plugin("operator", "req", &held.digest).await.unwrap_err();
    assert_eq!(problem.code, Code::PluginHeld);
    assert!(problem.detail.contains("files.acme.example") && !problem.detail.contains("api.acme"));
    let wider = GrantRecord {
        plugin: held.plugin.clone(),
        tenant: None,
        listing: None,
        hosts: grant(&["*.acme.example"]),
        enabled: true,
    };
    w.engine.plugins.set_grant("operator", "req", wider).await.unwrap();
    assert_eq!(w.engine.plugins.find_plugin(&held.digest.0).await.unwrap().state, PluginState::Staged);
    let active = w.engine.plugins.activate_plugin("operator", "req", &held.digest).await.unwrap();
    assert_eq!(active.state, PluginState::Active);
}

#[tokio::test]
async fn upgrade_roll_back_quarantine_lift() {
    use berth_model::plugins::plugin::PluginHost;
    let w = world().await;
    let host = r#""api.acme.example""#;
    let one = install(&w, "1.0.0", host).await;
    assert_eq!(one, install(&w, "1.0.0", host).await, "the same component is the same version");
    let two = install(&w, "2.0.0", host).await;
    for version in [&one, &two] {
        w.engine.plugins.activate_plugin("operator", "req", &version.digest).await.unwrap();
        w.clock.pass_seconds(1);
    }
    assert_eq!(w.host.active(&one.plugin), Some(two.digest.clone()));
    assert_eq!(w.engine.plugins.find_plugin("acme@1.0.0").await.unwrap().state, PluginState::Retired);

    let back = w.engine.plugins.rollback_plugin("operator", "req", &one.plugin).await.unwrap();
    assert_eq!(back.digest, one.digest);
    assert_eq!(w.host.active(&one.plugin), Some(one.digest.clone()));

    let set_aside =
        w.engine.plugins.quarantine_plugin("operator", "req", &one.digest, "loops").await.unwrap();
    assert_eq!((set_aside.state, set_aside.reason.as_deref()), (PluginState::Quarantined, Some("loops")));
    assert_eq!(w.host.active(&one.plugin), None);
    let refused = w.engine.plugins.activate_plugin("operator", "req", &one.digest).await.unwrap_err();
    assert_eq!((refused.code, refused.detail.as_str()), (Code::PluginQuarantined, "loops"));
    let lifted = w.engine.plugins.lift_quarantine("operator", "req", &one.digest).await.unwrap();
    assert_eq!(lifted.state, PluginState::Staged);
    w.engine.plugins.activate_plugin("operator", "req", &one.digest).await.unwrap();
    assert_eq!(w.host.active(&one.plugin), Some(one.digest));
}

#[tokio::test]
async fn a_replica_loads_what_another_activated() {
    use berth_model::plugins::plugin::PluginHost;
    let w = world().await;
    let one = install(&w, "1.0.0", r#""api.acme.example""#).await;
    w.engine.plugins.activate_plugin("operator", "req", &one.digest).await.unwrap();
    w.host.deactivate(&one.plugin);
    assert!(w.engine.plugins.load_active_plugins().await.unwrap().is_empty());
    assert_eq!(w.host.active(&one.plugin), Some(one.digest.clone()));
    // Nothing new in the database: nothing is touched.
    w.host.deactivate(&one.plugin);
    w.engine.plugins.load_active_plugins().await.unwrap();
    assert_eq!(w.host.active(&one.plugin), None);
}

#[tokio::test]
async fn an_active_version_that_does_not_load_is_tried_again_ever_more_rarely() {
    use berth_model::plugins::plugin::PluginHost;
    let w = world().await;
    let one = install(&w, "1.0.0", r#""api.acme.example""#).await;
    w.engine.plugins.activate_plugin("operator", "req", &one.digest).await.unwrap();
    w.host.deactivate(&one.plugin);
    let loads = || w.host.loads.swap(0, Ordering::Relaxed);
    w.host.failing.store(3, Ordering::Relaxed);
    loads();
    assert_eq!(w.engine.plugins.load_active_plugins().await.unwrap().len(), 1);
    for wait in [5, 10] {
        assert_eq!(loads(), 1);
        w.clock.pass_seconds(wait - 1);
        assert!(w.engine.plugins.load_active_plugins().await.unwrap().is_empty());
        assert_eq!(loads(), 0, "not yet");
        w.clock.pass_seconds(1);
        assert_eq!(w.engine.plugins.load_active_plugins().await.unwrap().len(), 1);
    }
    w.clock.pass_seconds(20);
    loads();
    assert!(w.engine.plugins.load_active_plugins().await.unwrap().is_empty());
    assert_eq!((loads(), w.host.active(&one.plugin)), (1, Some(one.digest)));
    w.clock.pass_seconds(3_600);
    w.engine.plugins.load_active_plugins().await.unwrap();
    assert_eq!(loads(), 0, "it serves: nothing is left to do");
}

#[tokio::test]
async fn what_is_no_component_is_refused_with_all_reasons() {
    let w = world().await;
    let text = MANIFEST.replace("1.0.0", "one").replace("0.1", "9.9");
    let problem = w.engine.plugins.install_plugin("operator", "req", text.into_bytes()).await.unwrap_err();
    assert_eq!(problem.code, Code::PluginRefused);
    assert_eq!(problem.errors.len(), 2);
    assert!(w.engine.plugins.list_plugins().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_start_loads_what_is_kept_and_names_what_it_does_not_wait_for() {
    use berth_model::plugins::plugin::PluginHost;
    let w = world().await;
    let one = install(&w, "1.0.0", r#""api.acme.example""#).await;
    w.engine.plugins.activate_plugin("operator", "req", &one.digest).await.unwrap();
    w.host.deactivate(&one.plugin);
    w.host.loads.store(0, Ordering::Relaxed);
    w.engine.plugins.load_kept_plugins().await.unwrap();
    assert_eq!(w.host.loads.load(Ordering::Relaxed), 0, "nothing is compiled");
    let unloaded = w.engine.plugins.unloaded_plugins();
    assert!(unloaded[&one.plugin].contains("compiled"), "{unloaded:?}");
    // The cause is named, and it stays named until it is mended.
    w.host.failing.store(1, Ordering::Relaxed);
    assert_eq!(w.engine.plugins.load_active_plugins().await.unwrap().len(), 1);
    let unloaded = w.engine.plugins.unloaded_plugins();
    assert!(unloaded[&one.plugin].contains("too busy"), "{unloaded:?}");
    w.clock.pass_seconds(5);
    assert!(w.engine.plugins.load_active_plugins().await.unwrap().is_empty());
    assert!(w.engine.plugins.unloaded_plugins().is_empty());
    w.host.deactivate(&one.plugin);
    w.host.kept.lock().unwrap().insert(one.digest.clone());
    w.engine.plugins.load_kept_plugins().await.unwrap();
    assert_eq!(w.host.active(&one.plugin), Some(one.digest));
    assert!(w.engine.plugins.unloaded_plugins().is_empty());
}

async fn ended(w: &World, id: InstallationId) -> Installation {
    loop {
        let now = w.engine.plugins.installation(id).await.unwrap();
        if now.state.is_over() {
            return now;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_installation_goes_on_by_itself_and_says_how_it_ended() {
    let w = world().await;
    let begin = async |text: &str| {
        let room = w.engine.plugins.installation_room().unwrap();
        let bytes = text.as_bytes().to_vec();
        let begun = w.engine.plugins.begin_installation(room, "operator", "req", bytes).await.unwrap();
        assert!(!begun.state.is_over());
        ended(&w, begun.id).await
    };
    let installed = begin(MANIFEST).await;
    assert_eq!((installed.state, &installed.problem), (InstallationState::Installed, &None));
    let digest = installed.digest.unwrap();
    assert_eq!(w.engine.plugins.find_plugin(&digest.0).await.unwrap().state, PluginState::Staged);
    let refused = begin("nothing").await;
    assert_eq!((refused.state, refused.digest), (InstallationState::Refused, None));
    assert_eq!(refused.problem.unwrap()["code"], Code::PluginRefused.as_str());
    // The machine's fault: the same bytes are installed another time.
    w.host.failing.store(1, Ordering::Relaxed);
    let text = MANIFEST.replace("1.0.0", "1.0.1");
    let failed = begin(&text).await;
    assert_eq!(failed.state, InstallationState::Failed);
    assert_eq!(failed.problem.unwrap()["code"], Code::PluginNotLoaded.as_str());
    assert_eq!(begin(&text).await.state, InstallationState::Installed);
    assert_eq!(w.engine.plugins.list_installations().await.unwrap().len(), 4);
}

#[tokio::test]
async fn an_installation_whose_process_ended_has_failed() {
    let w = world().await;
    let now = w.engine.now();
    let lost = Installation {
        id: berth_model::id::Id::from_uuid(uuid::Uuid::from_u128(7)),
        state: InstallationState::Compiling,
        bytes: 1,
        digest: None,
        problem: None,
        created_at: now,
        seen_at: now,
    };
    w.engine.store().insert_installation(lost.clone()).await.unwrap();
    w.clock.pass_seconds(limits::INSTALLATION_SEEN_SECONDS - 1);
    assert_eq!(w.engine.plugins.installation(lost.id).await.unwrap().state, InstallationState::Compiling);
    w.clock.pass_seconds(1);
    let found = w.engine.plugins.installation(lost.id).await.unwrap();
    assert_eq!(found.state, InstallationState::Failed);
    assert!(found.problem.unwrap()["hint"].as_str().unwrap().contains("again"));
}

#[tokio::test]
async fn components_on_their_way_in_are_few() {
    let w = world().await;
    let rooms: Vec<_> = (0..limits::INSTALLATIONS_CONCURRENT_MAX)
        .map(|_| w.engine.plugins.installation_room().unwrap())
        .collect();
    let refused = w.engine.plugins.installation_room().unwrap_err();
    assert_eq!(refused.code, Code::Busy);
    assert!(refused.retry_after_seconds.is_some());
    drop(rooms);
    assert!(w.engine.plugins.installation_room().is_ok());
}
