//! Bookings are events. The idempotency key is in the event's `transactionId`, so that a second try finds the event of the first;
//! the reference is an extended property, by which events can be searched.

use berth_sdk::{
    Bookings, Result, cursor, log,
    paging::{self, Piece},
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, CreateRequest, ProviderError, ReferenceLookup,
        RescheduleRequest,
    },
};
use serde_json::{Value, json};

use crate::{
    Outlook,
    cursor::{Cursor, Found},
    map::{self, Change},
};

/// Changes on a page. One that is told as removed, or an occurrence without its series, costs a request of its own, and a call has 20.
const PER_PAGE: u32 = 15;

impl Bookings for Outlook {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        let calendars = &self.settings.calendars;
        if !calendars.contains(&request.event_type) {
            let message = format!("must be one of the connection's calendars: {}", calendars.join(", "));
            return Err(ProviderError::invalid("event_type", message));
        }
        let body = map::create_body(&request, &self.settings)?;
        match self.api.create_event(&request.event_type, &body) {
            Ok(event) => Ok(Booking {
                reference: Some(request.reference),
                event_type: Some(request.event_type),
                ..map::booking(&event, self.reading())?
            }),
            // An earlier try may have made it after all.
            Err(ProviderError::Conflict(conflict)) => {
                let found = self.with_reference(&request.reference)?;
                found.into_iter().next().ok_or(ProviderError::Conflict(conflict))
            }
            Err(other) => Err(other),
        }
    }

    fn get(&self, id: String) -> Result<Booking> {
        map::booking(&self.api.event(&id)?, self.reading())
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        self.with_reference(&lookup.reference)
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let event = match self.api.event(&request.id) {
            Err(ProviderError::NotFound) => return Ok(map::gone(&request.id)),
            other => other?,
        };
        let booking = map::booking(&event, self.reading())?;
        if booking.status == BookingStatus::Cancelled {
            return Ok(booking);
        }
        let done = if map::has_attendees_to_tell(&event) {
            self.api.call_off(&request.id, request.reason.as_deref().unwrap_or_default())
        } else {
            self.api.delete_event(&request.id)
        };
        match done {
            Ok(()) | Err(ProviderError::NotFound) => Ok(Booking {
                status: BookingStatus::Cancelled,
                cancellation_reason: request.reason,
                ..booking
            }),
            Err(other) => Err(other),
        }
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        // A person may have made it last all day: Graph would take midnights only.
        let body = json!({
            "start": map::time_of(request.when.start), "end": map::time_of(request.when.end), "isAllDay": false,
        });
        map::booking(&self.api.update_event(&request.id, &body)?, self.reading())
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        let now = self.api.now();
        let mut cursor = match cursor {
            Some(text) => Cursor::parse(&text, &self.settings.calendars)?,
            None => Cursor::begin(&self.settings.calendars, now),
        };
        let question = cursor.question(now)?;
        let page = self.api.delta(
            &question.calendar,
            question.window,
            question.path.as_deref(),
            limit.clamp(1, PER_PAGE),
        )?;
        let found = match (page.next()?, page.delta()?) {
            (Some(next), _) => Found::Next(next),
            (None, Some(delta)) => Found::Delta(delta),
            (None, None) => return Err(ProviderError::Unavailable(None)),
        };
        let mut questions = 0;
        let mut series = map::series(&page.value);
        let mut items = Vec::new();
        for change in page.value.iter().filter_map(map::change) {
            items.extend(match change {
                Change::Changed(event) => self.readable(event, &question.calendar),
                Change::Occurrence { event, of } => {
                    if !series.contains_key(of) && questions < PER_PAGE {
                        questions += 1;
                        series.insert(of.to_owned(), self.series(of)?);
                    }
                    let common = series.get(of).and_then(Option::as_ref);
                    self.readable(&map::with_series(event, common), &question.calendar)
                }
                Change::Removed(id) if questions < PER_PAGE => {
                    questions += 1;
                    Some(self.where_is(&id)?)
                }
                // More than was asked for on a page: taken at its word.
                Change::Removed(id) => Some(map::gone(&id)),
            });
        }
        // Of what is gone nothing is known, not even when it went: last.
        items.sort_by_key(|booking| (booking.updated_at.is_none(), booking.updated_at));
        let more = cursor.found(found);
        Ok(ChangePage { items, cursor: cursor::text(&cursor)?, more })
    }
}

impl Outlook {
    /// Events with this reference, newest first.
    fn with_reference(&self, reference: &str) -> Result<Vec<Booking>> {
        let mut found = Vec::new();
        // There is no list over all calendars.
        for calendar in &self.settings.calendars {
            let events = paging::all(|path| {
                let page = self.api.events_with(calendar, reference, path)?;
                Ok(Piece { next: page.next()?, items: page.value })
            })?;
            for event in &events {
                found.push((map::created_at(event), map::booking(event, self.reading())?));
            }
        }
        // Filters compare texts without regard to their case.
        found.retain(|(_, booking)| booking.reference.as_deref() == Some(reference));
        found.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.id.cmp(&other.id)));
        // The default calendar may stand in the settings by its id as well.
        found.dedup_by(|(_, one), (_, other)| one.id == other.id);
        Ok(found.into_iter().map(|(_, booking)| booking).collect())
    }

    /// What the occurrences of a series have in common; none if it is gone meanwhile.
    fn series(&self, id: &str) -> Result<Option<Value>> {
        match self.api.event(id) {
            Err(ProviderError::NotFound) => Ok(None),
            other => other.map(Some),
        }
    }

    /// An event that Graph tells as removed: it was deleted, or it lies outside of the window that is looked at.
    fn where_is(&self, id: &str) -> Result<Booking> {
        match self.api.event(id) {
            Err(ProviderError::NotFound) => Ok(map::gone(id)),
            other => map::booking(&other?, self.reading()),
        }
    }

    /// The booking of an event, none if it cannot be read: one odd event must not stop the sync of all the others.
    fn readable(&self, event: &Value, calendar: &str) -> Option<Booking> {
        let booking = map::listed(event, calendar, self.reading()).ok();
        if booking.is_none() {
            let id = event.get("id").and_then(Value::as_str).unwrap_or("without an id");
            log::error(&format!("left out of the sync: event {id}"));
        }
        booking
    }
}
