//! Rows that come from providers and from time, and from no request.

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionState, ConnectionStatus},
    id::{AuditEntryId, ConnectionId, Id},
    jobs::kind::{JobKind, JobQueue},
    mirror::sync::{Conflict, ConflictKind},
    time::Clock as _,
};
use berth_store::records::{Audit, Claim, JobEnd, NewJob, Opened};
use serde_json::{Value, json};

use crate::Api;

pub(crate) fn id<T>(api: &Api) -> Id<T> {
    Id::new(api.world.clock.now(), &*api.world.random)
}

pub(crate) fn audit(api: &Api) -> Audit {
    let at = api.world.clock.now();
    let id = AuditEntryId::new(at, &*api.world.random);
    Audit { id, at, actor: "test".to_owned(), request_id: "test".to_owned() }
}

pub(crate) async fn connect(api: &Api, plugin: &str) -> ConnectionId {
    let at = api.world.clock.now();
    let connection = ConnectionRecord {
        id: id(api),
        tenant: api.world.caller.tenant,
        listing: None,
        plugin: plugin.parse().unwrap(),
        name: plugin.to_owned(),
        settings: json!({}),
        granted_hosts: None,
        state: ConnectionState::Active,
        status: ConnectionStatus::Healthy,
        status_detail: None,
        account: Value::Null,
        subscription: None,
        subscription_detail: None,
        webhook_sources: None,
        credential_names: Vec::new(),
        webhook_address: 0,
        revision: 1,
        created_at: at,
        updated_at: at,
        reads_busy: true,
        writes_busy: true,
    };
    let made = connection.id;
    api.world.store.create_connection(connection, Default::default(), audit(api)).await.unwrap();
    made
}

pub(crate) async fn conflict(api: &Api, connection: ConnectionId) -> String {
    conflict_about(api, connection, "x1").await
}

/// With somebody else's booking, of this id there.
pub(crate) async fn conflict_about(api: &Api, connection: ConnectionId, external_id: &str) -> String {
    let conflict = Conflict {
        id: id(api),
        tenant: api.world.caller.tenant,
        connection,
        booking: None,
        external_id: Some(external_id.to_owned()),
        own_counterpart: false,
        kind: ConflictKind::TimeOverlap,
        ours: Value::Null,
        theirs: Value::Null,
        resolved: false,
        resolution: None,
        resolved_by: None,
        detected_at: api.world.clock.now(),
        resolved_at: None,
        findings: 1,
    };
    match api.world.store.open_conflict(conflict, None, audit(api)).await.unwrap() {
        Opened::New(id) => id.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A job that was given up.
pub(crate) async fn given_up(api: &Api, connection: ConnectionId) -> String {
    let (store, now) = (&api.world.store, api.world.clock.now());
    let job = NewJob {
        id: id(api),
        tenant: api.world.caller.tenant,
        kind: JobKind::SyncConnection,
        payload: json!({ "connection": connection }),
        due_at: now,
        dedup_key: "sync".to_owned(),
        leased_until: None,
    };
    store.enqueue_job(job).await.unwrap();
    let held = store
        .claim_jobs(now, now.plus_seconds(60), Claim::any(JobQueue::Outbound, 1))
        .await
        .unwrap()
        .remove(0);
    store
        .end_job(held.tenant, held.id, held.attempt, JobEnd::Dead { error: "lost".to_owned() })
        .await
        .unwrap();
    held.id.to_string()
}
