//! Whether providers have what event types stand for.

use berth_model::{
    id::{ConnectionId, EventTypeId, TenantId},
    time::Instant,
};
use serde_json::Value;
use sqlx::types::Json;

use super::super::{super::Db, Conn, opt_instant};
use crate::{StoreError, records::KnownCounterpart, types::Ts};

queries! {
    KNOWN = "SELECT i.payload, r.read_at, (SELECT MAX(u.since) FROM unchecked_twins u
                WHERE u.tenant_id = k.tenant_id AND u.connection_id = k.id AND u.external_id = $3) AS unchecked_since
        FROM connections k
        LEFT JOIN external_items i ON i.tenant_id = k.tenant_id AND i.connection_id = k.id AND i.kind = 'event_type'
            AND i.external_id = $3
        LEFT JOIN catalog_reads r ON r.tenant_id = k.tenant_id AND r.connection_id = k.id
        WHERE k.tenant_id = $1 AND k.id = $2";
    NOTE_READ = "INSERT INTO catalog_reads (tenant_id, connection_id, read_at) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, connection_id) DO UPDATE SET read_at = excluded.read_at";
    CHECKED = "DELETE FROM unchecked_twins WHERE tenant_id = $1 AND connection_id = $2 AND since <= $3";
    NOTE_UNCHECKED = "INSERT INTO unchecked_twins (tenant_id, event_type_id, connection_id, external_id, since) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, event_type_id) DO UPDATE SET connection_id = excluded.connection_id,
            external_id = excluded.external_id, since = excluded.since";
    IS_UNCHECKED = "SELECT EXISTS (SELECT 1 FROM unchecked_twins WHERE tenant_id = $1 AND connection_id = $2)";
}

/// What is known of a counterpart at a provider.
pub(crate) async fn known(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<KnownCounterpart, StoreError> {
    let row = sqlx::query_as::<Db, (Option<Json<Value>>, Option<Ts>, Option<Ts>)>(KNOWN)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_optional(conn)
        .await?;
    let (payload, read_at, unchecked_since) = row.ok_or(StoreError::NotFound("connection"))?;
    Ok(KnownCounterpart {
        payload: payload.map(|payload| payload.0),
        read_at: opt_instant(read_at),
        unchecked_since: opt_instant(unchecked_since),
    })
}

/// The whole list was read: what waited for it is known now.
pub(crate) async fn note_read(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(NOTE_READ)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(now))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("connection"))?;
    sqlx::query::<Db>(CHECKED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// An event type was saved without its counterpart being looked for.
pub(crate) async fn note_unchecked(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
    connection: ConnectionId,
    external_id: &str,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(NOTE_UNCHECKED)
        .bind(tenant.uuid())
        .bind(event_type.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .bind(Ts(now))
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).missing("event type"))?;
    Ok(())
}

/// Is there an event type that waits for the list to be read?
pub(crate) async fn is_unchecked(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar::<Db, bool>(IS_UNCHECKED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_one(conn)
        .await?)
}
