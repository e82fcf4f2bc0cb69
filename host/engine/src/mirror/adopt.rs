//! Making a booking ours that was made at a provider: from then on it is like one that was booked here over that connection, and what stands
//! there is its counterpart.

use std::collections::BTreeMap;

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        clocks::Clocks,
        transition,
    },
    catalog::event_type::EventTypeRecord,
    connections::connection::ConnectionRecord,
    id::{EventTypeId, MemberId, MirroredId},
    mirror::sync::Mirrored,
    outbound::provider::{Attendee, CallError, ExternalBooking, ExternalStatus, ProviderError},
    problem::{Code, FieldError, Problem},
    time::Interval,
};
use berth_store::{
    StoreError,
    records::{ListedExternal, NewBooking},
};
use serde_json::{Map, Value, json};

use super::{Whose, listed::named_by};
use crate::{Caller, Outcome, ProviderChoice, connections::routing::BookingContext, mirror::Mirror};

/// Event types and members that a refusal names.
const CANDIDATES_SHOWN: usize = 20;
/// Times that it is looked at again, because a reading changed it in between.
const TRIES: u32 = 3;

/// What a caller says of a booking that is to be adopted.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdoptRequest {
    /// What it is of; none: what stands for its own event type.
    pub event_type: Option<EventTypeId>,
    /// With whom; none: whose time it takes.
    pub member: Option<MemberId>,
}

impl Mirror {
    /// Make a booking of a provider ours. One that was adopted already is shown as it is (true: it was just made).
    pub async fn adopt(
        &self,
        caller: &Caller,
        id: MirroredId,
        request: AdoptRequest,
    ) -> Outcome<(Booking, bool)> {
        for _ in 0..TRIES {
            let listed = self.base.store().external_booking(caller.tenant, id).await?;
            if let Some(booking) = listed.mirrored.booking {
                let booking = self.bookings.booking(caller, booking).await?;
                let booking = adopted_before(booking, listed.mirrored.connection)?;
                // Should the process have ended right after it was adopted: whoever repeats that has the rest done.
                self.settle_adopted(&booking, &listed.mirrored).await?;
                return Ok((booking, false));
            }
            let connection = self.connections.usable_connection(caller, listed.mirrored.connection).await?;
            let Some(listed) = self.as_it_stands(caller, &connection, listed).await? else { continue };
            self.check_adoptable(&connection, &listed.mirrored).await?;
            let event_type = self.event_type_of(caller, request.event_type, &listed).await?;
            let choice = Some(ProviderChoice::Connection(connection.id));
            let ctx = self.contexts.booking_context(caller, event_type, choice).await?;
            let member = member_of(&ctx, request.member, listed.mirrored.member)?;
            match self.adopt_as(caller, &ctx, member, &listed.mirrored).await {
                Err(StoreError::Stale) => {}
                Err(StoreError::Overlap) => return Err(taken(&ctx)),
                Err(error) => return Err(error.into()),
                Ok(booking) => return Ok((booking, true)),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// What the provider says of it now. None: something changed, which is noted; look again.
    async fn as_it_stands(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        listed: ListedExternal,
    ) -> Outcome<Option<ListedExternal>> {
        let kept = &listed.mirrored.external;
        let context = self.contexts.call_context(connection, None, &caller.request_id).await?;
        let now = match self.providers.get_booking(&context, kept.id.clone()).await {
            Ok(now) => now,
            Err(CallError::Provider(ProviderError::NotFound)) => {
                self.external_bookings.external_gone(connection, &kept.id).await?;
                return Err(Problem::new(Code::WrongState, "It is not at the provider any more."));
            }
            Err(error) => return Err(error.into()),
        };
        let same = |a: &ExternalBooking, b: &ExternalBooking| {
            a.id == b.id && a.status == b.status && a.when == b.when && a.event_type == b.event_type
        };
        if same(kept, &now) {
            return Ok(Some(listed));
        }
        if now.id == kept.id {
            self.external_bookings.external_news(connection, None, &now).await?;
            let after = self.base.store().mirrored(caller.tenant, connection.id, &now.id).await?;
            // What is older than what is known is passed over: then what is known counts.
            return Ok(after.filter(|after| after.external == *kept).map(|_| listed));
        }
        Err(Problem::new(Code::WrongState, "It was replaced by another at the provider.")
            .with_hint("Synchronise the connection, then adopt the one that took its place."))
    }

    /// Refuse what is over, or somebody's already.
    async fn check_adoptable(&self, connection: &ConnectionRecord, mirrored: &Mirrored) -> Outcome<()> {
        let external = &mirrored.external;
        let refused = |detail: &str| {
            Err(Problem::new(Code::WrongState, detail).with_hint(
                "Adopt what is still to come; what is over stays in the list of the provider's bookings.",
            ))
        };
        match external.status {
            ExternalStatus::Cancelled => return refused("It was cancelled at the provider."),
            ExternalStatus::Completed | ExternalStatus::NoShow => return refused("It is over."),
            ExternalStatus::Pending | ExternalStatus::Confirmed => {}
        }
        if external.when.end() <= self.base.now() {
            return refused("It is over.");
        }
        if external.when.is_empty() {
            return refused("It takes no time, or none in the years that are known here.");
        }
        match self.external_bookings.whose_by_record(connection, None, external).await? {
            Whose::Stranger => {}
            Whose::Ours(booking) => return adopted_before(*booking, connection.id).map(drop),
            Whose::Sibling(booking) => {
                let mut problem = Problem::new(
                    Code::WrongState,
                    "It is the counterpart of a booking over another connection.",
                );
                problem.extra.insert("booking_id".to_owned(), json!(booking));
                return Err(problem);
            }
        }
        if self.calendar_writer.is_own_entry(connection, external).await? {
            return refused("It is an entry that shows a booking of ours.");
        }
        Ok(())
    }

    /// What it is of: what the caller says, or the one event type that stands for its own.
    async fn event_type_of(
        &self,
        caller: &Caller,
        given: Option<EventTypeId>,
        listed: &ListedExternal,
    ) -> Outcome<EventTypeId> {
        if let Some(given) = given {
            return match self.base.store().event_type(caller.tenant, given).await {
                Ok(found) => Ok(found.id),
                Err(StoreError::NotFound(_)) => Err(Problem::invalid(vec![FieldError::new(
                    "/event_type_id",
                    "there is no such event type",
                )])),
                Err(error) => Err(error.into()),
            };
        }
        let known = self.event_types_there(caller).await?;
        let known: Vec<EventTypeRecord> = known.into_iter().filter(|e| e.active).collect();
        let found = named_by(&known, listed);
        if let [only] = found.as_slice() {
            return Ok(only.id);
        }
        let shown = |all: &mut dyn Iterator<Item = &EventTypeRecord>| -> Vec<Value> {
            let one = |e: &EventTypeRecord| json!({ "id": e.id, "title": e.title, "listing_id": e.listing });
            all.take(CANDIDATES_SHOWN).map(one).collect()
        };
        let (detail, candidates) = if found.is_empty() {
            let limit = u32::try_from(CANDIDATES_SHOWN).unwrap_or(u32::MAX);
            let all = self.base.store().list_event_types(caller.tenant, None, false, None, limit).await?;
            ("No event type here stands for the provider's.", shown(&mut all.iter().filter(|e| e.active)))
        } else {
            ("Several event types here stand for the provider's.", shown(&mut found.into_iter()))
        };
        let mut problem = Problem::new(Code::EventTypeNotDecided, detail);
        problem.errors.push(FieldError::new("/event_type_id", "is needed: one of the candidates"));
        problem.extra.insert("candidates".to_owned(), Value::Array(candidates));
        Err(problem)
    }

    async fn adopt_as(
        &self,
        caller: &Caller,
        ctx: &BookingContext,
        member: MemberId,
        mirrored: &Mirrored,
    ) -> Result<Booking, StoreError> {
        let booking = self.adopted(ctx, member, mirrored);
        let when = booking.when;
        // What is kept free around it was not asked for there: without it, if it cannot be had.
        for padded in [ctx.padded_by(when), when] {
            let new = new_booking(booking.clone(), padded, mirrored);
            match self.base.store().create_booking(new, self.base.audit(caller)).await {
                Err(StoreError::Overlap) if padded != when => {}
                Err(error) => return Err(error),
                Ok(customer) => {
                    let booking = Booking { customer, ..booking };
                    self.settle_adopted(&booking, mirrored).await?;
                    return Ok(booking);
                }
            }
        }
        Err(StoreError::Overlap)
    }

    /// What was open about it as somebody else's is over; calendars show it as ours. Once is as good as twice.
    async fn settle_adopted(&self, booking: &Booking, mirrored: &Mirrored) -> Result<(), StoreError> {
        let (store, tenant) = (self.base.store(), booking.tenant);
        let open = store.conflicts_with_stranger(tenant, mirrored.connection, &mirrored.external.id).await?;
        for open in open {
            store.conflict_settled(tenant, open.dedup_key(), self.base.now()).await?;
        }
        self.cache.invalidate_of(booking);
        self.calendar_writer.booking_changed(booking).await;
        self.calendar_writer.times_changed(tenant, booking.members().chain(mirrored.member).collect()).await
    }

    /// The booking that it becomes.
    fn adopted(&self, ctx: &BookingContext, member: MemberId, mirrored: &Mirrored) -> Booking {
        let (external, now) = (&mirrored.external, self.base.now());
        let attendee = attendee_of(ctx, external);
        let mut booking = Booking {
            id: self.base.new_id(),
            tenant: mirrored.tenant,
            listing: ctx.listing.id,
            event_type: ctx.event_type.id,
            member,
            other_members: Vec::new(),
            seats: ctx.event_type.policy.seats.max(1),
            seats_taken: 1,
            series: None,
            assignment: Some(json!({ "reason": ADOPTED })),
            connection: Some(mirrored.connection),
            status: match external.status {
                ExternalStatus::Pending => BookingStatus::Pending,
                _ => BookingStatus::Confirmed,
            },
            provider_task: None,
            when: external.when,
            clocks: Clocks::at(external.when.start(), ctx.listing.time_zone, &attendee.time_zone),
            previous_when: None,
            customer: None,
            guests: guests_of(external, &attendee),
            attendee,
            answers: Map::new(),
            notes: None,
            location: None,
            metadata: BTreeMap::new(),
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
        transition::adopt(&mut booking, external);
        booking
    }
}

/// Why an adopted booking is with its member.
const ADOPTED: &str = "adopted";

fn new_booking(booking: Booking, padded: Interval, mirrored: &Mirrored) -> NewBooking {
    NewBooking {
        booking,
        padded,
        job: None,
        // It stands at the provider, whatever limits there are here.
        limits: Vec::new(),
        hold: None,
        private_link: None,
        idempotency_key: None,
        allow_blocked: true,
        consents: Vec::new(),
        adopts: Some(Box::new(mirrored.clone())),
    }
}

/// A booking that was adopted already; one that was booked here is refused.
fn adopted_before(booking: Booking, connection: berth_model::id::ConnectionId) -> Outcome<Booking> {
    let reason = booking.assignment.as_ref().and_then(|why| why.get("reason"));
    if reason.is_some_and(|reason| reason == ADOPTED) && booking.connection == Some(connection) {
        return Ok(booking);
    }
    let mut problem = Problem::new(Code::WrongState, "It is the counterpart of a booking of ours.")
        .with_hint("Change that booking: `booking_id`.");
    problem.extra.insert("booking_id".to_owned(), json!(booking.id));
    Err(problem)
}

fn taken(ctx: &BookingContext) -> Problem {
    let mut problem =
        Problem::new(Code::SlotTaken, "Its member's time is taken here, or all seats of that meeting are.")
            .with_hint("Move or cancel the booking that is in the way, or name another member.");
    problem.extra.insert("event_type_id".to_owned(), json!(ctx.event_type.id));
    problem.extra.insert("reason".to_owned(), json!("taken"));
    problem
}

/// With whom: what the caller says, whose time it takes, or the only one there is.
fn member_of(ctx: &BookingContext, given: Option<MemberId>, takes: Option<MemberId>) -> Outcome<MemberId> {
    ctx.must_have(given)?;
    if let Some(member) = given.or(takes.filter(|member| ctx.has(*member))) {
        return Ok(member);
    }
    if let [only] = ctx.members.as_slice() {
        return Ok(only.id);
    }
    let named = ctx.members.iter().take(CANDIDATES_SHOWN);
    let candidates: Vec<Value> = named.map(|m| json!({ "id": m.id, "name": m.name })).collect();
    let mut problem = Problem::invalid(vec![FieldError::new(
        "/member_id",
        "is needed: it is not known with whom it is; see candidates",
    )]);
    problem.extra.insert("candidates".to_owned(), Value::Array(candidates));
    Err(problem)
}

/// Whom it is for: who can be reached, else who is named, else what it is called.
fn attendee_of(ctx: &BookingContext, external: &ExternalBooking) -> Attendee {
    let reachable = |a: &&Attendee| a.email.is_some() || a.phone.is_some();
    let named = |a: &&Attendee| !a.name.trim().is_empty();
    let found = external.attendees.iter().find(reachable).or_else(|| external.attendees.iter().find(named));
    let called = || external.title.clone().unwrap_or_else(|| ctx.event_type.title.clone());
    let mut attendee = found.cloned().unwrap_or_else(|| Attendee {
        name: String::new(),
        email: None,
        phone: None,
        time_zone: ctx.listing.time_zone.to_string(),
        language: None,
    });
    if attendee.name.trim().is_empty() {
        attendee.name = attendee.email.clone().unwrap_or_else(called);
    }
    attendee
}

/// Addresses of everybody else who is named.
fn guests_of(external: &ExternalBooking, attendee: &Attendee) -> Vec<String> {
    let mut guests: Vec<String> = Vec::new();
    for email in external.attendees.iter().filter_map(|a| a.email.as_ref()) {
        if Some(email) != attendee.email.as_ref()
            && !guests.contains(email)
            && guests.len() < berth_model::limits::GUESTS_MAX
        {
            guests.push(email.clone());
        }
    }
    guests
}
