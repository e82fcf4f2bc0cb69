//! Bookings are events. Their id is ours to choose, so that no number of tries makes two; Google itself takes events that overlap,
//! so that the plugin asks whether the time is free right before it writes.

use berth_sdk::{
    Bookings, Result, cursor,
    paging::{self, Piece},
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, Conflict, CreateRequest, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
    zone::Zone,
};
use serde_json::Value;

use crate::{
    GoogleCalendar,
    api::Listing,
    cursor::Cursor,
    errors::{self, DUPLICATE},
    map,
};

/// Events on a page of changes: Google's usual size, well below the 4 MiB of an answer.
const PER_PAGE: u32 = 250;
/// Tries to change an event that others change at the same time (a guest who answers, say).
pub(crate) const CHANGE_TRIES: u32 = 3;

impl Bookings for GoogleCalendar {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        if request.event_type != self.settings.calendar {
            let message = format!(
                "must be {}: this connection writes to that calendar; make a connection for each other one",
                self.settings.calendar
            );
            return Err(ProviderError::invalid("event_type", message));
        }
        let id = map::event_id(&request.idempotency_key);
        let event = map::insert_body(&request, &id, &self.settings.title, self.settings.meet);
        if self.is_taken(request.when, None)? {
            // By the event itself, if an earlier try made it and its answer was lost.
            return match self.get(id) {
                Ok(made) if made.status.is_active() => Ok(made),
                Ok(_) | Err(ProviderError::NotFound) => Err(ProviderError::slot_taken()),
                Err(error) => Err(error),
            };
        }
        match self.api.insert(&event) {
            Ok(made) => self.booking(&made),
            Err(error) if errors::is(&error, DUPLICATE) => self.made_already(id),
            Err(error) => Err(error),
        }
    }

    fn get(&self, id: String) -> Result<Booking> {
        self.booking(&self.api.event(&id)?)
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        let mut zone = Zone::UTC;
        let events = paging::all(|token| {
            let page = map::events(self.api.with_reference(&lookup.reference, token)?)?;
            zone = page.zone();
            Ok(Piece { items: page.items, next: page.next_page_token })
        })?;
        map::found(&events, &lookup.reference, &self.settings.calendar, zone)
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let booking = self.get(request.id.clone())?;
        if booking.status == BookingStatus::Cancelled {
            return Ok(booking);
        }
        match self.api.delete(&request.id) {
            // Gone in between.
            Ok(()) | Err(ProviderError::NotFound) => {
                Ok(Booking { status: BookingStatus::Cancelled, ..booking })
            }
            Err(error) => Err(error),
        }
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        for _ in 0..CHANGE_TRIES {
            match self.try_move(&request) {
                Err(ProviderError::Conflict(Conflict::Changed)) => {}
                other => return other,
            }
        }
        Err(ProviderError::Conflict(Conflict::Changed))
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        let cursor = match cursor {
            Some(text) => Cursor::parse(&text)?,
            None => Cursor::begin(self.api.now(), limit.clamp(1, PER_PAGE)),
        };
        let page = map::events(self.api.events(&Listing {
            ends_after: cursor.since,
            sync_token: cursor.sync.as_deref(),
            page_token: cursor.page.as_deref(),
            page_size: cursor.size,
        })?)?;
        let items = map::changes(&page, &self.settings.calendar);
        let (cursor, more) = cursor.next(page.next_page_token, page.next_sync_token)?;
        Ok(ChangePage { items, cursor: cursor::text(&cursor)?, more })
    }
}

impl GoogleCalendar {
    /// An event as a booking. Where its days begin is for the calendar to say, which lists tell beside their events.
    pub(crate) fn booking(&self, event: &Value) -> Result<Booking> {
        let mut zone = Zone::UTC;
        if map::is_of_days(event) {
            let one = Listing { ends_after: None, sync_token: None, page_token: None, page_size: 1 };
            zone = map::events(self.api.events(&one)?)?.zone();
        }
        map::booking(event, &self.settings.calendar, zone)
    }

    /// The event that has this id, made by an earlier try.
    fn made_already(&self, id: String) -> Result<Booking> {
        match self.get(id) {
            Ok(made) if made.status.is_active() => Ok(made),
            // An id is never free again.
            Ok(_) => Err(ProviderError::wrong_state("The event was made and then deleted in the calendar.")),
            // Google says both that it is there and that it is not.
            Err(ProviderError::NotFound) => Err(ProviderError::Unavailable(None)),
            Err(error) => Err(error),
        }
    }

    fn try_move(&self, request: &RescheduleRequest) -> Result<Booking> {
        let event = self.api.event(&request.id)?;
        let booking = self.booking(&event)?;
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event is deleted."));
        }
        if booking.when == request.when {
            // An earlier try moved it, and its answer was lost.
            return Ok(booking);
        }
        if self.is_taken(request.when, Some(booking.when))? {
            return Err(ProviderError::slot_taken());
        }
        let changes = map::move_body(request.when, &event);
        let moved = self.api.patch(&request.id, map::etag(&event), &changes)?;
        self.booking(&moved)
    }
}
