//! What changed since a cursor.

use berth_sdk::{
    Result, cursor, log,
    paging::{self, Piece},
    types::{Booking, ChangePage, Instant, ProviderError},
};
use serde_json::Value;

use crate::{
    Calendly,
    api::{EventFilter, PER_PAGE},
    cursor::Cursor,
    map,
};

/// Requests of one call, which may make 20: one to know the owner, so many lists of events, so many of invitees.
const LISTS_MAX: usize = 4;
const READS_MAX: usize = 15;
/// Whether a list begins at or behind the time that is asked for is not written.
const BEFORE: i64 = 1;

/// What the list of events shows of one.
struct Head<'a> {
    id: &'a str,
    start: Instant,
    end: Instant,
    updated_at: Option<Instant>,
    /// Pages of invitees.
    pages: usize,
    /// Invitees of a group come and go, and whether the event says so is not written; nor whether it says that somebody did not come.
    is_group: bool,
}

impl<'a> Head<'a> {
    fn of(event: &'a Value) -> Option<Self> {
        let count = |name: &str| event.pointer(&format!("/invitees_counter/{name}")).and_then(Value::as_u64);
        let total = usize::try_from(count("total").unwrap_or(1)).ok()?;
        Some(Self {
            id: map::event_id(event).ok()?,
            start: map::instant(event, "start_time")?,
            end: map::instant(event, "end_time")?,
            updated_at: map::instant(event, "updated_at"),
            pages: total.div_ceil(usize::try_from(PER_PAGE).ok()?).max(1),
            is_group: count("limit").is_some_and(|limit| limit > 1),
        })
    }

    /// May it hold something that the cursor has not seen?
    fn is_news(&self, since: Option<Instant>, now: Instant) -> bool {
        match since {
            None => self.end > now,
            Some(since) => self.is_group || self.start <= now || self.updated_at.is_none_or(|at| at >= since),
        }
    }
}

impl Calendly {
    pub(crate) fn changes(&self, cursor: Option<&str>, limit: u32) -> Result<ChangePage> {
        let now = self.api.now();
        let mut cursor = Cursor::parse(cursor, now)?;
        let owner = self.owner()?;
        let filter = EventFilter {
            after: Some(cursor.start().saturating_sub(BEFORE)),
            active_only: cursor.since.is_none(),
            ..EventFilter::default()
        };
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        let (mut items, mut reads, mut passed) = (Vec::new(), 0, false);
        let mut token = None;
        let mut more = true;
        'lists: for _ in 0..LISTS_MAX {
            let piece = self.api.events(&owner, self.scope, &filter, token.as_deref())?;
            for event in &piece.items {
                let Some(head) = Head::of(event) else {
                    log::error("left out of the sync: an event that cannot be read");
                    continue;
                };
                if cursor.has_passed(head.start, head.id) {
                    continue;
                }
                if head.is_news(cursor.since, now) {
                    let full = items.len() >= limit || (reads > 0 && reads + head.pages > READS_MAX);
                    if full {
                        break 'lists;
                    }
                    reads += head.pages;
                    items.extend(self.bookings_of(event, &head, cursor.since)?);
                }
                cursor.pass(head.start, head.id);
                passed = true;
            }
            token = piece.next;
            if token.is_none() {
                cursor.finish();
                more = false;
                break;
            }
        }
        if more && !passed {
            let message = "the pages of events bring nothing new";
            return Err(ProviderError::vendor(200, "page-repeated", message));
        }
        items.sort_by_key(|b: &Booking| b.updated_at);
        Ok(ChangePage { items, cursor: cursor::text(&cursor)?, more })
    }

    /// The bookings of an event that are news.
    fn bookings_of(&self, event: &Value, head: &Head<'_>, since: Option<Instant>) -> Result<Vec<Booking>> {
        let invitees =
            paging::all(|token| -> Result<Piece<Value>> { self.api.invitees(head.id, None, token) })?;
        let news = |b: &Booking| since.is_none_or(|since| b.updated_at.is_none_or(|at| at >= since));
        Ok(invitees.iter().filter_map(|invitee| readable(event, invitee)).filter(news).collect())
    }
}

/// The booking, none if it cannot be read: one odd booking must not stop the sync of all the others. One that is being moved is left
/// out as well, since the booking that replaces it follows.
fn readable(event: &Value, invitee: &Value) -> Option<Booking> {
    let booking = map::booking(event, invitee);
    if booking.is_err() {
        let id = map::event_id(event).unwrap_or("without an address");
        log::error(&format!("left out of the sync: an invitee of event {id}"));
    }
    booking.ok()
}
