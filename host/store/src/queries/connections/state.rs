//! The small state that a component keeps per connection.

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
};

use super::super::{super::Db, Conn, or_not_found};
use crate::StoreError;

queries! {
    LOCK = concat!("SELECT revision FROM connections WHERE tenant_id = $1 AND id = $2", lock_row!());
    GET = "SELECT value FROM connection_state WHERE tenant_id = $1 AND connection_id = $2 AND key = $3";
    SET = "INSERT INTO connection_state (tenant_id, connection_id, key, value) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, connection_id, key) DO UPDATE SET value = excluded.value";
    COUNT = "SELECT COUNT(*) FROM connection_state WHERE tenant_id = $1 AND connection_id = $2";
    DELETE = "DELETE FROM connection_state WHERE tenant_id = $1 AND connection_id = $2 AND key = $3";
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    key: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let value = sqlx::query_scalar::<Db, Vec<u8>>(GET)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(key)
        .fetch_optional(conn)
        .await?;
    Ok(value)
}

pub(crate) async fn set(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    key: &str,
    value: &[u8],
) -> Result<(), StoreError> {
    // The lock keeps two writers from counting at the same time.
    let revision = sqlx::query_scalar::<Db, i64>(LOCK)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    or_not_found(revision, "connection")?;
    sqlx::query::<Db>(SET)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(key)
        .bind(value)
        .execute(&mut *conn)
        .await?;
    let count = sqlx::query_scalar::<Db, i64>(COUNT)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_one(conn)
        .await?;
    let most = i64::try_from(limits::STATE_ENTRIES_MAX).unwrap_or(i64::MAX);
    if count > most { Err(StoreError::WrongState) } else { Ok(()) }
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
