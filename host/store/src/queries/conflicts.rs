//! Where a provider and we disagree.

use berth_model::{
    id::{BookingId, ConflictId, ConnectionId, TenantId},
    sync::{Conflict, ConflictKind, Resolution},
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, at, audit, found, met, named};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    OPEN = "INSERT INTO sync_conflicts (tenant_id, id, connection_id, booking_id, external_id, kind, dedup_key, ours, theirs,
            status, detected_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10)
        ON CONFLICT (tenant_id, dedup_key) WHERE status = 'open' DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs,
            external_id = excluded.external_id
        RETURNING id";
    GET = "SELECT tenant_id, id, connection_id, booking_id, external_id, kind, ours, theirs, status, resolution, resolved_by,
            detected_at, resolved_at
        FROM sync_conflicts WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT tenant_id, id, connection_id, booking_id, external_id, kind, ours, theirs, status, resolution, resolved_by,
            detected_at, resolved_at
        FROM sync_conflicts WHERE tenant_id = $1 AND connection_id = $2 AND id < $3 AND (status = 'open' OR $4)
        ORDER BY id DESC LIMIT $5";
    OPEN_OF = "SELECT COUNT(*) FROM sync_conflicts WHERE tenant_id = $1 AND connection_id = $2 AND status = 'open'";
    RESOLVE = "UPDATE sync_conflicts SET status = 'resolved', resolution = $3, resolved_by = $4, resolved_at = $5
        WHERE tenant_id = $1 AND id = $2 AND status = 'open'";
    SETTLED = "UPDATE sync_conflicts SET status = 'resolved', resolution = 'ignored', resolved_by = 'system', resolved_at = $3
        WHERE tenant_id = $1 AND dedup_key = $2 AND status = 'open'";
    REVERT = "UPDATE sync_conflicts SET resolution = $3, resolved_by = $4, resolved_at = $5
        WHERE tenant_id = $1 AND id = $2 AND status = 'resolved'";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    booking_id: Option<Uuid>,
    external_id: Option<String>,
    kind: String,
    ours: Json<Value>,
    theirs: Json<Value>,
    status: String,
    resolution: Option<String>,
    resolved_by: Option<String>,
    detected_at: Ts,
    resolved_at: Option<Ts>,
}

impl TryFrom<Row> for Conflict {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let resolution = |text: String| named(&Resolution::ALL, Resolution::as_str, &text, "resolution");
        Ok(Self {
            id: ConflictId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            booking: row.booking_id.map(BookingId::from_uuid),
            external_id: row.external_id,
            kind: named(&ConflictKind::ALL, ConflictKind::as_str, &row.kind, "conflict kind")?,
            ours: row.ours.0,
            theirs: row.theirs.0,
            resolved: row.status == "resolved",
            resolution: row.resolution.map(resolution).transpose()?,
            resolved_by: row.resolved_by,
            detected_at: row.detected_at.0,
            resolved_at: at(row.resolved_at),
        })
    }
}

/// Open a conflict, or bring the one that is open up to date. Its id, and whether it is new.
pub(crate) async fn open(
    conn: &mut Conn,
    conflict: &Conflict,
    audit: &Audit,
) -> Result<(ConflictId, bool), StoreError> {
    let id = sqlx::query_scalar::<Db, Uuid>(OPEN)
        .bind(conflict.tenant.uuid())
        .bind(conflict.id.uuid())
        .bind(conflict.connection.uuid())
        .bind(conflict.booking.map(BookingId::uuid))
        .bind(&conflict.external_id)
        .bind(conflict.kind.as_str())
        .bind(conflict.dedup_key())
        .bind(Json(&conflict.ours))
        .bind(Json(&conflict.theirs))
        .bind(Ts(conflict.detected_at))
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("connection"))?;
    let is_new = id == conflict.id.uuid();
    if is_new {
        let data = json!({ "kind": conflict.kind, "booking": conflict.booking, "external_id": conflict.external_id });
        audit::note(conn, audit, Some(conflict.tenant), "conflict.opened", id, data).await?;
    }
    Ok((ConflictId::from_uuid(id), is_new))
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    conflict: ConflictId,
) -> Result<Conflict, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(conflict.uuid()).fetch_optional(conn).await?;
    found(row, "conflict")?.try_into()
}

/// Conflicts of a connection before this one, the latest first; open ones only, or all.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    before: Option<ConflictId>,
    all: bool,
    limit: u32,
) -> Result<Vec<Conflict>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(before.map_or(Uuid::max(), ConflictId::uuid))
        .bind(all)
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn open_of(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar::<Db, i64>(OPEN_OF)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_one(conn)
        .await?)
}

/// Write how it ended. `WrongState` if it is not open, or for `again` if it is.
pub(crate) async fn resolve(
    conn: &mut Conn,
    tenant: TenantId,
    conflict: ConflictId,
    resolution: Resolution,
    again: bool,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(if again { REVERT } else { RESOLVE })
        .bind(tenant.uuid())
        .bind(conflict.uuid())
        .bind(resolution.as_str())
        .bind(&audit.actor)
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await?;
    met(&done, StoreError::WrongState)?;
    let action = if again { "conflict.reverted" } else { "conflict.resolved" };
    audit::note(conn, audit, Some(tenant), action, conflict.uuid(), json!({ "resolution": resolution })).await
}

/// Both sides agree again by themselves: nothing is left to be resolved.
pub(crate) async fn settled(
    conn: &mut Conn,
    tenant: TenantId,
    dedup_key: &str,
    at: berth_model::time::Instant,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query::<Db>(SETTLED).bind(tenant.uuid()).bind(dedup_key).bind(Ts(at)).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}
