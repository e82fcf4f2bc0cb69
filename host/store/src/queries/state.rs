//! The small state that a component keeps per connection.

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
};

use super::{super::Db, Conn};
use crate::StoreError;

queries! {
    GET = "SELECT value FROM connection_state WHERE tenant_id = $1 AND connection_id = $2 AND key = $3";
    SET = "INSERT INTO connection_state (tenant_id, connection_id, key, value) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, connection_id, key) DO UPDATE SET value = excluded.value";
    COUNT = "SELECT count(*) FROM connection_state WHERE tenant_id = $1 AND connection_id = $2";
    DELETE = "DELETE FROM connection_state WHERE tenant_id = $1 AND connection_id = $2 AND key = $3";
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    key: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as::<Db, (Vec<u8>,)>(GET)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(key)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|(value,)| value))
}

pub(crate) async fn set(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    key: &str,
    value: &[u8],
) -> Result<(), StoreError> {
    sqlx::query::<Db>(SET)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(key)
        .bind(value)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("connection"))?;
    let (entries,): (i64,) = sqlx::query_as::<Db, (i64,)>(COUNT)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_one(conn)
        .await?;
    // Counted after the write, whose transaction the error rolls back.
    if usize::try_from(entries).is_ok_and(|n| n <= limits::STATE_ENTRIES_MAX) {
        Ok(())
    } else {
        Err(StoreError::WrongState)
    }
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    key: &str,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(DELETE).bind(tenant.uuid()).bind(connection.uuid()).bind(key).execute(conn).await?;
    Ok(())
}
