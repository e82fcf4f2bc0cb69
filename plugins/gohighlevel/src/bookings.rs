//! Appointments. HighLevel has no idempotency keys: the reference stands in the description, and is looked for there before
//! a retry. What asks for a change looks first, so that a change that is made already succeeds.

use std::collections::BTreeMap;

use berth_sdk::{
    Bookings, Result, cursor, log,
    time::{DAY, MINUTE},
    types::{
        Attendee, Booking, BookingStatus, CancelRequest, ChangePage, CreateRequest, Interval, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
};
use serde_json::{Value, json};

use crate::{HighLevel, cursor::Cursor, map};

/// A sync goes back so far, since what is over may still become completed or a no-show.
const LOOK_BACK: i64 = 7 * DAY;
/// Appointments are looked for so far ahead: further than anybody books, as Berth allows two years.
const LOOK_AHEAD: i64 = 3 * 366 * DAY;
/// Requests that a call may make.
const REQUESTS_MAX: usize = 20;

impl Bookings for HighLevel {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        // What HighLevel would refuse, or lose, is found before anything is made there.
        let contact = map::contact_body(&self.settings.location_id, &request.attendee)?;
        let description = map::description(&request)?;
        let calendar = self.bookable(&request.event_type)?;
        calendar.check_length("when", Some((request.when.end - request.when.start) / MINUTE))?;
        let start = self.start_text(&calendar.id, request.when.start, request.slot_token, None)?;
        let contact = map::contact_id(&self.api.upsert_contact(&contact)?)?;
        let mut body = json!({
            "calendarId": calendar.id,
            "locationId": self.settings.location_id,
            "contactId": contact,
            "endTime": map::in_offset_of(Some(&start), request.when.end),
            "startTime": start,
            "appointmentStatus": if calendar.confirms_by_itself() { "confirmed" } else { "new" },
            "description": description,
            "toNotify": self.settings.notify,
        });
        if let (Some(fields), Some(user)) = (body.as_object_mut(), calendar.only_member()) {
            fields.insert("assignedUserId".to_owned(), json!(user));
        }
        let answer = self.api.create_appointment(&body)?;
        map::booking(&map::overlaid(body, &answer), &answer, vec![request.attendee])
    }

    fn get(&self, id: String) -> Result<Booking> {
        let event = self.event(&id)?;
        map::booking(&event, &event, self.people(&event)?)
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        // A person may have moved it to any time since it was made.
        let within = Interval {
            start: lookup.created_after.min(lookup.when.start).saturating_sub(DAY),
            end: self.api.now().saturating_add(LOOK_AHEAD),
        };
        let mut found = Vec::new();
        for event in self.events(&self.calendars_in_use()?, within)? {
            if map::reference(&event).as_ref() == Some(&lookup.reference) {
                found.push((map::added_at(&event), map::booking(&event, &event, Vec::new())?));
            }
        }
        found.sort_by_key(|(added_at, _)| std::cmp::Reverse(*added_at));
        Ok(found.into_iter().map(|(_, booking)| booking).collect())
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let event = self.event(&request.id)?;
        let old = map::booking(&event, &event, Vec::new())?;
        if old.status == BookingStatus::Cancelled {
            return Ok(old);
        }
        let mut body = json!({ "appointmentStatus": "cancelled", "toNotify": self.settings.notify });
        if let (Some(fields), Some(reason)) = (body.as_object_mut(), &request.reason) {
            fields.insert("description".to_owned(), json!(map::with_reason(&event, reason)));
        }
        let answer = self.api.update_appointment(&request.id, &body)?;
        let cancelled = map::booking(&map::overlaid(event, &answer), &answer, Vec::new())?;
        Ok(Booking {
            status: BookingStatus::Cancelled,
            cancellation_reason: request.reason,
            updated_at: None,
            ..cancelled
        })
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        let event = self.event(&request.id)?;
        let people = self.people(&event)?;
        let old = map::booking(&event, &event, people.clone())?;
        if !old.status.is_active() {
            return Err(ProviderError::wrong_state("The appointment is cancelled or over."));
        }
        if old.when == request.when {
            return Ok(old);
        }
        let calendar = old.event_type.as_deref().ok_or(ProviderError::Unavailable(None))?;
        let sample = event.get("startTime").and_then(Value::as_str);
        let start = self.start_text(calendar, request.when.start, request.slot_token, sample)?;
        let body = json!({
            "endTime": map::in_offset_of(Some(&start), request.when.end),
            "startTime": start,
            "toNotify": self.settings.notify,
        });
        let answer = self.api.update_appointment(&request.id, &body)?;
        let moved = map::overlaid(map::overlaid(event, &body), &answer);
        Ok(Booking { updated_at: None, ..map::booking(&moved, &answer, people)? })
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        let cursor = match cursor {
            Some(text) => cursor::parse(&text)?,
            None => Cursor::default(),
        };
        let now = self.api.now();
        let calendars = self.calendars_in_use()?;
        let start = cursor.seen_until().unwrap_or(now).min(now).saturating_sub(LOOK_BACK);
        let within = Interval { start, end: now.saturating_add(LOOK_AHEAD) };
        let events = self.events(&calendars, within)?;
        // Each item may cost a request, for whose it is.
        let most = u32::try_from(REQUESTS_MAX.saturating_sub(1 + calendars.len())).unwrap_or(1);
        let bookings = events.iter().filter_map(readable).collect();
        let (mut items, cursor, more) = cursor.page(bookings, now, limit.min(most).max(1));
        self.name_people(&mut items, &events)?;
        Ok(ChangePage { items, cursor: cursor::text(&cursor)?, more })
    }
}

impl HighLevel {
    /// An appointment as it stands.
    pub(crate) fn event(&self, id: &str) -> Result<Value> {
        map::event(self.api.appointment(id)?)
    }

    /// The appointments of these calendars.
    fn events(&self, calendars: &[String], within: Interval) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for calendar in calendars {
            all.extend(map::events(self.api.events(calendar, within)?)?);
        }
        Ok(all)
    }

    /// Whose appointment it is.
    pub(crate) fn people(&self, event: &Value) -> Result<Vec<Attendee>> {
        map::contact_of(event).map_or_else(|| Ok(Vec::new()), |id| self.person(id))
    }

    /// Say whose appointments these are; a contact of several is asked for once.
    fn name_people(&self, bookings: &mut [Booking], events: &[Value]) -> Result<()> {
        let mut known: BTreeMap<&str, Vec<Attendee>> = BTreeMap::new();
        for booking in bookings {
            let event = events.iter().find(|e| e.get("id").and_then(Value::as_str) == Some(&booking.id));
            let Some(contact) = event.and_then(map::contact_of) else { continue };
            if !known.contains_key(contact) {
                known.insert(contact, self.person(contact)?);
            }
            booking.attendees = known.get(contact).cloned().unwrap_or_default();
        }
        Ok(())
    }

    /// The person of a contact; nobody if it was erased or may not be read. What may be answered later is asked again later.
    fn person(&self, contact: &str) -> Result<Vec<Attendee>> {
        use ProviderError::{RateLimited, Unauthorised, Unavailable};
        match self.api.contact(contact) {
            Ok(answer) => Ok(map::contact(&answer).into_iter().map(|contact| contact.person).collect()),
            Err(later @ (Unauthorised | RateLimited(_) | Unavailable(_))) => Err(later),
            Err(_) => {
                log::warn("the contact of an appointment cannot be read");
                Ok(Vec::new())
            }
        }
    }
}

/// The booking of an item, none if it cannot be read: one odd appointment must not stop the sync of all the others.
fn readable(event: &Value) -> Option<Booking> {
    let booking = map::booking(event, event, Vec::new()).ok();
    if booking.is_none() {
        let id = event.get("id").and_then(Value::as_str).unwrap_or("without an id");
        log::error(&format!("left out of the sync: appointment {id}"));
    }
    booking
}
