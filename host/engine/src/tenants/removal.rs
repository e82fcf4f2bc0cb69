//! Tenants are suspended and resumed, and deleted: what may not be used any more at once, then everything of it, some rows at a time, by
//! any replica. How far that is, is what is left: a process that dies meanwhile is gone on from by the next one.

use std::sync::Arc;

use berth_model::{
    catalog::listing::{TenantRecord, TenantState},
    connections::connection::ConnectionState,
    id::TenantId,
    limits,
    problem::{Code, Problem},
};
use berth_store::{StoreError, records::TenantCounts};

use crate::{
    Caller, Outcome,
    base::Base,
    connections::{Connections, recovery::Recovery},
    jobs::queue::Queue,
    mirror::sync_soon,
    tenants::Tenants,
};

/// Suspending a tenant, and removing one with all it has.
pub struct TenantRemoval {
    pub(crate) base: Base,
    pub(crate) connections: Arc<Connections>,
    pub(crate) recovery: Arc<Recovery>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) tenants: Arc<Tenants>,
}

impl TenantRemoval {
    /// Refuse everything of a tenant until it is resumed: its keys and links, and what is read, told and offered over its connections.
    /// What has to be delivered waits, and so do messages of providers. Suspending what is suspended changes nothing.
    pub async fn suspend_tenant(&self, actor: &str, request_id: &str, id: TenantId) -> Outcome<TenantRecord> {
        self.set_suspended(actor, request_id, id, true).await
    }

    /// Let a suspended tenant go on; what waits is told, and its connections are read anew.
    pub async fn resume_tenant(&self, actor: &str, request_id: &str, id: TenantId) -> Outcome<TenantRecord> {
        let resumed = self.set_suspended(actor, request_id, id, false).await?;
        let mut after = None;
        // Ends: each page begins after the last one.
        loop {
            let page = self.base.store().list_connections(id, after, limits::PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(resumed) };
            after = Some(last.id);
            for connection in page.iter().filter(|c| c.state == ConnectionState::Active) {
                self.recovery.connection(id, connection.id).await;
                if let Err(error) = sync_soon(&self.queue, id, connection.id).await {
                    tracing::warn!(%error, connection = %connection.id, "a connection that goes on is not read yet");
                }
            }
        }
    }

    async fn set_suspended(
        &self,
        actor: &str,
        request_id: &str,
        id: TenantId,
        suspended: bool,
    ) -> Outcome<TenantRecord> {
        let wanted = if suspended { TenantState::Suspended } else { TenantState::Active };
        let tenant = self.tenants.tenant(id).await?;
        if tenant.state == wanted {
            return Ok(tenant);
        }
        not_deleting(&tenant)?;
        self.base.store().suspend_tenant(id, suspended, self.base.audit_by(actor, request_id)).await?;
        self.tenants.tenant(id).await
    }

    /// What deleting a tenant would remove now.
    pub async fn tenant_deletion(&self, id: TenantId) -> Outcome<TenantCounts> {
        self.tenants.tenant(id).await?;
        Ok(self.base.store().tenant_counts(id, self.base.now()).await?)
    }

    /// Delete a tenant: its keys end now, then its connections are disconnected and everything of it is removed in the background. Deleting
    /// what is being deleted changes nothing.
    pub async fn delete_tenant(&self, actor: &str, request_id: &str, id: TenantId) -> Outcome<TenantRecord> {
        match self.base.store().begin_tenant_deletion(id, self.base.audit_by(actor, request_id)).await {
            Ok(()) | Err(StoreError::WrongState) => self.tenants.tenant(id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Go on removing tenants that are deleted. How many are gone for good. To be called now and then, by any number of replicas.
    pub async fn remove_deleted_tenants(&self) -> Outcome<usize> {
        let mut gone = 0_usize;
        let mut failed = None;
        for tenant in self.base.store().tenants_in_deletion().await? {
            match self.remove_tenant(tenant).await {
                Ok(is_gone) => gone = gone.saturating_add(usize::from(is_gone)),
                // One that fails keeps no other waiting.
                Err(problem) => {
                    tracing::warn!(%tenant, %problem, "a tenant is not removed yet");
                    failed = Some(problem);
                }
            }
        }
        failed.map_or(Ok(gone), Err)
    }

    /// Remove as much of a tenant as one turn may. Is it gone?
    async fn remove_tenant(&self, id: TenantId) -> Outcome<bool> {
        self.disconnect_all(id).await?;
        let mut turns = 0_u32;
        let whole = u64::try_from(limits::REMOVED_ROWS_AT_ONCE).unwrap_or(u64::MAX);
        let mut step = 0_usize;
        // Ends: each turn removes rows, or is the step's last.
        loop {
            if turns >= limits::REMOVAL_STEPS_MAX {
                return Ok(false);
            }
            turns = turns.saturating_add(1);
            match self.base.store().clear_tenant(id, step).await {
                Ok(Some(rows)) if rows >= whole => {}
                Ok(Some(_)) => step = step.saturating_add(1),
                Ok(None) => break,
                // Something that was under way wrote a row that refers to it: it is removed in the next turn.
                Err(StoreError::InUse(_) | StoreError::Busy) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        let audit = self.base.audit_by("system", "tenant-deletion");
        match self.base.store().finish_tenant_deletion(id, audit).await {
            // Gone, if another replica was faster.
            Ok(()) | Err(StoreError::NotFound(_)) => Ok(true),
            // A row came in between.
            Err(StoreError::InUse(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Take leave of every provider, before what that takes is removed.
    async fn disconnect_all(&self, tenant: TenantId) -> Outcome<()> {
        let caller = Caller {
            tenant,
            actor: "system".to_owned(),
            request_id: "tenant-deletion".to_owned(),
            idempotency_key: None,
        };
        let mut after = None;
        // Ends: each page begins after the last one.
        loop {
            let page = self.base.store().list_connections(tenant, after, limits::PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for connection in page.iter().filter(|c| c.state != ConnectionState::Disconnected) {
                self.connections.delete_connection(&caller, connection.id, None).await?;
            }
        }
    }
}

/// Refuse to change a tenant that is being deleted: nothing that is made for it stays.
pub(crate) fn not_deleting(tenant: &TenantRecord) -> Outcome<()> {
    if tenant.state != TenantState::Deleting {
        return Ok(());
    }
    Err(Problem::new(Code::WrongState, "The tenant is being deleted.")
        .with_hint("Nothing brings it back; make another one."))
}
