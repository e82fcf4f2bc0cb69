//! Changing what is written on a booking, and giving it to another member. No provider is told of either: where one has a counterpart, both are
//! refused unless they are asked for here alone.

use berth_model::{
    bookings::{
        booking::Booking,
        change::{BookingChange, Hosts},
        edit::{Contents, Edit, told},
        location::Location,
        occupancy::Occupancy,
    },
    id::{BookingId, MemberId},
    limits,
    problem::{Code, FieldError, Problem},
    validate::Fields,
};
use berth_store::{StoreError, records::ChangeOrder};
use serde_json::json;

use super::questions;
use crate::{
    Caller, Outcome,
    availability::{Assignment, SlotSearch, minutes_of},
    bookings::Bookings,
    connections::routing::BookingContext,
};

/// How to change what is written on a booking.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EditBooking {
    pub contents: Contents,
    /// Here alone, where its provider cannot be told.
    pub local_only: bool,
    /// See [`crate::CancelBooking`].
    pub expected_sequence: Option<i64>,
}

/// How to give a booking to another member.
#[derive(Debug, Clone)]
pub struct ReassignBooking {
    /// To whom; none: whoever is free and next.
    pub member: Option<MemberId>,
    /// Here alone, where its provider cannot be told.
    pub local_only: bool,
    /// See [`crate::CancelBooking`].
    pub expected_sequence: Option<i64>,
}

impl Bookings {
    /// Change what is written on a booking. What changes nothing is no change.
    pub async fn edit(&self, caller: &Caller, id: BookingId, edit: EditBooking) -> Outcome<Booking> {
        let EditBooking { mut contents, local_only, expected_sequence } = edit;
        let booking = self.booking_at(caller, id, expected_sequence).await?;
        let mut fields = Fields::default();
        contents.check(&mut fields);
        fields.finish()?;
        if contents.answers != booking.answers {
            let event_type = self.base.store().event_type(caller.tenant, booking.event_type).await?;
            contents.answers = questions::checked(&event_type, &contents.answers)?;
        }
        let parts = Contents::of(&booking).differing(&contents);
        if parts.is_empty() {
            return Ok(booking);
        }
        self.require_changeable(&booking)?;
        if told(&parts).next().is_some() {
            self.require_here(caller, &booking, local_only).await?;
        }
        let edit = BookingChange::Edit(Box::new(Edit { contents, local_only }));
        let changed = self.change_here(caller, &booking, edit).await?;
        self.calendar_writer.booking_changed(&changed).await;
        Ok(changed)
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
    ) -> Outcome<Booking> {
        let ReassignBooking { member, local_only, expected_sequence } = reassign;
        let booking = self.booking_at(caller, id, expected_sequence).await?;
        if member == Some(booking.member) {
            return Ok(booking);
        }
        self.require_changeable(&booking)?;
        let ctx = self.contexts.context_of(caller, &booking, false).await?;
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
        self.require_here(caller, &booking, local_only).await?;
        let (start, length_minutes) = (booking.when.start(), minutes_of(booking.when));
        let search = SlotSearch { member, moving: Some(&booking), ..SlotSearch::of(length_minutes) };
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, start, search).await?;
        let mut why = "taken";
        for hosts in assignments.iter().filter_map(|assignment| others_for(&booking, member, assignment)) {
            let limits =
                ctx.limits(hosts.members().filter(|of| booking.members().all(|was| was != *of)), start);
            let occupancy = Occupancy { padded: ctx.padded_by(booking.when), when: booking.when };
            let change = BookingChange::Reassign { occupancy, hosts, local_only };
            match self.change_here(caller, &booking, ChangeOrder { change, job: None, limits }).await {
                Ok(changed) => {
                    // Who was to come before has the time back in their own calendars, too.
                    self.cache.invalidate_of(&booking);
                    self.calendar_writer.booking_changed(&booking).await;
                    return Ok(self.outbound.dispatch_now(caller, changed, None).await?.booking);
                }
                Err(StoreError::Overlap) => why = "taken",
                Err(StoreError::LimitReached(_)) => why = "limit",
                Err(error) => return Err(error.into()),
            }
        }
        if member.is_none() && why == "taken" {
            return Err(self.nobody_else(caller, &ctx, &booking).await);
        }
        Err(self.availability.not_available(caller, &ctx, start, search, why).await)
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

    /// Changed may be what takes place and has no change under way.
    fn require_changeable(&self, booking: &Booking) -> Outcome<()> {
        if !booking.status.is_active() {
            let status = booking.status.as_str();
            return Err(Problem::new(Code::BookingOver, format!("It is {status}.")));
        }
        if self.base.now() >= booking.when.end() {
            return Err(Problem::new(Code::BookingOver, format!("It ended at {}.", booking.when.end())));
        }
        if booking.provider_task.is_some() {
            return Err(Problem::new(Code::WrongState, "A change of it is being delivered to its provider."));
        }
        Ok(())
    }

    /// Where a provider has a counterpart, nothing tells it: the change is made there, or here alone if that is asked for.
    async fn require_here(&self, caller: &Caller, booking: &Booking, local_only: bool) -> Outcome<()> {
        let (Some(connection), Some(external_id), false) =
            (booking.connection, &booking.external_id, local_only)
        else {
            return Ok(());
        };
        let connection = self.base.store().connection(caller.tenant, connection).await?;
        let detail = format!(
            "{} has this booking as {external_id}, and Berth cannot change that there: change it at the provider.",
            connection.name
        );
        let mut problem = Problem::new(Code::ProviderUnsupported, detail).with_hint(
            "Send `local_only: true` to change it here alone; the booking then says so in `local_changes`.",
        );
        problem.extra.insert("reason".to_owned(), json!("unsupported"));
        problem.extra.insert("external_id".to_owned(), json!(external_id));
        problem.extra.insert("url".to_owned(), json!(self.outbound.address_of(&connection)));
        Err(problem)
    }
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
