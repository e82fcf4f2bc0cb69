//! Ending conflicts: ours counts and the provider is brought to it, theirs counts and we follow, or neither is changed. Each end is
//! audited. Where a booking was only moved, the other end may be chosen later.

use berth_model::{
    bookings::{
        booking::{Booking, ProviderTask},
        change::BookingChange,
        occupancy::Occupancy,
    },
    id::{BookingId, ConflictId, ConnectionId},
    limits,
    mirror::sync::{Conflict, ConflictKind, Done, Ended, Mirrored, Resolution},
    outbound::provider::{
        CallContext, CallError, CancelRequest, ExternalBooking, ExternalStatus, ProviderError,
    },
    problem::{Code, Problem},
    time::Interval,
};
use berth_store::{StoreError, records::ChangeOrder};

use super::Standing;
use crate::{Caller, CancelBooking, Outcome, inbound::apply::Brought, jobs::queue::JobLease, mirror::Mirror};

/// What a customer reads of a cancellation that a conflict led to.
const REASON: &str = "The time is taken by another booking.";

impl Mirror {
    /// Conflicts of a connection before this one, the latest first; open ones only, or all.
    pub async fn list_conflicts(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        before: Option<ConflictId>,
        all: bool,
        limit: u32,
    ) -> Outcome<Vec<Conflict>> {
        self.connections.connection(caller, connection).await?;
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_conflicts(caller.tenant, connection, before, all, limit).await?)
    }

    /// One conflict.
    pub async fn conflict_of(&self, caller: &Caller, id: ConflictId) -> Outcome<Conflict> {
        Ok(self.base.store().conflict(caller.tenant, id).await?)
    }

    /// End a conflict so. What was done; refused, nothing was.
    pub async fn resolve_conflict(
        &self,
        caller: &Caller,
        id: ConflictId,
        resolution: Resolution,
    ) -> Outcome<Ended> {
        let conflict = self.conflict_of(caller, id).await?;
        if conflict.resolved {
            return Err(Problem::new(Code::WrongState, "The conflict is resolved already.")
                .with_hint("Revert it to choose the other version."));
        }
        self.have_alone(&conflict, false).await?;
        let did = self.carry_out(&conflict, resolution, caller).await;
        self.ended(caller, &conflict, resolution, false, did).await
    }

    /// End a conflict that has ended the other way round, as long as both sides are where that left them.
    pub async fn revert_conflict(&self, caller: &Caller, id: ConflictId) -> Outcome<Ended> {
        let conflict = self.conflict_of(caller, id).await?;
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
        self.have_alone(&conflict, true).await?;
        let did = self.take_back(&conflict, other, caller).await;
        self.ended(caller, &conflict, other, true, did).await
    }

    /// Nobody else ends it meanwhile: of two who choose at once, one is refused before anything is done.
    async fn have_alone(&self, conflict: &Conflict, again: bool) -> Outcome<()> {
        let held = self
            .base
            .store()
            .hold_conflict(conflict.clone(), again, self.base.now(), self.conflicts.end_lease())
            .await;
        if held? {
            return Ok(());
        }
        Err(Problem::new(Code::WrongState, "Somebody else ends the conflict in this moment.")
            .with_hint("Look at the conflict again."))
    }

    async fn ended(
        &self,
        caller: &Caller,
        conflict: &Conflict,
        resolution: Resolution,
        again: bool,
        did: Outcome<Did>,
    ) -> Outcome<Ended> {
        let let_go = async || self.base.store().let_go_of_conflict(conflict.tenant, conflict.id).await;
        let Did { done, pending } = match did {
            Ok(did) => did,
            Err(problem) => {
                let_go().await?;
                return Err(problem);
            }
        };
        match self
            .base
            .store()
            .resolve_conflict(conflict.clone(), resolution, again, self.base.audit(caller))
            .await
        {
            Ok(()) => self.conflicts.others_are_over(conflict, done).await?,
            Err(StoreError::WrongState) => {
                let_go().await?;
                return Err(Problem::new(Code::WrongState, "Both sides still disagree.").with_hint(
                    "Look at the conflict again; choose another end, or mend it at the provider.",
                ));
            }
            Err(error) => return Err(error.into()),
        }
        let conflict = self.conflict_of(caller, conflict.id).await?;
        Ok(Ended { conflict, done, pending })
    }

    /// Do what a resolution says, about both sides as they are now. It is looked at here before anything is done there, and is one change;
    /// where the provider refuses it, it has had no effect.
    pub(super) async fn carry_out(
        &self,
        conflict: &Conflict,
        resolution: Resolution,
        caller: &Caller,
    ) -> Outcome<Did> {
        let caller = Caller { idempotency_key: None, ..caller.clone() };
        if resolution == Resolution::Ignored {
            return Ok(Did::nothing());
        }
        match (conflict.booking, resolution) {
            (Some(id), _) if conflict.own_counterpart => {
                let booking = self.bookings.booking(&caller, id).await?;
                self.end_own(&caller, conflict, booking, resolution).await
            }
            (Some(id), Resolution::Ours) if conflict.is_about_an_event() => {
                crate::calendars::clashes::ours_stands(Some(&self.bookings.booking(&caller, id).await?))?;
                Ok(Did::nothing())
            }
            (_, Resolution::Ours) => self.cancel_there(conflict).await,
            // Theirs is another booking than ours: ours gives way.
            (Some(id), _) => self.give_way(&caller, id).await,
            // It stays at the provider and takes its time.
            (None, _) => Ok(Did::nothing()),
        }
    }

    /// Bring our booking's counterpart to ours, or ours to it.
    async fn end_own(
        &self,
        caller: &Caller,
        conflict: &Conflict,
        booking: Booking,
        resolution: Resolution,
    ) -> Outcome<Did> {
        if !booking.status.is_active() {
            return Ok(Did::nothing());
        }
        settled(&booking)?;
        let context = self.conflict_context(conflict).await?;
        let standing = self.external_bookings.standing(&context, &booking).await?;
        match (standing, resolution) {
            (Standing::Stands(counterpart), Resolution::Theirs) => {
                self.follow_to(conflict, &booking, &counterpart).await
            }
            (Standing::Stands(counterpart), _) if counterpart.when.start() == booking.when.start() => {
                Ok(Did::nothing())
            }
            (Standing::Stands(_), _) => {
                self.redeliver(caller, booking, ProviderTask::Reschedule, Done::MovedThere).await
            }
            (Standing::Gone(last), Resolution::Theirs) => {
                self.lost_there(caller, &booking, conflict, last).await
            }
            (Standing::Gone(_), _) => {
                self.redeliver(caller, booking, ProviderTask::Create, Done::MadeThere).await
            }
        }
    }

    /// Choose the other version: both sides are moved to where it was. What was cancelled stays cancelled.
    async fn take_back(&self, conflict: &Conflict, other: Resolution, caller: &Caller) -> Outcome<Did> {
        let refused = |why: &str, hint: &str| Err(Problem::new(Code::WrongState, why).with_hint(hint));
        if conflict.is_about_an_event() {
            return refused("The event is in its calendar, whoever counts.", "Cancel or move the booking.");
        }
        let (Some(id), true) = (conflict.booking, conflict.own_counterpart) else {
            return refused(
                "One of two bookings was cancelled, and cannot be brought back.",
                "Book it again, if its time is free.",
            );
        };
        if conflict.kind == ConflictKind::VanishedThere {
            return refused(
                "The booking was cancelled or made anew, which cannot be taken back.",
                "Cancel it, or book it again.",
            );
        }
        let booking = self.bookings.booking(caller, id).await?;
        if !booking.status.is_active() {
            return refused("The booking is over.", "Book it again, if its time is free.");
        }
        settled(&booking)?;
        let ours: Option<Interval> =
            conflict.ours.get("when").cloned().and_then(|when| serde_json::from_value(when).ok());
        let (ours, theirs) = (ours.unwrap_or(booking.when), theirs(conflict)?.when);
        if theirs.is_empty() {
            return Err(unknown_time());
        }
        let (left, target) = if other == Resolution::Theirs { (ours, theirs) } else { (theirs, ours) };
        let context = self.conflict_context(conflict).await?;
        let moved_on = "It was moved since the conflict ended.";
        let hint = "Move the booking to where it should be.";
        match self.external_bookings.standing(&context, &booking).await? {
            Standing::Gone(_) => refused("The booking is gone at the provider.", hint),
            _ if booking.when.start() != left.start() => refused(moved_on, hint),
            Standing::Stands(counterpart) if counterpart.when.start() == target.start() => {
                self.follow_to(conflict, &booking, &counterpart).await
            }
            Standing::Stands(counterpart) if counterpart.when.start() != left.start() => {
                refused(moved_on, hint)
            }
            Standing::Stands(_) => self.move_both(caller, &booking, target).await,
        }
    }

    /// Move a booking as its customer would: the place is taken here first, and is given back when the provider refuses. Somebody chose it, so
    /// it need not be offered.
    async fn move_both(&self, caller: &Caller, booking: &Booking, when: Interval) -> Outcome<Did> {
        let padded = self.deliveries.padded(booking, when).await?;
        let (job, held) = self.outbound.job_of(booking, true);
        let change = BookingChange::Reschedule { occupancy: Occupancy { padded, when }, hosts: None };
        let change = ChangeOrder { change, job, limits: Vec::new() };
        self.change_and_tell(caller, booking, change, held, Done::Moved).await
    }

    /// Tell the provider of a booking again, now if it answers.
    async fn redeliver(
        &self,
        caller: &Caller,
        booking: Booking,
        task: ProviderTask,
        done: Done,
    ) -> Outcome<Did> {
        let (job, held) = self.outbound.job_of(&booking, true);
        if job.is_none() {
            return Err(Problem::new(Code::WrongState, "The booking has no provider."));
        }
        let change = ChangeOrder { job, ..BookingChange::Redeliver(task).into() };
        self.change_and_tell(caller, &booking, change, held, done).await
    }

    async fn change_and_tell(
        &self,
        caller: &Caller,
        booking: &Booking,
        change: ChangeOrder,
        held: Option<JobLease>,
        done: Done,
    ) -> Outcome<Did> {
        let (tenant, id) = (booking.tenant, booking.id);
        let changed = self.base.store().change_booking(
            tenant,
            id,
            booking.sequence,
            change,
            None,
            self.base.audit(caller),
        );
        let changed = match changed.await {
            Err(StoreError::Overlap) => return Err(taken_here()),
            other => other?,
        };
        let told = self.outbound.dispatch_now(caller, changed, held).await?;
        Ok(Did { done, pending: told.pending })
    }

    /// The provider's word counts: what it does not have any more is over here too.
    async fn lost_there(
        &self,
        caller: &Caller,
        booking: &Booking,
        conflict: &Conflict,
        last: Option<Box<ExternalBooking>>,
    ) -> Outcome<Did> {
        let last = match last {
            Some(last) => *last,
            None => theirs(conflict)?,
        };
        let external = ExternalBooking { status: ExternalStatus::Cancelled, ..last };
        let change = BookingChange::CancelledByProvider { external };
        let (tenant, id) = (booking.tenant, booking.id);
        let changed = self.base.store().change_booking(
            tenant,
            id,
            booking.sequence,
            change,
            None,
            self.base.audit(caller),
        );
        self.calendar_writer.booking_changed(&changed.await?).await;
        Ok(Did { done: Done::OursCancelled, pending: false })
    }

    /// Bring ours to where this counterpart is, whatever the rules say of news: somebody chose it, or the rules do.
    async fn follow_to(
        &self,
        conflict: &Conflict,
        booking: &Booking,
        counterpart: &ExternalBooking,
    ) -> Outcome<Did> {
        if counterpart.when.is_empty() {
            return Err(unknown_time());
        }
        let connection = self.base.store().connection(conflict.tenant, conflict.connection).await?;
        match self.inbound.brought_to(&connection, booking, counterpart).await? {
            Brought::Moved(_) => Ok(Did { done: Done::MovedHere, pending: false }),
            Brought::Note(_) => Ok(Did::nothing()),
            Brought::Taken => Err(taken_here()),
        }
    }

    /// A person chose that another booking at the provider gives way to ours.
    async fn cancel_there(&self, conflict: &Conflict) -> Outcome<Did> {
        let context = self.conflict_context(conflict).await?;
        let id = conflict.external_id.clone().unwrap_or_default();
        let request = CancelRequest {
            idempotency_key: format!("{}-cancel", conflict.id),
            id: id.clone(),
            reason: Some(REASON.to_owned()),
        };
        let (tenant, connection) = (conflict.tenant, conflict.connection);
        match self.providers.cancel_booking(&context, request).await {
            Ok(counterpart) => {
                let before = self.base.store().mirrored(tenant, connection, &id).await?;
                if let Some(before) = before {
                    let members = before.member.into_iter().collect();
                    let gone = Mirrored { member: None, external: counterpart, ..before };
                    self.base.store().put_mirrored(gone).await?;
                    self.calendar_writer.times_changed(tenant, members).await?;
                }
                Ok(Did { done: Done::TheirsCancelled, pending: false })
            }
            Err(CallError::Provider(ProviderError::NotFound)) => Ok(Did::nothing()),
            Err(error) => Err(Problem::from(&error)),
        }
    }

    async fn give_way(&self, caller: &Caller, booking: BookingId) -> Outcome<Did> {
        let cancel = CancelBooking {
            reason: Some(REASON.to_owned()),
            expected_sequence: None,
            bound_by_cutoffs: false,
        };
        let outcome = self.bookings.cancel_one(caller, booking, cancel, true).await?;
        Ok(Did { done: Done::OursCancelled, pending: outcome.booking.provider_task.is_some() })
    }

    async fn conflict_context(&self, conflict: &Conflict) -> Outcome<CallContext> {
        let connection = self.base.store().connection(conflict.tenant, conflict.connection).await?;
        self.contexts.call_context(&connection, None, "conflict").await
    }
}

/// What an end came to.
pub(super) struct Did {
    pub(super) done: Done,
    /// The provider is told later.
    pending: bool,
}

impl Did {
    const fn nothing() -> Self {
        Self { done: Done::Nothing, pending: false }
    }
}

/// Nothing of ours is on its way to the provider.
fn settled(booking: &Booking) -> Outcome<()> {
    if booking.provider_task.is_none() {
        return Ok(());
    }
    Err(Problem::new(Code::Changed, "A change of our own is under way."))
}

fn taken_here() -> Problem {
    Problem::new(Code::SlotTaken, "The provider's time is taken here.")
        .with_hint("Move or cancel what is there, or resolve the conflict with `ours`.")
}

/// The provider has it outside of the years that are known here.
fn unknown_time() -> Problem {
    Problem::new(Code::SlotTaken, "The provider's time is none that is known here.")
        .with_hint("Resolve the conflict with `ours`, or move the booking at the provider.")
}

/// The provider's version, as it was when the conflict was found.
fn theirs(conflict: &Conflict) -> Outcome<ExternalBooking> {
    serde_json::from_value(conflict.theirs.clone())
        .map_err(|_| Problem::new(Code::WrongState, "The provider's version is not known."))
}
