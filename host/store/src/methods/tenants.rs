//! Tenants.

use berth_model::{id::TenantId, listing::TenantRecord};

use crate::{Store, StoreError, records::Audit};

impl Store {
    /// Add a tenant. `Duplicate` if the slug is taken.
    pub async fn create_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        change!(self, [tenant, audit], |q, conn| q::tenants::insert(conn, &tenant, &audit))
    }

    /// One tenant.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantRecord, StoreError> {
        ask!(self, |q, conn| q::tenants::get(conn, tenant))
    }

    /// The tenant with this name in URLs.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<TenantRecord, StoreError> {
        let slug = slug.to_owned();
        ask!(self, |q, conn| q::tenants::by_slug(conn, &slug))
    }

    /// All tenants (at most `LIST_ROWS_MAX`).
    pub async fn list_tenants(&self) -> Result<Vec<TenantRecord>, StoreError> {
        ask!(self, |q, conn| q::tenants::list(conn))
    }

    /// Replace a tenant's slug, name and default connection.
    pub async fn update_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        change!(self, [tenant, audit], |q, conn| q::tenants::update(conn, &tenant, &audit))
    }
}
