//! Where a provider and we disagree.

use berth_model::{
    events::{EventKind, NewEvent},
    id::{BookingId, ConflictId, ConnectionId, TenantId},
    limits,
    mirror::sync::{Conflict, ConflictKind, Resolution},
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{
    super::Db, Conn, events, expect_affected, jobs::queue, opt_instant, or_not_found, parse_enum,
    tenants::audit,
};
use crate::{
    StoreError,
    records::{Audit, NewJob, Opened},
    types::Ts,
};

queries! {
    OPEN = "INSERT INTO sync_conflicts (tenant_id, id, connection_id, booking_id, external_id, kind, dedup_key, ours, theirs,
            status, detected_at, own_twin, versions)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11, $12)
        ON CONFLICT (tenant_id, dedup_key) WHERE status = 'open' DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs,
            external_id = excluded.external_id, own_twin = excluded.own_twin, versions = excluded.versions,
            findings = sync_conflicts.findings + 1
        RETURNING id";
    // The last one about the same, if it was ignored: by a person, or as what is nobody's trouble.
    IGNORED = "SELECT id FROM sync_conflicts c WHERE tenant_id = $1 AND dedup_key = $2 AND versions = $3 AND status = 'resolved'
            AND resolution = 'ignored' AND (resolved_by <> 'system' OR kind = 'buffer')
            AND NOT EXISTS (SELECT 1 FROM sync_conflicts later WHERE later.tenant_id = c.tenant_id
                AND later.dedup_key = c.dedup_key AND later.id > c.id)
        LIMIT 1";
    HOLD = "UPDATE sync_conflicts SET held_until = $4
        WHERE tenant_id = $1 AND id = $2 AND status = $3 AND (held_until IS NULL OR held_until <= $5)";
    LET_GO = "UPDATE sync_conflicts SET held_until = NULL WHERE tenant_id = $1 AND id = $2";
    GET = "SELECT tenant_id, id, connection_id, booking_id, external_id, own_twin, kind, ours, theirs, status, resolution,
            resolved_by, detected_at, resolved_at, findings
        FROM sync_conflicts WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT tenant_id, id, connection_id, booking_id, external_id, own_twin, kind, ours, theirs, status, resolution,
            resolved_by, detected_at, resolved_at, findings
        FROM sync_conflicts WHERE tenant_id = $1 AND connection_id = $2 AND id < $3 AND (status = 'open' OR $4)
        ORDER BY id DESC LIMIT $5";
    OPEN_OF = "SELECT COUNT(*) FROM sync_conflicts WHERE tenant_id = $1 AND connection_id = $2 AND status = 'open'";
    OPEN_WITH_COUNTERPART = "SELECT COUNT(*) FROM sync_conflicts
        WHERE tenant_id = $1 AND connection_id = $2 AND booking_id = $3 AND status = 'open' AND own_twin";
    RESOLVE = "UPDATE sync_conflicts SET status = 'resolved', resolution = $3, resolved_by = $4, resolved_at = $5, held_until = NULL
        WHERE tenant_id = $1 AND id = $2 AND status = 'open' AND findings = $6";
    SETTLED = "UPDATE sync_conflicts SET status = 'resolved', resolution = 'ignored', resolved_by = 'system', resolved_at = $3
        WHERE tenant_id = $1 AND dedup_key = $2 AND status = 'open' RETURNING id";
    AGREES = "UPDATE sync_conflicts SET status = 'resolved', resolution = 'ignored', resolved_by = 'system', resolved_at = $4
        WHERE tenant_id = $1 AND connection_id = $2 AND booking_id = $3 AND status = 'open'
            AND kind IN ('time_overlap', 'capacity', 'both_changed', 'vanished_there')
            AND (own_twin OR ($5 AND external_id IS NOT NULL)) RETURNING id";
    OF_STRANGER = "SELECT tenant_id, id, connection_id, booking_id, external_id, own_twin, kind, ours, theirs, status, resolution,
            resolved_by, detected_at, resolved_at, findings
        FROM sync_conflicts WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3 AND status = 'open' AND NOT own_twin
        ORDER BY id LIMIT $4";
    ENDS_TRIED = "SELECT CAST(COALESCE(SUM(tries), 0) AS BIGINT) FROM sync_conflicts
        WHERE tenant_id = $1 AND connection_id = $2 AND tried_at > $3 AND (booking_id = $4 OR external_id = $5)";
    TRY = "UPDATE sync_conflicts SET tries = CASE WHEN tried_at > $3 THEN tries + 1 ELSE 1 END, tried_at = $4
        WHERE tenant_id = $1 AND id = $2 AND status = 'open'";
    TRY_BACK = "UPDATE sync_conflicts SET tries = tries - 1 WHERE tenant_id = $1 AND id = $2 AND tries > 0";
    REVERT = "UPDATE sync_conflicts SET resolution = $3, resolved_by = $4, resolved_at = $5, held_until = NULL
        WHERE tenant_id = $1 AND id = $2 AND status = 'resolved'";
    NEXT_EVENT = "UPDATE sync_conflicts SET event_sequence = event_sequence + 1 WHERE tenant_id = $1 AND id = $2
        RETURNING event_sequence, kind, status, resolution, connection_id, booking_id";
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    booking_id: Option<Uuid>,
    external_id: Option<String>,
    own_twin: bool,
    kind: String,
    ours: Json<Value>,
    theirs: Json<Value>,
    status: String,
    resolution: Option<String>,
    resolved_by: Option<String>,
    detected_at: Ts,
    resolved_at: Option<Ts>,
    findings: i64,
}

impl TryFrom<Row> for Conflict {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let resolution = |text: String| parse_enum(&Resolution::ALL, Resolution::as_str, &text, "resolution");
        Ok(Self {
            id: ConflictId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            booking: row.booking_id.map(BookingId::from_uuid),
            external_id: row.external_id,
            own_counterpart: row.own_twin,
            kind: parse_enum(&ConflictKind::ALL, ConflictKind::as_str, &row.kind, "conflict kind")?,
            ours: row.ours.0,
            theirs: row.theirs.0,
            resolved: row.status == "resolved",
            resolution: row.resolution.map(resolution).transpose()?,
            resolved_by: row.resolved_by,
            detected_at: row.detected_at.0,
            resolved_at: opt_instant(row.resolved_at),
            findings: row.findings,
        })
    }
}

/// Open a conflict, or bring the one that is open up to date. Its id, and whether it is new. `end` is the job that ends it. What was ignored
/// stays so while neither version changes.
pub(crate) async fn open(
    conn: &mut Conn,
    conflict: &Conflict,
    end: Option<&NewJob>,
    audit: &Audit,
) -> Result<Opened, StoreError> {
    let versions = conflict.versions();
    let ignored = sqlx::query_scalar::<Db, Uuid>(IGNORED)
        .bind(conflict.tenant.uuid())
        .bind(conflict.dedup_key())
        .bind(&versions)
        .fetch_optional(&mut *conn)
        .await?;
    if ignored.is_some() {
        return Ok(Opened::Ignored);
    }
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
        .bind(conflict.own_counterpart)
        .bind(&versions)
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("connection"))?;
    let is_new = id == conflict.id.uuid();
    if is_new {
        let data = json!({ "kind": conflict.kind, "booking": conflict.booking, "external_id": conflict.external_id });
        audit::append(&mut *conn, audit, Some(conflict.tenant), "conflict.opened", id, data).await?;
        tell(conn, (conflict.tenant, id), EventKind::ConflictOpened, audit.at, &audit.actor).await?;
    }
    let id = ConflictId::from_uuid(id);
    if let Some(end) = end {
        let (payload, dedup_key) = (json!({ "conflict": id }), format!("conflict:{id}"));
        queue::enqueue(conn, &NewJob { payload, dedup_key, ..end.clone() }).await?;
    }
    Ok(if is_new { Opened::New(id) } else { Opened::Again(id) })
}

/// Have it alone until then, to end it. False if somebody else has it, or it is not (`again`: not any more) open.
pub(crate) async fn hold(
    conn: &mut Conn,
    conflict: &Conflict,
    again: bool,
    now: Instant,
    until: Instant,
) -> Result<bool, StoreError> {
    let done = sqlx::query::<Db>(HOLD)
        .bind(conflict.tenant.uuid())
        .bind(conflict.id.uuid())
        .bind(if again { "resolved" } else { "open" })
        .bind(Ts(until))
        .bind(Ts(now))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// It was not ended after all.
pub(crate) async fn let_go(
    conn: &mut Conn,
    tenant: TenantId,
    conflict: ConflictId,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(LET_GO).bind(tenant.uuid()).bind(conflict.uuid()).execute(conn).await?;
    Ok(())
}

/// Count one more end of an open conflict that no person chose. False if there were `most` since then, for this conflict and others about
/// the same.
pub(crate) async fn try_end(
    conn: &mut Conn,
    conflict: &Conflict,
    since: Instant,
    now: Instant,
    most: i64,
) -> Result<bool, StoreError> {
    let tried = sqlx::query_scalar::<Db, i64>(ENDS_TRIED)
        .bind(conflict.tenant.uuid())
        .bind(conflict.connection.uuid())
        .bind(Ts(since))
        .bind(conflict.booking.map(BookingId::uuid))
        .bind(&conflict.external_id)
        .fetch_one(&mut *conn)
        .await?;
    if tried >= most {
        return Ok(false);
    }
    let done = sqlx::query::<Db>(TRY)
        .bind(conflict.tenant.uuid())
        .bind(conflict.id.uuid())
        .bind(Ts(since))
        .bind(Ts(now))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// One that could not be carried out for now does not count.
pub(crate) async fn end_not_tried(
    conn: &mut Conn,
    tenant: TenantId,
    conflict: ConflictId,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(TRY_BACK).bind(tenant.uuid()).bind(conflict.uuid()).execute(conn).await?;
    Ok(())
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    conflict: ConflictId,
) -> Result<Conflict, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(conflict.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "conflict")?.try_into()
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

/// Is one open about a booking and its own counterpart?
pub(crate) async fn is_open(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    booking: BookingId,
) -> Result<bool, StoreError> {
    let open = sqlx::query_scalar::<Db, i64>(OPEN_WITH_COUNTERPART)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(booking.uuid())
        .fetch_one(conn)
        .await?;
    Ok(open > 0)
}

/// Write how it ended. `WrongState` if it is not open, or was found again since it was read; for `again` if it is open.
pub(crate) async fn resolve(
    conn: &mut Conn,
    conflict: &Conflict,
    resolution: Resolution,
    again: bool,
    audit: &Audit,
) -> Result<(), StoreError> {
    let query = sqlx::query::<Db>(if again { REVERT } else { RESOLVE })
        .bind(conflict.tenant.uuid())
        .bind(conflict.id.uuid())
        .bind(resolution.as_str())
        .bind(&audit.actor)
        .bind(Ts(audit.at));
    let query = if again { query } else { query.bind(conflict.findings) };
    expect_affected(&query.execute(&mut *conn).await?, StoreError::WrongState)?;
    let (of, kind) = ((conflict.tenant, conflict.id.uuid()), EventKind::ConflictResolved);
    tell(conn, of, kind, audit.at, &audit.actor).await?;
    let action = if again { "conflict.reverted" } else { "conflict.resolved" };
    let data = json!({ "resolution": resolution });
    audit::append(conn, audit, Some(conflict.tenant), action, conflict.id.uuid(), data).await
}

/// Tell of a change of a conflict, as it is in the database by now.
async fn tell(
    conn: &mut Conn,
    (tenant, conflict): (TenantId, Uuid),
    kind: EventKind,
    at: Instant,
    actor: &str,
) -> Result<(), StoreError> {
    let row = sqlx::query_as::<Db, (i64, String, String, Option<String>, Uuid, Option<Uuid>)>(NEXT_EVENT)
        .bind(tenant.uuid())
        .bind(conflict)
        .fetch_optional(&mut *conn)
        .await?;
    let (sequence, conflict_kind, status, resolution, connection, booking) = or_not_found(row, "conflict")?;
    let data = json!({
        "conflict": conflict_kind, "status": status, "resolution": resolution, "connection_id": connection, "booking_id": booking,
    });
    let (subject, occurred_at, actor) = (conflict, at, actor.to_owned());
    events::append(conn, tenant, &NewEvent { kind, subject, sequence, occurred_at, actor, data }).await
}

/// Tell of conflicts that are over by themselves.
pub(crate) async fn tell_over(
    conn: &mut Conn,
    tenant: TenantId,
    conflicts: Vec<Uuid>,
    at: Instant,
) -> Result<(), StoreError> {
    for conflict in conflicts {
        tell(conn, (tenant, conflict), EventKind::ConflictResolved, at, "system").await?;
    }
    Ok(())
}

/// What was disagreed about is over.
pub(crate) async fn settled(
    conn: &mut Conn,
    tenant: TenantId,
    dedup_key: &str,
    at: Instant,
) -> Result<(), StoreError> {
    let settled = sqlx::query_scalar::<Db, Uuid>(SETTLED).bind(tenant.uuid()).bind(dedup_key).bind(Ts(at));
    let settled = settled.fetch_all(&mut *conn).await?;
    tell_over(conn, tenant, settled, at).await
}

/// A booking and its counterpart agree again by themselves: nothing is left to be resolved about the two; with `others`, nor about bookings of
/// others.
pub(crate) async fn agrees(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    booking: BookingId,
    at: Instant,
    others: bool,
) -> Result<(), StoreError> {
    let settled = sqlx::query_scalar::<Db, Uuid>(AGREES)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(booking.uuid())
        .bind(Ts(at))
        .bind(others)
        .fetch_all(&mut *conn)
        .await?;
    tell_over(conn, tenant, settled, at).await
}

/// The open ones about a booking at the provider that is not ours.
pub(crate) async fn of_stranger(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Vec<Conflict>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_STRANGER)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
