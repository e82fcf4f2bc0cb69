//! Connections by what they are to.

use std::collections::BTreeMap;

use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, TenantId},
    limits,
    plugins::manifest::PluginId,
};

use crate::{Store, StoreError};

impl Store {
    /// A tenant's connections to a provider that are not over, by age (at most `LIST_ROWS_MAX`).
    pub async fn connections_to(
        &self,
        tenant: TenantId,
        plugin: &PluginId,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        let plugin = plugin.clone();
        read!(self, |q, conn| q::connections::by_provider::of_tenant(
            conn,
            tenant,
            &plugin,
            limits::LIST_ROWS_MAX
        ))
    }

    /// Connections of all tenants that a message to a provider may be for that names none, those without a subscription first (at most
    /// one more than `limit`).
    pub async fn connections_to_be_tried(
        &self,
        plugin: &PluginId,
        limit: usize,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        let (plugin, limit) = (plugin.clone(), i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX));
        read!(self, |q, conn| q::connections::by_provider::to_be_tried(conn, &plugin, limit))
    }

    /// Which provider each of these connections is to.
    pub async fn providers_of(
        &self,
        tenant: TenantId,
        connections: Vec<ConnectionId>,
    ) -> Result<BTreeMap<ConnectionId, PluginId>, StoreError> {
        let found =
            read!(self, |q, conn| q::connections::by_provider::providers(conn, tenant, &connections))?;
        Ok(found.into_iter().collect())
    }
}
