//! Ends of conflicts that need no person, as jobs: each counted, and none without end. Each is about both sides as they are then.

use berth_model::{
    connections::connection::Stopped,
    id::{ConflictId, TenantId},
    limits,
    mirror::sync::{Done, Resolution},
    problem::{Code, Problem},
};
use berth_store::{StoreError, records::JobEnd};

use super::conflicts::obvious;
use crate::{
    Caller,
    jobs::queue::{JobLease, is_last},
    mirror::Mirror,
};

impl Mirror {
    /// Carry out the obvious end of a conflict, as it stands now. What has none any more, and what was ended too often already, is left
    /// open for a person.
    pub(crate) async fn end_by_itself(
        &self,
        tenant: TenantId,
        id: ConflictId,
        held: JobLease,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let conflict = self.base.store().conflict(tenant, id).await?;
        let rules = self.base.store().sync_state(tenant, conflict.connection).await?.rules;
        let rules = rules.at(conflict.start(), self.base.now());
        let Some(resolution) = obvious(&conflict, &rules).filter(|_| !conflict.resolved) else {
            return self.queue.done(held).await;
        };
        let now = self.base.now();
        if !self.base.store().hold_conflict(conflict.clone(), false, now, self.conflicts.end_lease()).await? {
            let busy = Problem::new(Code::Busy, "Somebody ends it in this moment.");
            return if is_last(held) {
                self.queue.done(held).await
            } else {
                self.try_again(held, &busy).await
            };
        }
        let since = now.plus_seconds(-limits::CONFLICT_ENDS_SECONDS);
        let most = limits::CONFLICT_ENDS_MAX;
        if !self.base.store().try_conflict_end(conflict.clone(), since, now, most).await? {
            self.base.store().let_go_of_conflict(tenant, id).await?;
            tracing::warn!(conflict = %id, most, "a conflict comes back again and again; it is left to a person");
            metrics::counter!("berth_sync_conflicts_left_total").increment(1);
            return self.queue.done(held).await;
        }
        let caller = Caller {
            tenant,
            actor: "system".to_owned(),
            request_id: request_id.to_owned(),
            idempotency_key: None,
        };
        let (resolution, did) = match self.carry_out(&conflict, resolution, &caller).await {
            // There is nothing left to be ended.
            Ok(did) if did.done == Done::Nothing => (Resolution::Ignored, did),
            Ok(did) => (resolution, did),
            Err(problem)
                if problem.code == Code::ConnectionPaused || problem.code == Code::TenantSuspended =>
            {
                self.base.store().let_go_of_conflict(tenant, id).await?;
                self.base.store().conflict_end_not_tried(tenant, id).await?;
                return self.queue.park(held, conflict.connection, Stopped::Paused).await;
            }
            Err(problem) => {
                self.base.store().let_go_of_conflict(tenant, id).await?;
                if is_for_now(&problem) && !is_last(held) {
                    self.base.store().conflict_end_not_tried(tenant, id).await?;
                    return self.try_again(held, &problem).await;
                }
                // A person has to look at it then.
                tracing::info!(conflict = %id, %problem, "a conflict did not end by itself");
                return self.queue.done(held).await;
            }
        };
        let audit = self.base.audit_by("system", request_id);
        match self.base.store().resolve_conflict(conflict.clone(), resolution, false, audit).await {
            Ok(()) => self.conflicts.others_are_over(&conflict, did.done).await?,
            // It was found again meanwhile: then this job was woken, and runs again.
            Err(StoreError::WrongState) => self.base.store().let_go_of_conflict(tenant, id).await?,
            Err(error) => return Err(error),
        }
        self.queue.done(held).await
    }

    async fn try_again(&self, held: JobLease, problem: &Problem) -> Result<(), StoreError> {
        let due_at = self
            .base
            .now()
            .plus_millis(i64::try_from(self.queue.backoff_ms(held.attempt)).unwrap_or(i64::MAX));
        let end = JobEnd::Retry { due_at, error: problem.detail.clone() };
        self.queue.end(held, end).await
    }
}

/// Will it go away by itself?
fn is_for_now(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::Busy
            | Code::Changed
            | Code::PluginFailed
            | Code::ProviderNotActive
            | Code::ProviderUnauthorised
            | Code::ProviderUnavailable
            | Code::TimedOut
            | Code::Internal
    )
}
