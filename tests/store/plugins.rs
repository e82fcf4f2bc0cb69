//! Installed plugins and their rights.

use berth_model::plugins::{
    manifest::Manifest,
    plugin::{Capabilities, Digest, PluginState, PluginVersion},
};
use berth_store::{StoreError, records::GrantRecord};
use serde_json::json;

use crate::world::{World, minute};

fn version(world: &World, version: &str, digest: char) -> PluginVersion {
    let manifest: Manifest = serde_json::from_value(json!({
        "id": "tide", "version": version, "contract": "0.1", "name": "Tide", "hosts": ["api.example.com"],
        "credentials": { "api-key": { "label": "Key", "kind": "api-key", "attach": [{ "header": "x-key" }] } },
    }))
    .unwrap();
    PluginVersion {
        id: world.id(),
        plugin: manifest.id.clone(),
        version: version.into(),
        digest: Digest(digest.to_string().repeat(64)),
        manifest,
        capabilities: Capabilities { bookings: true, ..Capabilities::default() },
        bytes: 3,
        state: PluginState::Staged,
        reason: None,
        installed_at: minute(0),
        activated_at: None,
        conformance: None,
    }
}

pub async fn one_version_is_active(world: &World) {
    let store = &world.store;
    let (one, two) = (version(world, "1.0.0", 'a'), version(world, "1.1.0", 'b'));
    for each in [&one, &two] {
        store.insert_plugin_version(each.clone(), vec![0, 97, 115], world.audit()).await.unwrap();
    }
    let twice = store.insert_plugin_version(version(world, "1.0.0", 'a'), vec![0], world.audit()).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))));
    assert_eq!(store.plugin_version(&one.digest).await.unwrap(), one);
    assert_eq!(store.plugin_component(&one.digest).await.unwrap(), [0, 97, 115]);
    let unknown = Digest("f".repeat(64));
    assert!(matches!(store.plugin_version(&unknown).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.plugin_component(&unknown).await, Err(StoreError::NotFound(_))));
    assert!(matches!(
        store.activate_plugin_version(&unknown, world.audit()).await,
        Err(StoreError::NotFound(_))
    ));
    assert_eq!(store.plugin_generation().await.unwrap(), 0, "a failed change does not count");

    let audit = world.audit();
    let active = store.activate_plugin_version(&one.digest, audit.clone()).await.unwrap();
    assert_eq!((active.state, active.activated_at), (PluginState::Active, Some(audit.at)));
    store.activate_plugin_version(&two.digest, world.audit()).await.unwrap();
    assert_eq!(store.plugin_version(&one.digest).await.unwrap().state, PluginState::Retired);
    assert_eq!(store.plugin_generation().await.unwrap(), 2);
    let all = store.list_plugin_versions(None).await.unwrap();
    assert_eq!(all.iter().map(|v| v.version.as_str()).collect::<Vec<_>>(), ["1.1.0", "1.0.0"]);
    assert_eq!(store.list_plugin_versions(Some(&one.plugin)).await.unwrap(), all);
    assert!(store.list_plugin_versions(Some(&"other".parse().unwrap())).await.unwrap().is_empty());

    let set = async |digest: &Digest, state, reason: Option<&str>| {
        store.set_plugin_state(digest, state, reason.map(str::to_owned), world.audit()).await
    };
    set(&two.digest, PluginState::Quarantined, Some("traps")).await.unwrap();
    let bad = store.plugin_version(&two.digest).await.unwrap();
    assert_eq!((bad.state, bad.reason.as_deref()), (PluginState::Quarantined, Some("traps")));
    assert!(matches!(
        store.activate_plugin_version(&two.digest, world.audit()).await,
        Err(StoreError::WrongState)
    ));
    assert!(matches!(set(&two.digest, PluginState::Active, None).await, Err(StoreError::WrongState)));
    assert!(matches!(set(&unknown, PluginState::Held, None).await, Err(StoreError::NotFound(_))));
    store.activate_plugin_version(&one.digest, world.audit()).await.unwrap();
    set(&two.digest, PluginState::Staged, None).await.unwrap();
    let back = store.activate_plugin_version(&two.digest, world.audit()).await.unwrap();
    assert_eq!(back.reason, None);
}

pub async fn grants_narrow(world: &World) {
    let store = &world.store;
    let scene = world.scene("quay").await;
    let plugin = "tide".parse().unwrap();
    let grant = |tenant, listing, host: &str| GrantRecord {
        plugin: "tide".parse().unwrap(),
        tenant,
        listing,
        hosts: [host.to_owned()].into(),
        enabled: true,
    };
    let instance = grant(None, None, "*.example.com");
    let of_tenant = grant(Some(scene.tenant), None, "api.example.com");
    let of_listing =
        GrantRecord { enabled: false, ..grant(Some(scene.tenant), Some(scene.listing), "x.example.com") };
    for each in [&of_listing, &instance, &of_tenant] {
        store.set_grant(each.clone(), world.audit()).await.unwrap();
    }
    assert_eq!(store.grants(&plugin, None, None).await.unwrap(), std::slice::from_ref(&instance));
    assert_eq!(
        store.grants(&plugin, Some(scene.tenant), None).await.unwrap(),
        [instance.clone(), of_tenant.clone()]
    );
    let all = store.grants(&plugin, Some(scene.tenant), Some(scene.listing)).await.unwrap();
    assert_eq!(all, [instance.clone(), of_tenant, of_listing]);
    assert_eq!(
        store.grants(&plugin, Some(world.id()), Some(scene.listing)).await.unwrap(),
        std::slice::from_ref(&instance)
    );
    let less = GrantRecord { hosts: Default::default(), ..instance };
    store.set_grant(less.clone(), world.audit()).await.unwrap();
    assert_eq!(store.grants(&plugin, None, None).await.unwrap(), [less], "replaced");
    let orphan = store.set_grant(grant(Some(world.id()), None, "a"), world.audit()).await;
    assert!(matches!(orphan, Err(StoreError::NotFound(_))), "{orphan:?}");
    let foreign = store.set_grant(grant(None, Some(scene.listing), "a"), world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound(_))));
}
