//! Changing what is written on a booking, and giving it to another member. Where a provider has a counterpart it is told of either, if it can be;
//! else both are refused unless they are asked for here alone.

use berth_model::{
    bookings::{
        booking::{Booking, ProviderTask},
        change::{BookingChange, Hosts},
        edit::{Contents, Edit, SeatsTaken, told},
        location::Location,
        occupancy::Occupancy,
    },
    connections::connection::ConnectionRecord,
    id::{BookingId, MemberId},
    limits,
    problem::{Code, FieldError, Problem},
    validate::Fields,
};
use berth_store::{StoreError, records::ChangeOrder};
use serde_json::json;

use super::questions;
use crate::{
    BookOutcome, Caller, Outcome,
    availability::{Assignment, SlotSearch, minutes_of},
    bookings::Bookings,
    connections::routing::BookingContext,
};

/// How to change what is written on a booking.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EditBooking {
    pub contents: Contents,
    /// Here alone, and its provider is not told.
    pub local_only: bool,
    /// Seats of its meeting that it takes from now on; none: as many as it does.
    pub seats_taken: Option<u32>,
    /// See [`crate::CancelBooking`].
    pub expected_sequence: Option<i64>,
}

/// How to give a booking to another member.
#[derive(Debug, Clone)]
pub struct ReassignBooking {
    /// To whom; none: whoever is free and next.
    pub member: Option<MemberId>,
    /// Here alone, and its provider is not told.
    pub local_only: bool,
    /// See [`crate::CancelBooking`].
    pub expected_sequence: Option<i64>,
}

impl Bookings {
    /// Change what is written on a booking. What changes nothing is no change. Pending: its provider has not agreed yet.
    pub async fn edit(&self, caller: &Caller, id: BookingId, edit: EditBooking) -> Outcome<BookOutcome> {
        let EditBooking { mut contents, local_only, seats_taken, expected_sequence } = edit;
        let booking = self.booking_at(caller, id, expected_sequence).await?;
        let mut fields = Fields::default();
        contents.check(&mut fields);
        let seats_taken = seats_taken.filter(|taken| *taken != booking.seats_taken);
        if let Some(taken) = seats_taken {
            check_seats(&mut fields, &booking, taken);
        }
        fields.finish()?;
        if contents.answers != booking.answers {
            let event_type = self.base.store().event_type(caller.tenant, booking.event_type).await?;
            contents.answers = questions::checked(&event_type, &contents.answers)?;
        }
        let parts = Contents::of(&booking).differing(&contents);
        if parts.is_empty() && seats_taken.is_none() {
            return Ok(booking.into());
        }
        self.require_changeable(&booking, !local_only && seats_taken.is_none())?;
        if seats_taken.is_some() {
            self.require_here(caller, &booking, local_only).await?;
        }
        let goes_there =
            told(&parts).next().is_some() && self.goes_there(caller, &booking, local_only).await?;
        let seats = match seats_taken {
            None => None,
            Some(taken) => {
                let ctx = self.contexts.context_of(caller, &booking, false).await?;
                let occupancy = Occupancy { padded: ctx.padded_by(booking.when), when: booking.when };
                Some(SeatsTaken { taken, occupancy })
            }
        };
        // One whose job another one holds is told of this by that job in its turn.
        let ours = booking.provider_task.is_none();
        let (job, held) = self.outbound.job_of(&booking, ours);
        let change = BookingChange::Edit(Box::new(Edit { contents, local_only, seats }));
        let order = ChangeOrder { change, job, limits: Vec::new() };
        let changed = self.change_here(caller, &booking, order).await.map_err(|error| match error {
            StoreError::Overlap => no_seats(),
            other => other.into(),
        })?;
        if seats.is_some() {
            self.cache.invalidate_of(&booking);
        }
        let held = held.filter(|_| ours && goes_there);
        let told = self.outbound.dispatch_now(caller, changed, held).await;
        told.map_err(|problem| with_a_way(problem, goes_there))
    }

    /// The location that a booking has by this key; by none, where nothing has to be chosen.
    pub async fn location(
        &self,
        caller: &Caller,
        booking: &Booking,
        key: Option<&str>,
    ) -> Outcome<Option<Location>> {
        let event_type = self.base.store().event_type(caller.tenant, booking.event_type).await?;
        questions::location(&event_type, key)
    }

    /// Give a booking to another member at the same time: checked as a booking of theirs would be, and refused with the reason.
    pub async fn reassign(
        &self,
        caller: &Caller,
        id: BookingId,
        reassign: ReassignBooking,
    ) -> Outcome<BookOutcome> {
        let ReassignBooking { member, local_only, expected_sequence } = reassign;
        let booking = self.booking_at(caller, id, expected_sequence).await?;
        if member == Some(booking.member) {
            return Ok(booking.into());
        }
        let ctx = self.context_to_reassign(caller, &booking, member).await?;
        let goes_there = self.goes_there(caller, &booking, local_only).await?;
        let (start, length_minutes) = (booking.when.start(), minutes_of(booking.when));
        let search = SlotSearch { member, moving: Some(&booking), ..SlotSearch::of(length_minutes) };
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, start, search).await?;
        let mut why = "taken";
        let mut unknown = None;
        for hosts in assignments.iter().filter_map(|assignment| others_for(&booking, member, assignment)) {
            if goes_there && !self.is_known_there(&booking, hosts.member).await? {
                unknown = Some(hosts.member);
                continue;
            }
            let limits =
                ctx.limits(hosts.members().filter(|of| booking.members().all(|was| was != *of)), start);
            let occupancy = Occupancy { padded: ctx.padded_by(booking.when), when: booking.when };
            let change = BookingChange::Reassign { occupancy, hosts, local_only };
            let (job, held) = self.outbound.job_of(&booking, true);
            match self.change_here(caller, &booking, ChangeOrder { change, job, limits }).await {
                Ok(changed) => {
                    // Who was to come before has the time back in their own calendars, too.
                    self.cache.invalidate_of(&booking);
                    self.calendar_writer.booking_changed(&booking).await;
                    let held = held.filter(|_| goes_there);
                    let told = self.outbound.dispatch_now(caller, changed, held).await;
                    return told.map_err(|problem| with_a_way(problem, goes_there));
                }
                Err(StoreError::Overlap) => why = "taken",
                Err(StoreError::LimitReached(_)) => why = "limit",
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(unknown) = unknown.filter(|_| why == "taken") {
            let detail =
                format!("No calendar of member {unknown} is connected over the connection of this booking.");
            let mut problem = Problem::new(Code::HostUnknown, detail);
            problem.extra.insert("member_id".to_owned(), json!(unknown));
            return Err(problem);
        }
        if member.is_none() && why == "taken" {
            return Err(self.nobody_else(caller, &ctx, &booking).await);
        }
        Err(self.availability.not_available(caller, &ctx, start, search, why).await)
    }

    /// What giving a booking to another member needs, if that may be done at all.
    async fn context_to_reassign(
        &self,
        caller: &Caller,
        booking: &Booking,
        member: Option<MemberId>,
    ) -> Outcome<BookingContext> {
        self.require_changeable(booking, false)?;
        let ctx = self.contexts.context_of(caller, booking, false).await?;
        if let Some(member) = member {
            let why = if booking.other_members.contains(&member) {
                Some("takes part in it already")
            } else if ctx.has(member) {
                None
            } else {
                Some("is no active member of this event type; leave it out, or see its `members`")
            };
            if let Some(why) = why {
                return Err(Problem::invalid(vec![FieldError::new("/member_id", why)]));
            }
        }
        Ok(ctx)
    }

    /// May this booking be given to another member, as things are now? Nothing is changed.
    pub(crate) async fn may_reassign(
        &self,
        caller: &Caller,
        booking: &Booking,
        member: Option<MemberId>,
        local_only: bool,
    ) -> Outcome<()> {
        if member == Some(booking.member) {
            return Ok(());
        }
        let ctx = self.context_to_reassign(caller, booking, member).await?;
        self.goes_there(caller, booking, local_only).await?;
        let start = booking.when.start();
        let search = SlotSearch { member, moving: Some(booking), ..SlotSearch::of(minutes_of(booking.when)) };
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, start, search).await?;
        if assignments.iter().any(|assignment| others_for(booking, member, assignment).is_some()) {
            return Ok(());
        }
        if member.is_none() {
            return Err(self.nobody_else(caller, &ctx, booking).await);
        }
        Err(self.availability.refused_at(caller, &ctx, start, search, "taken").await)
    }

    /// The refusal where none of the others can take it, with the reason of each, as far as they are looked at.
    async fn nobody_else(&self, caller: &Caller, ctx: &BookingContext, booking: &Booking) -> Problem {
        let start = booking.when.start();
        let mut reasons = Vec::new();
        let others = ctx.members.iter().filter(|other| booking.members().all(|member| member != other.id));
        for other in others.take(limits::REASONS_OF_OTHERS_MAX) {
            let search = SlotSearch {
                member: Some(other.id),
                moving: Some(booking),
                ..SlotSearch::of(minutes_of(booking.when))
            };
            let why = self.availability.why_not(caller, ctx, start, search).await.ok().flatten();
            reasons.push(json!({ "member_id": other.id, "reason": why.map_or("taken", |why| why.reason) }));
        }
        let mut problem = Problem::new(Code::SlotTaken, format!("Nobody else can take it at {start}."))
            .with_hint("`members` says why each of them cannot; move it, or name a member once they can.");
        problem.extra.insert("reason".to_owned(), json!("team"));
        problem.extra.insert("members".to_owned(), json!(reasons));
        problem
    }

    /// Is it known who this member is at the provider of the booking?
    async fn is_known_there(&self, booking: &Booking, member: MemberId) -> Result<bool, StoreError> {
        Ok(self.outbound.host_there(&Booking { member, ..booking.clone() }).await?.is_some())
    }

    /// Changed may be what takes place and has no change under way, unless that is of the same kind and the last one counts (`on_top`).
    fn require_changeable(&self, booking: &Booking, on_top: bool) -> Outcome<()> {
        if !booking.status.is_active() {
            let status = booking.status.as_str();
            return Err(Problem::new(Code::BookingOver, format!("It is {status}.")));
        }
        if self.base.now() >= booking.when.end() {
            return Err(Problem::new(Code::BookingOver, format!("It ended at {}.", booking.when.end())));
        }
        if booking.provider_task.is_some_and(|task| !(on_top && task == ProviderTask::Update)) {
            return Err(Problem::new(Code::WrongState, "A change of it is being delivered to its provider."));
        }
        Ok(())
    }

    /// Is its provider told? Refused where it has a counterpart and cannot be, and the change is not for here alone.
    async fn goes_there(&self, caller: &Caller, booking: &Booking, local_only: bool) -> Outcome<bool> {
        let (Some(connection), Some(external_id), false) =
            (booking.connection, &booking.external_id, local_only)
        else {
            return Ok(false);
        };
        let connection = self.base.store().connection(caller.tenant, connection).await?;
        if self.outbound.providers.capabilities(&connection.plugin).is_none_or(|can| can.booking_edits) {
            // Where nothing serves now, its job waits for it.
            self.may_change(caller, booking.id).await?;
            return Ok(true);
        }
        Err(self.cannot_be_told(&connection, external_id))
    }

    /// No provider is told of seats: where it has a counterpart, they change here alone.
    async fn require_here(&self, caller: &Caller, booking: &Booking, local_only: bool) -> Outcome<()> {
        let (Some(connection), Some(external_id), false) =
            (booking.connection, &booking.external_id, local_only)
        else {
            return Ok(());
        };
        let connection = self.base.store().connection(caller.tenant, connection).await?;
        Err(self.cannot_be_told(&connection, external_id))
    }

    fn cannot_be_told(&self, connection: &ConnectionRecord, external_id: &str) -> Problem {
        let detail = format!(
            "{} has this booking as {external_id}, and Berth cannot change that there: change it at the provider.",
            connection.name
        );
        let mut problem = Problem::new(Code::ProviderUnsupported, detail).with_hint(HERE_ALONE);
        problem.extra.insert("reason".to_owned(), json!("unsupported"));
        problem.extra.insert("external_id".to_owned(), json!(external_id));
        problem.extra.insert("url".to_owned(), json!(self.outbound.address_of(connection)));
        problem
    }
}

/// What can be done where a provider cannot be told.
const HERE_ALONE: &str =
    "Send `local_only: true` to change it here alone; the booking then says so in `local_changes`.";

/// A provider that can be told of some changes, and not of this one.
fn with_a_way(problem: Problem, told: bool) -> Problem {
    if told && problem.code == Code::ProviderUnsupported { problem.with_hint(HERE_ALONE) } else { problem }
}

/// So many seats must be ones that its meeting has.
fn check_seats(fields: &mut Fields, booking: &Booking, taken: u32) {
    if booking.seats <= 1 {
        fields.bad(
            "/seats_taken",
            "nobody shares this meeting: its event type had one seat when it was booked",
        );
    } else {
        fields.range("/seats_taken", taken, 1, booking.seats.min(limits::SEATS_OF_ONE_MAX));
    }
}

fn no_seats() -> Problem {
    let mut problem = Problem::new(Code::SlotTaken, "So many seats of the meeting are not left.")
        .with_hint("Availability says in `seats_left` how many there are; take fewer, or move the booking.");
    problem.extra.insert("reason".to_owned(), json!("seats"));
    problem
}

/// Whom this assignment gives the booking to, if that is to others and, where somebody is named, to them.
fn others_for(booking: &Booking, wanted: Option<MemberId>, assignment: &Assignment) -> Option<Hosts> {
    let (member, others) = assignment.members.split_first()?;
    let is_wanted = wanted.is_none_or(|wanted| assignment.members.contains(&wanted));
    if assignment.members.contains(&booking.member) || !is_wanted {
        return None;
    }
    Some(Hosts {
        member: *member,
        other_members: others.to_vec(),
        assignment: Some(assignment.assignment.clone()),
    })
}
