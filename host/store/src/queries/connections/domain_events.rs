//! Whether a connection works, and the events that tell of it.

use berth_model::{
    connections::connection::ConnectionStatus,
    events::{EventKind, NewEvent},
    id::{ConnectionId, TenantId},
    time::Instant,
};
use serde_json::json;
use uuid::Uuid;

use super::super::{super::Db, Conn, events, expect_affected, or_not_found, parse_enum};
use crate::{StoreError, types::Ts};

queries! {
    LOCK_STATUS = concat!("SELECT status FROM connections WHERE tenant_id = $1 AND id = $2", lock_row!());
    // Without a detail the one that is there stays, unless all is well.
    SET_HEALTH = "UPDATE connections SET status = $3, updated_at = $4,
            status_detail = CASE WHEN $3 = 'healthy' THEN NULL ELSE COALESCE($5, status_detail) END
        WHERE tenant_id = $1 AND id = $2";
    NEXT = "UPDATE connections SET event_sequence = event_sequence + 1 WHERE tenant_id = $1 AND id = $2
        RETURNING event_sequence, state, status, plugin, listing_id";
}

/// What is told of a connection that is in this state now.
const fn kind_of(status: ConnectionStatus) -> EventKind {
    match status {
        ConnectionStatus::Healthy => EventKind::ConnectionHealthy,
        ConnectionStatus::Unauthorised => EventKind::ConnectionUnauthorised,
        ConnectionStatus::Unavailable => EventKind::ConnectionUnavailable,
    }
}

/// The status of a connection that is about to change, if it is there.
pub(crate) async fn lock_status(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Option<ConnectionStatus>, StoreError> {
    let status = sqlx::query_scalar::<Db, String>(LOCK_STATUS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(conn)
        .await?;
    let read = |text: String| parse_enum(&ConnectionStatus::ALL, ConnectionStatus::as_str, &text, "status");
    status.map(read).transpose()
}

/// Tell of a change of a connection, as it is in the database by now.
pub(crate) async fn append(
    conn: &mut Conn,
    (tenant, connection): (TenantId, ConnectionId),
    kind: EventKind,
    at: Instant,
    actor: &str,
) -> Result<(), StoreError> {
    let row = sqlx::query_as::<Db, (i64, String, String, String, Option<Uuid>)>(NEXT)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    let (sequence, state, status, plugin, listing) = or_not_found(row, "connection")?;
    let event = NewEvent {
        kind,
        subject: connection.uuid(),
        sequence,
        occurred_at: at,
        actor: actor.to_owned(),
        data: json!({ "state": state, "status": status, "provider": plugin, "listing_id": listing }),
    };
    events::append(conn, tenant, &event).await
}

/// Tell whether a connection works, if that changed.
pub(crate) async fn append_status(
    conn: &mut Conn,
    (tenant, connection): (TenantId, ConnectionId),
    (before, now): (Option<ConnectionStatus>, ConnectionStatus),
    at: Instant,
    actor: &str,
) -> Result<(), StoreError> {
    if before == Some(now) {
        return Ok(());
    }
    append(conn, (tenant, connection), kind_of(now), at, actor).await
}

/// Write whether it works. Told as an event when it changes, and not each time that it is found so.
pub(crate) async fn set_health(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    status: ConnectionStatus,
    detail: Option<&str>,
    now: Instant,
) -> Result<(), StoreError> {
    let before = lock_status(conn, tenant, connection).await?;
    let done = sqlx::query::<Db>(SET_HEALTH)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(status.as_str())
        .bind(Ts(now))
        .bind(detail)
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("connection"))?;
    append_status(conn, (tenant, connection), (before, status), now, "system").await
}
