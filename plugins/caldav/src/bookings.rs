//! Bookings are events. Where one lies follows from the idempotency key, so that no number of tries makes two; its UID follows from
//! the reference.

use berth_sdk::{
    Bookings, Result, cursor, log, time,
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, Conflict, CreateRequest, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
};

use crate::{
    CalDav, CancelledEvents,
    cursor::{Cursor, Listing, Page},
    dav, errors,
    map::{
        event::{self, Event},
        href, ical, query,
        reading::{Own, Reading, asks_where, asks_who},
        write,
        xml::{Multistatus, Resource},
    },
    objects,
};

/// Events on a page of changes: with notes and attachments well below the 4 MiB of an answer.
const PER_PAGE: u32 = 50;
/// Tries to change an event that others change at the same time.
const CHANGE_TRIES: u32 = 3;

impl Bookings for CalDav {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        let calendar = self.calendar()?;
        let id = self.server.id(&calendar);
        if self.server.folder(&request.event_type) != calendar {
            let message = format!(
                "must be {id}: this connection writes to that calendar; make a connection for each other one"
            );
            return Err(ProviderError::invalid("event_type", message));
        }
        let url = href::resolve(&calendar, &format!("{}.ics", request.idempotency_key));
        let text = write::create(&request, &self.settings.title, time::now());
        match dav::create(&url, &text) {
            Ok(etag) => self.booking(&Event::read(self.server.id(&url), etag.as_deref(), &text)?, &calendar),
            Err(ProviderError::Conflict(Conflict::Changed)) => {
                self.made_already(&url, &request.reference, &calendar)
            }
            // Under another key, or somebody opened the invitation in this calendar: it is the same event.
            Err(error) if errors::is(&error, errors::UID_TAKEN) => {
                let found = self.with_reference(&calendar, &request.reference)?;
                found.into_iter().find(|booking| booking.status.is_active()).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    fn get(&self, id: String) -> Result<Booking> {
        let url = self.server.url(&id);
        self.booking(&self.event_at(&url)?, &href::resolve(&url, ""))
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        self.with_reference(&self.calendar()?, &lookup.reference)
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        let url = self.server.url(&request.id);
        persist(|| self.try_cancel(&url, request.reason.as_deref()))
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        let url = self.server.url(&request.id);
        persist(|| self.try_move(&url, &request))
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        let calendar = self.calendar()?;
        let cursor = match cursor {
            Some(text) => cursor::parse(&text)?,
            None => Self::begin(&calendar)?,
        };
        let answer = match &cursor.listing {
            Listing::Since(token) => dav::changes(&calendar, token)?,
            Listing::From(at) => dav::not_over(&calendar, *at)?,
        };
        let listed = Listed::read(&answer, &calendar);
        // The first listing has none of its own: its cursor brings it.
        let next = match (&cursor.page, listed.next) {
            (Some(page), _) => page.next.clone(),
            (None, Some(token)) => token,
            (None, None) => return Err(unusable("the server gave no sync-token")),
        };
        let size = usize::try_from(limit.clamp(1, PER_PAGE)).unwrap_or(1);
        let (urls, cursor, more) = cursor.cut(listed.urls, next, listed.more, size);
        let items = self.read_all(&calendar, urls, &listed.gone)?;
        Ok(ChangePage { items, cursor: cursor::text(&cursor)?, more })
    }
}

impl CalDav {
    pub(crate) fn event_at(&self, url: &str) -> Result<Event> {
        dav::event(url, self.server.id(url))
    }

    /// An event as a booking; `calendar` is the URL of the calendar that it lies in.
    pub(crate) fn booking(&self, event: &Event, calendar: &str) -> Result<Booking> {
        event.booking(&self.server.id(calendar), &self.reading(calendar, std::slice::from_ref(event))?)
    }

    /// How these events of a calendar are read. The server is asked only for what one of them depends on.
    fn reading(&self, calendar: &str, events: &[Event]) -> Result<Reading> {
        let any =
            |asks: fn(&berth_icalendar::Component) -> bool| events.iter().filter_map(Event::main).any(asks);
        let own = if any(asks_who) { self.own()? } else { Own::default() };
        let zone = if any(asks_where) {
            let answer = dav::properties(calendar, query::ZONE)?;
            answer
                .resources
                .first()
                .and_then(|resource| resource.text("calendar-timezone").and_then(ical::zone))
        } else {
            None
        };
        Ok(Reading {
            floating: zone.unwrap_or_else(|| ical::clock(&self.settings.time_zone)),
            own,
            tentative_is_busy: self.settings.tentative_is_busy,
        })
    }

    /// The event that lies there already, made by an earlier try.
    fn made_already(&self, url: &str, reference: &str, calendar: &str) -> Result<Booking> {
        let event = match self.event_at(url) {
            // Gone again in between.
            Err(ProviderError::NotFound) => return Err(ProviderError::Unavailable(None)),
            other => other?,
        };
        let booking = self.booking(&event, calendar)?;
        if booking.reference.as_deref() != Some(reference) {
            return Err(ProviderError::wrong_state("Another event lies where this one was to be written."));
        }
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event was made and then cancelled in the calendar."));
        }
        Ok(booking)
    }

    fn with_reference(&self, calendar: &str, reference: &str) -> Result<Vec<Booking>> {
        let answer = dav::by_uid(calendar, &event::uid(reference))?;
        let mut found = Vec::new();
        for resource in &answer.resources {
            let event = self.read(resource, calendar)?;
            // A server may compare without regard to case, or not at all.
            if event.reference().as_deref() == Some(reference) {
                found.push(self.booking(&event, calendar)?);
            }
        }
        found.sort_by_key(|booking| std::cmp::Reverse(booking.updated_at));
        Ok(found)
    }

    fn read(&self, resource: &Resource, calendar: &str) -> Result<Event> {
        let text =
            resource.text("calendar-data").ok_or_else(|| unusable("an event came without its data"))?;
        let id = self.server.id(&href::resolve(calendar, &resource.href));
        Ok(Event::read(id, resource.text("getetag"), text)?.modified(resource.text("getlastmodified")))
    }

    fn try_cancel(&self, url: &str, reason: Option<&str>) -> Result<Booking> {
        let calendar = href::resolve(url, "");
        let event = match self.event_at(url) {
            Err(ProviderError::NotFound) => return Ok(event::gone(&self.server.id(url))),
            other => other?,
        };
        let booking = self.booking(&event, &calendar)?;
        if booking.status == BookingStatus::Cancelled {
            return Ok(booking);
        }
        match self.settings.cancelled_events {
            CancelledEvents::Delete => match dav::delete(url, &event) {
                Ok(()) | Err(ProviderError::NotFound) => Ok(Booking {
                    status: BookingStatus::Cancelled,
                    cancellation_reason: reason.map(str::to_owned),
                    ..booking
                }),
                Err(error) => Err(error),
            },
            CancelledEvents::Keep => {
                let text = write::cancelled(&event, reason, time::now());
                let etag = dav::replace(url, &event, &text)?;
                self.booking(&Event::read(event.id, etag.as_deref(), &text)?, &calendar)
            }
        }
    }

    fn try_move(&self, url: &str, request: &RescheduleRequest) -> Result<Booking> {
        let calendar = href::resolve(url, "");
        let event = self.event_at(url)?;
        let booking = self.booking(&event, &calendar)?;
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event is cancelled."));
        }
        if booking.when == request.when {
            // An earlier try moved it, and its answer was lost.
            return Ok(booking);
        }
        let text = write::moved(&event, request.when, time::now());
        let etag = dav::replace(url, &event, &text)?;
        self.booking(&Event::read(event.id, etag.as_deref(), &text)?, &calendar)
    }

    /// The first position: the token comes before the listing, so that nothing falls in between.
    fn begin(calendar: &str) -> Result<Cursor> {
        let answer = dav::properties(calendar, query::SYNC_TOKEN)?;
        let token = answer.resources.first().and_then(|resource| resource.text("sync-token"));
        // Without it a server cannot tell changes.
        let next = token.ok_or(ProviderError::Unsupported(None))?.to_owned();
        let page = Page { next, after: String::new(), more: false };
        Ok(Cursor { listing: Listing::From(time::now()), page: Some(page) })
    }

    /// These events as bookings, those that are gone as cancelled ones. An odd event must not stop the sync of all the others.
    fn read_all(&self, calendar: &str, urls: Vec<String>, gone: &[String]) -> Result<Vec<Booking>> {
        let id = self.server.id(calendar);
        let (gone, there): (Vec<_>, Vec<_>) = urls.into_iter().partition(|url| gone.contains(url));
        let mut bookings: Vec<Booking> = gone.iter().map(|url| event::gone(&self.server.id(url))).collect();
        if there.is_empty() {
            return Ok(bookings);
        }
        let left_out = |at: &str| log::error(&format!("left out of the sync: event {at}"));
        let found = objects::named(calendar, &there)?;
        found.too_large.iter().for_each(|url| left_out(&self.server.id(url)));
        let mut events = Vec::new();
        for resource in &found.resources {
            let at = self.server.id(&href::resolve(calendar, &resource.href));
            match self.read(resource, calendar) {
                _ if resource.status == Some(404) => bookings.push(event::gone(&at)),
                // Not a task, a journal.
                Ok(event) if event.main().is_some() => events.push(event),
                Ok(_) => {}
                Err(_) => left_out(&at),
            }
        }
        let reading = self.reading(calendar, &events)?;
        for event in events {
            match event.booking(&id, &reading) {
                Ok(booking) => bookings.push(booking),
                Err(_) => left_out(&event.id),
            }
        }
        bookings.sort_by_key(|booking| booking.updated_at);
        Ok(bookings)
    }
}

/// What a listing says.
struct Listed {
    /// Everything in it, gone or not.
    urls: Vec<String>,
    gone: Vec<String>,
    next: Option<String>,
    /// The server cut it (RFC 6578 section 3.6).
    more: bool,
}

impl Listed {
    fn read(answer: &Multistatus, calendar: &str) -> Self {
        let mut listed =
            Self { urls: Vec::new(), gone: Vec::new(), next: answer.sync_token.clone(), more: false };
        for resource in &answer.resources {
            let url = href::resolve(calendar, &resource.href);
            if href::folder(&url) == calendar {
                listed.more |= resource.status == Some(507);
                continue;
            }
            if resource.status == Some(404) {
                listed.gone.push(url.clone());
            }
            listed.urls.push(url);
        }
        listed
    }
}

/// Change an event in the state that was read, again if somebody else changed it in between.
pub(crate) fn persist(change: impl Fn() -> Result<Booking>) -> Result<Booking> {
    for _ in 1..CHANGE_TRIES {
        match change() {
            Err(ProviderError::Conflict(Conflict::Changed)) => {}
            other => return other,
        }
    }
    change()
}

fn unusable(why: &str) -> ProviderError {
    log::warn(why);
    ProviderError::Unavailable(None)
}
