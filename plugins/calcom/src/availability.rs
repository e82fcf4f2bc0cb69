//! Free slots of an event type, and busy times of the connected calendars.

use berth_sdk::{
    Availability, Result,
    types::{BusyQuery, BusyTime, QuerySpans, Slot, SlotQuery},
};

use crate::{CalCom, map};

/// Longest query, in days. Cal.com names no limit, but its answers slow down with the span.
const SPAN_DAYS: u32 = 31;
/// Calendars in one question for busy times, so that its URL stays short.
const CALENDARS_MAX: usize = 20;

impl Availability for CalCom {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: SPAN_DAYS, busy_days: SPAN_DAYS }
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        let event_type = map::event_type_id(&query.event_type)?;
        map::slots(&self.api.slots(event_type, &query)?, query.within)
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let calendars = map::calendars(&self.api.calendars()?, &query.calendars)?;
        let mut busy = Vec::new();
        for some in calendars.chunks(CALENDARS_MAX) {
            busy.extend(map::busy(&self.api.busy_times(&query, some)?, query.within)?);
        }
        busy.sort_by_key(|t| (t.when.start, t.when.end));
        Ok(busy)
    }
}
