//! Connections, the vault, the state of components.

use berth_model::{
    connection::ConnectionRecord, connection::ConnectionStatus, limits, provider::Subscription,
};
use berth_store::{Store, StoreError, VaultKeys, records::SealedState};

use crate::world::{World, credentials, keys, minute};

pub async fn connections_are_kept(world: &World) {
    let scene = world.scene("quay").await;
    let first = world.store.connection(scene.tenant, scene.connection).await.unwrap();
    let other = ConnectionRecord { listing: Some(scene.listing), ..world.connection(scene.tenant) };
    world
        .store
        .create_connection(other.clone(), credentials("one_not_a_real_key"), world.audit())
        .await
        .unwrap();
    assert_eq!(world.store.connection_by_id(other.id).await.unwrap(), other);
    assert_eq!(
        world.store.list_connections(scene.tenant, Some(first.id), 9).await.unwrap(),
        std::slice::from_ref(&other)
    );

    world
        .store
        .set_connection_health(
            scene.tenant,
            other.id,
            ConnectionStatus::Unauthorised,
            Some("over".to_owned()),
            minute(9),
        )
        .await
        .unwrap();
    let ill = world.store.connection(scene.tenant, other.id).await.unwrap();
    assert_eq!((ill.status, ill.revision, ill.updated_at), (ConnectionStatus::Unauthorised, 1, minute(9)));

    let edited = ConnectionRecord { name: "New".into(), granted_hosts: None, ..ill };
    let saved = world.store.update_connection(edited.clone(), None, 1, world.audit()).await.unwrap();
    assert_eq!((saved.revision, saved.name.as_str(), &saved.granted_hosts), (2, "New", &None));
    assert_eq!(
        world.store.connection_credentials(scene.tenant, other.id).await.unwrap(),
        credentials("one_not_a_real_key")
    );
    let saved = world
        .store
        .update_connection(saved, Some(credentials("two_not_a_real_key")), 2, world.audit())
        .await
        .unwrap();
    assert_eq!(
        world.store.connection_credentials(scene.tenant, other.id).await.unwrap(),
        credentials("two_not_a_real_key")
    );
    assert_eq!(world.store.connection(scene.tenant, other.id).await.unwrap(), saved);
    let stale = world.store.update_connection(edited, Some(credentials("three")), 1, world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    assert_eq!(
        world.store.connection_credentials(scene.tenant, other.id).await.unwrap(),
        credentials("two_not_a_real_key")
    );

    let subscription = Subscription { id: "sub".into(), expires_at: Some(minute(99)), data: None };
    world
        .store
        .set_connection_subscription(scene.tenant, other.id, Some(subscription.clone()), None, world.audit())
        .await
        .unwrap();
    let subscribed = world.store.connection(scene.tenant, other.id).await.unwrap();
    assert_eq!((subscribed.subscription, subscribed.revision), (Some(subscription), 4));
    world.store.delete_connection(scene.tenant, other.id, world.audit()).await.unwrap();
    assert!(matches!(world.store.connection_by_id(other.id).await, Err(StoreError::NotFound("connection"))));
}

pub async fn credentials_are_sealed(world: &World) {
    let scene = world.scene("quay").await;
    let kept = world.store.connection_credentials(scene.tenant, scene.connection).await.unwrap();
    assert_eq!(kept, credentials("cal_test_not_a_real_key"));
    assert!(!format!("{:?} {kept:?} {:?}", world.store, keys()).contains("cal_test_not_a_real_key"));
    assert!(!format!("{:?}", keys()).contains("1, 1"), "keys are not printed");
    let Some(file) = &world.file else { return };
    world.store.close().await;
    let mut bytes = std::fs::read(file).unwrap();
    for more in ["db-wal", "db-shm"] {
        bytes.extend(std::fs::read(file.with_extension(more)).unwrap_or_default());
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("api-key"), "the name is there");
    assert!(!holds("cal_test_not_a_real_key"), "the value is not");
}

pub async fn keys_are_rotated(world: &World) {
    let scene = world.scene("quay").await;
    let both = VaultKeys(vec![("second".into(), [2; 32]), ("first".into(), [1; 32])]);
    let store = Store::open(&world.url, both, world.random.clone()).await.unwrap();
    let state = |current, older, closed| SealedState { current, older, closed };
    assert_eq!(store.sealed_state().await.unwrap(), state(0, 1, 0));
    assert_eq!(store.reseal_credentials().await.unwrap(), 1);
    assert_eq!(store.sealed_state().await.unwrap(), state(1, 0, 0));
    assert_eq!(world.store.sealed_state().await.unwrap(), state(0, 0, 1));
    assert_eq!(store.reseal_credentials().await.unwrap(), 0, "nothing is left to do");
    store.close().await;
    let lost = world.store.connection_credentials(scene.tenant, scene.connection).await;
    assert!(matches!(lost, Err(StoreError::Vault(_))), "the old key opens nothing now");
    let second = VaultKeys(vec![("second".into(), [2; 32])]);
    let store = Store::open(&world.url, second, world.random.clone()).await.unwrap();
    let kept = store.connection_credentials(scene.tenant, scene.connection).await.unwrap();
    assert_eq!(kept, credentials("cal_test_not_a_real_key"));
    store.close().await;
    let none = Store::open(&world.url, VaultKeys(Vec::new()), world.random.clone()).await;
    assert!(matches!(none, Err(StoreError::Vault(_))));
}

pub async fn state_is_bounded(world: &World) {
    let scene = world.scene("quay").await;
    let (tenant, connection) = (scene.tenant, scene.connection);
    for n in 0..limits::STATE_ENTRIES_MAX {
        world.store.state_set(tenant, connection, &format!("key-{n}"), vec![1]).await.unwrap();
    }
    let full = world.store.state_set(tenant, connection, "one more", vec![1]).await;
    assert!(matches!(full, Err(StoreError::WrongState)));
    assert_eq!(world.store.state_get(tenant, connection, "one more").await.unwrap(), None);
    world.store.state_set(tenant, connection, "key-0", vec![2]).await.unwrap();
    assert_eq!(world.store.state_get(tenant, connection, "key-0").await.unwrap(), Some(vec![2]));
    world.store.state_delete(tenant, connection, "key-0").await.unwrap();
    world.store.state_delete(tenant, connection, "key-0").await.unwrap();
    world.store.state_set(tenant, connection, "one more", vec![1]).await.unwrap();
}
