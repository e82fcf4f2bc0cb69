//! Tenants.

pub(crate) mod audit;
pub(crate) mod keys;
pub(crate) mod removal;

use berth_model::{
    catalog::listing::{TenantRecord, TenantState},
    id::{ConnectionId, TenantId},
    limits,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, availability::rules, expect_affected, from_json, or_not_found, parse_enum};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO tenants (id, slug, name, default_connection, created_at, settings, revision) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    GET = "SELECT id, slug, name, default_connection, state, settings, revision, created_at FROM tenants WHERE id = $1";
    BY_SLUG = "SELECT id, slug, name, default_connection, state, settings, revision, created_at FROM tenants WHERE slug = $1";
    LIST = "SELECT id, slug, name, default_connection, state, settings, revision, created_at FROM tenants ORDER BY id LIMIT $1";
    IN_DELETION = "SELECT id FROM tenants WHERE state = 'deleting' ORDER BY id LIMIT $1";
    SUSPEND = "UPDATE tenants SET state = 'suspended' WHERE id = $1 AND state = 'active'";
    RESUME = "UPDATE tenants SET state = 'active' WHERE id = $1 AND state = 'suspended'";
    READ_ANEW = "UPDATE sync_states SET phase = 'idle', position = NULL, due_at = $2, failures = 0, error = NULL
        WHERE tenant_id = $1 AND connection_id IN (SELECT id FROM connections WHERE tenant_id = $1 AND state = 'active')";
    // Neither deleted nor set on its way there before this transaction ends.
    HOLD = concat!("SELECT id FROM tenants WHERE id = $1 AND state <> 'deleting'", lock_row!());
    BEGIN_DELETION = "UPDATE tenants SET state = 'deleting' WHERE id = $1 AND state <> 'deleting'";
    REVOKE_KEYS = "UPDATE api_keys SET revoked_at = $2 WHERE tenant_id = $1 AND revoked_at IS NULL";
    ZONES = "SELECT DISTINCT t.slug, z.time_zone FROM tenants t
        JOIN (SELECT tenant_id, time_zone FROM listings UNION SELECT tenant_id, time_zone FROM members) z ON z.tenant_id = t.id
        ORDER BY z.time_zone, t.slug LIMIT $1";
    UPDATE = "UPDATE tenants SET slug = $2, name = $3, default_connection = $4, settings = $5, revision = revision + 1
        WHERE id = $1 AND revision = $6
        RETURNING id, slug, name, default_connection, state, settings, revision, created_at";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    slug: String,
    name: String,
    default_connection: Option<Uuid>,
    state: String,
    settings: Json<Value>,
    revision: i64,
    created_at: Ts,
}

impl TryFrom<Row> for TenantRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: TenantId::from_uuid(row.id),
            slug: row.slug,
            name: row.name,
            default_connection: row.default_connection.map(ConnectionId::from_uuid),
            state: parse_enum(&TenantState::ALL, TenantState::as_str, &row.state, "tenant state")?,
            settings: from_json(row.settings, "tenant settings")?,
            revision: row.revision,
            created_at: row.created_at.0,
        })
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    tenant: &TenantRecord,
) -> Result<(), StoreError> {
    let data = json!({
        "slug": tenant.slug, "name": tenant.name, "default_connection": tenant.default_connection,
        "settings": tenant.settings, "revision": tenant.revision,
    });
    audit::append(conn, audit, Some(tenant.id), action, tenant.id.uuid(), data).await
}

pub(crate) async fn insert(conn: &mut Conn, tenant: &TenantRecord, audit: &Audit) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(tenant.id.uuid())
        .bind(&tenant.slug)
        .bind(&tenant.name)
        .bind(tenant.default_connection.map(ConnectionId::uuid))
        .bind(Ts(tenant.created_at))
        .bind(Json(&tenant.settings))
        .bind(tenant.revision)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a tenant with this slug").missing("connection"))?;
    note(conn, audit, "tenant.created", tenant).await
}

pub(crate) async fn get(conn: &mut Conn, tenant: TenantId) -> Result<TenantRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "tenant")?.try_into()
}

/// Keep a tenant from being deleted until this transaction ends: for rows that name it without a foreign key, since others of their table
/// are the host's own. `NotFound` if it is gone, or going.
pub(crate) async fn hold(conn: &mut Conn, tenant: TenantId) -> Result<(), StoreError> {
    let there = sqlx::query_scalar::<Db, Uuid>(HOLD).bind(tenant.uuid()).fetch_optional(conn).await?;
    or_not_found(there, "tenant").map(drop)
}

pub(crate) async fn by_slug(conn: &mut Conn, slug: &str) -> Result<TenantRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(BY_SLUG).bind(slug).fetch_optional(conn).await?;
    or_not_found(row, "tenant")?.try_into()
}

pub(crate) async fn list(conn: &mut Conn) -> Result<Vec<TenantRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST).bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Names of zones of listings and members, each with the slug of a tenant that has it.
pub(crate) async fn zones(conn: &mut Conn) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as::<Db, (String, String)>(ZONES).bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?)
}

/// Those of which something is left to be removed.
pub(crate) async fn in_deletion(conn: &mut Conn) -> Result<Vec<TenantId>, StoreError> {
    let rows =
        sqlx::query_scalar::<Db, Uuid>(IN_DELETION).bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?;
    Ok(rows.into_iter().map(TenantId::from_uuid).collect())
}

pub(crate) async fn update(
    conn: &mut Conn,
    tenant: &TenantRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<TenantRecord, StoreError> {
    for (schedule, what) in [
        (tenant.settings.opening_schedule_id, "schedule of opening hours"),
        (tenant.settings.default_schedule_id, "default schedule"),
    ] {
        let Some(schedule) = schedule else { continue };
        rules::hold_schedule(conn, tenant.id, schedule).await.map_err(|error| match error {
            StoreError::NotFound(_) => StoreError::NotFound(what),
            error => error,
        })?;
    }
    let row = sqlx::query_as::<Db, Row>(UPDATE)
        .bind(tenant.id.uuid())
        .bind(&tenant.slug)
        .bind(&tenant.name)
        .bind(tenant.default_connection.map(ConnectionId::uuid))
        .bind(Json(&tenant.settings))
        .bind(expected_revision)
        .fetch_optional(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a tenant with this slug").missing("connection"))?;
    let Some(row) = row else {
        get(conn, tenant.id).await?;
        return Err(StoreError::Stale);
    };
    let tenant = row.try_into()?;
    note(conn, audit, "tenant.updated", &tenant).await?;
    Ok(tenant)
}

/// Suspend an active tenant, or resume a suspended one, whose connections are then read anew; `WrongState` if it is neither.
pub(crate) async fn suspend(
    conn: &mut Conn,
    tenant: TenantId,
    suspended: bool,
    audit: &Audit,
) -> Result<(), StoreError> {
    let (statement, action) =
        if suspended { (SUSPEND, "tenant.suspended") } else { (RESUME, "tenant.resumed") };
    let done = sqlx::query::<Db>(statement).bind(tenant.uuid()).execute(&mut *conn).await?;
    get(conn, tenant).await?;
    expect_affected(&done, StoreError::WrongState)?;
    if !suspended {
        sqlx::query::<Db>(READ_ANEW).bind(tenant.uuid()).bind(Ts(audit.at)).execute(&mut *conn).await?;
    }
    audit::append(conn, audit, Some(tenant), action, tenant.uuid(), json!({})).await
}

/// From now on everything of a tenant is removed; its keys end now. `WrongState` if that is so already.
pub(crate) async fn begin_deletion(
    conn: &mut Conn,
    tenant: TenantId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(BEGIN_DELETION).bind(tenant.uuid()).execute(&mut *conn).await?;
    let record = get(conn, tenant).await?;
    expect_affected(&done, StoreError::WrongState)?;
    sqlx::query::<Db>(REVOKE_KEYS).bind(tenant.uuid()).bind(Ts(audit.at)).execute(&mut *conn).await?;
    let data = json!({ "slug": record.slug });
    audit::append(conn, audit, Some(tenant), "tenant.deletion_begun", tenant.uuid(), data).await
}
