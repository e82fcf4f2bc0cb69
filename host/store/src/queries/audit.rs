//! The audit log.

use berth_model::id::{AuditEntryId, TenantId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn};
use crate::{
    StoreError,
    records::{Audit, AuditEntry},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO audit_log (id, tenant_id, at, actor, request_id, action, subject_kind, subject_id, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LIST = "SELECT id, at, actor, request_id, action, subject_kind, subject_id, data FROM audit_log
        WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = $3 ORDER BY at, id LIMIT 1000";
}

/// What was done to what.
pub(crate) struct Event<'a> {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) action: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) subject: Uuid,
    pub(crate) data: &'a Value,
}

pub(crate) async fn insert(conn: &mut Conn, audit: &Audit, event: &Event<'_>) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(audit.id.uuid())
        .bind(event.tenant.map(TenantId::uuid))
        .bind(Ts(audit.at))
        .bind(&audit.actor)
        .bind(&audit.request_id)
        .bind(event.action)
        .bind(event.kind)
        .bind(event.subject)
        .bind(Json(event.data))
        .execute(conn)
        .await?;
    Ok(())
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

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    kind: &str,
    subject: Uuid,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<Row> =
        sqlx::query_as::<Db, Row>(LIST).bind(tenant.uuid()).bind(kind).bind(subject).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| AuditEntry {
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
        })
        .collect())
}
