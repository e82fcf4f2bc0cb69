//! Installed plugins and their rights.

pub(crate) mod installations;

use berth_model::{
    id::{ListingId, TenantId},
    plugins::{
        manifest::PluginId,
        plugin::{Digest, HostGrant, PluginState, PluginVersion},
    },
};

use crate::{
    Store, StoreError,
    records::{Audit, GrantRecord},
};

impl Store {
    /// Add a version with its component. `Duplicate` if its digest is installed already.
    pub async fn insert_plugin_version(
        &self,
        version: PluginVersion,
        component: Vec<u8>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [version, component, audit], |q, conn| q::plugins::insert(
            conn, &version, &component, &audit
        ))
    }

    /// Versions of one plugin or of all, the latest first (at most `LIST_ROWS_MAX`).
    pub async fn list_plugin_versions(
        &self,
        plugin: Option<&PluginId>,
    ) -> Result<Vec<PluginVersion>, StoreError> {
        let plugin = plugin.cloned();
        read!(self, |q, conn| q::plugins::list(conn, plugin.as_ref()))
    }

    /// One version.
    pub async fn plugin_version(&self, digest: &Digest) -> Result<PluginVersion, StoreError> {
        let digest = digest.clone();
        read!(self, |q, conn| q::plugins::get(conn, &digest))
    }

    /// The bytes of a version's component. Whoever loads them checks the digest.
    pub async fn plugin_component(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let digest = digest.clone();
        read!(self, |q, conn| q::plugins::component(conn, &digest))
    }

    /// One transaction: this version active, the one that was active retired, generation bumped. Quarantined ones: `WrongState`.
    pub async fn activate_plugin_version(
        &self,
        digest: &Digest,
        audit: Audit,
    ) -> Result<PluginVersion, StoreError> {
        let digest = digest.clone();
        write_tx!(self, [digest, audit], |q, conn| q::plugins::activate(conn, &digest, &audit))
    }

    /// Set any state but `active` (`WrongState`; see [`Self::activate_plugin_version`]). Bumps the generation.
    pub async fn set_plugin_state(
        &self,
        digest: &Digest,
        state: PluginState,
        reason: Option<String>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let digest = digest.clone();
        write_tx!(self, [digest, reason, audit], |q, conn| q::plugins::set_state(
            conn,
            &digest,
            state,
            reason.as_deref(),
            &audit
        ))
    }

    /// Counts changes of what serves; replicas follow it.
    pub async fn plugin_generation(&self) -> Result<i64, StoreError> {
        read!(self, |q, conn| q::plugins::generation(conn))
    }

    /// Replace a plugin's grant at one level.
    pub async fn set_grant(&self, grant: GrantRecord, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [grant, audit], |q, conn| q::plugins::grants::set(conn, &grant, &audit))
    }

    /// Add hosts to a plugin's grant at the level of this one, and take others away; the grant as it is then.
    pub async fn change_grant(
        &self,
        level: GrantRecord,
        add: HostGrant,
        remove: HostGrant,
        audit: Audit,
    ) -> Result<GrantRecord, StoreError> {
        write_tx!(self, [level, add, remove, audit], |q, conn| q::plugins::grants::change(
            conn, &level, &add, &remove, &audit
        ))
    }

    /// All grants of a plugin, on every level, in no order.
    pub async fn all_grants(&self, plugin: &PluginId) -> Result<Vec<GrantRecord>, StoreError> {
        let plugin = plugin.clone();
        read!(self, |q, conn| q::plugins::grants::of_plugin(conn, &plugin))
    }

    /// The grants that apply: the instance's, the tenant's, the listing's, as far as they exist, in this order.
    pub async fn grants(
        &self,
        plugin: &PluginId,
        tenant: Option<TenantId>,
        listing: Option<ListingId>,
    ) -> Result<Vec<GrantRecord>, StoreError> {
        let plugin = plugin.clone();
        read!(self, |q, conn| q::plugins::grants::list(conn, &plugin, tenant, listing))
    }
}
