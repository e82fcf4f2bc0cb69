//! Finished calls into components, for the `calls` page of a connection.

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::CallRecord,
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};

use super::super::{super::Db, Conn};
use crate::{StoreError, types::Ts};

queries! {
    LIST = "SELECT data FROM provider_calls WHERE tenant_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT $3";
}

fn data(call: &CallRecord) -> Value {
    json!({
        "id": call.call, "listing": call.listing, "connection": call.connection, "plugin": call.plugin.as_str(),
        "digest": call.digest, "operation": call.operation, "started_at": call.started_at,
        "elapsed_ms": call.elapsed_ms, "outcome": call.outcome, "error": call.error, "said": call.said,
        "request_id": call.request_id, "egress": call.egress,
    })
}

/// Insert calls; one that is there already is left as it is.
pub(crate) async fn insert(conn: &mut Conn, calls: &[CallRecord]) -> Result<(), StoreError> {
    for calls in calls.chunks(limits::INSERT_ROWS_MAX) {
        let mut insert = QueryBuilder::<Db>::new(
            "INSERT INTO provider_calls (id, tenant_id, connection_id, started_at, data) ",
        );
        insert.push_values(calls, |mut row, call| {
            row.push_bind(call.call.uuid())
                .push_bind(call.tenant.uuid())
                .push_bind(call.connection.uuid())
                .push_bind(Ts(call.started_at))
                .push_bind(Json(data(call)));
        });
        insert.push(" ON CONFLICT (tenant_id, id) DO NOTHING");
        insert.build().execute(&mut *conn).await?;
    }
    Ok(())
}

/// The latest first.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    limit: u32,
) -> Result<Vec<Value>, StoreError> {
    let rows = sqlx::query_scalar::<Db, Json<Value>>(LIST)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
