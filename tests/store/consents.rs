//! Consents: rows that are only added, of which the last one counts.

use berth_model::{
    id::{ConsentTextId, CustomerId, TenantId},
    privacy::Consent,
};
use berth_store::{
    StoreError,
    records::{NewConsent, NewConsentText},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::world::{NOON, World, at_once, span};

fn text(world: &World, tenant: TenantId, purpose: &str, text: &str) -> NewConsentText {
    let sha256 = ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref().try_into().unwrap();
    let (purpose, text) = (purpose.to_owned(), text.to_owned());
    NewConsentText { id: world.id(), tenant, purpose, language: "en".to_owned(), text, sha256 }
}

fn word(world: &World, tenant: TenantId, customer: CustomerId, given: Option<ConsentTextId>) -> NewConsent {
    NewConsent {
        id: world.id(),
        tenant,
        customer,
        purpose: "marketing".to_owned(),
        given: given.is_some(),
        text: given,
        source: "form".to_owned(),
        ip_truncated: None,
        user_agent: None,
        expires_at: given.map(|_| NOON.plus_seconds(60)),
    }
}

pub async fn words_at_once_have_a_last_one(world: &World) {
    let scene = world.scene("quay").await;
    let new = world.booking(&scene, span(0, 30));
    let customer = world.store.create_booking(new, world.audit()).await.unwrap().unwrap();
    let tenant = scene.tenant;
    let published = at_once((0..8).map(|n| {
        let (store, audit) = (world.store.clone(), world.audit());
        let new = text(world, tenant, "marketing", &format!("text {n}"));
        async move { store.publish_consent_text(new, audit).await.unwrap() }
    }))
    .await;
    let mut versions: Vec<i64> = published.iter().map(|(text, _)| text.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    let id = published[0].0.id;
    assert_eq!(world.store.consent_text(tenant, id).await.unwrap(), published[0].0);

    let said: Vec<Consent> = at_once((0..20).map(|n| {
        let (store, audit) = (if n % 2 == 0 { &world.store } else { &world.viewer }.clone(), world.audit());
        let new = word(world, tenant, customer, (n % 3 == 0).then_some(id));
        async move { store.say_consent(new, Some("192.0.2.77".parse().unwrap()), audit).await.unwrap() }
    }))
    .await;
    let mut ordinals: Vec<i64> = said.iter().map(|consent| consent.ordinal).collect();
    ordinals.sort_unstable();
    assert_eq!(ordinals, (1..=20).collect::<Vec<_>>());
    let last = said.iter().max_by_key(|consent| consent.ordinal).unwrap();
    assert_eq!(&world.store.current_consents(tenant, customer).await.unwrap(), std::slice::from_ref(last));
    let history = world.store.consent_history(tenant, customer, None, 100).await.unwrap();
    assert_eq!(history.iter().map(|consent| consent.ordinal).collect::<Vec<_>>(), ordinals);
    assert_eq!(history.last(), Some(last));

    // Each was told of, with it.
    let told = "SELECT COUNT(*) FROM events WHERE kind IN ('consent.given', 'consent.withdrawn')";
    let told: i64 = if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        sqlx::query_scalar(told).fetch_one(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::query_scalar(told).fetch_one(&mut conn).await.unwrap()
    };
    assert_eq!(told, 20);

    // The address is the same under the tenant's key, and stands nowhere.
    let macs = "SELECT DISTINCT ip_mac FROM consents";
    let macs: Vec<Vec<u8>> = if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(macs.to_owned())).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(macs.to_owned())).fetch_all(&mut conn).await.unwrap()
    };
    assert_eq!(macs.len(), 1);
    assert_eq!(macs[0].len(), 32);
}

pub async fn consents_are_within_their_tenant(world: &World) {
    let (quay, pier) = (world.scene("quay").await, world.scene("pier").await);
    let new = world.booking(&quay, span(0, 30));
    let customer = world.store.create_booking(new, world.audit()).await.unwrap().unwrap();
    let new = text(world, pier.tenant, "marketing", "theirs");
    let (theirs, is_new) = world.store.publish_consent_text(new, world.audit()).await.unwrap();
    assert!(is_new);
    for (tenant, customer, given) in [
        (quay.tenant, customer, Some(theirs.id)),
        (quay.tenant, world.id(), None),
        (pier.tenant, customer, Some(theirs.id)),
    ] {
        let new = word(world, tenant, customer, given);
        let refused = world.store.say_consent(new, None, world.audit()).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    assert!(world.store.current_consents(quay.tenant, customer).await.unwrap().is_empty());
    assert!(world.store.current_consents(pier.tenant, customer).await.is_err());
    let again = text(world, pier.tenant, "marketing", "theirs");
    let (same, is_new) = world.store.publish_consent_text(again, world.audit()).await.unwrap();
    assert_eq!((same, is_new), (theirs, false));
}
