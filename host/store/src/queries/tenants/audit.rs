//! The audit log: every change of state says who, what, when, from which request.

use berth_model::{
    events::NewEvent,
    id::{AuditEntryId, TenantId},
    limits,
    time::Instant,
};
use serde_json::Value;
use sqlx::{Database, QueryBuilder, query::Query, types::Json};
use uuid::Uuid;

use super::super::{
    super::Db,
    Conn,
    events::{self, insert_event},
    owner,
};
use crate::{
    StoreError,
    records::{Audit, AuditEntry, AuditFilter, AuditPage},
    types::Ts,
};

/// Writes an event and an audit row, and what else is inserted with them, of what [`bound_with_event`] binds.
macro_rules! insert_with_event {
    ($($more:expr)?) => {
        together!(
            insert_event!(),
            "INSERT INTO audit_log (tenant_id, id, at, actor, request_id, action, subject_kind, subject_id, data)
            VALUES ($1, $10, $11, $12, $13, $14, $15, $5, $16)"
            $(, $more)?
        )
    };
}
pub(crate) use insert_with_event;

queries! {
    INSERT = "INSERT INTO audit_log (id, tenant_id, at, actor, request_id, action, subject_kind, subject_id, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    INSERT_WITH_EVENT = insert_with_event!();
    LIST = "SELECT id, at, actor, request_id, action, subject_kind, subject_id, data FROM audit_log
        WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = $3 ORDER BY at, id LIMIT $4";
    LOOKED_AT = "SELECT id FROM audit_log WHERE tenant_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT 1 OFFSET $4";
}

/// An entry's own time and that in its id are read one after the other: no further apart than this.
const CLOCKS_APART_MS: i64 = 1_000;

/// Write that `action` (`booking.created`: kind and verb) was done to `subject`.
pub(crate) async fn append(
    conn: &mut Conn,
    audit: &Audit,
    tenant: Option<TenantId>,
    action: &'static str,
    subject: Uuid,
    data: Value,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(audit.id.uuid())
        .bind(owner(tenant))
        .bind(Ts(audit.at))
        .bind(&audit.actor)
        .bind(&audit.request_id)
        .bind(action)
        .bind(kind_of(action))
        .bind(subject)
        .bind(Json(data))
        .execute(conn)
        .await
        .map_err(|error| StoreError::from(error).duplicate("an audit row with this id"))?;
    Ok(())
}

/// The same of a change that is told as an event, and the event with it, in one statement.
pub(crate) async fn append_with_event(
    conn: &mut Conn,
    audit: &Audit,
    (tenant, event): (TenantId, &NewEvent),
    action: &'static str,
    data: Value,
) -> Result<(), StoreError> {
    bound_with_event(INSERT_WITH_EVENT, audit, (tenant, event), action, data)
        .execute(conn)
        .await
        .map_err(|error| StoreError::from(error).duplicate("an event or audit row of this change"))?;
    Ok(())
}

/// A statement whose parameters begin with those of [`insert_with_event`]: `$1` is the tenant, `$5` what was changed, `$17` the first that is free.
pub(crate) fn bound_with_event<'q>(
    statement: &'static str,
    audit: &'q Audit,
    (tenant, event): (TenantId, &'q NewEvent),
    action: &'static str,
    data: Value,
) -> Query<'q, Db, <Db as Database>::Arguments> {
    events::bound(statement, tenant, event)
        .bind(audit.id.uuid())
        .bind(Ts(audit.at))
        .bind(&audit.actor)
        .bind(&audit.request_id)
        .bind(action)
        .bind(kind_of(action))
        .bind(Json(data))
}

/// What an action is done to: `booking` of `booking.created`.
fn kind_of(action: &'static str) -> &'static str {
    action.split_once('.').map_or(action, |(kind, _)| kind)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    at: Ts,
    actor: String,
    request_id: String,
    action: String,
    subject_kind: String,
    subject_id: Uuid,
    data: Json<Value>,
}

impl From<Row> for AuditEntry {
    fn from(row: Row) -> Self {
        Self {
            audit: Audit {
                id: AuditEntryId::from_uuid(row.id),
                at: row.at.0,
                actor: row.actor,
                request_id: row.request_id,
            },
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            data: row.data.0,
        }
    }
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    kind: &str,
    subject: Uuid,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(kind)
        .bind(subject)
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Entries before a position, the latest first, as many as a page has; and where to go on, if there may be more. What matches nothing is
/// looked for among `looked_at` rows at a time.
pub(crate) async fn page(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &AuditFilter,
    before: Option<AuditEntryId>,
    (limit, looked_at): (u32, u32),
) -> Result<AuditPage, StoreError> {
    let since = filter.within.map_or(Uuid::nil(), |within| first_of(within.start(), -CLOCKS_APART_MS));
    let until = filter.within.map_or(Uuid::max(), |within| first_of(within.end(), CLOCKS_APART_MS));
    let before = before.map_or(until, |before| before.uuid().min(until));
    let floor: Option<Uuid> = sqlx::query_scalar::<Db, Uuid>(LOOKED_AT)
        .bind(tenant.uuid())
        .bind(before)
        .bind(since)
        .bind(i64::from(looked_at))
        .fetch_optional(&mut *conn)
        .await?;
    let mut query = QueryBuilder::<Db>::new(
        "SELECT id, at, actor, request_id, action, subject_kind, subject_id, data FROM audit_log WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND id < ").push_bind(before);
    query.push(" AND id >= ").push_bind(floor.unwrap_or(since));
    let texts =
        [("subject_kind", &filter.subject_kind), ("actor", &filter.actor), ("action", &filter.action)];
    for (column, text) in texts {
        if let Some(text) = text {
            query.push(format!(" AND {column} = ")).push_bind(text.clone());
        }
    }
    if let Some(subject) = filter.subject_id {
        query.push(" AND subject_id = ").push_bind(subject);
    }
    if let Some(within) = filter.within {
        query.push(" AND at >= ").push_bind(Ts(within.start()));
        query.push(" AND at < ").push_bind(Ts(within.end()));
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
    let rows: Vec<Row> = query.build_query_as::<Row>().fetch_all(conn).await?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
    let last = if is_full { rows.last().map(|row| row.id) } else { floor };
    Ok(AuditPage {
        entries: rows.into_iter().map(Into::into).collect(),
        next: last.map(AuditEntryId::from_uuid),
    })
}

/// The first id of this instant, moved.
fn first_of(at: Instant, ms: i64) -> Uuid {
    let millis = u64::try_from(at.micros().div_euclid(1_000).saturating_add(ms)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
