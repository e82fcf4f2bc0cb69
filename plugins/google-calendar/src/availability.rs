//! Busy times. Google knows no free slots: Berth finds them.

use berth_sdk::{
    Availability, Result,
    types::{BusyQuery, BusyTime, Interval, QuerySpans},
};

use crate::{GoogleCalendar, map};

/// Longest query, in days. Google names no limit; about three months are known to work.
const SPAN_DAYS: u32 = 60;
/// Calendars in one question: the most that Google takes.
const CALENDARS_MAX: usize = 50;

impl Availability for GoogleCalendar {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: 0, busy_days: SPAN_DAYS }
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let calendars =
            if query.calendars.is_empty() { self.settings.all_calendars() } else { query.calendars };
        self.busy_in(query.within, &calendars)
    }
}

impl GoogleCalendar {
    /// Is this stretch taken in any of the connection's calendars? `own` is where the event that is to be moved is now.
    pub(crate) fn is_taken(&self, when: Interval, own: Option<Interval>) -> Result<bool> {
        if !self.settings.refuse_conflicts {
            return Ok(false);
        }
        let busy = self.busy_in(when, &self.settings.all_calendars())?;
        Ok(busy.iter().any(|taken| map::overlaps_outside(taken.when, when, own)))
    }

    fn busy_in(&self, within: Interval, calendars: &[String]) -> Result<Vec<BusyTime>> {
        let mut busy = Vec::new();
        for some in calendars.chunks(CALENDARS_MAX) {
            busy.extend(map::busy(&self.api.free_busy(within.start, within.end, some)?, some)?);
        }
        busy.sort_by_key(|taken| (taken.when.start, taken.when.end));
        Ok(busy)
    }
}
