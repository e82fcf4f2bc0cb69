//! Connections to providers, with their sealed credentials.

use berth_model::{
    connection::{ConnectionRecord, ConnectionStatus},
    id::{ConnectionId, ListingId, TenantId},
    provider::Subscription,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, audit, found, limit as rows, met, parsed, shaped};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO connections (tenant_id, id, listing_id, plugin, name, settings, granted_hosts, status, account,
            subscription, credential_names, sealed_credentials, revision, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    GET = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, status, account, subscription,
            credential_names, revision, created_at, updated_at
        FROM connections WHERE tenant_id = $1 AND id = $2";
    BY_ID = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, status, account, subscription,
            credential_names, revision, created_at, updated_at
        FROM connections WHERE id = $1";
    LIST = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, status, account, subscription,
            credential_names, revision, created_at, updated_at
        FROM connections WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    UPDATE = "UPDATE connections SET listing_id = $3, name = $4, settings = $5, granted_hosts = $6, status = $7, account = $8,
            subscription = $9, credential_names = $10, updated_at = $11, revision = revision + 1
        WHERE tenant_id = $1 AND id = $2 AND revision = $12";
    SEALED = "SELECT sealed_credentials FROM connections WHERE tenant_id = $1 AND id = $2";
    RESEAL = "UPDATE connections SET sealed_credentials = $3 WHERE tenant_id = $1 AND id = $2";
    SET_STATUS = "UPDATE connections SET status = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2 AND status <> $3";
    SET_SUBSCRIPTION = "UPDATE connections SET subscription = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2";
    DELETE = "DELETE FROM connections WHERE tenant_id = $1 AND id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    listing_id: Option<Uuid>,
    plugin: String,
    name: String,
    settings: Json<Value>,
    granted_hosts: Option<Json<Value>>,
    status: String,
    account: Json<Value>,
    subscription: Option<Json<Value>>,
    credential_names: Json<Value>,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl TryFrom<Row> for ConnectionRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConnectionId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            listing: row.listing_id.map(ListingId::from_uuid),
            plugin: parsed(&row.plugin, "plugin id")?,
            name: row.name,
            settings: row.settings.0,
            granted_hosts: row.granted_hosts.map(|g| shaped(g, "granted hosts")).transpose()?,
            status: ConnectionStatus::ALL
                .into_iter()
                .find(|s| s.as_str() == row.status)
                .ok_or_else(|| StoreError::Corrupt(format!("connection status {:?}", row.status)))?,
            account: row.account.0,
            subscription: row.subscription.map(|s| shaped(s, "subscription")).transpose()?,
            credential_names: shaped(row.credential_names, "credential names")?,
            revision: row.revision,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    tenant: TenantId,
    id: ConnectionId,
    data: &Value,
) -> Result<(), StoreError> {
    let event = audit::Event { tenant: Some(tenant), action, kind: "connection", subject: id.uuid(), data };
    audit::insert(conn, audit, &event).await
}

fn summary(connection: &ConnectionRecord) -> Value {
    json!({
        "plugin": connection.plugin,
        "name": connection.name,
        "listing": connection.listing,
        "credentials": connection.credential_names,
        "account": connection.account.get("id"),
    })
}

pub(crate) async fn insert(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    sealed: &[u8],
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(connection.tenant.uuid())
        .bind(connection.id.uuid())
        .bind(connection.listing.map(ListingId::uuid))
        .bind(connection.plugin.as_str())
        .bind(&connection.name)
        .bind(Json(&connection.settings))
        .bind(connection.granted_hosts.as_ref().map(Json))
        .bind(connection.status.as_str())
        .bind(Json(&connection.account))
        .bind(connection.subscription.as_ref().map(Json))
        .bind(Json(&connection.credential_names))
        .bind(sealed)
        .bind(connection.revision)
        .bind(Ts(connection.created_at))
        .bind(Ts(connection.updated_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a connection with this id").missing("tenant"))?;
    note(conn, audit, "connection.created", connection.tenant, connection.id, &summary(connection)).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<ConnectionRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(id.uuid()).fetch_optional(conn).await?;
    found(row, "connection")?.try_into()
}

pub(crate) async fn by_id(conn: &mut Conn, id: ConnectionId) -> Result<ConnectionRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(BY_ID).bind(id.uuid()).fetch_optional(conn).await?;
    found(row, "connection")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<ConnectionRecord>, StoreError> {
    let found = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(after.map_or(Uuid::nil(), ConnectionId::uuid))
        .bind(rows(limit))
        .fetch_all(conn)
        .await?;
    found.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn update(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    sealed: Option<&[u8]>,
    expected_revision: i64,
    audit: &Audit,
) -> Result<ConnectionRecord, StoreError> {
    let (tenant, id) = (connection.tenant, connection.id);
    get(conn, tenant, id).await?;
    let done = sqlx::query::<Db>(UPDATE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(connection.listing.map(ListingId::uuid))
        .bind(&connection.name)
        .bind(Json(&connection.settings))
        .bind(connection.granted_hosts.as_ref().map(Json))
        .bind(connection.status.as_str())
        .bind(Json(&connection.account))
        .bind(connection.subscription.as_ref().map(Json))
        .bind(Json(&connection.credential_names))
        .bind(Ts(audit.at))
        .bind(expected_revision)
        .execute(&mut *conn)
        .await?;
    met(&done, StoreError::Stale)?;
    if let Some(sealed) = sealed {
        sqlx::query::<Db>(RESEAL)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .bind(sealed)
            .execute(&mut *conn)
            .await?;
    }
    let mut data = summary(connection);
    if let Some(data) = data.as_object_mut() {
        data.insert("credentials_replaced".to_owned(), Value::Bool(sealed.is_some()));
    }
    note(conn, audit, "connection.updated", tenant, id, &data).await?;
    get(conn, tenant, id).await
}

pub(crate) async fn sealed(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Vec<u8>, StoreError> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as::<Db, (Vec<u8>,)>(SEALED)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(found(row, "connection")?.0)
}

pub(crate) async fn set_status(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    status: ConnectionStatus,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(SET_STATUS)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(status.as_str())
        .bind(Ts(now))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn set_subscription(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    subscription: Option<&Subscription>,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(SET_SUBSCRIPTION)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(subscription.map(Json))
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await?;
    met(&done, StoreError::NotFound("connection"))?;
    let data = json!({ "subscription": subscription.map(|s| &s.id) });
    note(conn, audit, "connection.subscription", tenant, id, &data).await
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("bookings"))?;
    met(&done, StoreError::NotFound("connection"))?;
    note(conn, audit, "connection.deleted", tenant, id, &json!({})).await
}
