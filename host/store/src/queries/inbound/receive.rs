//! Webhook messages from providers: stored before they are acknowledged (invariant 6).

use berth_model::{
    id::{ConnectionId, InboundWebhookId, TenantId},
    inbound::message::WebhookStatus,
    limits,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{
    super::Db, Conn, expect_affected, from_json, jobs::queue, or_not_found, parse_enum, tenants::audit,
};
use crate::{
    StoreError,
    records::{Audit, InboundWebhook, NewJob, WebhookRefusals},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO inbound_webhooks (tenant_id, id, connection_id, dedup_key, method, headers, query, body,
            received_at, status, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (tenant_id, connection_id, dedup_key) DO NOTHING";
    GET = "SELECT tenant_id, id, connection_id, dedup_key, method, headers, query, body, received_at, status, detail
        FROM inbound_webhooks WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT tenant_id, id, connection_id, dedup_key, method, headers, query, body, received_at, status, detail
        FROM inbound_webhooks WHERE tenant_id = $1 AND connection_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4";
    WAITING = "SELECT tenant_id, id, connection_id, dedup_key, method, headers, query, body, received_at, status, detail
        FROM inbound_webhooks WHERE tenant_id = $1 AND connection_id = $2 AND status = 'stored' ORDER BY received_at, id LIMIT $3";
    AGAIN = "UPDATE inbound_webhooks SET status = 'stored', detail = NULL
        WHERE tenant_id = $1 AND id = $2 AND connection_id = $3 AND status <> 'stored'";
    REFUSED = "INSERT INTO webhook_refusals (tenant_id, connection_id, reason, refused, last_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, connection_id, reason) DO UPDATE SET refused = webhook_refusals.refused + excluded.refused,
            last_at = excluded.last_at";
    REFUSALS = "SELECT reason, refused, last_at FROM webhook_refusals WHERE tenant_id = $1 AND connection_id = $2
        ORDER BY reason LIMIT $3";
    END = "UPDATE inbound_webhooks SET status = $3, detail = $4 WHERE tenant_id = $1 AND id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    dedup_key: String,
    method: String,
    headers: Json<Value>,
    query: String,
    body: Vec<u8>,
    received_at: Ts,
    status: String,
    detail: Option<String>,
}

impl TryFrom<Row> for InboundWebhook {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: InboundWebhookId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            dedup_key: row.dedup_key,
            method: row.method,
            headers: from_json(row.headers, "headers")?,
            query: row.query,
            body: row.body,
            received_at: row.received_at.0,
            status: parse_enum(&WebhookStatus::ALL, WebhookStatus::as_str, &row.status, "webhook status")?,
            detail: row.detail,
        })
    }
}

/// Store a message with the job that processes it; false, and nothing stored, when it was stored before.
pub(crate) async fn insert(
    conn: &mut Conn,
    webhook: &InboundWebhook,
    job: &NewJob,
) -> Result<bool, StoreError> {
    let done = sqlx::query::<Db>(INSERT)
        .bind(webhook.tenant.uuid())
        .bind(webhook.id.uuid())
        .bind(webhook.connection.uuid())
        .bind(&webhook.dedup_key)
        .bind(&webhook.method)
        .bind(Json(&webhook.headers))
        .bind(&webhook.query)
        .bind(&webhook.body)
        .bind(Ts(webhook.received_at))
        .bind(webhook.status.as_str())
        .bind(&webhook.detail)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a webhook with this id").missing("connection"))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    queue::enqueue(conn, job).await?;
    Ok(true)
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    webhook: InboundWebhookId,
) -> Result<InboundWebhook, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(webhook.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "webhook")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    before: Option<InboundWebhookId>,
    limit: u32,
) -> Result<Vec<InboundWebhook>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(before.map_or(Uuid::max(), InboundWebhookId::uuid))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn end(
    conn: &mut Conn,
    tenant: TenantId,
    webhook: InboundWebhookId,
    status: WebhookStatus,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(END)
        .bind(tenant.uuid())
        .bind(webhook.uuid())
        .bind(status.as_str())
        .bind(detail)
        .execute(conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("webhook"))
}

/// What waits, in order of arrival.
pub(crate) async fn waiting(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    limit: i64,
) -> Result<Vec<InboundWebhook>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(WAITING)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Work on a message once more. `WrongState` if it waits already.
pub(crate) async fn again(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    webhook: InboundWebhookId,
    job: &NewJob,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(AGAIN)
        .bind(tenant.uuid())
        .bind(webhook.uuid())
        .bind(connection.uuid())
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::WrongState)?;
    queue::enqueue(conn, job).await?;
    audit::append(conn, audit, Some(tenant), "webhook.reprocessed", webhook.uuid(), json!({})).await
}

/// Count refusals. A connection that is gone counts none.
pub(crate) async fn refused(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    reason: &str,
    count: i64,
    at: Instant,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(REFUSED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(reason)
        .bind(count)
        .bind(Ts(at))
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).missing("connection"));
    match done {
        Ok(_) | Err(StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) async fn refusals(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<WebhookRefusals>, StoreError> {
    let rows = sqlx::query_as::<Db, (String, i64, Ts)>(REFUSALS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    let of = |(reason, refused, at): (String, i64, Ts)| WebhookRefusals { reason, refused, last_at: at.0 };
    Ok(rows.into_iter().map(of).collect())
}
