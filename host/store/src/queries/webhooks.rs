//! Webhook messages from providers: stored before they are acknowledged (invariant 6).

use berth_model::id::{ConnectionId, InboundWebhookId, TenantId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, found, jobs, met, shaped};
use crate::{
    StoreError,
    records::{InboundWebhook, NewJob},
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
        FROM inbound_webhooks WHERE tenant_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT $3";
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
            headers: shaped(row.headers, "headers")?,
            query: row.query,
            body: row.body,
            received_at: row.received_at.0,
            status: row.status,
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
        .bind(&webhook.status)
        .bind(&webhook.detail)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a webhook with this id").missing("connection"))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    jobs::enqueue(conn, job).await?;
    Ok(true)
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    webhook: InboundWebhookId,
) -> Result<InboundWebhook, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(webhook.uuid()).fetch_optional(conn).await?;
    found(row, "webhook")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    limit: u32,
) -> Result<Vec<InboundWebhook>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn end(
    conn: &mut Conn,
    tenant: TenantId,
    webhook: InboundWebhookId,
    status: &str,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(END)
        .bind(tenant.uuid())
        .bind(webhook.uuid())
        .bind(status)
        .bind(detail)
        .execute(conn)
        .await?;
    met(&done, StoreError::NotFound("webhook"))
}
