//! Connections by what they are to, and what each is to.

use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, TenantId},
    plugins::manifest::PluginId,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, parsed},
    Row,
};
use crate::StoreError;

queries! {
    OF_TENANT = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE tenant_id = $1 AND plugin = $2 AND state <> 'disconnected' ORDER BY id LIMIT $3";
    UNSUBSCRIBED = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE plugin = $1 AND subscription IS NULL AND state <> 'disconnected' ORDER BY id LIMIT $2";
    SUBSCRIBED = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE plugin = $1 AND subscription IS NOT NULL AND state <> 'disconnected' ORDER BY id LIMIT $2";
}

/// A tenant's connections to a provider that are not over, by age.
pub(crate) async fn of_tenant(
    conn: &mut Conn,
    tenant: TenantId,
    plugin: &PluginId,
    limit: i64,
) -> Result<Vec<ConnectionRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_TENANT)
        .bind(tenant.uuid())
        .bind(plugin.as_str())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Connections of all tenants that a message to a provider may be for that names none: those first whose provider was given no address of
/// their own.
pub(crate) async fn to_be_tried(
    conn: &mut Conn,
    plugin: &PluginId,
    limit: i64,
) -> Result<Vec<ConnectionRecord>, StoreError> {
    let mut found: Vec<ConnectionRecord> = Vec::new();
    for statement in [UNSUBSCRIBED, SUBSCRIBED] {
        let room = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(i64::MAX));
        let rows = sqlx::query_as::<Db, Row>(statement)
            .bind(plugin.as_str())
            .bind(room)
            .fetch_all(&mut *conn)
            .await?;
        for row in rows {
            found.push(row.try_into()?);
        }
    }
    Ok(found)
}

/// What these connections are to.
pub(crate) async fn providers(
    conn: &mut Conn,
    tenant: TenantId,
    connections: &[ConnectionId],
) -> Result<Vec<(ConnectionId, PluginId)>, StoreError> {
    if connections.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new("SELECT id, plugin FROM connections WHERE tenant_id = ");
    query.push_bind(tenant.uuid()).push(" AND id IN (");
    let mut list = query.separated(", ");
    for connection in connections {
        list.push_bind(connection.uuid());
    }
    query.push(")");
    let rows: Vec<(Uuid, String)> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter()
        .map(|(id, plugin)| Ok((ConnectionId::from_uuid(id), parsed(&plugin, "plugin")?)))
        .collect()
}
