//! Series: several bookings made, cancelled or moved together.
//!
//! Nobody waits for the provider here: the bookings are safe with their jobs, and the worker tells it of each.

use berth_model::{
    bookings::{
        booking::Booking,
        series::{SeriesScope, SeriesStarts, shifted},
    },
    id::{BookingId, SeriesId},
    jobs::kind::JobQueue,
    limits,
    problem::{Code, FieldError, Problem},
    scheduling::reason::Reason,
    time::{Instant, Interval},
};
use berth_store::{
    StoreError,
    records::{Audit, BookingFilter, NewBooking},
};
use serde_json::json;

use super::{create::Slot, questions};
use crate::{
    BookRequest, Caller, CancelBooking, Outcome, RescheduleBooking,
    availability::{Assignment, SlotSearch, length, refusal::not_asked},
    bookings::Bookings,
    connections::routing::BookingContext,
};

/// Tries to book a whole series while others take parts of it.
const SERIES_TRIES: u32 = 3;

/// A series to be booked.
#[derive(Debug, Clone)]
pub struct SeriesRequest {
    /// Its first booking; without a hold.
    pub first: BookRequest,
    /// When its bookings start.
    pub starts: SeriesStarts,
    /// Book what can be booked; else all or nothing.
    pub best_effort: bool,
}

/// What became of the bookings of a series.
#[derive(Debug, Clone)]
pub struct SeriesOutcome {
    /// The series.
    pub series: SeriesId,
    /// What was done, by start.
    pub done: Vec<Booking>,
    /// What was not, and why.
    pub refused: Vec<RefusedOccurrence>,
}

/// A booking of a series that was not made, cancelled or moved.
#[derive(Debug, Clone)]
pub struct RefusedOccurrence {
    /// Its start.
    pub start: Instant,
    /// The booking, if there is one.
    pub booking: Option<BookingId>,
    /// Why.
    pub problem: Problem,
}

impl Bookings {
    /// Book a series. All or nothing: one transaction. Best effort: each by itself; refused only if none could be booked.
    pub async fn book_series(&self, caller: &Caller, request: SeriesRequest) -> Outcome<SeriesOutcome> {
        let SeriesRequest { mut first, starts, best_effort } = request;
        first.check()?;
        if first.hold.is_some() {
            let message = "must be absent: a series takes over no hold";
            return Err(Problem::invalid(vec![FieldError::new("/hold", message)]));
        }
        let ctx = self.contexts.booking_context(caller, first.event_type, first.provider.clone()).await?;
        self.catalog.check_bookable(&ctx).await?;
        first.answers = questions::checked(&ctx.event_type, &first.answers)?;
        questions::location(&ctx.event_type, first.location.as_deref())?;
        ctx.must_have(first.member)?;
        let length_minutes = length(&ctx, first.length_minutes)?;
        let starts = starts.expand(first.start, ctx.listing.time_zone);
        let starts = starts.map_err(|error| Problem::invalid(vec![error]))?;
        // All of them are one answer.
        let steps = limits::ANSWER_STEPS_MAX
            .checked_div(u64::try_from(starts.len()).unwrap_or(u64::MAX))
            .unwrap_or(0);
        let search = SlotSearch { member: first.member, steps, ..SlotSearch::of(length_minutes) };
        let before = self.replayed_series(caller).await?;
        let outcome = match (best_effort, before) {
            (true, Some(before)) => self.book_each(caller, &first, &ctx, search, &starts, before).await?,
            (true, None) => {
                let none =
                    SeriesOutcome { series: self.base.new_id(), done: Vec::new(), refused: Vec::new() };
                self.book_each(caller, &first, &ctx, search, &starts, none).await?
            }
            (false, Some(before)) => before,
            (false, None) => self.book_all(caller, &first, &ctx, search, &starts, self.base.new_id()).await?,
        };
        self.invalidate_availability_of_all(&outcome.done);
        self.queue.wake_workers(JobQueue::Bookings);
        Ok(outcome)
    }

    async fn book_all(
        &self,
        caller: &Caller,
        first: &BookRequest,
        ctx: &BookingContext,
        search: SlotSearch<'_>,
        starts: &[Instant],
        series: SeriesId,
    ) -> Outcome<SeriesOutcome> {
        let mut why = "taken";
        for _ in 0..SERIES_TRIES {
            let mut all: Vec<(NewBooking, Audit)> = Vec::new();
            let mut refused = Vec::new();
            for start in starts {
                let when = Interval::of_minutes(*start, search.length_minutes);
                let (assignments, _) = self.availability.assignments_at(caller, ctx, *start, search).await?;
                let assignment = alike(&assignments, all.first().map(|(new, _)| &new.booking));
                let slot = assignment.map(|assignment| Slot {
                    ctx,
                    when,
                    assignment,
                    hold: None,
                    series: Some(series),
                });
                match slot.and_then(|slot| self.new_booking(caller, first, slot)) {
                    Some((new, _)) => all.push((new, self.base.audit(caller))),
                    None => refused.push(*start),
                }
            }
            if let Some(start) = refused.first() {
                let mut problem = self.availability.not_available(caller, ctx, *start, search, why).await;
                problem.detail = format!(
                    "{} of {} bookings are not available: nothing is booked.",
                    refused.len(),
                    starts.len()
                );
                problem.extra.insert("refused".to_owned(), json!(refused));
                return Err(problem);
            }
            if let Some((new, _)) = all.first_mut() {
                new.idempotency_key.clone_from(&caller.idempotency_key);
            }
            let done: Vec<Booking> = all.iter().map(|(new, _)| new.booking.clone()).collect();
            match self.base.store().create_bookings(all).await {
                Ok(customers) => {
                    let customers = customers.into_iter();
                    let done = done.into_iter().zip(customers).map(|(b, customer)| Booking { customer, ..b });
                    return Ok(SeriesOutcome { series, done: done.collect(), refused: Vec::new() });
                }
                // Somebody was faster, or its own bookings are in each other's way.
                Err(StoreError::Overlap) => why = "taken",
                Err(StoreError::LimitReached(_)) => why = "limit",
                Err(error) => return Err(error.into()),
            }
        }
        let mut problem = Problem::new(
            Code::SlotTaken,
            "The bookings of the series cannot all be made: nothing is booked.",
        );
        problem.extra.insert("reason".to_owned(), json!(why));
        Err(problem)
    }

    async fn book_each(
        &self,
        caller: &Caller,
        first: &BookRequest,
        ctx: &BookingContext,
        search: SlotSearch<'_>,
        starts: &[Instant],
        before: SeriesOutcome,
    ) -> Outcome<SeriesOutcome> {
        let SeriesOutcome { series, done: before, .. } = before;
        let mut outcome = SeriesOutcome { series, done: Vec::new(), refused: Vec::new() };
        for start in starts {
            if let Some(booking) = before.iter().find(|booking| booking.when.start() == *start) {
                outcome.done.push(booking.clone());
                continue;
            }
            let when = Interval::of_minutes(*start, search.length_minutes);
            let (mut assignments, degraded) =
                self.availability.assignments_at(caller, ctx, *start, search).await?;
            let is_unknown = assignments.is_empty() && !degraded.is_empty();
            if let Some(known) = alike(&assignments, outcome.done.first()).cloned() {
                assignments.retain(|assignment| *assignment != known);
                assignments.insert(0, known);
            }
            let mut why = if is_unknown { Reason::Degraded.as_str() } else { "taken" };
            let mut made = None;
            for assignment in &assignments {
                let slot = Slot { ctx, when, assignment, hold: None, series: Some(series) };
                let Some((mut new, _)) = self.new_booking(caller, first, slot) else { continue };
                if before.is_empty() && outcome.done.is_empty() {
                    new.idempotency_key.clone_from(&caller.idempotency_key);
                }
                let booking = new.booking.clone();
                match self.base.store().create_booking(new, self.base.audit(caller)).await {
                    Ok(customer) => {
                        made = Some(Booking { customer, ..booking });
                        break;
                    }
                    Err(StoreError::Overlap) => why = "taken",
                    Err(StoreError::LimitReached(_)) => why = "limit",
                    Err(error) => return Err(error.into()),
                }
            }
            if let Some(booking) = made {
                outcome.done.push(booking);
            } else {
                let mut problem = Problem::new(Code::SlotTaken, format!("{start} is not available."));
                problem.extra.insert("reason".to_owned(), json!(why));
                if is_unknown {
                    not_asked(&mut problem, &degraded);
                }
                outcome.refused.push(RefusedOccurrence { start: *start, booking: None, problem });
            }
        }
        if outcome.done.is_empty() {
            let start = starts.first().copied().unwrap_or(first.start);
            return Err(self.availability.not_available(caller, ctx, start, search, "taken").await);
        }
        Ok(outcome)
    }

    /// Cancel several bookings of a series, each by itself.
    pub async fn cancel_series(
        &self,
        caller: &Caller,
        id: BookingId,
        scope: SeriesScope,
        cancel: CancelBooking,
    ) -> Outcome<SeriesOutcome> {
        let (series, bookings) = self.active_of_series(caller, id, scope, cancel.expected_sequence).await?;
        let mut outcome = SeriesOutcome { series, done: Vec::new(), refused: Vec::new() };
        for booking in bookings {
            let cancel = CancelBooking { expected_sequence: None, ..cancel.clone() };
            let done = async {
                self.may_change(caller, booking.id).await?;
                self.cancel_one(caller, booking.id, cancel, false).await
            };
            match done.await {
                Ok(done) => outcome.done.push(done.booking),
                Err(problem) => outcome.refused.push(refused(&booking, problem)),
            }
        }
        Ok(outcome)
    }

    /// Move several bookings of a series as far on the wall clock as this one goes, each by itself.
    pub async fn reschedule_series(
        &self,
        caller: &Caller,
        id: BookingId,
        scope: SeriesScope,
        reschedule: RescheduleBooking,
    ) -> Outcome<SeriesOutcome> {
        let this = self.booking(caller, id).await?;
        let (series, mut bookings) =
            self.active_of_series(caller, id, scope, reschedule.expected_sequence).await?;
        let (from, to) = (this.when.start(), reschedule.start);
        let listing = self.base.store().listing(caller.tenant, this.listing).await?;
        // Whoever goes ahead makes room for those behind.
        if to > from {
            bookings.reverse();
        }
        let mut outcome = SeriesOutcome { series, done: Vec::new(), refused: Vec::new() };
        for booking in bookings {
            let start = shifted(listing.time_zone, booking.when.start(), from, to);
            let reschedule = RescheduleBooking { start, expected_sequence: None, ..reschedule.clone() };
            let done = async {
                self.may_change(caller, booking.id).await?;
                self.reschedule_one(caller, booking.id, reschedule, false).await
            };
            match done.await {
                Ok(done) => outcome.done.push(done.booking),
                Err(problem) => outcome.refused.push(refused(&booking, problem)),
            }
        }
        outcome.done.sort_by_key(|booking| booking.when.start());
        outcome.refused.sort_by_key(|refused| refused.start);
        Ok(outcome)
    }

    /// The active bookings that a scope means, by start.
    async fn active_of_series(
        &self,
        caller: &Caller,
        id: BookingId,
        scope: SeriesScope,
        expected_sequence: Option<i64>,
    ) -> Outcome<(SeriesId, Vec<Booking>)> {
        let this = self.booking_at(caller, id, expected_sequence).await?;
        let Some(series) = this.series else {
            return Err(Problem::new(Code::WrongState, "It is not a booking of a series.")
                .with_hint("Leave out `scope`."));
        };
        let filter = BookingFilter { series: Some(series), ..BookingFilter::default() };
        let mut bookings = self.list_bookings(caller, filter, limits::PAGE_ITEMS_MAX).await?;
        bookings.retain(|booking| {
            booking.status.is_active()
                && match scope {
                    SeriesScope::One => booking.id == id,
                    SeriesScope::Following => booking.when.start() >= this.when.start(),
                    SeriesScope::Series => true,
                }
        });
        Ok((series, bookings))
    }

    fn invalidate_availability_of_all(&self, bookings: &[Booking]) {
        // All of a series are booked over one connection.
        if let Some(booking) = bookings.first() {
            self.cache.invalidate_of(booking);
        }
    }
}

fn refused(booking: &Booking, problem: Problem) -> RefusedOccurrence {
    RefusedOccurrence { start: booking.when.start(), booking: Some(booking.id), problem }
}

/// The choice with the people of the series' first booking, if they are free; else the best.
fn alike<'a>(assignments: &'a [Assignment], first: Option<&Booking>) -> Option<&'a Assignment> {
    let same =
        |assignment: &&Assignment| first.is_some_and(|b| b.members().eq(assignment.members.iter().copied()));
    assignments.iter().find(same).or_else(|| assignments.first())
}
