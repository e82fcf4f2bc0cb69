//! Busy times. `CalDAV` knows no free slots: Berth finds them.

use berth_icalendar::clocks::Clock;
use berth_sdk::{
    Availability, Result,
    time::DAY,
    types::{BusyQuery, BusyTime, Interval, ProviderError, QuerySpans},
};

use crate::{
    CalDav, dav, errors,
    map::{busy, calendars::Calendar, ical},
};

/// Longest query, in days. The protocol names no limit; two months keep the answer of a full calendar small.
const SPAN_DAYS: u32 = 62;
/// Calendars that one call can ask: below the 20 requests of a call, with room for discovery.
const CALENDARS_MAX: usize = 12;
/// A server may take days off for days in UTC, up to 14 hours away from those where people are: so much more is looked at on both sides.
const AROUND: i64 = DAY;

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
        let known = ical::clock(&query.time_zone);
        let mut all = Vec::new();
        for calendar in &calendars {
            all.extend(self.busy_in(calendar, query.within, &known, calendar.url == booked)?);
        }
        all.retain(|taken| taken.when.start < query.within.end && query.within.start < taken.when.end);
        all.sort_by_key(|taken| (taken.when.start, taken.when.end));
        Ok(all)
    }
}

impl CalDav {
    /// As the server counts, or from single events where it does not count, in a calendar without a zone, where a server can but guess when
    /// days begin, and in the calendar that is booked: a server joins times that touch, and Berth knows its own bookings by their times. Days off are those of the calendar, or of where somebody asks (`known`).
    fn busy_in(
        &self,
        calendar: &Calendar,
        within: Interval,
        known: &Clock,
        booked: bool,
    ) -> Result<Vec<BusyTime>> {
        let id = self.server.id(&calendar.url);
        if booked || !calendar.counts_busy || calendar.clock.is_none() {
            let wide = Interval {
                start: within.start.saturating_sub(AROUND),
                end: within.end.saturating_add(AROUND),
            };
            let events = dav::expanded(&calendar.url, wide)?;
            match busy::of_events(&events, calendar.clock.as_ref().unwrap_or(known), &id) {
                Err(error) if calendar.counts_busy && errors::is(&error, busy::NOT_EXPANDED) => {}
                told => return told,
            }
        }
        busy::free_busy(&dav::free_busy(&calendar.url, within)?, &id)
    }
}
