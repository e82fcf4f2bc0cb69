//! Tenants.

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
    listing::TenantRecord,
};
use serde_json::json;
use uuid::Uuid;

use super::{super::Db, Conn, audit, found, met};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO tenants (id, slug, name, default_connection, created_at) VALUES ($1, $2, $3, $4, $5)";
    GET = "SELECT id, slug, name, default_connection, created_at FROM tenants WHERE id = $1";
    BY_SLUG = "SELECT id, slug, name, default_connection, created_at FROM tenants WHERE slug = $1";
    LIST = "SELECT id, slug, name, default_connection, created_at FROM tenants ORDER BY id LIMIT $1";
    UPDATE = "UPDATE tenants SET slug = $2, name = $3, default_connection = $4 WHERE id = $1";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    slug: String,
    name: String,
    default_connection: Option<Uuid>,
    created_at: Ts,
}

impl From<Row> for TenantRecord {
    fn from(row: Row) -> Self {
        Self {
            id: TenantId::from_uuid(row.id),
            slug: row.slug,
            name: row.name,
            default_connection: row.default_connection.map(ConnectionId::from_uuid),
            created_at: row.created_at.0,
        }
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    tenant: &TenantRecord,
) -> Result<(), StoreError> {
    let data =
        json!({ "slug": tenant.slug, "name": tenant.name, "default_connection": tenant.default_connection });
    audit::note(conn, audit, Some(tenant.id), action, tenant.id.uuid(), data).await
}

pub(crate) async fn insert(conn: &mut Conn, tenant: &TenantRecord, audit: &Audit) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(tenant.id.uuid())
        .bind(&tenant.slug)
        .bind(&tenant.name)
        .bind(tenant.default_connection.map(ConnectionId::uuid))
        .bind(Ts(tenant.created_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a tenant with this slug").missing("connection"))?;
    note(conn, audit, "tenant.created", tenant).await
}

pub(crate) async fn get(conn: &mut Conn, tenant: TenantId) -> Result<TenantRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).fetch_optional(conn).await?;
    found(row.map(Into::into), "tenant")
}

pub(crate) async fn by_slug(conn: &mut Conn, slug: &str) -> Result<TenantRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(BY_SLUG).bind(slug).fetch_optional(conn).await?;
    found(row.map(Into::into), "tenant")
}

pub(crate) async fn list(conn: &mut Conn) -> Result<Vec<TenantRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST).bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn update(conn: &mut Conn, tenant: &TenantRecord, audit: &Audit) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(UPDATE)
        .bind(tenant.id.uuid())
        .bind(&tenant.slug)
        .bind(&tenant.name)
        .bind(tenant.default_connection.map(ConnectionId::uuid))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a tenant with this slug").missing("connection"))?;
    met(&done, StoreError::NotFound("tenant"))?;
    note(conn, audit, "tenant.updated", tenant).await
}
