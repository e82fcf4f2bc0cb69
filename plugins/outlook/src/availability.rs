//! Busy times: events of the account's calendars, and schedules of other people and rooms.

use berth_sdk::{
    Availability, Result,
    paging::{self, Piece},
    time::DAY,
    types::{BusyQuery, BusyTime, Interval, QuerySpans},
};

use crate::{Outlook, map};

/// Longest query, in days. A schedule is told for two months at most; a month keeps a calendar within a few pages.
const SPAN_DAYS: u32 = 31;
/// Events on a page.
const PER_PAGE: u32 = 200;
/// Days off are told as days in UTC and are days where people are, up to 14 hours away: so much more is looked at on both sides.
const AROUND: i64 = DAY;

impl Availability for Outlook {
    fn spans() -> QuerySpans {
        // What is free is for Berth to say: Outlook has no opening hours of an appointment.
        QuerySpans { free_slots_days: 0, busy_days: SPAN_DAYS }
    }

    /// A calendar of the query with an @ in it is the address of a person or room.
    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let (schedules, calendars) = if query.calendars.is_empty() {
            (self.settings.also_busy.clone(), self.settings.calendars.clone())
        } else {
            query.calendars.iter().cloned().partition(|id| id.contains('@'))
        };
        let reading = map::Reading { zone: map::zone(&query.time_zone), ..self.reading() };
        let wide = Interval {
            start: query.within.start.saturating_sub(AROUND),
            end: query.within.end.saturating_add(AROUND),
        };
        let mut busy = Vec::new();
        for calendar in &calendars {
            let events = paging::all(|path| {
                let page = self.api.calendar_view(calendar, wide, path, PER_PAGE)?;
                Ok(Piece { next: page.next()?, items: page.value })
            })?;
            busy.extend(map::busy_events(&events, reading)?);
        }
        if !schedules.is_empty() {
            let told = self.api.schedules(&schedules, query.within)?;
            busy.extend(map::busy_schedules(&told, &schedules, reading)?);
        }
        busy.retain(|t| t.when.start < query.within.end && query.within.start < t.when.end);
        busy.sort_by_key(|t| (t.when.start, t.when.end));
        Ok(busy)
    }
}
