//! Plugin versions and grants.

use berth_model::{
    id::{ListingId, TenantId},
    manifest::PluginId,
    plugin::{Digest, PluginState, PluginVersion},
};

use crate::{
    Backend, Store, StoreError,
    records::{Audit, GrantRecord},
};

impl Store {
    /// Insert plugin version.
    pub async fn insert_plugin_version(
        &self,
        version: PluginVersion,
        component: Vec<u8>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (version, component, audit), |conn, queries| queries::plugins::insert(
            conn, &version, &component, &audit
        ))
    }

    /// List plugin versions.
    pub async fn list_plugin_versions(
        &self,
        plugin: Option<&PluginId>,
    ) -> Result<Vec<PluginVersion>, StoreError> {
        let plugin = plugin.cloned();
        read!(self, (plugin), |conn, queries| queries::plugins::list(conn, plugin.as_ref()))
    }

    /// Plugin version.
    pub async fn plugin_version(&self, digest: &Digest) -> Result<PluginVersion, StoreError> {
        let digest = digest.clone();
        read!(self, (digest), |conn, queries| queries::plugins::get(conn, &digest))
    }

    /// Plugin component.
    pub async fn plugin_component(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let digest = digest.clone();
        read!(self, (digest), |conn, queries| queries::plugins::component(conn, &digest))
    }

    /// One transaction: this version active, the one that was active retired, generation bumped. Quarantined ones: `WrongState`.
    pub async fn activate_plugin_version(
        &self,
        digest: &Digest,
        audit: Audit,
    ) -> Result<PluginVersion, StoreError> {
        let digest = digest.clone();
        write!(self, (digest, audit), |conn, queries| queries::plugins::activate(conn, &digest, &audit))
    }

    /// Set plugin state.
    pub async fn set_plugin_state(
        &self,
        digest: &Digest,
        state: PluginState,
        reason: Option<String>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let digest = digest.clone();
        write!(self, (digest, state, reason, audit), |conn, queries| queries::plugins::set_state(
            conn,
            &digest,
            state,
            reason.as_deref(),
            &audit
        ))
    }

    /// Plugin generation.
    pub async fn plugin_generation(&self) -> Result<i64, StoreError> {
        read!(self, (), |conn, queries| queries::plugins::generation(conn))
    }

    /// Set grant.
    pub async fn set_grant(&self, grant: GrantRecord, audit: Audit) -> Result<(), StoreError> {
        write!(self, (grant, audit), |conn, queries| queries::plugins::set_grant(conn, &grant, &audit))
    }

    /// Grants.
    pub async fn grants(
        &self,
        plugin: &PluginId,
        tenant: Option<TenantId>,
        listing: Option<ListingId>,
    ) -> Result<Vec<GrantRecord>, StoreError> {
        let plugin = plugin.clone();
        read!(self, (plugin, tenant, listing), |conn, queries| queries::plugins::grants(
            conn, &plugin, tenant, listing
        ))
    }
}
