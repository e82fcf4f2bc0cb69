//! Reading events by position.

use berth_model::{
    events::{After, Cursor, Event, EventKind, Head},
    id::{EventId, TenantId},
};
use serde_json::Value;
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{super::Db, Conn};
use crate::{StoreError, records::EventPage, types::Ts};

queries! {
    HEAD = "SELECT epoch, position, first_position FROM event_heads WHERE tenant_id = $1";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    position: i64,
    kind: String,
    subject_kind: String,
    subject_id: Uuid,
    sequence: i64,
    occurred_at: Ts,
    actor: String,
    data: Json<Value>,
}

/// Where a tenant's events end.
pub(crate) async fn head(conn: &mut Conn, tenant: TenantId) -> Result<Head, StoreError> {
    let row = sqlx::query_as::<Db, (i64, i64, i64)>(HEAD).bind(tenant.uuid()).fetch_optional(conn).await?;
    Ok(row.map_or_else(Head::default, |(epoch, position, first)| Head { epoch, position, first }))
}

/// Where the events of these tenants end, of those that have any.
pub(crate) async fn heads(conn: &mut Conn, tenants: &[TenantId]) -> Result<Vec<(TenantId, i64)>, StoreError> {
    let mut query =
        QueryBuilder::<Db>::new("SELECT tenant_id, position FROM event_heads WHERE tenant_id IN (");
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.uuid());
    }
    query.push(")");
    let rows: Vec<(Uuid, i64)> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(tenant, position)| (TenantId::from_uuid(tenant), position)).collect())
}

/// The events after a cursor, in order; of these kinds only, if any is named.
pub(crate) async fn page(
    conn: &mut Conn,
    tenant: TenantId,
    cursor: Cursor,
    kinds: &[EventKind],
    limit: u32,
) -> Result<EventPage, StoreError> {
    let found = head(conn, tenant).await?;
    let after = cursor.position(found)?;
    let end = found.looked_at(after);
    let mut query = QueryBuilder::<Db>::new(
        "SELECT id, position, kind, subject_kind, subject_id, sequence, occurred_at, actor, data FROM events WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND position > ").push_bind(after);
    query.push(" AND position <= ").push_bind(end);
    if !kinds.is_empty() {
        query.push(" AND kind IN (");
        let mut list = query.separated(", ");
        for kind in kinds {
            list.push_bind(kind.as_str());
        }
        query.push(")");
    }
    query.push(" ORDER BY position LIMIT ").push_bind(i64::from(limit));
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *conn).await?;
    // What was forgotten meanwhile would be missed without a word.
    let cursor = Cursor { after: After::Position(after), epoch: Some(found.epoch) };
    cursor.position(head(conn, tenant).await?)?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
    let next = rows.last().filter(|_| is_full).map_or(end, |last| last.position);
    let events = rows.into_iter().map(|row| Event {
        tenant,
        id: EventId::from_uuid(row.id),
        position: row.position,
        kind: row.kind,
        subject_kind: row.subject_kind,
        subject: row.subject_id,
        sequence: row.sequence,
        occurred_at: row.occurred_at.0,
        actor: row.actor,
        data: row.data.0,
    });
    Ok(EventPage { head: found, after, next, events: events.collect() })
}
