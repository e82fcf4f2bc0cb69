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
        href, query, write,
        xml::{Multistatus, Resource},
    },
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
            Ok(etag) => Event::read(self.server.id(&url), etag.as_deref(), &text)?.booking(&id),
            Err(ProviderError::Conflict(Conflict::Changed)) => {
                self.made_already(&url, &request.reference, &id)
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
        self.event_at(&url)?.booking(&self.calendar_of(&url))
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
    fn event_at(&self, url: &str) -> Result<Event> {
        dav::event(url, self.server.id(url))
    }

    /// Id of the calendar that an event lies in.
    fn calendar_of(&self, url: &str) -> String {
        self.server.id(&href::resolve(url, ""))
    }

    /// The event that lies there already, made by an earlier try.
    fn made_already(&self, url: &str, reference: &str, calendar: &str) -> Result<Booking> {
        let event = match self.event_at(url) {
            // Gone again in between.
            Err(ProviderError::NotFound) => return Err(ProviderError::Unavailable(None)),
            other => other?,
        };
        let booking = event.booking(calendar)?;
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
                found.push(event.booking(&self.server.id(calendar))?);
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
        let calendar = self.calendar_of(url);
        let event = match self.event_at(url) {
            Err(ProviderError::NotFound) => return Ok(event::gone(&self.server.id(url))),
            other => other?,
        };
        let booking = event.booking(&calendar)?;
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
                Event::read(event.id, etag.as_deref(), &text)?.booking(&calendar)
            }
        }
    }

    fn try_move(&self, url: &str, request: &RescheduleRequest) -> Result<Booking> {
        let calendar = self.calendar_of(url);
        let event = self.event_at(url)?;
        let booking = event.booking(&calendar)?;
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event is cancelled."));
        }
        if booking.when == request.when {
            // An earlier try moved it, and its answer was lost.
            return Ok(booking);
        }
        let text = write::moved(&event, request.when, time::now());
        let etag = dav::replace(url, &event, &text)?;
        Event::read(event.id, etag.as_deref(), &text)?.booking(&calendar)
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
        for resource in &dav::multiget(calendar, &there)?.resources {
            let at = self.server.id(&href::resolve(calendar, &resource.href));
            if resource.status == Some(404) {
                bookings.push(event::gone(&at));
                continue;
            }
            match self.read(resource, calendar) {
                // A task, a journal.
                Ok(event) if event.main().is_none() => {}
                Ok(event) => match event.booking(&id) {
                    Ok(booking) => bookings.push(booking),
                    Err(_) => log::error(&format!("left out of the sync: event {at}")),
                },
                Err(_) => log::error(&format!("left out of the sync: event {at}")),
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
fn persist(change: impl Fn() -> Result<Booking>) -> Result<Booking> {
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
