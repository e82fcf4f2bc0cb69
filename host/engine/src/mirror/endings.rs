//! Ends of conflicts that need no person, as jobs: each counted, and none without end.

use berth_model::{
    booking::Booking,
    connection::Stopped,
    id::{ConflictId, TenantId},
    limits,
    problem::{Code, Problem},
    provider::ExternalBooking,
    sync::{Conflict, ConflictKind, Resolution},
};
use berth_store::{
    StoreError,
    records::{JobEnd, NewJob},
};
use serde_json::Value;

use super::conflicts::{is_about_own_twin, obvious};
use crate::{
    Caller, Engine, Outcome,
    jobs::RESOLVE_CONFLICT,
    problems::of_call,
    sync::{Held, is_last},
};

/// Ends run after the messages that may tell of them, and before what nobody waits for.
const PRIORITY: i64 = 30;

impl Engine {
    /// The job that ends a conflict; the store fills in which.
    pub(super) fn end_job(&self, conflict: &Conflict) -> NewJob {
        NewJob {
            id: self.new_id(),
            tenant: conflict.tenant,
            kind: RESOLVE_CONFLICT.to_owned(),
            payload: Value::Null,
            priority: PRIORITY,
            due_at: self.now(),
            dedup_key: String::new(),
            leased_until: None,
        }
    }

    /// Carry out the obvious end of a conflict, as it stands now. What has none any more, and what was ended too often already, is left
    /// open for a person.
    pub(crate) async fn end_by_itself(
        &self,
        tenant: TenantId,
        id: ConflictId,
        held: Held,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let done = async || self.store().end_job(held.job, held.attempt, JobEnd::Done).await.map(drop);
        let conflict = self.store().conflict(tenant, id).await?;
        let rules = self.store().sync_state(tenant, conflict.connection).await?.rules;
        let Some(resolution) = obvious(&conflict, &rules).filter(|_| !conflict.resolved) else {
            return done().await;
        };
        let now = self.now();
        let since = now.plus_seconds(-limits::CONFLICT_ENDS_SECONDS);
        let most = limits::CONFLICT_ENDS_MAX;
        if !self.store().try_conflict_end(conflict.clone(), since, now, most).await? {
            tracing::warn!(conflict = %id, most, "a conflict comes back again and again; it is left to a person");
            metrics::counter!("berth_sync_conflicts_left_total").increment(1);
            return done().await;
        }
        let resolution = match self.end_now(&conflict, resolution, request_id).await {
            Ok(resolution) => resolution,
            Err(problem) if is_for_now(&problem) && !is_last(held) => {
                self.store().conflict_end_not_tried(tenant, id).await?;
                return self.try_again(held, &problem).await;
            }
            Err(problem)
                if problem.code == Code::ConnectionPaused || problem.code == Code::TenantSuspended =>
            {
                self.store().conflict_end_not_tried(tenant, id).await?;
                return self.park(held, conflict.connection, Stopped::Paused).await;
            }
            // A person has to look at it then.
            Err(problem) => {
                tracing::info!(conflict = %id, %problem, "a conflict did not end by itself");
                return done().await;
            }
        };
        let audit = self.audit_by("system", request_id);
        match self.store().resolve_conflict(conflict.clone(), resolution, false, audit).await {
            Ok(()) => self.others_are_over(&conflict, resolution).await?,
            // Somebody was faster, or it was found again meanwhile: then this job was woken, and runs again.
            Err(StoreError::WrongState) => {}
            Err(error) => return Err(error),
        }
        done().await
    }

    /// Unlike what a person chooses, which means both versions as they were shown, this is about both sides as they are now. The end it
    /// came to: `ignored` if there is nothing left to be ended.
    async fn end_now(
        &self,
        conflict: &Conflict,
        resolution: Resolution,
        request_id: &str,
    ) -> Outcome<Resolution> {
        let caller = Caller {
            tenant: conflict.tenant,
            actor: "system".to_owned(),
            request_id: request_id.to_owned(),
            idempotency_key: None,
        };
        let Some(id) = conflict.booking else {
            self.carry_out(conflict, resolution, &caller).await?;
            return Ok(resolution);
        };
        let booking = self.booking(&caller, id).await?;
        if !booking.status.is_active()
            || (is_about_own_twin(conflict) && booking.external_id != conflict.external_id)
        {
            return Ok(Resolution::Ignored);
        }
        if booking.provider_task.is_some() {
            return Err(Problem::new(Code::Changed, "A change of our own is under way."));
        }
        let now = Conflict {
            ours: serde_json::json!({ "when": booking.when, "external_id": booking.external_id }),
            ..conflict.clone()
        };
        if conflict.kind != ConflictKind::VanishedThere && is_about_own_twin(conflict) {
            let twin = self.twin_now(&now, &booking).await?;
            if resolution == Resolution::Theirs {
                self.follow_to(&now, &booking, &twin).await?;
                return Ok(resolution);
            }
            if twin.when.start() == booking.when.start() && twin.status.is_active() {
                return Ok(Resolution::Ignored);
            }
        }
        self.carry_out(&now, resolution, &caller).await?;
        Ok(resolution)
    }

    /// Where ours is where theirs is, nothing else that was open about the two is left.
    pub(super) async fn others_are_over(
        &self,
        conflict: &Conflict,
        resolution: Resolution,
    ) -> Result<(), StoreError> {
        match conflict.booking {
            Some(id) if resolution == Resolution::Theirs && is_about_own_twin(conflict) => {
                let booking = self.store().booking(conflict.tenant, id).await?;
                self.agreed(&booking).await
            }
            _ => Ok(()),
        }
    }

    async fn twin_now(&self, conflict: &Conflict, booking: &Booking) -> Outcome<ExternalBooking> {
        let (_, context) = self.conflict_context(conflict.tenant, conflict.connection).await?;
        let id = booking.external_id.clone().unwrap_or_default();
        self.current_twin(&context, &id).await.map_err(|error| of_call(&error))
    }

    async fn try_again(&self, held: Held, problem: &Problem) -> Result<(), StoreError> {
        let due_at = self.now().plus_millis(i64::try_from(self.backoff_ms(held.attempt)).unwrap_or(i64::MAX));
        let end = JobEnd::Retry { due_at, error: problem.detail.clone() };
        self.store().end_job(held.job, held.attempt, end).await.map(drop)
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
