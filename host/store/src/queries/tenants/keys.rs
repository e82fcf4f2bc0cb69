//! API keys. Only their hashes are stored.

use berth_model::{
    catalog::listing::TenantState,
    id::{ApiKeyId, TenantId},
    limits,
    tenants::version::ApiVersion,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    super::{
        super::Db, Conn, expect_affected, from_json, number, opt_instant, or_not_found, owned_by, owner,
        parse_enum, tenants,
    },
    audit,
};
use crate::{
    StoreError,
    records::{ApiKeyRecord, Audit, KeyPatch},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO api_keys (id, tenant_id, name, prefix, hash, scopes, created_at, expires_at, requests_per_minute, sources, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    BY_HASH = "SELECT k.id, k.tenant_id, k.name, k.prefix, k.scopes, k.requests_per_minute, k.sources, k.version, k.created_at, k.expires_at,
            k.revoked_at, k.last_used_at, t.state AS tenant_state
        FROM api_keys k LEFT JOIN tenants t ON t.id = k.tenant_id WHERE k.hash = $1";
    LIST = "SELECT id, tenant_id, name, prefix, scopes, requests_per_minute, sources, version, created_at, expires_at, revoked_at, last_used_at
        FROM api_keys WHERE tenant_id = $1 ORDER BY id LIMIT $2";
    REVOKE = "UPDATE api_keys SET revoked_at = $3
        WHERE tenant_id = $2 AND id = $1 AND revoked_at IS NULL";
    CHANGE = "UPDATE api_keys SET sources = COALESCE($3, sources), version = COALESCE($4, version)
        WHERE tenant_id = $2 AND id = $1 AND revoked_at IS NULL";
    ROTATE = "UPDATE api_keys SET hash = $3, prefix = $4, last_used_at = NULL
        WHERE tenant_id = $2 AND id = $1 AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $5)";
    GET = "SELECT id, tenant_id, name, prefix, scopes, requests_per_minute, sources, version, created_at, expires_at, revoked_at, last_used_at
        FROM api_keys WHERE tenant_id = $2 AND id = $1";
    TOUCH = "UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    tenant_id: Uuid,
    name: String,
    prefix: String,
    scopes: Json<Value>,
    requests_per_minute: Option<i64>,
    sources: Json<Value>,
    version: String,
    created_at: Ts,
    expires_at: Option<Ts>,
    revoked_at: Option<Ts>,
    last_used_at: Option<Ts>,
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    #[sqlx(flatten)]
    key: Row,
    tenant_state: Option<String>,
}

impl TryFrom<Row> for ApiKeyRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApiKeyId::from_uuid(row.id),
            tenant: owned_by(row.tenant_id),
            name: row.name,
            prefix: row.prefix,
            scopes: from_json(row.scopes, "scopes")?,
            requests_per_minute: row
                .requests_per_minute
                .map(|value| number(value, "requests per minute"))
                .transpose()?,
            sources: from_json(row.sources, "sources")?,
            version: parse_enum(&ApiVersion::ALL, ApiVersion::as_str, &row.version, "version")?,
            created_at: row.created_at.0,
            expires_at: opt_instant(row.expires_at),
            revoked_at: opt_instant(row.revoked_at),
            last_used_at: opt_instant(row.last_used_at),
        })
    }
}

pub(crate) async fn insert(
    conn: &mut Conn,
    key: &ApiKeyRecord,
    hash: &[u8],
    audit: &Audit,
) -> Result<(), StoreError> {
    if let Some(tenant) = key.tenant {
        tenants::hold(conn, tenant).await?;
    }
    sqlx::query::<Db>(INSERT)
        .bind(key.id.uuid())
        .bind(owner(key.tenant))
        .bind(&key.name)
        .bind(&key.prefix)
        .bind(hash)
        .bind(Json(&key.scopes))
        .bind(Ts(key.created_at))
        .bind(key.expires_at.map(Ts))
        .bind(key.requests_per_minute.map(i64::from))
        .bind(Json(&key.sources))
        .bind(key.version.as_str())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("this key"))?;
    let data = json!({
        "name": key.name, "prefix": key.prefix, "scopes": key.scopes, "expires_at": key.expires_at,
        "requests_per_minute": key.requests_per_minute, "sources": key.sources, "version": key.version.as_str(),
    });
    audit::append(conn, audit, key.tenant, "key.created", key.id.uuid(), data).await
}

/// A key, and the state of its tenant if it has one.
pub(crate) async fn by_hash(
    conn: &mut Conn,
    hash: &[u8],
) -> Result<(ApiKeyRecord, Option<TenantState>), StoreError> {
    let row = sqlx::query_as::<Db, KnownRow>(BY_HASH).bind(hash).fetch_optional(conn).await?;
    let KnownRow { key, tenant_state } = or_not_found(row, "key")?;
    let state = |text: String| parse_enum(&TenantState::ALL, TenantState::as_str, &text, "tenant state");
    Ok((key.try_into()?, tenant_state.map(state).transpose()?))
}

pub(crate) async fn list(conn: &mut Conn, tenant: Option<TenantId>) -> Result<Vec<ApiKeyRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(owner(tenant))
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn revoke(
    conn: &mut Conn,
    tenant: Option<TenantId>,
    key: ApiKeyId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(REVOKE)
        .bind(key.uuid())
        .bind(owner(tenant))
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("key"))?;
    audit::append(conn, audit, tenant, "key.revoked", key.uuid(), json!({})).await
}

pub(crate) async fn change(
    conn: &mut Conn,
    tenant: Option<TenantId>,
    key: ApiKeyId,
    patch: &KeyPatch,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(CHANGE)
        .bind(key.uuid())
        .bind(owner(tenant))
        .bind(patch.sources.as_ref().map(Json))
        .bind(patch.version.map(ApiVersion::as_str))
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("key"))?;
    audit::append(
        conn,
        audit,
        tenant,
        "key.changed",
        key.uuid(),
        json!({ "sources": patch.sources, "version": patch.version.map(ApiVersion::as_str) }),
    )
    .await
}

/// Give a key another text. It stays the same key: what refers to its id goes on.
pub(crate) async fn rotate(
    conn: &mut Conn,
    tenant: Option<TenantId>,
    key: ApiKeyId,
    hash: &[u8],
    prefix: &str,
    audit: &Audit,
) -> Result<ApiKeyRecord, StoreError> {
    let done = sqlx::query::<Db>(ROTATE)
        .bind(key.uuid())
        .bind(owner(tenant))
        .bind(hash)
        .bind(prefix)
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("this key"))?;
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(key.uuid())
        .bind(owner(tenant))
        .fetch_optional(&mut *conn)
        .await?;
    let record = or_not_found(row, "key")?.try_into()?;
    expect_affected(&done, StoreError::WrongState)?;
    audit::append(conn, audit, tenant, "key.rotated", key.uuid(), json!({ "prefix": prefix })).await?;
    Ok(record)
}

pub(crate) async fn touch(
    conn: &mut Conn,
    tenant: Option<TenantId>,
    key: ApiKeyId,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(TOUCH).bind(owner(tenant)).bind(key.uuid()).bind(Ts(now)).execute(conn).await?;
    Ok(())
}
