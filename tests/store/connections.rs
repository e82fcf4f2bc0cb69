//! Connections, the vault, the state of components.

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionStatus},
    limits,
    outbound::provider::Subscription,
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
        .set_connection_subscription(
            scene.tenant,
            other.id,
            0,
            Some(subscription.clone()),
            None,
            world.audit(),
        )
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
    let state = |current, older, closed| SealedState { current, older, closed, ..SealedState::default() };
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

pub async fn a_webhook_secret_is_rotated(world: &World) {
    let scene = world.scene("quay").await;
    let (tenant, id) = (scene.tenant, scene.connection);
    let sub = |id: &str| Subscription { id: id.into(), expires_at: None, data: None };
    let set = async |address, subscription| {
        let audit = world.audit();
        world
            .store
            .set_connection_subscription(tenant, id, address, subscription, None, audit)
            .await
            .unwrap();
    };
    let read = || world.store.connection(tenant, id);
    let accepted = |at| world.store.webhook_credentials(tenant, id, at);
    set(0, Some(sub("first"))).await;
    let before = read().await.unwrap();
    let change = async |to: &str, until, revision| {
        let before = Some((credentials("cal_test_not_a_real_key"), until));
        let audit = world.audit();
        let connection = read().await.unwrap();
        world.store.change_webhook_secret(connection, credentials(to), before, revision, audit).await
    };
    let stale = change("two_not_a_real_key", minute(60), before.revision - 1).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    assert_eq!(accepted(minute(0)).await.unwrap(), [credentials("cal_test_not_a_real_key")]);
    let changed = change("two_not_a_real_key", minute(60), before.revision).await.unwrap();
    assert_eq!((changed.webhook_address, &changed.subscription), (1, &None));
    assert_eq!(world.store.old_subscriptions(tenant, id).await.unwrap(), [sub("first")]);
    let both = [credentials("two_not_a_real_key"), credentials("cal_test_not_a_real_key")];
    assert_eq!(accepted(minute(59)).await.unwrap(), both);
    assert_eq!(accepted(minute(60)).await.unwrap(), both[..1], "over to the microsecond");

    // News of the address before comes too late.
    set(0, Some(sub("late"))).await;
    set(0, None).await;
    set(1, Some(sub("second"))).await;
    assert_eq!(read().await.unwrap().subscription, Some(sub("second")));
    let due = |until| world.store.claim_subscriptions(until, until, 9);
    world.store.subscription_looked_after(tenant, id, 0, Some(minute(1)), true, None).await.unwrap();
    assert!(due(minute(2)).await.unwrap().is_empty());
    world.store.subscription_looked_after(tenant, id, 1, Some(minute(1)), true, None).await.unwrap();
    assert_eq!(due(minute(2)).await.unwrap().len(), 1);
    assert_eq!(world.store.old_subscriptions(tenant, id).await.unwrap(), [sub("first"), sub("late")]);
    world.store.remove_old_subscription(tenant, id, "first".into()).await.unwrap();
    assert_eq!(world.store.old_subscriptions(tenant, id).await.unwrap(), [sub("late")]);

    // The key of the vault is rotated meanwhile, which touches old secrets too.
    let keys = VaultKeys(vec![("second".into(), [2; 32]), ("first".into(), [1; 32])]);
    let store = Store::open(&world.url, keys, world.random.clone()).await.unwrap();
    store.reseal_credentials().await.unwrap();
    store.close().await;
    let second = VaultKeys(vec![("second".into(), [2; 32])]);
    let store = Store::open(&world.url, second, world.random.clone()).await.unwrap();
    assert_eq!(store.webhook_credentials(tenant, id, minute(59)).await.unwrap(), both);
    store.prune(minute(60)).await.unwrap();
    assert_eq!(store.webhook_credentials(tenant, id, minute(59)).await.unwrap(), both[..1], "erased");

    for n in 0..limits::OLD_WEBHOOK_SECRETS_MAX {
        let revision = read().await.unwrap().revision;
        change(&format!("{n}_not_a_real_key"), minute(60), revision).await.unwrap();
    }
    let revision = read().await.unwrap().revision;
    let full = change("full_not_a_real_key", minute(60), revision).await;
    assert!(matches!(full, Err(StoreError::WrongState)));
    assert_eq!(read().await.unwrap().revision, revision, "nothing is changed by halves");
    let ended = world.store.change_webhook_secret(
        read().await.unwrap(),
        credentials("last_not_a_real_key"),
        None,
        revision,
        world.audit(),
    );
    ended.await.unwrap();
    assert_eq!(accepted(minute(0)).await.unwrap(), [credentials("last_not_a_real_key")]);
    store.close().await;
    let gone = world.store.webhook_credentials(tenant, world.id(), minute(0)).await;
    assert!(matches!(gone, Err(StoreError::NotFound("connection"))));
}
