//! The last calls into provider components, for the people who ask what happened.

use berth_model::{
    id::{ConnectionId, TenantId},
    provider::CallRecord,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;

use super::{super::Db, Conn, limit as rows};
use crate::{StoreError, types::Ts};

queries! {
    INSERT = "INSERT INTO provider_calls (id, tenant_id, connection_id, started_at, data) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO NOTHING";
    LIST = "SELECT data FROM provider_calls WHERE tenant_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT $3";
    PRUNE = "DELETE FROM provider_calls WHERE started_at < $1";
}

pub(crate) async fn insert(conn: &mut Conn, calls: &[CallRecord]) -> Result<(), StoreError> {
    for call in calls {
        let data = json!({
            "id": call.call,
            "listing": call.listing,
            "plugin": call.plugin,
            "digest": call.digest,
            "operation": call.operation,
            "started_at": call.started_at,
            "elapsed_ms": call.elapsed_ms,
            "outcome": call.outcome,
            "error": call.error,
            "request_id": call.request_id,
            "egress": call.egress,
        });
        sqlx::query::<Db>(INSERT)
            .bind(call.call.uuid())
            .bind(call.tenant.uuid())
            .bind(call.connection.uuid())
            .bind(Ts(call.started_at))
            .bind(Json(&data))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    limit: u32,
) -> Result<Vec<Value>, StoreError> {
    let found: Vec<(Json<Value>,)> = sqlx::query_as::<Db, (Json<Value>,)>(LIST)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(rows(limit))
        .fetch_all(conn)
        .await?;
    Ok(found.into_iter().map(|(data,)| data.0).collect())
}

pub(crate) async fn prune(conn: &mut Conn, before: Instant) -> Result<u64, StoreError> {
    Ok(sqlx::query::<Db>(PRUNE).bind(Ts(before)).execute(conn).await?.rows_affected())
}
