//! API keys.

use berth_engine::NewKey;
use berth_model::problem::Code;

use crate::world::world;

fn key(w: &crate::world::World) -> NewKey {
    NewKey {
        tenant: Some(w.tenant.id),
        name: "Site".into(),
        scopes: vec!["bookings:write".into()],
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: Some(w.engine.now().plus_minutes(60)),
    }
}

#[tokio::test]
async fn a_key_opens_until_it_expires() {
    let w = world().await;
    let (record, secret) = w.engine.tenants.create_key("operator", "req", key(&w)).await.unwrap();
    let text = secret.expose().to_owned();
    assert_eq!((text.len(), &text[..6], &text[..12]), (49, "berth_", record.prefix.as_str()));
    assert!(!format!("{secret:?} {record:?}").contains(&text));
    let found = w.engine.tenants.authenticate(&text).await.unwrap().unwrap();
    assert_eq!((found.id, found.tenant), (record.id, Some(w.tenant.id)));
    let mut guess = text.clone();
    guess.replace_range(48.., if text.ends_with('A') { "B" } else { "A" });
    for wrong in [guess.as_str(), &text[..12], "", "berth_"] {
        assert!(w.engine.tenants.authenticate(wrong).await.unwrap().is_none());
    }
    w.clock.pass_seconds(3_600);
    assert!(w.engine.tenants.authenticate(&text).await.unwrap().is_none(), "a key that expires now is over");
}

#[tokio::test]
async fn the_time_of_use_is_written_once_a_minute() {
    let w = world().await;
    let (_, secret) = w.engine.tenants.create_key("operator", "req", key(&w)).await.unwrap();
    let used = async || {
        w.engine.tenants.authenticate(secret.expose()).await.unwrap();
        w.engine.tenants.list_keys(Some(w.tenant.id)).await.unwrap()[0].last_used_at
    };
    let first = used().await;
    assert!(first.is_some());
    w.clock.pass_seconds(59);
    assert_eq!(used().await, first);
    w.clock.pass_seconds(1);
    assert!(used().await > first);
}

#[tokio::test]
async fn rotated_and_revoked_keys_are_over() {
    let w = world().await;
    let (old, old_text) = w.engine.tenants.create_key("operator", "req", key(&w)).await.unwrap();
    let tenant = Some(w.tenant.id);
    let (new, new_text) = w.engine.tenants.rotate_key("operator", "req", tenant, old.id).await.unwrap();
    assert_eq!((new.id, new.scopes, new.expires_at), (old.id, old.scopes, old.expires_at));
    assert_ne!(new.prefix, old.prefix);
    assert!(w.engine.tenants.authenticate(old_text.expose()).await.unwrap().is_none());
    assert!(w.engine.tenants.authenticate(new_text.expose()).await.unwrap().is_some());
    let elsewhere = w.engine.tenants.revoke_key("operator", "req", None, new.id).await.unwrap_err();
    assert_eq!(elsewhere.code, Code::NotFound, "a tenant's key is not an operator's");
    w.engine.tenants.revoke_key("operator", "req", tenant, new.id).await.unwrap();
    assert!(w.engine.tenants.authenticate(new_text.expose()).await.unwrap().is_none());
    let again = w.engine.tenants.rotate_key("operator", "req", tenant, old.id).await.unwrap_err();
    assert_eq!(again.code, Code::WrongState);
}

#[tokio::test]
async fn scopes_are_those_of_the_kind_of_key() {
    let w = world().await;
    let bad = NewKey {
        name: String::new(),
        scopes: vec!["operator".into(), "bookings:read".into(), "all".into()],
        requests_per_minute: Some(0),
        expires_at: Some(w.engine.now()),
        ..key(&w)
    };
    let problem = w.engine.tenants.create_key("operator", "req", bad).await.unwrap_err();
    let fields: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["/name", "/scopes/0", "/scopes/2", "/requests_per_minute", "/expires_at"]);
    let operator = NewKey { tenant: None, scopes: vec!["operator".into()], ..key(&w) };
    let (record, _) = w.engine.tenants.create_key("operator", "req", operator).await.unwrap();
    assert_eq!(record.tenant, None);
}
