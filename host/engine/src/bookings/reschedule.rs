//! Moving a booking in one step: the new time is taken and the old one released, or nothing changes.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        change::{BookingChange, Hosts},
        occupancy::Occupancy,
    },
    id::{BookingId, MemberId},
    problem::{Code, FieldError, Problem},
    time::{Instant, Interval},
};
use berth_store::{StoreError, records::ChangeOrder};

use crate::{
    BookOutcome, Caller, Outcome,
    availability::{Assignment, SlotSearch, minutes_of},
    bookings::Bookings,
    connections::routing::BookingContext,
};

/// How to move.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RescheduleBooking {
    pub start: Instant,
    /// See [`crate::CancelBooking`].
    pub expected_sequence: Option<i64>,
    /// See [`crate::CancelBooking`].
    pub bound_by_cutoffs: bool,
}

impl BookingContext {
    /// Can this member be booked for it, still?
    pub(crate) fn has(&self, member: MemberId) -> bool {
        self.members.iter().any(|known| known.id == member)
    }

    /// Refuse a field that names a member who cannot be booked for it.
    pub(crate) fn must_have(&self, member: Option<MemberId>) -> Outcome<()> {
        match member {
            Some(member) if !self.has(member) => Err(Problem::invalid(vec![FieldError::new(
                "/member_id",
                "is no active member of this event type; leave it out, or see its `members`",
            )])),
            _ => Ok(()),
        }
    }
}

impl Bookings {
    /// Move in one step: the new time is taken and the old one released, or nothing changes. Length and members stay; where one of them
    /// cannot be booked for it any more, it goes to whoever is free and next.
    pub async fn reschedule(
        &self,
        caller: &Caller,
        id: BookingId,
        reschedule: RescheduleBooking,
    ) -> Outcome<BookOutcome> {
        self.may_change(caller, id).await?;
        if caller.actor == "customer" {
            self.may_book(caller, id).await?;
        }
        self.reschedule_one(caller, id, reschedule, true).await
    }

    /// Whom a booking is for may take no other time if they may not book. They may cancel.
    async fn may_book(&self, caller: &Caller, id: BookingId) -> Outcome<()> {
        let Some(customer) = self.booking(caller, id).await?.customer else { return Ok(()) };
        match self.base.store().customer(caller.tenant, customer).await {
            Ok(customer) if customer.blocked.is_some() => Err(StoreError::Blocked.into()),
            Ok(_) | Err(StoreError::NotFound(_) | StoreError::Merged { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What moving a booking needs, if it may be moved at all.
    async fn context_to_move(
        &self,
        caller: &Caller,
        booking: &Booking,
        reschedule: &RescheduleBooking,
    ) -> Outcome<BookingContext> {
        if booking.status != BookingStatus::Confirmed || booking.provider_task.is_some() {
            return Err(Problem::new(
                Code::WrongState,
                "Only a confirmed booking without a change under way can be moved.",
            ));
        }
        let ctx = self.contexts.context_of(caller, booking, reschedule.bound_by_cutoffs).await?;
        // What is free at the provider cannot be asked, and what it would say to the move comes when nobody waits for it any more.
        ctx.check_open()?;
        if reschedule.bound_by_cutoffs {
            self.check_cutoff(booking, ctx.event_type.policy.reschedule_cutoff_minutes, "moved")?;
        }
        Ok(ctx)
    }

    /// May this booking be moved there, as things are now? Nothing is changed.
    pub(crate) async fn may_move(
        &self,
        caller: &Caller,
        booking: &Booking,
        reschedule: &RescheduleBooking,
    ) -> Outcome<()> {
        let ctx = self.context_to_move(caller, booking, reschedule).await?;
        let start = reschedule.start;
        if booking.when.start() == start {
            return Ok(());
        }
        let member = Some(booking.member).filter(|organiser| ctx.has(*organiser));
        let search = SlotSearch { member, moving: Some(booking), ..SlotSearch::of(minutes_of(booking.when)) };
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, start, search).await?;
        if !hosts_for(booking, &ctx, &assignments).is_empty() {
            return Ok(());
        }
        Err(self.availability.refused_at(caller, &ctx, start, search, "taken").await)
    }

    /// The same, waiting for the provider or leaving it to the worker.
    pub(crate) async fn reschedule_one(
        &self,
        caller: &Caller,
        id: BookingId,
        reschedule: RescheduleBooking,
        wait: bool,
    ) -> Outcome<BookOutcome> {
        let booking = self.booking_at(caller, id, reschedule.expected_sequence).await?;
        // Moved there before, and the provider is being told: a repeat, whose first answer was perhaps lost.
        if booking.when.start() == reschedule.start && booking.provider_task == Some(ProviderTask::Reschedule)
        {
            return Ok(booking.into());
        }
        let ctx = self.context_to_move(caller, &booking, &reschedule).await?;
        if booking.when.start() == reschedule.start {
            return Ok(booking.into());
        }
        let (start, length_minutes) = (reschedule.start, minutes_of(booking.when));
        let member = Some(booking.member).filter(|organiser| ctx.has(*organiser));
        let search = SlotSearch { member, moving: Some(&booking), ..SlotSearch::of(length_minutes) };
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, start, search).await?;
        let when = Interval::of_minutes(start, length_minutes);
        let mut why = "taken";
        for hosts in hosts_for(&booking, &ctx, &assignments) {
            let (job, held) = self.outbound.job_of(&booking, wait);
            let held = held.filter(|_| wait);
            let change = ChangeOrder {
                change: BookingChange::Reschedule {
                    occupancy: Occupancy { padded: ctx.padded_by(when), when },
                    hosts: hosts.clone(),
                },
                job,
                limits: match &hosts {
                    None => ctx.limits(booking.members(), start),
                    Some(hosts) => ctx.limits(hosts.members(), start),
                },
            };
            match self.change_here(caller, &booking, change).await {
                Ok(changed) => {
                    if hosts.is_some() {
                        // Who was to come before has the time back in their own calendars, too.
                        self.calendar_writer.booking_changed(&booking).await;
                    }
                    return self.outbound.dispatch_now(caller, changed, held).await;
                }
                Err(StoreError::Overlap) => why = "taken",
                Err(StoreError::LimitReached(_)) => why = "limit",
                Err(error) => return Err(error.into()),
            }
        }
        Err(self.availability.not_available(caller, &ctx, start, search, why).await)
    }
}

/// With whom it may move, the best first; none for those that it has. Nobody: it cannot.
fn hosts_for(booking: &Booking, ctx: &BookingContext, assignments: &[Assignment]) -> Vec<Option<Hosts>> {
    if booking.members().all(|member| ctx.has(member)) {
        // Each of its members must be free; that they would be chosen together again is not needed.
        let is_free = |member| assignments.iter().any(|assignment| assignment.members.contains(&member));
        return if booking.members().all(is_free) { vec![None] } else { Vec::new() };
    }
    let hosts = |assignment: &Assignment| {
        let (member, others) = assignment.members.split_first()?;
        Some(Hosts {
            member: *member,
            other_members: others.to_vec(),
            assignment: Some(assignment.assignment.clone()),
        })
    };
    assignments.iter().filter_map(hosts).map(Some).collect()
}
