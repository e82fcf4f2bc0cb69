//! Free times of an event type, and busy times of the account.

use berth_sdk::{
    Availability, Result,
    time::MINUTE,
    types::{BusyQuery, BusyTime, Interval, QuerySpans, Slot, SlotQuery},
};

use crate::{Calendly, map};

/// Longest questions, in days.
const SPANS: QuerySpans = QuerySpans { free_slots_days: 31, busy_days: 7 };
/// A question must begin in the future; a minute covers the way and the difference of the clocks.
const AHEAD: i64 = MINUTE;

impl Availability for Calendly {
    fn spans() -> QuerySpans {
        SPANS
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        let start = query.within.start.max(self.api.now().saturating_add(AHEAD));
        if start >= query.within.end {
            return Ok(Vec::new());
        }
        let within = Interval { start, end: query.within.end };
        let uri = map::event_type_uri(&query.event_type)?;
        // The answer has no ends: they follow from the length.
        let event_type = map::event_type(&self.event_type(map::last_part(&uri))?)?;
        map::has_length(&event_type, query.length_minutes)?;
        map::slots(&self.api.available_times(&uri, within)?, event_type.length_minutes, within)
    }

    /// Calendly has one answer for all calendars that the account checks for conflicts.
    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let owner = self.owner()?;
        map::busy(&self.api.busy_times(&owner.user, query.within)?, query.within)
    }
}
