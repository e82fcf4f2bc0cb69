//! OAuth clients, flows, and renewals that one replica makes at a time.

use std::collections::BTreeMap;

use berth_model::{connections::secret::Secret, limits};
use berth_store::{
    Store, StoreError, VaultKeys,
    records::{OAuthClientRecord, OAuthFlow},
};

use crate::world::{World, minute};

pub async fn clients_are_kept_and_their_secrets_sealed(world: &World) {
    let plugin: berth_model::plugins::manifest::PluginId = "quay".parse().unwrap();
    let client = OAuthClientRecord {
        plugin: plugin.clone(),
        credential: "oauth".into(),
        client_id: "client_1".into(),
        endpoints: BTreeMap::from([("token".to_owned(), "https://id.example/t".to_owned())]),
        return_addresses: vec!["https://console.example/".into()],
        updated_at: minute(1),
    };
    let secret = Secret::new("made_up_client_secret".into());
    world.store.set_oauth_client(client.clone(), Some(secret.clone()), world.audit()).await.unwrap();
    assert_eq!(world.store.oauth_client(&plugin, "oauth").await.unwrap(), (client.clone(), Some(secret)));
    let public = OAuthClientRecord { client_id: "client_2".into(), updated_at: minute(2), ..client };
    world.store.set_oauth_client(public.clone(), None, world.audit()).await.unwrap();
    assert_eq!(world.store.oauth_client(&plugin, "oauth").await.unwrap(), (public.clone(), None));
    assert_eq!(world.store.list_oauth_clients(&plugin).await.unwrap(), [public]);
    world.store.delete_oauth_client(&plugin, "oauth", world.audit()).await.unwrap();
    assert!(matches!(world.store.oauth_client(&plugin, "oauth").await, Err(StoreError::NotFound(_))));
}

pub async fn client_secrets_survive_another_vault_key(world: &World) {
    let plugin: berth_model::plugins::manifest::PluginId = "quay".parse().unwrap();
    let client = |credential: &str| OAuthClientRecord {
        plugin: plugin.clone(),
        credential: credential.into(),
        client_id: "client_1".into(),
        endpoints: BTreeMap::new(),
        return_addresses: Vec::new(),
        updated_at: minute(1),
    };
    let secret = Secret::new("made_up_client_secret".into());
    world.store.set_oauth_client(client("oauth"), Some(secret.clone()), world.audit()).await.unwrap();
    world.store.set_oauth_client(client("public"), None, world.audit()).await.unwrap();
    let both = VaultKeys(vec![("second".into(), [2; 32]), ("first".into(), [1; 32])]);
    let store = Store::open(&world.url, both, world.random.clone()).await.unwrap();
    store.reseal_credentials().await.unwrap();
    store.close().await;
    let second = VaultKeys(vec![("second".into(), [2; 32])]);
    let store = Store::open(&world.url, second, world.random.clone()).await.unwrap();
    assert_eq!(store.oauth_client(&plugin, "oauth").await.unwrap().1, Some(secret));
    assert_eq!(store.oauth_client(&plugin, "public").await.unwrap().1, None);
    store.close().await;
}

pub async fn a_flow_is_taken_once(world: &World) {
    let scene = world.scene("quay").await;
    let flow = |n: u8| OAuthFlow {
        state_hash: vec![n; 32],
        tenant: scene.tenant,
        connection: scene.connection,
        is_new: n.is_multiple_of(2),
        plugin: "quay".parse().unwrap(),
        credential: "oauth".into(),
        return_to: None,
        started_by: "key:test".into(),
        expires_at: minute(100_000_000),
    };
    world.store.add_oauth_flow(flow(1), b"made up", world.audit()).await.unwrap();
    let (taken, secret) = world.store.take_oauth_flow(vec![1; 32]).await.unwrap().unwrap();
    assert_eq!((taken, secret.as_slice()), (flow(1), b"made up".as_slice()));
    assert!(world.store.take_oauth_flow(vec![1; 32]).await.unwrap().is_none());

    let most = u8::try_from(limits::OAUTH_FLOWS_MAX).unwrap();
    for n in 0..most {
        world.store.add_oauth_flow(flow(n), b"made up", world.audit()).await.unwrap();
    }
    let over = world.store.add_oauth_flow(flow(most), b"made up", world.audit()).await;
    assert!(matches!(over, Err(StoreError::Busy)), "{over:?}");
}

pub async fn one_replica_renews_at_a_time(world: &World) {
    let scene = world.scene("quay").await;
    let claim = |at: i64, until: i64| {
        world.store.claim_renewal(scene.tenant, scene.connection, minute(at), minute(until))
    };
    assert!(claim(0, 2).await.unwrap());
    assert!(!claim(1, 3).await.unwrap(), "held");
    assert!(claim(2, 4).await.unwrap(), "the lease of the first ran out");
    world.store.release_renewal(scene.tenant, scene.connection, minute(2)).await.unwrap();
    assert!(!claim(3, 5).await.unwrap(), "who came too late lets go of nothing");
    world.store.release_renewal(scene.tenant, scene.connection, minute(4)).await.unwrap();
    assert!(claim(3, 5).await.unwrap());

    let before = world.store.connection_credentials(scene.tenant, scene.connection).await.unwrap();
    let (name, old) = before.iter().next().unwrap();
    let new = Secret::new("made_up_new_token".into());
    let replace = |before: &Secret| {
        let (before, new) = (before.clone(), new.clone());
        async move {
            world
                .store
                .replace_credential(scene.tenant, scene.connection, name, Some(&before), &new)
                .await
                .unwrap()
        }
    };
    assert!(replace(old).await);
    assert!(!replace(old).await, "it is another one by now");
    let after = world.store.connection_credentials(scene.tenant, scene.connection).await.unwrap();
    assert_eq!((after.len(), &after[name]), (before.len(), &new));
}
