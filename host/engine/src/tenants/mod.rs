//! Tenants, as an operator manages them.

pub(crate) mod keys;
pub(crate) mod removal;

use berth_model::{
    catalog::listing::{TenantRecord, TenantState},
    connections::connection::{ConnectionState, Stopped},
    id::{AuditEntryId, ConnectionId, TenantId},
    limits,
    problem::{Code, FieldError, Problem},
    tenants::settings::TenantSettings,
};
use berth_store::{
    StoreError,
    records::{AuditFilter, AuditPage},
};

use self::removal::not_deleting;
use crate::{
    Outcome,
    base::Base,
    validate::{Fields, is_slug},
};

/// A tenant to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see TenantRecord")]
pub struct NewTenant {
    pub slug: String,
    pub name: String,
}

/// Changes of a tenant; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see TenantRecord")]
pub struct TenantPatch {
    pub slug: Option<String>,
    pub name: Option<String>,
    /// `Some(None)`: the built-in provider.
    pub default_connection: Option<Option<ConnectionId>>,
    pub settings: Option<TenantSettings>,
    /// Of the revision that was read; none: whatever is there now.
    pub expected_revision: Option<i64>,
}

fn check(tenant: &TenantRecord) -> Outcome<()> {
    let mut fields = Fields::default();
    fields.slug("/slug", &tenant.slug);
    fields.text("/name", &tenant.name, 200);
    let mut settings = Fields::default();
    tenant.settings.check(&mut settings);
    let within = |error: FieldError| FieldError::new(format!("/settings{}", error.field), error.message);
    fields.extend(settings.into_errors().into_iter().map(within));
    fields.finish()
}

/// A schedule that the settings name is not there.
fn no_schedule(field: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, "there is no such schedule")])
        .with_hint("GET /api/booking/schedules lists them.")
}

/// Tenants and their keys.
pub struct Tenants {
    pub(crate) base: Base,
}

impl Tenants {
    /// Make a tenant.
    pub async fn create_tenant(
        &self,
        actor: &str,
        request_id: &str,
        new: NewTenant,
    ) -> Outcome<TenantRecord> {
        let tenant = TenantRecord {
            id: self.base.new_id(),
            slug: new.slug,
            name: new.name,
            default_connection: None,
            state: TenantState::Active,
            settings: TenantSettings::default(),
            revision: 1,
            created_at: self.base.now(),
        };
        check(&tenant)?;
        self.base.store().create_tenant(tenant.clone(), self.base.audit_by(actor, request_id)).await?;
        Ok(tenant)
    }

    /// All tenants.
    pub async fn list_tenants(&self) -> Outcome<Vec<TenantRecord>> {
        Ok(self.base.store().list_tenants().await?)
    }

    /// A tenant.
    pub async fn tenant(&self, tenant: TenantId) -> Outcome<TenantRecord> {
        Ok(self.base.store().tenant(tenant).await?)
    }

    /// Change a tenant.
    pub async fn update_tenant(
        &self,
        actor: &str,
        request_id: &str,
        id: TenantId,
        patch: TenantPatch,
    ) -> Outcome<TenantRecord> {
        let mut tenant = self.tenant(id).await?;
        not_deleting(&tenant)?;
        if let Some(slug) = patch.slug {
            tenant.slug = slug;
        }
        if let Some(name) = patch.name {
            tenant.name = name;
        }
        if let Some(connection) = patch.default_connection {
            if let Some(connection) = connection {
                let connection = self.base.store().connection(id, connection).await?;
                if connection.state == ConnectionState::Disconnected {
                    return Err(Problem::from(Stopped::Disconnected));
                }
            }
            tenant.default_connection = connection;
        }
        if let Some(settings) = patch.settings {
            tenant.settings = settings;
        }
        check(&tenant)?;
        let revision = patch.expected_revision.unwrap_or(tenant.revision);
        let audit = self.base.audit_by(actor, request_id);
        let done = self.base.store().update_tenant(tenant, revision, audit).await;
        done.map_err(|error| match error {
            StoreError::NotFound("schedule of opening hours") => no_schedule("/settings/opening_schedule_id"),
            StoreError::NotFound("default schedule") => no_schedule("/settings/default_schedule_id"),
            error => Problem::from(error),
        })
    }

    /// What was changed of a tenant's, by whom, the latest first.
    pub async fn audit_entries(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        before: Option<AuditEntryId>,
        limit: u32,
    ) -> Outcome<AuditPage> {
        let bounds = (limit, limits::AUDIT_ROWS_LOOKED_AT_MAX);
        Ok(self.base.store().audit_page(tenant, filter, before, bounds).await?)
    }

    /// The tenant of this name in addresses, for people without a key. Unknown, suspended, on its way out and not public look the same.
    pub async fn public_tenant(&self, slug: &str) -> Outcome<TenantRecord> {
        let unknown = || {
            Problem::new(Code::NotFound, "There is no such business here.").with_hint("Check the address.")
        };
        if !is_slug(slug) {
            return Err(unknown());
        }
        match self.base.store().tenant_by_slug(slug).await {
            Ok(tenant) if tenant.state == TenantState::Active && tenant.settings.public => Ok(tenant),
            Ok(_) | Err(StoreError::NotFound(_)) => Err(unknown()),
            Err(error) => Err(error.into()),
        }
    }

    /// May this tenant use Berth? For callers without a key.
    pub async fn check_tenant(&self, tenant: TenantId) -> Outcome<()> {
        // Who holds a link of a tenant that is gone is told no more than who made one up.
        let unknown = || Problem::not_found("link");
        let tenant = self.base.store().tenant(tenant).await.map_err(|error| match error {
            StoreError::NotFound(_) => unknown(),
            other => Problem::from(other),
        })?;
        match tenant.state {
            TenantState::Active => Ok(()),
            TenantState::Suspended => Err(Problem::from(Stopped::Suspended)),
            TenantState::Deleting => Err(unknown()),
        }
    }
}
