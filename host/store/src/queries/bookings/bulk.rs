//! The same change of many bookings: what was asked for, and how it stands with each.

use berth_model::{
    bookings::bulk::{BulkItem, BulkItemState, BulkOperation},
    id::{BookingId, BulkOperationId, Id, TenantId},
    limits,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{
    super::Db, Conn, expect_affected, from_json, jobs::queue, opt_instant, or_not_found, parse_enum,
    tenants::audit,
};
use crate::{
    StoreError,
    records::{Audit, NewJob},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO bulk_operations (tenant_id, id, digest, action, actor, overrides, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    GET = "SELECT tenant_id, id, digest, action, actor, overrides, created_at, finished_at FROM bulk_operations
        WHERE tenant_id = $1 AND id = $2";
    BY_DIGEST = "SELECT tenant_id, id, digest, action, actor, overrides, created_at, finished_at FROM bulk_operations
        WHERE tenant_id = $1 AND digest = $2";
    LIST = "SELECT tenant_id, id, digest, action, actor, overrides, created_at, finished_at FROM bulk_operations
        WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    ITEMS = "SELECT booking_id, sequence, state, code, detail FROM bulk_items
        WHERE tenant_id = $1 AND operation_id = $2 ORDER BY position LIMIT $3";
    END_ITEM = "UPDATE bulk_items SET state = $4, code = $5, detail = $6
        WHERE tenant_id = $1 AND operation_id = $2 AND booking_id = $3 AND state = 'waiting'";
    FINISH = "UPDATE bulk_operations SET finished_at = $3 WHERE tenant_id = $1 AND id = $2 AND finished_at IS NULL";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    digest: String,
    action: Json<Value>,
    actor: String,
    overrides: bool,
    created_at: Ts,
    finished_at: Option<Ts>,
}

impl TryFrom<Row> for BulkOperation {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: BulkOperationId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            digest: row.digest,
            action: from_json(row.action, "action of an operation")?,
            actor: row.actor,
            overrides: row.overrides,
            created_at: row.created_at.0,
            finished_at: opt_instant(row.finished_at),
        })
    }
}

/// `Duplicate` if what was previewed is being done already.
pub(crate) async fn insert(
    conn: &mut Conn,
    operation: &BulkOperation,
    items: &[BulkItem],
    job: &NewJob,
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(operation.tenant.uuid())
        .bind(operation.id.uuid())
        .bind(&operation.digest)
        .bind(Json(&operation.action))
        .bind(&operation.actor)
        .bind(operation.overrides)
        .bind(Ts(operation.created_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an operation of this preview"))?;
    let mut insert = QueryBuilder::<Db>::new(
        "INSERT INTO bulk_items (tenant_id, operation_id, position, booking_id, sequence, state) ",
    );
    insert.push_values((0_i64..).zip(items), |mut row, (position, item)| {
        row.push_bind(operation.tenant.uuid())
            .push_bind(operation.id.uuid())
            .push_bind(position)
            .push_bind(item.booking.uuid())
            .push_bind(item.sequence)
            .push_bind(item.state.as_str());
    });
    if !items.is_empty() {
        insert.build().execute(&mut *conn).await?;
    }
    queue::enqueue(conn, job).await?;
    let data = json!({ "action": operation.action.as_str(), "bookings": items.len() });
    audit::append(conn, audit, Some(operation.tenant), "bulk.created", operation.id.uuid(), data).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    id: BulkOperationId,
) -> Result<BulkOperation, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(id.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "operation")?.try_into()
}

/// The operation that does what was previewed so.
pub(crate) async fn by_digest(
    conn: &mut Conn,
    tenant: TenantId,
    digest: &str,
) -> Result<Option<BulkOperation>, StoreError> {
    let query = sqlx::query_as::<Db, Row>(BY_DIGEST).bind(tenant.uuid()).bind(digest);
    query.fetch_optional(conn).await?.map(TryInto::try_into).transpose()
}

/// The latest first.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    before: Option<BulkOperationId>,
    limit: u32,
) -> Result<Vec<BulkOperation>, StoreError> {
    let query =
        sqlx::query_as::<Db, Row>(LIST).bind(tenant.uuid()).bind(before.map_or(Uuid::max(), Id::uuid));
    let rows = query.bind(i64::from(limit)).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// In the order in which they are changed.
pub(crate) async fn items(
    conn: &mut Conn,
    tenant: TenantId,
    id: BulkOperationId,
) -> Result<Vec<BulkItem>, StoreError> {
    type Item = (Uuid, i64, String, Option<String>, Option<String>);
    let query = sqlx::query_as::<Db, Item>(ITEMS).bind(tenant.uuid()).bind(id.uuid());
    let most = i64::try_from(limits::BULK_BOOKINGS_MAX).unwrap_or(i64::MAX);
    let rows = query.bind(most).fetch_all(conn).await?;
    let item = |(booking, sequence, state, code, detail): Item| {
        let state = parse_enum(&BulkItemState::ALL, BulkItemState::as_str, &state, "state of a booking")?;
        Ok(BulkItem { booking: BookingId::from_uuid(booking), sequence, state, code, detail })
    };
    rows.into_iter().map(item).collect()
}

/// How it went with one; whatever another worker said first stays.
pub(crate) async fn end_item(
    conn: &mut Conn,
    tenant: TenantId,
    id: BulkOperationId,
    item: &BulkItem,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(END_ITEM)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(item.booking.uuid())
        .bind(item.state.as_str())
        .bind(&item.code)
        .bind(&item.detail)
        .execute(conn)
        .await?;
    Ok(())
}

/// All were done with; `NotFound` if that is known already.
pub(crate) async fn finish(
    conn: &mut Conn,
    tenant: TenantId,
    id: BulkOperationId,
    counts: &Value,
    at: Instant,
    audit: &Audit,
) -> Result<(), StoreError> {
    let query = sqlx::query::<Db>(FINISH).bind(tenant.uuid()).bind(id.uuid()).bind(Ts(at));
    expect_affected(&query.execute(&mut *conn).await?, StoreError::NotFound("operation"))?;
    audit::append(conn, audit, Some(tenant), "bulk.finished", id.uuid(), counts.clone()).await
}
