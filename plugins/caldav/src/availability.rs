//! Busy times. `CalDAV` knows no free slots: Berth finds them.

use berth_sdk::{
    Availability, Result,
    types::{BusyQuery, BusyTime, Interval, ProviderError, QuerySpans},
};

use crate::{
    CalDav, dav, errors,
    map::{busy, calendars::Calendar},
};

/// Longest query, in days. The protocol names no limit; two months keep the answer of a full calendar small.
const SPAN_DAYS: u32 = 62;
/// Calendars that one call can ask: below the 20 requests of a call, with room for discovery.
const CALENDARS_MAX: usize = 12;

impl Availability for CalDav {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: 0, busy_days: SPAN_DAYS }
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let (mut calendars, booked) = self.calendars()?;
        if query.calendars.is_empty() {
            calendars.retain(|calendar| calendar.opaque);
        } else {
            let wanted: Vec<String> = query.calendars.iter().map(|id| self.server.folder(id)).collect();
            if let Some(missing) =
                wanted.iter().find(|url| calendars.iter().all(|calendar| calendar.url != **url))
            {
                let message =
                    format!("{missing} is no calendar of the account; list the event types to see them");
                return Err(ProviderError::invalid("calendars", message));
            }
            calendars.retain(|calendar| wanted.contains(&calendar.url));
        }
        if calendars.len() > CALENDARS_MAX {
            let message =
                format!("at most {CALENDARS_MAX} calendars can be looked at; mark the others as transparent");
            return Err(ProviderError::invalid("calendars", message));
        }
        let mut all = Vec::new();
        for calendar in &calendars {
            all.extend(self.busy_in(calendar, query.within, calendar.url == booked)?);
        }
        all.sort_by_key(|taken| (taken.when.start, taken.when.end));
        Ok(all)
    }
}

impl CalDav {
    /// As the server counts, or from single events where it does not count, and in the calendar that is booked: a server joins times
    /// that touch, and Berth knows its own bookings by their times.
    fn busy_in(&self, calendar: &Calendar, within: Interval, booked: bool) -> Result<Vec<BusyTime>> {
        let id = self.server.id(&calendar.url);
        if booked || !calendar.counts_busy {
            let events = dav::expanded(&calendar.url, within)?;
            match busy::of_events(&events, calendar.zone.as_ref(), &id) {
                Err(error) if calendar.counts_busy && errors::is(&error, busy::NOT_EXPANDED) => {}
                told => return told,
            }
        }
        busy::free_busy(&dav::free_busy(&calendar.url, within)?, &id)
    }
}
