//! Bookings. Cal.com has no idempotency keys: the reference travels in the metadata and is looked for before a retry, and a
//! cancel or a move that was refused looks at the booking before it fails.

use berth_sdk::{
    Bookings, Result, cursor,
    json::set_some,
    log,
    paging::{self, Piece},
    time::{self, MINUTE},
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, CreateRequest, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::{Value, json};

use crate::{
    CalCom,
    api::BookingFilter,
    cursor::Cursor,
    map::{self, Kind, one_or_many, split_id},
};

/// Bookings on a page: what the specification gives as the usual size.
const PER_PAGE: u32 = 100;
/// Clocks of Berth and Cal.com may differ by this much.
const CLOCK_SKEW: i64 = 5 * MINUTE;
/// Bookings that are not over.
const NOT_OVER: &str = "upcoming,recurring,unconfirmed";

impl Bookings for CalCom {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        let body = map::create_body(&request, &self.kind_of(&request)?)?;
        map::pick_booking(&one_or_many(self.api.create_booking(&body)?), None)
    }

    fn get(&self, id: String) -> Result<Booking> {
        map::pick_booking(&one_or_many(self.api.booking(split_id(&id).0)?), Some(&id))
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        let items = paging::all(|token| {
            let skip = token.and_then(|t| t.parse().ok()).unwrap_or(0);
            let page = self.api.bookings(&BookingFilter {
                attendee_email: lookup.attendee_email.as_deref(),
                created_after: Some(lookup.created_after.saturating_sub(CLOCK_SKEW)),
                sort: Some(("sortCreated", "desc")),
                take: PER_PAGE,
                skip,
                ..BookingFilter::default()
            })?;
            let next = page.has_next.then(|| (skip + PER_PAGE).to_string());
            Ok(Piece { items: page.items, next })
        })?;
        let bookings = items.iter().map(map::bookings).collect::<Result<Vec<_>>>()?;
        Ok(bookings
            .into_iter()
            .flatten()
            .filter(|b| b.reference.as_ref() == Some(&lookup.reference))
            .collect())
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let (uid, seat) = split_id(&request.id);
        let mut body = json!({});
        set_some(&mut body, "seatUid", seat);
        set_some(&mut body, "cancellationReason", request.reason.as_deref());
        match self.api.cancel_booking(uid, &body) {
            Ok(data) => {
                let booking = map::pick_booking(&one_or_many(data), Some(&request.id))?;
                Ok(Booking { status: BookingStatus::Cancelled, ..booking })
            }
            Err(ProviderError::Invalid(problems)) => {
                let booking = self.get(request.id)?;
                if booking.status == BookingStatus::Cancelled {
                    return Ok(booking);
                }
                Err(ProviderError::wrong_state(messages(problems)))
            }
            Err(other) => Err(other),
        }
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        let (uid, seat) = split_id(&request.id);
        let mut body = json!({ "start": time::format(request.when.start) });
        set_some(&mut body, "seatUid", seat);
        set_some(&mut body, "rescheduledBy", request.requested_by.as_deref());
        if seat.is_none() {
            set_some(&mut body, "reschedulingReason", request.reason.as_deref());
        }
        match self.api.reschedule_booking(uid, &body) {
            Ok(data) => map::pick_booking(&one_or_many(data), None),
            Err(ProviderError::Invalid(problems)) => self.moved_already(&request, problems),
            Err(other) => Err(other),
        }
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        let cursor = match cursor {
            Some(text) => cursor::parse(&text)?,
            None => Cursor::begin(self.api.now()),
        };
        let page = self.api.bookings(&BookingFilter {
            status: cursor.first_since.map(|_| NOT_OVER),
            updated_after: cursor.after,
            sort: Some(("sortUpdatedAt", "asc")),
            take: limit.clamp(1, PER_PAGE),
            skip: cursor.skip,
            ..BookingFilter::default()
        })?;
        let last = page.items.iter().filter_map(map::updated_at).max();
        let count = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        // An empty page is the last one, whatever it says.
        let more = page.has_next && count > 0;
        let items = page.items.iter().flat_map(readable).collect();
        Ok(ChangePage { items, cursor: cursor::text(&cursor.next(count, last, more))?, more })
    }
}

impl CalCom {
    /// What the event type wants of a booking: Cal.com refuses a length where there is only one, and makes a whole series where it
    /// repeats and nobody says how often.
    fn kind_of(&self, request: &CreateRequest) -> Result<Kind> {
        let id = map::event_type_id(&request.event_type)?;
        let data = one_or_many(self.api.event_type(id)?);
        let item = data.first().ok_or(ProviderError::NotFound)?;
        let event_type = map::event_type(item)?;
        let minutes = request.when.end.saturating_sub(request.when.start) / MINUTE;
        let options = &event_type.length_options_minutes;
        if options.is_empty() && minutes != i64::from(event_type.length_minutes) {
            let message =
                format!("must be {} minutes long, as this event type is", event_type.length_minutes);
            return Err(ProviderError::invalid("when", message));
        }
        if !options.is_empty() && !options.iter().any(|o| i64::from(*o) == minutes) {
            let message = format!("must be one of the lengths {options:?} minutes");
            return Err(ProviderError::invalid("when", message));
        }
        Ok(Kind { has_lengths: !options.is_empty(), repeats: map::repeats(item) })
    }

    /// A move was refused. If this very move has been made already, by an earlier try whose answer was lost, it has
    /// succeeded; if the booking is over otherwise, the state is wrong; else the refusal stands.
    fn moved_already(
        &self,
        request: &RescheduleRequest,
        problems: Vec<berth_sdk::types::FieldProblem>,
    ) -> Result<Booking> {
        let old = self.get(request.id.clone())?;
        if old.status != BookingStatus::Cancelled {
            return Err(ProviderError::Invalid(problems));
        }
        let Some(new_id) = old.rescheduled_to else {
            return Err(ProviderError::wrong_state("The booking is cancelled."));
        };
        let new = self.get(new_id)?;
        if new.when.start == request.when.start && new.status.is_active() {
            return Ok(new);
        }
        Err(ProviderError::wrong_state(format!("The booking was moved already; it is {} now.", new.id)))
    }
}

/// The bookings of an item, none if it cannot be read: one odd booking must not stop the sync of all the others.
fn readable(item: &Value) -> Vec<Booking> {
    map::bookings(item).unwrap_or_else(|_| {
        let uid = item.get("uid").and_then(Value::as_str).unwrap_or("without a uid");
        log::error(&format!("left out of the sync: booking {uid}"));
        Vec::new()
    })
}

fn messages(problems: Vec<berth_sdk::types::FieldProblem>) -> String {
    problems.into_iter().map(|p| p.message).collect::<Vec<_>>().join("; ")
}
