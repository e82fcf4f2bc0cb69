//! Free slots of a service, and busy times of the staff.

use berth_sdk::{
    Availability, Result,
    types::{BusyQuery, BusyTime, QuerySpans, Slot, SlotQuery},
};

use crate::{Booksy, map};

/// Longest question, in days: what the contract allows for availability; it names no limit for busy times.
const SPAN_DAYS: u32 = 31;

impl Availability for Booksy {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: SPAN_DAYS, busy_days: SPAN_DAYS }
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        let staff = self.staff.as_deref();
        let answer = self.api.availability(&query.event_type, query.within, staff, query.length_minutes)?;
        map::slots(&answer, query.within)
    }

    /// A calendar is a member of staff.
    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let wanted: &[String] =
            if query.calendars.is_empty() { self.staff.as_slice() } else { &query.calendars };
        // One is asked for by name; of several, all are asked for and the others left out.
        let one = if let [one] = wanted { Some(one.as_str()) } else { None };
        map::busy(&self.api.busy(query.within, one)?, query.within, wanted)
    }
}
