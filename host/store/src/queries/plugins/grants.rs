//! Rights of plugins per level: instance, tenant, listing.

use berth_model::{
    id::{ListingId, TenantId},
    plugins::{manifest::PluginId, plugin::HostGrant},
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{
    super::Db,
    Conn, from_json, owned_by, owner, parsed,
    tenants::{self, audit},
};
use crate::{
    StoreError,
    records::{Audit, GrantRecord},
};

queries! {
    SET = "INSERT INTO plugin_grants (plugin, level, tenant_id, listing_id, hosts, enabled) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (tenant_id, plugin, level) DO UPDATE SET hosts = excluded.hosts, enabled = excluded.enabled";
    // Makes the row if there is none, and keeps others from changing it until the transaction ends.
    HOLD = "INSERT INTO plugin_grants (plugin, level, tenant_id, listing_id, hosts, enabled) VALUES ($1, $2, $3, $4, $5, TRUE)
        ON CONFLICT (tenant_id, plugin, level) DO UPDATE SET enabled = plugin_grants.enabled
        RETURNING plugin, tenant_id, listing_id, hosts, enabled";
    OF_PLUGIN = "SELECT plugin, tenant_id, listing_id, hosts, enabled FROM plugin_grants WHERE plugin = $1";
    LIST = "SELECT plugin, tenant_id, listing_id, hosts, enabled FROM plugin_grants
        WHERE plugin = $1 AND level IN ($2, $3, $4)";
}

#[derive(sqlx::FromRow)]
struct Row {
    plugin: String,
    tenant_id: Uuid,
    listing_id: Option<Uuid>,
    hosts: Json<Value>,
    enabled: bool,
}

impl TryFrom<Row> for GrantRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            plugin: parsed(&row.plugin, "plugin")?,
            tenant: owned_by(row.tenant_id),
            listing: row.listing_id.map(ListingId::from_uuid),
            hosts: from_json(row.hosts, "hosts")?,
            enabled: row.enabled,
        })
    }
}

const INSTANCE: &str = "instance";

/// The level as one text, which is unique where a null would not be.
fn level(tenant: Option<TenantId>, listing: Option<ListingId>) -> String {
    match (tenant, listing) {
        (None, _) => INSTANCE.to_owned(),
        (Some(tenant), None) => format!("tenant:{tenant}"),
        (Some(tenant), Some(listing)) => format!("listing:{tenant}:{listing}"),
    }
}

/// Replace the grant of one level. The audit row's subject is the listing, the tenant, or nobody (the instance).
pub(crate) async fn set(conn: &mut Conn, grant: &GrantRecord, audit: &Audit) -> Result<(), StoreError> {
    if grant.tenant.is_none() && grant.listing.is_some() {
        return Err(StoreError::NotFound("tenant"));
    }
    if let Some(tenant) = grant.tenant {
        tenants::hold(conn, tenant).await?;
    }
    sqlx::query::<Db>(SET)
        .bind(grant.plugin.as_str())
        .bind(level(grant.tenant, grant.listing))
        .bind(owner(grant.tenant))
        .bind(grant.listing.map(ListingId::uuid))
        .bind(Json(&grant.hosts))
        .bind(grant.enabled)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("listing"))?;
    let subject = grant.listing.map(ListingId::uuid).or(grant.tenant.map(TenantId::uuid));
    let data = json!({ "plugin": grant.plugin.as_str(), "hosts": grant.hosts, "enabled": grant.enabled });
    audit::append(conn, audit, grant.tenant, "grant.changed", subject.unwrap_or(Uuid::nil()), data).await
}

/// Add hosts to the grant of one level and take others away; the grant as it is then.
pub(crate) async fn change(
    conn: &mut Conn,
    level_of: &GrantRecord,
    add: &HostGrant,
    remove: &HostGrant,
    audit: &Audit,
) -> Result<GrantRecord, StoreError> {
    if let Some(tenant) = level_of.tenant {
        tenants::hold(conn, tenant).await?;
    }
    let held = sqlx::query_as::<Db, Row>(HOLD)
        .bind(level_of.plugin.as_str())
        .bind(level(level_of.tenant, level_of.listing))
        .bind(owner(level_of.tenant))
        .bind(level_of.listing.map(ListingId::uuid))
        .bind(Json(HostGrant::new()))
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("listing"))?;
    let mut grant = GrantRecord::try_from(held)?;
    grant.hosts.extend(add.iter().cloned());
    grant.hosts.retain(|host| !remove.contains(host));
    set(conn, &grant, audit).await?;
    Ok(grant)
}

/// All grants of a plugin, on every level.
pub(crate) async fn of_plugin(conn: &mut Conn, plugin: &PluginId) -> Result<Vec<GrantRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_PLUGIN).bind(plugin.as_str()).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The grants that apply: the instance's, the tenant's, the listing's; from the widest to the narrowest.
pub(crate) async fn list(
    conn: &mut Conn,
    plugin: &PluginId,
    tenant: Option<TenantId>,
    listing: Option<ListingId>,
) -> Result<Vec<GrantRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(plugin.as_str())
        .bind(INSTANCE)
        .bind(level(tenant, None))
        .bind(level(tenant, listing))
        .fetch_all(conn)
        .await?;
    let mut grants: Vec<GrantRecord> = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    grants.sort_by_key(|grant| (grant.tenant.is_some(), grant.listing.is_some()));
    Ok(grants)
}
