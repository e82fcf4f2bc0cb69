//! Ending conflicts: ours counts and the provider is brought to it, theirs counts and we follow, or neither is changed. Each end is
//! audited; the other one may be chosen later.

use berth_model::{
    booking::{Booking, ProviderTask},
    id::{ConflictId, ConnectionId, TenantId},
    limits,
    problem::{Code, Problem},
    provider::{CallContext, CallError, CancelRequest, ExternalBooking, ExternalStatus, ProviderError},
    sync::{Conflict, ConflictKind, Resolution},
};
use berth_store::{StoreError, records::BookingChange};

use super::conflicts::is_about_own_twin;
use crate::{
    Caller, CancelBooking, Engine, Outcome, RescheduleBooking,
    problems::{of_call, of_store},
    sync::Synced,
    webhook_events::Brought,
};

/// What a customer reads of a cancellation that a conflict led to.
const REASON: &str = "The time is taken by another booking.";

impl Engine {
    /// Conflicts of a connection before this one, the latest first; open ones only, or all.
    pub async fn list_conflicts(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        before: Option<ConflictId>,
        all: bool,
        limit: u32,
    ) -> Outcome<Vec<Conflict>> {
        self.connection(caller, connection).await?;
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        self.store().list_conflicts(caller.tenant, connection, before, all, limit).await.map_err(of_store)
    }

    /// One conflict.
    pub async fn conflict_of(&self, caller: &Caller, id: ConflictId) -> Outcome<Conflict> {
        self.store().conflict(caller.tenant, id).await.map_err(of_store)
    }

    /// End a conflict so.
    pub async fn resolve_conflict(
        &self,
        caller: &Caller,
        id: ConflictId,
        resolution: Resolution,
    ) -> Outcome<Conflict> {
        self.end_conflict(caller, id, resolution, false).await
    }

    /// End a conflict that has ended the other way round.
    pub async fn revert_conflict(&self, caller: &Caller, id: ConflictId) -> Outcome<Conflict> {
        let conflict = self.store().conflict(caller.tenant, id).await.map_err(of_store)?;
        let other = match conflict.resolution {
            Some(Resolution::Ours) => Resolution::Theirs,
            Some(Resolution::Theirs) => Resolution::Ours,
            Some(Resolution::Ignored) | None => {
                return Err(Problem::new(
                    Code::WrongState,
                    "Nothing was changed that could be changed back.",
                )
                .with_hint("Resolve an open conflict with `ours` or `theirs`."));
            }
        };
        self.end_conflict(caller, id, other, true).await
    }

    async fn end_conflict(
        &self,
        caller: &Caller,
        id: ConflictId,
        resolution: Resolution,
        again: bool,
    ) -> Outcome<Conflict> {
        let conflict = self.store().conflict(caller.tenant, id).await.map_err(of_store)?;
        if conflict.resolved != again {
            return Err(Problem::new(Code::WrongState, "The conflict is resolved already.")
                .with_hint("Revert it to choose the other version."));
        }
        self.carry_out(&conflict, resolution, caller).await?;
        match self.store().resolve_conflict(conflict.clone(), resolution, again, self.audit(caller)).await {
            Ok(()) => self.others_are_over(&conflict, resolution).await.map_err(of_store)?,
            Err(StoreError::WrongState) => {
                return Err(Problem::new(
                    Code::WrongState,
                    "Both sides still disagree, or somebody else ended it.",
                )
                .with_hint("Look at the conflict again; choose another end, or mend it at the provider."));
            }
            Err(error) => return Err(of_store(error)),
        }
        self.store().conflict(caller.tenant, id).await.map_err(of_store)
    }

    /// Do what a resolution says. Nothing is half-done: each is one change, here or there.
    pub(super) async fn carry_out(
        &self,
        conflict: &Conflict,
        resolution: Resolution,
        caller: &Caller,
    ) -> Outcome<()> {
        let caller = Caller { idempotency_key: None, ..caller.clone() };
        let booking = match conflict.booking {
            Some(id) => Some(self.booking(&caller, id).await?),
            None => None,
        };
        let own_twin = booking.as_ref().filter(|_| is_about_own_twin(conflict));
        match (conflict.kind, resolution) {
            (_, Resolution::Ignored) => Ok(()),
            (ConflictKind::VanishedThere, Resolution::Ours) => {
                self.tell_again(&caller, some(booking)?, ProviderTask::Create).await
            }
            (ConflictKind::VanishedThere, Resolution::Theirs) => {
                self.lost_there(&caller, &some(booking)?, conflict).await
            }
            (_, Resolution::Ours) if conflict.is_about_an_event() => {
                crate::clashes::ours_stands(booking.as_ref())
            }
            (_, Resolution::Ours) => match own_twin {
                Some(own) => self.back_to_ours(&caller, own, conflict).await,
                None => self.cancel_there(conflict).await,
            },
            (_, Resolution::Theirs) => match (own_twin, booking.as_ref()) {
                (Some(own), _) => self.follow_theirs(own, conflict).await,
                // Theirs is another booking than ours: ours gives way.
                (None, Some(ours)) => self.give_way(&caller, ours).await,
                // It stays at the provider and takes its time.
                (None, None) => Ok(()),
            },
        }
    }

    /// Ours counts: the provider is told of it again; if we followed the provider meanwhile, ours is where it was before.
    async fn back_to_ours(&self, caller: &Caller, booking: &Booking, conflict: &Conflict) -> Outcome<()> {
        let before = conflict.ours.get("when").cloned().and_then(|when| serde_json::from_value(when).ok());
        let before: berth_model::time::Interval = before.unwrap_or(booking.when);
        if before.start() == booking.when.start() {
            return self.tell_again(caller, booking.clone(), ProviderTask::Reschedule).await;
        }
        let back =
            RescheduleBooking { start: before.start(), expected_sequence: None, bound_by_cutoffs: false };
        self.reschedule(caller, booking.id, back).await.map(drop)
    }

    /// Tell the provider of a booking again, now if it answers.
    async fn tell_again(&self, caller: &Caller, booking: Booking, task: ProviderTask) -> Outcome<()> {
        let (job, held) = self.job_of(&booking, true);
        let (Some(job), Some(held)) = (job, held) else {
            return Err(Problem::new(Code::WrongState, "The booking has no provider."));
        };
        let change = BookingChange::Retell { task, job };
        let changed = self
            .store()
            .change_booking(booking.tenant, booking.id, booking.sequence, change, None, self.audit(caller))
            .await
            .map_err(of_store)?;
        match self
            .sync_booking(changed.tenant, changed.id, held, &caller.request_id)
            .await
            .map_err(of_store)?
        {
            Synced::Refused(error) => Err(of_call(&error)),
            // If it is not settled yet, its job goes on.
            Synced::Settled(_) | Synced::Later | Synced::Overtaken => Ok(()),
        }
    }

    /// The provider's word counts: what it does not have any more is over here too.
    async fn lost_there(&self, caller: &Caller, booking: &Booking, conflict: &Conflict) -> Outcome<()> {
        let last = theirs(conflict)?;
        let external = ExternalBooking { status: ExternalStatus::Cancelled, ..last };
        let change = BookingChange::CancelledByProvider { external };
        self.store()
            .change_booking(booking.tenant, booking.id, booking.sequence, change, None, self.audit(caller))
            .await
            .map(drop)
            .map_err(of_store)
    }

    /// Bring ours to where the provider's is now.
    async fn follow_theirs(&self, booking: &Booking, conflict: &Conflict) -> Outcome<()> {
        let (_, context) = self.conflict_context(conflict.tenant, conflict.connection).await?;
        let twin_id = booking.external_id.clone().unwrap_or_default();
        let said = theirs(conflict)?;
        if said.when.is_empty() {
            return Err(Problem::new(Code::SlotTaken, "The provider's time is none that is known here.")
                .with_hint("Resolve the conflict with `ours`, or move the booking at the provider."));
        }
        let mut twin = self.current_twin(&context, &twin_id).await.map_err(|e| of_call(&e))?;
        if twin.when.start() != said.when.start() && twin.status.is_active() {
            // It was brought to ours before: theirs is where it was when the conflict was found.
            let request = berth_model::provider::RescheduleRequest {
                idempotency_key: format!("{}-theirs-{}", booking.id, booking.sequence),
                id: twin.id.clone(),
                reference: booking.id.to_string(),
                when: said.when,
                reason: None,
                requested_by: booking.attendee.email.clone(),
                slot_token: None,
            };
            let cx = CallContext { call: self.new_id(), ..context };
            twin = self.providers().reschedule_booking(&cx, request).await.map_err(|e| of_call(&e))?;
        }
        self.follow_to(conflict, booking, &twin).await
    }

    /// Bring ours to where this twin is, whatever the rules say of news: somebody chose it.
    pub(super) async fn follow_to(
        &self,
        conflict: &Conflict,
        booking: &Booking,
        twin: &ExternalBooking,
    ) -> Outcome<()> {
        let connection =
            self.store().connection(conflict.tenant, conflict.connection).await.map_err(of_store)?;
        match self.brought_to(&connection, booking, twin).await.map_err(of_store)? {
            Brought::Moved(_) | Brought::Note(_) => Ok(()),
            Brought::Taken => Err(Problem::new(Code::SlotTaken, "The provider's time is taken here.")
                .with_hint("Move or cancel what is there, or resolve the conflict with `ours`.")),
        }
    }

    async fn cancel_there(&self, conflict: &Conflict) -> Outcome<()> {
        let (_, context) = self.conflict_context(conflict.tenant, conflict.connection).await?;
        let id = conflict.external_id.clone().unwrap_or_default();
        let request = CancelRequest {
            idempotency_key: format!("{}-cancel", conflict.id),
            id: id.clone(),
            reason: Some(REASON.to_owned()),
        };
        match self.providers().cancel_booking(&context, request).await {
            Ok(twin) => {
                if let Some(mirrored) = self
                    .store()
                    .mirrored(conflict.tenant, conflict.connection, &id)
                    .await
                    .map_err(of_store)?
                {
                    let gone = berth_model::sync::Mirrored { member: None, external: twin, ..mirrored };
                    self.store().put_mirrored(gone).await.map_err(of_store)?;
                }
                Ok(())
            }
            Err(CallError::Provider(ProviderError::NotFound)) => Ok(()),
            Err(error) => Err(of_call(&error)),
        }
    }

    async fn give_way(&self, caller: &Caller, booking: &Booking) -> Outcome<()> {
        let cancel = CancelBooking {
            reason: Some(REASON.to_owned()),
            expected_sequence: None,
            bound_by_cutoffs: false,
        };
        self.cancel(caller, booking.id, cancel).await.map(drop)
    }

    pub(super) async fn conflict_context(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Outcome<(berth_model::connection::ConnectionRecord, CallContext)> {
        let connection = self.store().connection(tenant, connection).await.map_err(of_store)?;
        let context = self.call_context(&connection, None, "conflict").await?;
        Ok((connection, context))
    }
}

fn some(booking: Option<Booking>) -> Outcome<Booking> {
    booking.ok_or_else(|| Problem::new(Code::WrongState, "The conflict names no booking."))
}

/// The provider's version, as it was when the conflict was found.
fn theirs(conflict: &Conflict) -> Outcome<ExternalBooking> {
    serde_json::from_value(conflict.theirs.clone())
        .map_err(|_| Problem::new(Code::WrongState, "The provider's version is not known."))
}
