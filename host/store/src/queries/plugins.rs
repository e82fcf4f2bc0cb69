//! Installed plugin versions, the generation that replicas follow, and grants.

use berth_model::{
    id::{ListingId, PluginVersionId, TenantId},
    manifest::PluginId,
    plugin::{Digest, PluginState, PluginVersion},
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, audit, found, parsed, shaped};
use crate::{
    StoreError,
    records::{Audit, GrantRecord},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO plugin_versions (id, plugin, version, digest, manifest, abilities, bytes, state, reason, installed_at,
            component)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIST = "SELECT id, plugin, version, digest, manifest, abilities, bytes, state, reason, installed_at, activated_at
        FROM plugin_versions ORDER BY plugin, id";
    OF_PLUGIN = "SELECT id, plugin, version, digest, manifest, abilities, bytes, state, reason, installed_at, activated_at
        FROM plugin_versions WHERE plugin = $1 ORDER BY id";
    GET = "SELECT id, plugin, version, digest, manifest, abilities, bytes, state, reason, installed_at, activated_at
        FROM plugin_versions WHERE digest = $1";
    COMPONENT = "SELECT component FROM plugin_versions WHERE digest = $1";
    RETIRE = "UPDATE plugin_versions SET state = 'retired' WHERE plugin = $1 AND state = 'active'";
    ACTIVATE = "UPDATE plugin_versions SET state = 'active', reason = NULL, activated_at = $2 WHERE digest = $1";
    SET_STATE = "UPDATE plugin_versions SET state = $2, reason = $3 WHERE digest = $1";
    BUMP = "UPDATE plugin_generation SET generation = generation + 1 WHERE one = 1";
    GENERATION = "SELECT generation FROM plugin_generation WHERE one = 1";
    SET_GRANT = "INSERT INTO plugin_grants (plugin, level, tenant_id, listing_id, hosts, enabled)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (plugin, level) DO UPDATE SET hosts = excluded.hosts, enabled = excluded.enabled";
    GRANTS = "SELECT plugin, tenant_id, listing_id, hosts, enabled FROM plugin_grants
        WHERE plugin = $1 AND level IN ($2, $3, $4)";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    plugin: String,
    version: String,
    digest: String,
    manifest: Json<Value>,
    abilities: Json<Value>,
    bytes: i64,
    state: String,
    reason: Option<String>,
    installed_at: Ts,
    activated_at: Option<Ts>,
}

impl TryFrom<Row> for PluginVersion {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: PluginVersionId::from_uuid(row.id),
            plugin: parsed(&row.plugin, "plugin id")?,
            version: row.version,
            digest: Digest(row.digest),
            manifest: shaped(row.manifest, "manifest")?,
            abilities: shaped(row.abilities, "abilities")?,
            bytes: u64::try_from(row.bytes).unwrap_or(0),
            state: shaped(Json(Value::String(row.state)), "plugin state")?,
            reason: row.reason,
            installed_at: row.installed_at.0,
            activated_at: row.activated_at.map(|t: Ts| -> Instant { t.0 }),
        })
    }
}

/// The name of a state in the database is its name on the wire.
fn name(state: PluginState) -> &'static str {
    match state {
        PluginState::Staged => "staged",
        PluginState::Held => "held",
        PluginState::Active => "active",
        PluginState::Retired => "retired",
        PluginState::Quarantined => "quarantined",
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    version: &PluginVersion,
) -> Result<(), StoreError> {
    let data = json!({
        "plugin": version.plugin, "version": version.version, "digest": version.digest, "state": version.state,
        "reason": version.reason,
    });
    let event =
        audit::Event { tenant: None, action, kind: "plugin", subject: version.id.uuid(), data: &data };
    audit::insert(conn, audit, &event).await
}

pub(crate) async fn insert(
    conn: &mut Conn,
    version: &PluginVersion,
    component: &[u8],
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(version.id.uuid())
        .bind(version.plugin.as_str())
        .bind(&version.version)
        .bind(&version.digest.0)
        .bind(Json(&version.manifest))
        .bind(Json(&version.abilities))
        .bind(i64::try_from(version.bytes).unwrap_or(i64::MAX))
        .bind(name(version.state))
        .bind(&version.reason)
        .bind(Ts(version.installed_at))
        .bind(component)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("this component"))?;
    note(conn, audit, "plugin.installed", version).await
}

pub(crate) async fn list(
    conn: &mut Conn,
    plugin: Option<&PluginId>,
) -> Result<Vec<PluginVersion>, StoreError> {
    let rows = match plugin {
        Some(plugin) => sqlx::query_as::<Db, Row>(OF_PLUGIN).bind(plugin.as_str()).fetch_all(conn).await?,
        None => sqlx::query_as::<Db, Row>(LIST).fetch_all(conn).await?,
    };
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn get(conn: &mut Conn, digest: &Digest) -> Result<PluginVersion, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(&digest.0).fetch_optional(conn).await?;
    found(row, "plugin version")?.try_into()
}

pub(crate) async fn component(conn: &mut Conn, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let row: Option<(Vec<u8>,)> =
        sqlx::query_as::<Db, (Vec<u8>,)>(COMPONENT).bind(&digest.0).fetch_optional(conn).await?;
    Ok(found(row, "plugin version")?.0)
}

pub(crate) async fn activate(
    conn: &mut Conn,
    digest: &Digest,
    audit: &Audit,
) -> Result<PluginVersion, StoreError> {
    let version = get(conn, digest).await?;
    if version.state == PluginState::Quarantined {
        return Err(StoreError::WrongState);
    }
    sqlx::query::<Db>(RETIRE).bind(version.plugin.as_str()).execute(&mut *conn).await?;
    sqlx::query::<Db>(ACTIVATE).bind(&digest.0).bind(Ts(audit.at)).execute(&mut *conn).await?;
    sqlx::query::<Db>(BUMP).execute(&mut *conn).await?;
    let version = get(conn, digest).await?;
    note(conn, audit, "plugin.activated", &version).await?;
    Ok(version)
}

pub(crate) async fn set_state(
    conn: &mut Conn,
    digest: &Digest,
    state: PluginState,
    reason: Option<&str>,
    audit: &Audit,
) -> Result<(), StoreError> {
    get(conn, digest).await?;
    sqlx::query::<Db>(SET_STATE).bind(&digest.0).bind(name(state)).bind(reason).execute(&mut *conn).await?;
    sqlx::query::<Db>(BUMP).execute(&mut *conn).await?;
    let version = get(conn, digest).await?;
    note(conn, audit, "plugin.state", &version).await
}

pub(crate) async fn generation(conn: &mut Conn) -> Result<i64, StoreError> {
    let (generation,): (i64,) = sqlx::query_as::<Db, (i64,)>(GENERATION).fetch_one(conn).await?;
    Ok(generation)
}

/// The level of a grant as one text, since NULLs are no key.
fn level(tenant: Option<TenantId>, listing: Option<ListingId>) -> String {
    match (tenant, listing) {
        (_, Some(listing)) => format!("listing:{listing}"),
        (Some(tenant), None) => format!("tenant:{tenant}"),
        (None, None) => "instance".to_owned(),
    }
}

pub(crate) async fn set_grant(conn: &mut Conn, grant: &GrantRecord, audit: &Audit) -> Result<(), StoreError> {
    sqlx::query::<Db>(SET_GRANT)
        .bind(grant.plugin.as_str())
        .bind(level(grant.tenant, grant.listing))
        .bind(grant.tenant.map(TenantId::uuid))
        .bind(grant.listing.map(ListingId::uuid))
        .bind(Json(&grant.hosts))
        .bind(grant.enabled)
        .execute(&mut *conn)
        .await?;
    let data = json!({ "plugin": grant.plugin, "hosts": grant.hosts, "enabled": grant.enabled });
    let subject = grant.listing.map(ListingId::uuid).or(grant.tenant.map(TenantId::uuid));
    let event = audit::Event {
        tenant: grant.tenant,
        action: "grant.set",
        kind: "grant",
        subject: subject.unwrap_or(Uuid::nil()),
        data: &data,
    };
    audit::insert(conn, audit, &event).await
}

#[derive(sqlx::FromRow)]
struct GrantRow {
    plugin: String,
    tenant_id: Option<Uuid>,
    listing_id: Option<Uuid>,
    hosts: Json<Value>,
    enabled: bool,
}

/// The grants that bear on a call for this tenant and listing, at most one per level.
pub(crate) async fn grants(
    conn: &mut Conn,
    plugin: &PluginId,
    tenant: Option<TenantId>,
    listing: Option<ListingId>,
) -> Result<Vec<GrantRecord>, StoreError> {
    let rows: Vec<GrantRow> = sqlx::query_as::<Db, GrantRow>(GRANTS)
        .bind(plugin.as_str())
        .bind(level(None, None))
        .bind(level(tenant, None))
        .bind(level(tenant, listing))
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(GrantRecord {
                plugin: parsed(&row.plugin, "plugin id")?,
                tenant: row.tenant_id.map(TenantId::from_uuid),
                listing: row.listing_id.map(ListingId::from_uuid),
                hosts: shaped(row.hosts, "hosts")?,
                enabled: row.enabled,
            })
        })
        .collect()
}
