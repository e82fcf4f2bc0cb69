//! Booking and reading bookings. What happens to them afterwards is in `lifecycle`.
//!
//! A booking is one transaction here, then one try at the provider inside the request, by the very function that the job runs. The
//! work goes on when the caller goes away.

use std::collections::BTreeMap;

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        clocks::Clocks,
        edit::Contents,
        location::chosen,
    },
    catalog::event_type::Confirmation,
    connections::secret::Secret,
    id::{BookingId, EventTypeId, HoldId, MemberId, PrivateLinkId, SeriesId},
    outbound::provider::Attendee,
    problem::{Code, Problem},
    time::{Instant, Interval},
};
use berth_store::{
    StoreError,
    records::{AuditEntry, BookingConsent, MemberLimit, NewBooking},
};
use serde_json::{Map, Value, json};

use super::questions;
use crate::{
    Caller, Outcome, ProviderChoice,
    availability::{Assignment, SlotSearch, length, minutes_of},
    bookings::Bookings,
    connections::routing::BookingContext,
    jobs::queue::JobLease,
    validate::Fields,
};

/// A booking to be made.
#[derive(Debug, Clone)]
pub struct BookRequest {
    /// What.
    pub event_type: EventTypeId,
    /// When it starts.
    pub start: Instant,
    /// How long; the event type's own length if none.
    pub length_minutes: Option<u32>,
    /// With whom; none: the event type's strategy chooses among those who are free.
    pub member: Option<MemberId>,
    /// Where it goes, if not where the listing says.
    pub provider: Option<ProviderChoice>,
    /// The caller's own hold, which the booking takes over; its members and length are taken from it.
    pub hold: Option<HoldClaim>,
    /// The customer.
    pub attendee: Attendee,
    /// E-mail addresses of further guests.
    pub guests: Vec<String>,
    /// Answers to questions by name.
    pub answers: Map<String, Value>,
    /// Free text.
    pub notes: Option<String>,
    /// Where, by the key of one of the event type's locations; none: the only one.
    pub location: Option<String>,
    /// Also for a customer who may not book: the tenant's own word.
    pub allow_blocked: bool,
    /// What other programs keep with it.
    pub metadata: BTreeMap<String, String>,
    /// What the customer agrees to, checked; of a single booking.
    pub consents: Vec<BookingConsent>,
}

/// A hold and the token that proves whose it is.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HoldClaim {
    pub id: HoldId,
    pub token: Secret,
}

/// A booking and whether its change still has to be delivered.
#[derive(Debug, Clone)]
pub struct BookOutcome {
    /// As it stands.
    pub booking: Booking,
    /// True: accepted and safe, the provider has not answered yet.
    pub pending: bool,
}

impl From<Booking> for BookOutcome {
    fn from(booking: Booking) -> Self {
        Self { pending: booking.provider_task.is_some(), booking }
    }
}

/// What is settled before the database decides: the booking context, the time, and who could take it.
struct BookingPlan {
    ctx: BookingContext,
    when: Interval,
    /// Best first.
    assignments: Vec<Assignment>,
    hold: Option<HoldId>,
}

/// Where a new booking goes.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    pub(crate) ctx: &'a BookingContext,
    pub(crate) when: Interval,
    pub(crate) assignment: &'a Assignment,
    /// The hold that it takes over.
    pub(crate) hold: Option<HoldId>,
    /// The series that it is part of. Nobody waits for the provider then.
    pub(crate) series: Option<SeriesId>,
}

impl BookRequest {
    pub(crate) fn check(&self) -> Outcome<()> {
        let mut fields = Fields::default();
        let contents = Contents {
            attendee: self.attendee.clone(),
            guests: self.guests.clone(),
            answers: self.answers.clone(),
            notes: self.notes.clone(),
            location: None,
            metadata: self.metadata.clone(),
        };
        contents.check(&mut fields);
        fields.finish()
    }
}

impl BookingPlan {
    /// What alternatives must be.
    fn search(&self, member: Option<MemberId>) -> SlotSearch<'static> {
        SlotSearch { member, hold: self.hold, ..SlotSearch::of(minutes_of(self.when)) }
    }
}

impl BookingContext {
    /// What a meeting blocks: itself, and its buffers.
    pub(crate) fn padded_by(&self, when: Interval) -> Interval {
        when.widened(self.event_type.buffer_before_minutes, self.event_type.buffer_after_minutes)
    }

    /// The limits that must leave room for a meeting of these members at this start.
    pub(crate) fn limits(&self, members: impl Iterator<Item = MemberId>, start: Instant) -> Vec<MemberLimit> {
        let zone = |id: MemberId| {
            self.members.iter().find(|m| m.id == id).map_or(self.listing.time_zone, |m| m.time_zone)
        };
        let limits = &self.event_type.policy.limits;
        members
            .flat_map(|member| limits.iter().map(move |limit| (member, *limit)))
            .map(|(member, limit)| MemberLimit {
                member,
                limit,
                period: limit.period_of(zone(member), start),
            })
            .collect()
    }
}

impl Bookings {
    /// Book. The slot is computed again from current data, then the database decides.
    pub async fn book(&self, caller: &Caller, request: BookRequest) -> Outcome<BookOutcome> {
        request.check()?;
        match self.replayed(caller).await? {
            Some(made) => Ok(made),
            None => self.book_new(caller, request, None).await,
        }
    }

    /// The same for somebody without a key: a public event type, or the one that this link leads to. Two bookings by a link for one are
    /// settled in the transaction that books.
    pub async fn book_offered(
        &self,
        caller: &Caller,
        request: BookRequest,
        link: Option<&Secret>,
    ) -> Outcome<BookOutcome> {
        request.check()?;
        if let Some(made) = self.replayed(caller).await? {
            return Ok(made);
        }
        let offered = self.catalog.offered_event_type(caller, request.event_type, link).await?;
        match self.book_new(caller, request, offered.link).await {
            // Somebody booked by it a moment ago: say so as to whoever comes later.
            Err(problem) if problem.code == Code::LinkOver => match link {
                Some(link) => {
                    Err(self.catalog.open_link(caller, link.expose()).await.err().unwrap_or(problem))
                }
                None => Err(problem),
            },
            done => done,
        }
    }

    async fn book_new(
        &self,
        caller: &Caller,
        mut request: BookRequest,
        private_link: Option<PrivateLinkId>,
    ) -> Outcome<BookOutcome> {
        let plan = self.plan(caller, &request).await?;
        request.answers = questions::checked(&plan.ctx.event_type, &request.answers)?;
        questions::location(&plan.ctx.event_type, request.location.as_deref())?;
        let mut why = "taken";
        for assignment in &plan.assignments {
            let (ctx, when) = (&plan.ctx, plan.when);
            let slot = Slot { ctx, when, assignment, hold: plan.hold, series: None };
            let Some((new, lease)) = self.new_booking(caller, &request, slot) else { continue };
            let new = NewBooking { private_link, ..new };
            let booking = new.booking.clone();
            match self.base.store().create_booking(new, self.base.audit(caller)).await {
                Ok(customer) => {
                    return self.outbound.dispatch_now(caller, Booking { customer, ..booking }, lease).await;
                }
                // Somebody was faster with these members; the next ones may still be free.
                Err(StoreError::Overlap) => why = "taken",
                Err(StoreError::LimitReached(_)) => why = "limit",
                Err(StoreError::NotFound("hold")) => return Err(hold_over()),
                Err(StoreError::NotFound("open link")) => {
                    return Err(Problem::new(Code::LinkOver, "The link is over."));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let search = plan.search(request.member.filter(|member| plan.ctx.has(*member)));
        Err(self.availability.not_available(caller, &plan.ctx, request.start, search, why).await)
    }

    /// Everything that is settled before the database decides.
    async fn plan(&self, caller: &Caller, request: &BookRequest) -> Outcome<BookingPlan> {
        let ctx = self.contexts.booking_context(caller, request.event_type, request.provider.clone()).await?;
        self.catalog.check_bookable(&ctx).await?;
        if let Some(claim) = &request.hold {
            return self.plan_of_hold(caller, request, ctx, claim).await;
        }
        ctx.must_have(request.member)?;
        let length_minutes = length(&ctx, request.length_minutes)?;
        let search = SlotSearch { length_minutes, member: request.member, ..SlotSearch::of(length_minutes) };
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, request.start, search).await?;
        Ok(BookingPlan {
            ctx,
            when: Interval::of_minutes(request.start, length_minutes),
            assignments,
            hold: None,
        })
    }

    /// The time is the holder's own: what was free then is kept for them now.
    async fn plan_of_hold(
        &self,
        caller: &Caller,
        request: &BookRequest,
        ctx: BookingContext,
        claim: &HoldClaim,
    ) -> Outcome<BookingPlan> {
        let hold = self.own_hold(caller, claim).await?;
        let mut fields = Fields::default();
        if hold.event_type != request.event_type {
            fields.bad("/hold/id", "is for another event type");
        }
        if hold.when.start() != request.start {
            fields.bad("/start", format!("must be the start that the hold keeps, {}", hold.when.start()));
        }
        if request.member.is_some_and(|wanted| hold.members().all(|member| member != wanted)) {
            fields.bad("/member_id", "must be a member whose time the hold keeps, or absent");
        }
        let length = minutes_of(hold.when);
        if request.length_minutes.is_some_and(|wanted| wanted != length) {
            fields.bad("/length_minutes", format!("must be {length}, as the hold keeps it, or absent"));
        }
        fields.finish()?;
        let assignments = if hold.members().all(|member| ctx.has(member)) {
            vec![Assignment { members: hold.members().collect(), assignment: json!({ "reason": "held" }) }]
        } else {
            // Somebody whose time is held cannot be booked any more: whoever is free then takes it.
            let member = request.member.filter(|member| ctx.has(*member));
            let search = SlotSearch { member, hold: Some(hold.id), ..SlotSearch::of(length) };
            let asked_for = request.member.is_none() || member.is_some();
            if asked_for {
                self.availability.assignments_at(caller, &ctx, hold.when.start(), search).await?.0
            } else {
                Vec::new()
            }
        };
        Ok(BookingPlan { ctx, when: hold.when, assignments, hold: Some(hold.id) })
    }

    /// Every step of a booking's life, oldest first.
    pub async fn timeline(&self, caller: &Caller, id: BookingId) -> Outcome<Vec<AuditEntry>> {
        self.booking(caller, id).await?;
        Ok(self.base.store().timeline(caller.tenant, "booking", id.uuid()).await?)
    }

    /// A booking of this slot, and the lease of its job if this request is to tell the provider. None without members.
    pub(crate) fn new_booking(
        &self,
        caller: &Caller,
        request: &BookRequest,
        slot: Slot<'_>,
    ) -> Option<(NewBooking, Option<JobLease>)> {
        let Slot { ctx, when, assignment, hold, series } = slot;
        let (member, other_members) = assignment.members.split_first()?;
        let now = self.base.now();
        let event_type = &ctx.event_type;
        let policy = &event_type.policy;
        let waits = policy.confirmation == Confirmation::Manual;
        let external = ctx.connection.is_some();
        let booking = Booking {
            id: self.base.new_id(),
            tenant: caller.tenant,
            listing: ctx.listing.id,
            event_type: event_type.id,
            member: *member,
            other_members: other_members.to_vec(),
            seats: policy.seats.max(1),
            seats_taken: 1,
            series,
            assignment: Some(assignment.assignment.clone()),
            connection: ctx.connection.as_ref().map(|c| c.id),
            status: if external || waits { BookingStatus::Pending } else { BookingStatus::Confirmed },
            provider_task: (external && !waits).then_some(ProviderTask::Create),
            when,
            clocks: Clocks::at(when.start(), ctx.listing.time_zone, &request.attendee.time_zone),
            previous_when: None,
            customer: None,
            attendee: request.attendee.clone(),
            guests: request.guests.clone(),
            answers: request.answers.clone(),
            notes: request.notes.clone(),
            location: chosen(&policy.locations, request.location.as_deref()).ok().flatten(),
            metadata: request.metadata.clone(),
            local_changes: Vec::new(),
            undelivered: None,
            reason: None,
            external_id: None,
            external: None,
            external_updated_at: None,
            rescheduled_at: None,
            sequence: 0,
            created_at: now,
            updated_at: now,
        };
        // Nobody waits for a series: its jobs are for the worker.
        let (job, held) = if waits { (None, None) } else { self.outbound.job_of(&booking, series.is_none()) };
        let padded = ctx.padded_by(when);
        let limits = ctx.limits(booking.members(), when.start());
        let held = held.filter(|_| series.is_none());
        // Of a series the key knows the first booking: whoever makes it says so.
        let idempotency_key = caller.idempotency_key.clone().filter(|_| series.is_none());
        let new = NewBooking {
            booking,
            padded,
            job,
            limits,
            hold,
            private_link: None,
            idempotency_key,
            allow_blocked: request.allow_blocked,
            adopts: None,
            consents: if series.is_none() { request.consents.clone() } else { Vec::new() },
        };
        Some((new, held))
    }
}

/// The refusal of a hold that is over, is not there, or is somebody else's: all look the same.
pub(crate) fn hold_over() -> Problem {
    Problem::new(
        Code::HoldExpired,
        "There is no such hold, it has expired, or the token is not its holder's.",
    )
}
