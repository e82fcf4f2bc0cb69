//! Tenants and API keys.

use berth_model::{
    id::{ApiKeyId, TenantId},
    listing::TenantRecord,
    time::Instant,
};

use crate::{
    Backend, Store, StoreError,
    records::{ApiKeyRecord, Audit},
};

impl Store {
    /// Create tenant.
    pub async fn create_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        write!(self, (tenant, audit), |conn, queries| queries::tenants::insert(conn, &tenant, &audit))
    }

    /// Tenant.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantRecord, StoreError> {
        read!(self, (tenant), |conn, queries| queries::tenants::get(conn, tenant))
    }

    /// Tenant by slug.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<TenantRecord, StoreError> {
        let slug = slug.to_owned();
        read!(self, (slug), |conn, queries| queries::tenants::by_slug(conn, &slug))
    }

    /// List tenants.
    pub async fn list_tenants(&self) -> Result<Vec<TenantRecord>, StoreError> {
        read!(self, (), |conn, queries| queries::tenants::list(conn))
    }

    /// Update tenant.
    pub async fn update_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        write!(self, (tenant, audit), |conn, queries| queries::tenants::update(conn, &tenant, &audit))
    }

    /// Create key.
    pub async fn create_key(
        &self,
        key: ApiKeyRecord,
        hash: [u8; 32],
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (key, hash, audit), |conn, queries| queries::keys::insert(conn, &key, &hash, &audit))
    }

    /// Key by hash.
    pub async fn key_by_hash(&self, hash: [u8; 32]) -> Result<ApiKeyRecord, StoreError> {
        read!(self, (hash), |conn, queries| queries::keys::by_hash(conn, &hash))
    }

    /// List keys.
    pub async fn list_keys(&self, tenant: Option<TenantId>) -> Result<Vec<ApiKeyRecord>, StoreError> {
        read!(self, (tenant), |conn, queries| queries::keys::list(conn, tenant))
    }

    /// Revoke key.
    pub async fn revoke_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, key, audit), |conn, queries| queries::keys::revoke(conn, tenant, key, &audit))
    }

    /// Touch key.
    pub async fn touch_key(&self, key: ApiKeyId, now: Instant) -> Result<(), StoreError> {
        write!(self, (key, now), |conn, queries| queries::keys::touch(conn, key, now))
    }
}
