//! Installed versions of plugins. Every change of what serves bumps the generation that replicas follow.

pub(crate) mod grants;
pub(crate) mod installations;

use berth_model::{
    id::PluginVersionId,
    limits,
    plugins::{
        manifest::PluginId,
        plugin::{Digest, PluginState, PluginVersion},
    },
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    super::Db, Conn, from_json, number, opt_instant, or_not_found, parse_enum, parsed, tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

/// All columns but the component.
macro_rules! columns {
    () => {
        "id, plugin, version, digest, manifest, abilities, bytes, state, reason, installed_at, activated_at, conformance"
    };
}

queries! {
    INSERT = concat!("INSERT INTO plugin_versions (", columns!(), ", component)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    LIST = concat!("SELECT ", columns!(), " FROM plugin_versions ORDER BY plugin, id DESC LIMIT $1");
    LIST_OF_PLUGIN = concat!("SELECT ", columns!(), " FROM plugin_versions WHERE plugin = $2 ORDER BY id DESC LIMIT $1");
    GET = concat!("SELECT ", columns!(), " FROM plugin_versions WHERE digest = $1");
    COMPONENT = "SELECT component FROM plugin_versions WHERE digest = $1";
    RETIRE = "UPDATE plugin_versions SET state = 'retired' WHERE plugin = $1 AND state = 'active' AND digest <> $2";
    ACTIVATE = concat!("UPDATE plugin_versions SET state = 'active', reason = NULL, activated_at = $2
        WHERE digest = $1 RETURNING ", columns!());
    SET_STATE = concat!("UPDATE plugin_versions SET state = $2, reason = $3 WHERE digest = $1 RETURNING ", columns!());
    GENERATION = "SELECT generation FROM plugin_generation";
    BUMP = "UPDATE plugin_generation SET generation = generation + 1";
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
    conformance: Option<Json<Value>>,
}

const STATES: [PluginState; 5] = [
    PluginState::Staged,
    PluginState::Held,
    PluginState::Active,
    PluginState::Retired,
    PluginState::Quarantined,
];

/// The name in the database; the same as on the wire.
const fn name(state: PluginState) -> &'static str {
    match state {
        PluginState::Staged => "staged",
        PluginState::Held => "held",
        PluginState::Active => "active",
        PluginState::Retired => "retired",
        PluginState::Quarantined => "quarantined",
    }
}

impl TryFrom<Row> for PluginVersion {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: PluginVersionId::from_uuid(row.id),
            plugin: parsed(&row.plugin, "plugin")?,
            version: row.version,
            digest: Digest(row.digest),
            manifest: from_json(row.manifest, "manifest")?,
            capabilities: from_json(row.abilities, "abilities")?,
            bytes: number(row.bytes, "size")?,
            state: parse_enum(&STATES, name, &row.state, "plugin state")?,
            reason: row.reason,
            installed_at: row.installed_at.0,
            activated_at: opt_instant(row.activated_at),
            conformance: row.conformance.map(|report| from_json(report, "conformance")).transpose()?,
        })
    }
}

/// Writers of what serves come one after the other: the generation's row is the lock.
async fn bump(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query::<Db>(BUMP).execute(conn).await?;
    Ok(())
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    version: &PluginVersion,
) -> Result<(), StoreError> {
    let data = json!({
        "plugin": version.plugin.as_str(), "version": version.version, "digest": version.digest,
        "state": name(version.state), "reason": version.reason, "bytes": version.bytes,
    });
    audit::append(conn, audit, None, action, version.id.uuid(), data).await
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
        .bind(Json(&version.capabilities))
        .bind(i64::try_from(version.bytes).unwrap_or(i64::MAX))
        .bind(name(version.state))
        .bind(&version.reason)
        .bind(Ts(version.installed_at))
        .bind(version.activated_at.map(Ts))
        .bind(version.conformance.as_ref().map(Json))
        .bind(component)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("this component (or an active version of this plugin)"))?;
    note(conn, audit, "plugin.installed", version).await
}

pub(crate) async fn list(
    conn: &mut Conn,
    plugin: Option<&PluginId>,
) -> Result<Vec<PluginVersion>, StoreError> {
    let statement = if plugin.is_some() { LIST_OF_PLUGIN } else { LIST };
    let mut query = sqlx::query_as::<Db, Row>(statement).bind(limits::LIST_ROWS_MAX);
    if let Some(plugin) = plugin {
        query = query.bind(plugin.as_str());
    }
    query.fetch_all(conn).await?.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn get(conn: &mut Conn, digest: &Digest) -> Result<PluginVersion, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(&digest.0).fetch_optional(conn).await?;
    or_not_found(row, "plugin version")?.try_into()
}

pub(crate) async fn component(conn: &mut Conn, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let bytes = sqlx::query_scalar::<Db, Vec<u8>>(COMPONENT).bind(&digest.0).fetch_optional(conn).await?;
    or_not_found(bytes, "plugin version")
}

pub(crate) async fn activate(
    conn: &mut Conn,
    digest: &Digest,
    audit: &Audit,
) -> Result<PluginVersion, StoreError> {
    bump(conn).await?;
    let version = get(conn, digest).await?;
    if version.state == PluginState::Quarantined {
        return Err(StoreError::WrongState);
    }
    sqlx::query::<Db>(RETIRE).bind(version.plugin.as_str()).bind(&digest.0).execute(&mut *conn).await?;
    let row = sqlx::query_as::<Db, Row>(ACTIVATE)
        .bind(&digest.0)
        .bind(Ts(audit.at))
        .fetch_optional(&mut *conn)
        .await?;
    let version = or_not_found(row, "plugin version")?.try_into()?;
    note(conn, audit, "plugin.activated", &version).await?;
    Ok(version)
}

/// Any state but `active`, which only [`activate`] gives.
pub(crate) async fn set_state(
    conn: &mut Conn,
    digest: &Digest,
    state: PluginState,
    reason: Option<&str>,
    audit: &Audit,
) -> Result<(), StoreError> {
    if state == PluginState::Active {
        return Err(StoreError::WrongState);
    }
    bump(conn).await?;
    let row = sqlx::query_as::<Db, Row>(SET_STATE)
        .bind(&digest.0)
        .bind(name(state))
        .bind(reason)
        .fetch_optional(&mut *conn)
        .await?;
    let version = or_not_found(row, "plugin version")?.try_into()?;
    let action = match state {
        PluginState::Quarantined => "plugin.quarantined",
        PluginState::Held => "plugin.held",
        PluginState::Retired => "plugin.retired",
        PluginState::Staged | PluginState::Active => "plugin.staged",
    };
    note(conn, audit, action, &version).await
}

pub(crate) async fn generation(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar::<Db, i64>(GENERATION).fetch_one(conn).await?)
}
