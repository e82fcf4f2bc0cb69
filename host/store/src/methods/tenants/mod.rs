//! Tenants.

pub(crate) mod keys;

use berth_model::{
    catalog::listing::TenantRecord,
    id::{AuditEntryId, TenantId},
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{Audit, AuditFilter, AuditPage, TenantCounts},
};

impl Store {
    /// Add a tenant. `Duplicate` if the slug is taken.
    pub async fn create_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [tenant, audit], |q, conn| q::tenants::insert(conn, &tenant, &audit))
    }

    /// One tenant.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantRecord, StoreError> {
        read!(self, |q, conn| q::tenants::get(conn, tenant))
    }

    /// The tenant with this name in URLs.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<TenantRecord, StoreError> {
        let slug = slug.to_owned();
        read!(self, |q, conn| q::tenants::by_slug(conn, &slug))
    }

    /// All tenants (at most `LIST_ROWS_MAX`).
    pub async fn list_tenants(&self) -> Result<Vec<TenantRecord>, StoreError> {
        read!(self, |q, conn| q::tenants::list(conn))
    }

    /// Slugs of tenants, each with a time zone of its listings or members (at most `LIST_ROWS_MAX` pairs).
    pub async fn zones_of_tenants(&self) -> Result<Vec<(String, String)>, StoreError> {
        read!(self, |q, conn| q::tenants::zones(conn))
    }

    /// Tenants of which something is left to be removed (at most `LIST_ROWS_MAX`).
    pub async fn tenants_in_deletion(&self) -> Result<Vec<TenantId>, StoreError> {
        read!(self, |q, conn| q::tenants::in_deletion(conn))
    }

    /// Replace a tenant's slug, name, default connection and settings. `Stale` if its revision differs.
    pub async fn update_tenant(
        &self,
        tenant: TenantRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<TenantRecord, StoreError> {
        write_tx!(self, [tenant, audit], |q, conn| q::tenants::update(
            conn,
            &tenant,
            expected_revision,
            &audit
        ))
    }

    /// Suspend an active tenant, or resume a suspended one; `WrongState` if it is neither.
    pub async fn suspend_tenant(
        &self,
        tenant: TenantId,
        suspended: bool,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::tenants::suspend(conn, tenant, suspended, &audit))
    }

    /// Begin to remove everything of a tenant; its keys end now. `WrongState` if that was begun before.
    pub async fn begin_tenant_deletion(&self, tenant: TenantId, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::tenants::begin_deletion(conn, tenant, &audit))
    }

    /// Remove some rows of one step, in a transaction of its own. How many, fewer than `REMOVED_ROWS_AT_ONCE` if the step is
    /// done; none if there is no such step.
    pub async fn clear_tenant(&self, tenant: TenantId, step: usize) -> Result<Option<u64>, StoreError> {
        write_tx!(self, [], |q, conn| q::tenants::removal::clear_some(conn, tenant, step))
    }

    /// Remove the tenant itself, once nothing is left of it; `InUse` if something is.
    pub async fn finish_tenant_deletion(&self, tenant: TenantId, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::tenants::removal::finish(conn, tenant, &audit))
    }

    /// What a tenant has.
    pub async fn tenant_counts(&self, tenant: TenantId, now: Instant) -> Result<TenantCounts, StoreError> {
        read!(self, |q, conn| q::tenants::removal::counts(conn, tenant, now))
    }

    /// Rows of the audit log before one (none: all), the latest first: `limit` of them, among the next `looked_at`.
    pub async fn audit_page(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        before: Option<AuditEntryId>,
        (limit, looked_at): (u32, u32),
    ) -> Result<AuditPage, StoreError> {
        read!(self, |q, conn| q::tenants::audit::page(conn, tenant, &filter, before, (limit, looked_at)))
    }
}
