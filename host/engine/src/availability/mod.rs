//! When something can be booked, and who takes it: opening hours, less what is taken here, less what is taken at the provider.

mod assignment;
pub(crate) mod busy;
mod calendars;
mod external;
pub(crate) mod holidays;
mod material;
mod moving;
mod open;
mod question;
pub(crate) mod refusal;
pub(crate) mod rules;

use std::{collections::BTreeSet, sync::Arc};

use berth_model::{
    bookings::booking::Booking,
    budget::Budget,
    catalog::event_type::CounterpartState,
    id::{ConnectionId, EventTypeId, HoldId, Id, MemberId, RuleId, ScheduleId},
    limits,
    outbound::provider::Providers,
    problem::{Code, Problem},
    scheduling::{question::Question, reason::Reason, slots::Offer},
    time::{Instant, Interval},
    zone::Zone,
};
use berth_store::{
    StoreError,
    records::{OccupancyQuery, RulesOf},
};
use serde::Serialize;

use self::{
    material::{Computed, Material},
    question::{SearchInput, named, relevant, ruled},
};
use crate::{
    Caller, Outcome, ProviderChoice,
    base::Base,
    beside,
    calendars::writer::CalendarWriter,
    catalog::Catalog,
    computing::Computing,
    connections::{cache::ProviderCache, call_context::CallContexts, routing::BookingContext},
};

pub(crate) use assignment::Assignment;
pub(crate) use calendars::ids as calendar_ids;
pub(crate) use open::pattern_windows;
pub(crate) use question::length;

/// A question for slots.
#[derive(Debug, Clone)]
pub struct AvailabilityQuery {
    /// Of what.
    pub event_type: EventTypeId,
    /// Slots lie wholly inside; at most `AVAILABILITY_DAYS_MAX` days.
    pub within: Interval,
    /// Zone of the person who looks.
    pub time_zone: Zone,
    /// How long; the event type's own length if none.
    pub length_minutes: Option<u32>,
    /// With this member only.
    pub member: Option<MemberId>,
    /// As if booked there.
    pub provider: Option<ProviderChoice>,
    /// Also say why other starts are not offered.
    pub explain: bool,
}

/// A start that is offered, and who could take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedSlot {
    /// Its time.
    pub when: Interval,
    /// Who could take part.
    pub members: Vec<MemberId>,
    /// Seats that are left; 1 for a meeting of one's own.
    pub seats_left: u32,
}

/// A start that a member does not offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedSlot {
    /// The start.
    pub start: Instant,
    /// Who does not offer it.
    pub member: MemberId,
    /// Why.
    pub reason: Reason,
    /// What is in the way, if it is a stretch of time.
    pub by: Option<Interval>,
    /// The named schedule outside of which it is.
    pub schedule: Option<Arc<NamedSchedule>>,
}

/// A schedule, to tell people of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSchedule {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
}

/// A provider or calendar that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Degraded {
    /// Over which connection.
    pub connection: ConnectionId,
    /// Whose calendars; none: the provider that is booked, which counts for everyone.
    pub member: Option<MemberId>,
    /// Why.
    pub reason: String,
}

/// The answer: slots in order, and what may be wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailabilityAnswer {
    /// What is offered, by start.
    pub slots: Vec<OfferedSlot>,
    /// Empty when every provider was asked.
    pub degraded: Vec<Degraded>,
    /// Only when asked for.
    pub rejected: Vec<RejectedSlot>,
    /// Patterns that an older version stored and that take too many steps to follow: they open nothing.
    pub left_out: Vec<RuleId>,
    /// How the event type stands at the provider; nothing is offered where it cannot be booked there.
    pub counterpart: CounterpartState,
}

/// How far around a wanted start alternatives are looked for, in days.
const AROUND_DAYS: i64 = 7;

/// What the engine asks itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotSearch<'a> {
    /// How long.
    pub(crate) length_minutes: u32,
    /// With this member only.
    pub(crate) member: Option<MemberId>,
    /// A booking that moves.
    pub(crate) moving: Option<&'a Booking>,
    /// The caller's own hold.
    pub(crate) hold: Option<HoldId>,
    /// How many steps it may take to compute.
    pub(crate) steps: u64,
}

impl SlotSearch<'_> {
    /// So many minutes with anybody, of one answer's own.
    pub(crate) const fn of(length_minutes: u32) -> Self {
        Self { length_minutes, member: None, moving: None, hold: None, steps: limits::ANSWER_STEPS_MAX }
    }
}

/// What a stretch of time is searched for.
#[derive(Debug, Clone)]
struct SearchRange {
    within: Interval,
    explain: bool,
    /// How often the members' places had changed a moment ago, if that was read in this request and nothing was tried since.
    fresh: Option<Arc<[(MemberId, i64)]>>,
}

impl SearchRange {
    /// Plainly this stretch.
    const fn of(within: Interval) -> Self {
        Self { within, explain: false, fresh: None }
    }
}

/// Why a start is not offered.
#[derive(Debug, Clone)]
pub(crate) struct WhyNot {
    /// Its name.
    pub(crate) reason: &'static str,
    /// The same for people.
    pub(crate) detail: &'static str,
    /// The named schedule outside of which it is.
    pub(crate) schedule: Option<Arc<NamedSchedule>>,
    /// What could not be asked.
    pub(crate) degraded: Vec<Degraded>,
}

/// Every schedule that bears on this: the event type's, the tenant's opening hours, those that members keep.
fn schedules(ctx: &BookingContext) -> Vec<RuleId> {
    let policy = &ctx.event_type.policy;
    let kept = ctx.members.iter().filter_map(|member| member.schedule);
    let shared = [policy.schedule_id, ctx.tenant.settings.opening_schedule_id];
    let named = shared.into_iter().flatten().chain(kept).map(ScheduleId::uuid);
    let all: BTreeSet<_> = named.chain(policy.restriction_schedule.map(Id::uuid)).collect();
    all.into_iter().map(RuleId::from_uuid).collect()
}

/// Members of whom is not known what takes their time.
fn hidden(degraded: &[Degraded], all: &[MemberId]) -> BTreeSet<MemberId> {
    if degraded.iter().any(|degraded| degraded.member.is_none()) {
        return all.iter().copied().collect();
    }
    degraded.iter().filter_map(|degraded| degraded.member).collect()
}

/// What was found out about a stretch of time.
struct SlotResult {
    question: Question,
    members: Vec<MemberId>,
    offers: Vec<Offer>,
    rejected: Vec<RejectedSlot>,
    degraded: Vec<Degraded>,
    left_out: Vec<RuleId>,
    counterpart: CounterpartState,
}

/// Availability is asked for by weeks.
fn not_too_long(within: Interval) -> Outcome<()> {
    let longest = limits::AVAILABILITY_DAYS_MAX.saturating_mul(86_400_000_000);
    if within.end().micros_since(within.start()) <= longest {
        return Ok(());
    }
    let why = format!("from and to are more than {} days apart.", limits::AVAILABILITY_DAYS_MAX);
    Err(Problem::new(Code::MalformedParameter, why))
}

/// The length of a meeting.
pub(crate) fn minutes_of(when: Interval) -> u32 {
    u32::try_from(when.end().micros_since(when.start()) / 60_000_000).unwrap_or(0)
}

/// More bears on a question than is read for one answer.
fn too_much(most: i64, of: &str, fewer: &str) -> Problem {
    Problem::new(Code::TooLarge, format!("More than {most} {of} bear on it."))
        .with_hint(format!("Ask for fewer days or {fewer}."))
}

impl SlotResult {
    fn answer(self) -> AvailabilityAnswer {
        let member = |i: &usize| self.members.get(*i).copied();
        let slots = self.offers.iter().map(|offer| OfferedSlot {
            when: self.question.meeting.at(offer.start),
            members: offer.hosts.iter().filter_map(member).collect(),
            seats_left: offer.seats_left,
        });
        AvailabilityAnswer {
            slots: slots.collect(),
            degraded: self.degraded,
            rejected: self.rejected,
            left_out: self.left_out,
            counterpart: self.counterpart,
        }
    }
}

/// When something can be booked, and who takes it.
pub struct Availability {
    pub(crate) base: Base,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) computing: Arc<Computing>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) providers: Arc<dyn Providers>,
}

impl Availability {
    /// The slots of an event type.
    pub async fn availability(
        &self,
        caller: &Caller,
        query: AvailabilityQuery,
    ) -> Outcome<AvailabilityAnswer> {
        not_too_long(query.within)?;
        let ctx = self.contexts.booking_context(caller, query.event_type, query.provider).await?;
        // Here it is a parameter, not a field of a body.
        let length_minutes = length(&ctx, query.length_minutes).map_err(|refused| {
            Problem::new(Code::MalformedParameter, refused.detail.trim_start_matches('/').to_owned())
        })?;
        let search = SlotSearch { length_minutes, member: query.member, ..SlotSearch::of(length_minutes) };
        let fresh = Some(Arc::clone(&ctx.places));
        let range = SearchRange { within: query.within, explain: query.explain, fresh };
        let found = self.find(&caller.request_id, &ctx, search, range).await?;
        let named: usize = found.offers.iter().map(|offer| offer.hosts.len().saturating_add(1)).sum();
        beside(named > limits::SLOTS_INLINE_MAX, move || found.answer()).await
    }

    /// Who can take this very start, the best choice first, and what could not be asked about it. By the same answer as what is offered: a
    /// time that is hidden because of what could not be asked is not taken either.
    pub(crate) async fn assignments_at(
        &self,
        caller: &Caller,
        ctx: &BookingContext,
        start: Instant,
        search: SlotSearch<'_>,
    ) -> Outcome<(Vec<Assignment>, Vec<Degraded>)> {
        let meeting = Interval::of_minutes(start, search.length_minutes);
        let found = self.find(&caller.request_id, ctx, search, SearchRange::of(meeting)).await?;
        let Some(offer) = found.offers.iter().find(|offer| offer.start == start) else {
            return Ok((Vec::new(), found.degraded));
        };
        let assignments = self.assignments(ctx, &found.question, &found.members, offer).await?;
        Ok((assignments, found.degraded))
    }

    /// Why this start is not offered; none if it is.
    pub(crate) async fn why_not(
        &self,
        caller: &Caller,
        ctx: &BookingContext,
        start: Instant,
        search: SlotSearch<'_>,
    ) -> Outcome<Option<WhyNot>> {
        let meeting = Interval::of_minutes(start, search.length_minutes);
        let range = SearchRange { explain: true, ..SearchRange::of(meeting) };
        let found = self.find(&caller.request_id, ctx, search, range).await?;
        if found.offers.iter().any(|offer| offer.start == start) {
            return Ok(None);
        }
        let mut rejected = found.rejected.iter().filter(|rejected| rejected.start == start);
        // What could not be asked may be all that is in the way.
        let is_hidden = |reason| matches!(reason, Reason::Degraded | Reason::EventType);
        let unknown = rejected.clone().find(|rejected| is_hidden(rejected.reason));
        let why = unknown.or_else(|| rejected.next());
        let schedule = why.and_then(|why| why.schedule.clone());
        let (reason, detail) = match why.map(|rejected| rejected.reason) {
            None => ("no_start", "it lies outside of the hours, or between two starts"),
            Some(Reason::Busy) => ("taken", Reason::Busy.detail()),
            Some(reason) => (reason.as_str(), reason.detail()),
        };
        Ok(Some(WhyNot { reason, detail, schedule, degraded: found.degraded }))
    }

    /// Starts within a week of this one.
    pub(crate) async fn starts_around(
        &self,
        caller: &Caller,
        ctx: &BookingContext,
        start: Instant,
        search: SlotSearch<'_>,
    ) -> Outcome<Vec<Instant>> {
        let reach = AROUND_DAYS.saturating_mul(86_400);
        let within = Interval::new(start.plus_seconds(-reach), start.plus_seconds(reach))
            .map_err(|e| Problem::new(Code::MalformedParameter, e.to_string()))?;
        let found = self.find(&caller.request_id, ctx, search, SearchRange::of(within)).await?;
        Ok(found.offers.into_iter().map(|offer| offer.start).collect())
    }

    async fn find(
        &self,
        request_id: &str,
        ctx: &BookingContext,
        search: SlotSearch<'_>,
        range: SearchRange,
    ) -> Outcome<SlotResult> {
        let SearchRange { within, explain, fresh } = range;
        let ids: Vec<MemberId> = named(ctx, search.member)?.iter().map(|m| m.id).collect();
        let input = SearchInput {
            now: self.base.now(),
            within,
            length_minutes: search.length_minutes,
            moving: search.moving.map(|booking| booking.when),
        };
        let own = search.moving.map(|booking| booking.id.uuid()).or(search.hold.map(HoldId::uuid));
        let of = OccupancyQuery {
            members: ids.clone(),
            within: relevant(ctx, input),
            now: input.now,
            event_type: ctx.event_type.id,
            own,
        };
        let tenant = ctx.listing.tenant;
        let places = match fresh {
            Some(places) => {
                let versions = places.iter().filter(|(member, _)| ids.contains(member)).copied().collect();
                self.base.store().occupancies_at(tenant, of, versions).await
            }
            None => self.base.store().occupancies(tenant, of).await,
        }
        .map_err(|error| match error {
            StoreError::TooMany(most) => too_much(most, "taken places", "members"),
            error => Problem::from(error),
        })?;
        let of = RulesOf {
            members: ids.clone(),
            listing: ctx.listing.id,
            event_type: ctx.event_type.id,
            schedules: schedules(ctx),
        };
        let rules = self.base.store().rules_bearing(tenant, ctx.setup, of, ruled(ctx, input)).await?;
        // What was not read could be what closes a day.
        if i64::try_from(rules.len()).unwrap_or(i64::MAX) > limits::RULES_READ_MAX {
            return Err(too_much(
                limits::RULES_READ_MAX,
                "availability rules",
                "members, or remove rules that are not needed any more",
            ));
        }
        // What is booked already moves, whatever became of its event type there.
        let counterpart = if search.moving.is_some() {
            CounterpartState::Known
        } else {
            self.catalog.counterpart_in(ctx).await?
        };
        let stopped = ctx.stopped();
        let mut degraded = Vec::new();
        let external = match self.asked_there(request_id, ctx, search, within, &counterpart).await? {
            Ok(external) => external,
            Err(unanswered) => {
                degraded.push(unanswered);
                None
            }
        };
        let times = self.calendar_times(request_id, ctx, &ids, within, &places).await?;
        degraded.extend(times.degraded);
        ctx.note_unanswered(&degraded);
        let unknown = if ctx.listing.offer_when_degraded && stopped.is_none() {
            BTreeSet::new()
        } else {
            hidden(&degraded, &ids)
        };
        let hidden = if counterpart.is_bookable() {
            (unknown, Reason::Degraded)
        } else {
            (ids.iter().copied().collect(), Reason::EventType)
        };
        let (only, explains, calendars) = (search.member, explain, times.busy);
        let ctx = ctx.clone();
        let material = Material { ctx, only, input, places, external, calendars, rules, hidden, explains };
        let is_small = material.is_small();
        let work = move |budget: &Budget| material.answer(budget);
        let Computed { question, offers, rejected, left_out } =
            self.computing.run_small(tenant, is_small, search.steps, work).await?;
        Ok(SlotResult { question, members: ids, offers, rejected, degraded, left_out, counterpart })
    }

    /// What the listing's provider offers `within`: `None` when it has no provider, or nothing of it could be booked. The
    /// inner error is a connection that does not answer, or is not asked.
    async fn asked_there(
        &self,
        request_id: &str,
        ctx: &BookingContext,
        search: SlotSearch<'_>,
        within: Interval,
        counterpart: &CounterpartState,
    ) -> Outcome<Result<Option<external::ProviderAvailability>, Degraded>> {
        let Some(connection) = &ctx.connection else { return Ok(Ok(None)) };
        let silent = |reason: String| Degraded { connection: connection.id, member: None, reason };
        if let Some(stopped) = ctx.stopped() {
            return Ok(Err(silent(stopped.to_string())));
        }
        // Nothing of it could be booked: nobody has to be asked.
        if !counterpart.is_bookable() {
            return Ok(Ok(None));
        }
        if let Some(known) = ctx.unanswered(connection.id, None) {
            return Ok(Err(known));
        }
        let length = search.length_minutes;
        let answer =
            self.external_availability(request_id, ctx, connection, within, length, search.moving).await?;
        Ok(answer.map_err(|error| silent(error.to_string())))
    }
}
