//! Giving events their positions, and forgetting them.

use berth_model::{
    events::{Unplaced, in_order},
    id::{EventId, TenantId},
    limits,
    time::Instant,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::super::{super::Db, Conn};
use crate::{StoreError, records::Placed, types::Ts};

queries! {
    // Not of one that is being removed: its feed has ended.
    BEGIN = "INSERT INTO event_heads (tenant_id) SELECT id FROM tenants WHERE id = $1 AND state <> 'deleting'
        ON CONFLICT (tenant_id) DO NOTHING";
    LOCK = concat!("SELECT position FROM event_heads WHERE tenant_id = $1", lock_row!());
    UNPLACED = "SELECT id, subject_id, sequence FROM events WHERE tenant_id = $1 AND position IS NULL ORDER BY id LIMIT $2";
    // Of those after it, what goes before one of the first: a clock that is behind gives an id that is too small.
    UNPLACED_BEFORE = "WITH first AS (
            SELECT subject_id, sequence FROM events WHERE tenant_id = $1 AND position IS NULL ORDER BY id LIMIT $2)
        SELECT e.id, e.subject_id, e.sequence FROM events e
        WHERE e.tenant_id = $1 AND e.position IS NULL AND e.id > $3 AND e.subject_id IN (SELECT subject_id FROM first)
            AND e.sequence < (SELECT MAX(f.sequence) FROM first f WHERE f.subject_id = e.subject_id)";
    MOVE_HEAD = "UPDATE event_heads SET position = $2 WHERE tenant_id = $1";
    WAITING = "SELECT DISTINCT tenant_id FROM events WHERE position IS NULL AND tenant_id > $1 ORDER BY tenant_id LIMIT $2";
    // The oldest event of each feed is looked at.
    FORGETTING = "SELECT h.tenant_id FROM event_heads h JOIN events e ON e.tenant_id = h.tenant_id AND e.position = h.first_position
        WHERE e.occurred_at <= $1 ORDER BY h.tenant_id LIMIT $2";
    LOCK_FIRST = concat!("SELECT position, first_position FROM event_heads WHERE tenant_id = $1", lock_row!());
    FIRST_KEPT = "SELECT MIN(position) FROM events WHERE tenant_id = $1 AND position >= $2 AND position < $3 AND occurred_at > $4";
    FORGET = "DELETE FROM events WHERE tenant_id = $1 AND position < $2";
    MOVE_FIRST = "UPDATE event_heads SET first_position = $2 WHERE tenant_id = $1";
}

/// Give the next events of a tenant their positions. Fewer than `EVENTS_PLACED_AT_ONCE` if none is left.
pub(crate) async fn place(conn: &mut Conn, tenant: TenantId) -> Result<Placed, StoreError> {
    sqlx::query::<Db>(BEGIN).bind(tenant.uuid()).execute(&mut *conn).await?;
    // Who else places waits here, and finds what is left.
    let head = sqlx::query_scalar::<Db, i64>(LOCK).bind(tenant.uuid()).fetch_optional(&mut *conn).await?;
    let Some(mut position) = head else { return Ok(Placed { count: 0, position: 0 }) };
    let mut order = in_order(next(conn, tenant).await?);
    order.truncate(usize::try_from(limits::EVENTS_PLACED_AT_ONCE).unwrap_or(usize::MAX));
    if order.is_empty() {
        return Ok(Placed { count: 0, position });
    }
    let mut query = QueryBuilder::<Db>::new("WITH placed (id, position) AS (");
    query.push_values(&order, |mut row, id| {
        position = position.saturating_add(1);
        row.push_bind(id.uuid()).push_bind(position);
    });
    query.push(") UPDATE events SET position = placed.position FROM placed WHERE events.tenant_id = ");
    query.push_bind(tenant.uuid()).push(" AND events.id = placed.id AND events.position IS NULL");
    query.build().execute(&mut *conn).await?;
    sqlx::query::<Db>(MOVE_HEAD).bind(tenant.uuid()).bind(position).execute(conn).await?;
    Ok(Placed { count: u32::try_from(order.len()).unwrap_or(u32::MAX), position })
}

/// The first events without a position, and with each all those of its subject that go before it.
async fn next(conn: &mut Conn, tenant: TenantId) -> Result<Vec<Unplaced>, StoreError> {
    let most = i64::from(limits::EVENTS_PLACED_AT_ONCE);
    let first = sqlx::query_as::<Db, (Uuid, Uuid, i64)>(UNPLACED).bind(tenant.uuid()).bind(most);
    let mut rows = first.fetch_all(&mut *conn).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= most);
    if let Some((last, ..)) = rows.last().filter(|_| is_full) {
        let before = sqlx::query_as::<Db, (Uuid, Uuid, i64)>(UNPLACED_BEFORE);
        rows.extend(before.bind(tenant.uuid()).bind(most).bind(*last).fetch_all(conn).await?);
    }
    let unplaced = |(id, subject, sequence)| Unplaced { id: EventId::from_uuid(id), subject, sequence };
    Ok(rows.into_iter().map(unplaced).collect())
}

/// Tenants after this one that have events without a position.
pub(crate) async fn waiting(conn: &mut Conn, after: Option<TenantId>) -> Result<Vec<TenantId>, StoreError> {
    let rows = sqlx::query_scalar::<Db, Uuid>(WAITING)
        .bind(super::super::page_after(after))
        .bind(limits::EVENT_TENANTS_AT_ONCE)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(TenantId::from_uuid).collect())
}

/// Some tenants whose oldest event is not kept any longer.
pub(crate) async fn forgetting(conn: &mut Conn, until: Instant) -> Result<Vec<TenantId>, StoreError> {
    let rows = sqlx::query_scalar::<Db, Uuid>(FORGETTING)
        .bind(Ts(until))
        .bind(limits::EVENT_TENANTS_AT_ONCE)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(TenantId::from_uuid).collect())
}

/// Remove some of a tenant's oldest events, in their order, up to the first one that happened later. How many.
pub(crate) async fn forget(conn: &mut Conn, tenant: TenantId, until: Instant) -> Result<u64, StoreError> {
    let head = sqlx::query_as::<Db, (i64, i64)>(LOCK_FIRST).bind(tenant.uuid());
    let Some((position, first)) = head.fetch_optional(&mut *conn).await? else { return Ok(0) };
    let end = position.saturating_add(1).min(first.saturating_add(limits::PRUNE_ROWS_MAX));
    let kept = sqlx::query_scalar::<Db, Option<i64>>(FIRST_KEPT)
        .bind(tenant.uuid())
        .bind(first)
        .bind(end)
        .bind(Ts(until))
        .fetch_one(&mut *conn)
        .await?;
    let first = kept.unwrap_or(end);
    let done = sqlx::query::<Db>(FORGET).bind(tenant.uuid()).bind(first).execute(&mut *conn).await?;
    sqlx::query::<Db>(MOVE_FIRST).bind(tenant.uuid()).bind(first).execute(conn).await?;
    Ok(done.rows_affected())
}
