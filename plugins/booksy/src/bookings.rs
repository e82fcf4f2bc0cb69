//! Bookings. The service keeps idempotency keys for a day; what is older is found by our reference, which every booking carries.

use berth_sdk::{
    Bookings, Result, cursor,
    json::set,
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
    Booksy,
    api::{BookingFilter, PER_PAGE},
    cursor::Cursor,
    map,
};

/// Clocks of Berth and the service may differ by this much.
const CLOCK_SKEW: i64 = 5 * MINUTE;

impl Bookings for Booksy {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        let body = map::new_booking(&request, self.staff.as_deref())?;
        map::booking(&self.api.create_booking(&request.idempotency_key, &body)?)
    }

    fn get(&self, id: String) -> Result<Booking> {
        map::booking(&self.api.booking(&id)?)
    }

    /// What was made since then was changed since then, and stays in the list wherever it was moved.
    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        let since = lookup.created_after.saturating_sub(CLOCK_SKEW);
        let mut items = paging::all(|cursor| {
            let filter = BookingFilter { updated_since: Some(since), cursor, limit: PER_PAGE, from: None };
            let page = self.api.bookings(filter)?;
            let ours = page.items.into_iter().filter(|item| map::carries(item, &lookup.reference));
            Ok(Piece { items: ours.collect(), next: page.next })
        })?;
        items.sort_by_key(|item| std::cmp::Reverse(map::created_at(item)));
        items.iter().map(map::booking).collect()
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let mut body = json!({ "cancelled_by": "platform" });
        if let Some(reason) = &request.reason {
            set(&mut body, "reason", json!(reason));
        }
        match self.api.act(&request.id, "cancel", &request.idempotency_key, &body) {
            Err(ProviderError::Conflict(refused)) => {
                let booking = self.get(request.id)?;
                if booking.status == BookingStatus::Cancelled {
                    return Ok(booking);
                }
                Err(ProviderError::Conflict(refused))
            }
            answer => map::booking(&answer?),
        }
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        let mut body =
            json!({ "start": time::format(request.when.start), "end": time::format(request.when.end) });
        if let Some(reason) = &request.reason {
            set(&mut body, "reason", json!(reason));
        }
        map::booking(&self.api.act(&request.id, "reschedule", &request.idempotency_key, &body)?)
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        let cursor = match cursor {
            Some(text) => cursor::parse(&text)?,
            None => Cursor::begin(self.api.now()),
        };
        let filter = BookingFilter {
            updated_since: cursor.since,
            from: cursor.not_over_at(),
            cursor: cursor.page.as_deref(),
            limit,
        };
        let page = match self.api.bookings(filter) {
            // The only part of the question that can be wrong is the place in the list.
            Err(ProviderError::Invalid(_)) if cursor.page.is_some() => {
                return Err(ProviderError::CursorExpired);
            }
            answer => answer?,
        };
        let last = page.items.iter().filter_map(map::updated_at).max();
        // An empty page is the last one, whatever it says.
        let next = page.next.filter(|_| !page.items.is_empty());
        let more = next.is_some();
        let items = page.items.iter().filter_map(readable).collect();
        Ok(ChangePage { items, cursor: cursor::text(&cursor.next(next, last))?, more })
    }
}

/// The booking, none if it cannot be read: one odd booking must not stop the sync of all the others.
fn readable(item: &Value) -> Option<Booking> {
    let booking = map::booking(item);
    if booking.is_err() {
        let id = item.get("id").and_then(Value::as_str).unwrap_or("without an id");
        log::error(&format!("left out of the sync: booking {id}"));
    }
    booking.ok()
}
