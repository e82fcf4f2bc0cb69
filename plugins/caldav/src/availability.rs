//! Busy times. `CalDAV` knows no free slots: Berth finds them.

use std::collections::BTreeSet;

use berth_icalendar::clocks::Clock;
use berth_sdk::{
    Availability, Result,
    icalendar::Known,
    log,
    time::DAY,
    types::{BusyQuery, BusyTime, Interval, ProviderError, QuerySpans},
};

use crate::{
    CalDav, dav,
    map::{
        busy,
        calendars::Calendar,
        ical,
        reading::{Own, Reading},
    },
    objects,
};

/// Longest query, in days. The protocol names no limit; two months keep the answer of a full calendar small.
const SPAN_DAYS: u32 = 62;
/// Calendars that one call can ask: below the 20 requests of a call, with room for discovery.
const CALENDARS_MAX: usize = 12;
/// A server may take days off for days in UTC, up to 14 hours away from those where people are, or count a zone's hours wrongly: so much
/// more is looked at on both sides.
const AROUND: i64 = DAY;

impl Availability for CalDav {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: 0, busy_days: SPAN_DAYS }
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let (mut calendars, _, own) = self.calendars()?;
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
        let known = Clock::named(&query.time_zone, &Known);
        let known = known.unwrap_or_else(|| ical::clock(&self.settings.time_zone));
        let mut all = Vec::new();
        for calendar in &calendars {
            all.extend(self.busy_in(calendar, query.within, &known, &own)?);
        }
        all.retain(|taken| taken.when.start < query.within.end && query.within.start < taken.when.end);
        all.sort_by_key(|taken| (taken.when.start, taken.when.end));
        Ok(all)
    }
}

impl CalDav {
    /// From single events, as the mirror reads them: what was declined, and days in their zone, no server counts the same. Days off are those of
    /// the calendar, or of where somebody asks (`known`). The server's own count is for what cannot be read: a calendar of which only that is
    /// shared, an event that is too large.
    fn busy_in(
        &self,
        calendar: &Calendar,
        within: Interval,
        known: &Clock,
        own: &Own,
    ) -> Result<Vec<BusyTime>> {
        let id = self.server.id(&calendar.url);
        let wide =
            Interval { start: within.start.saturating_sub(AROUND), end: within.end.saturating_add(AROUND) };
        let counted = || busy::free_busy(&dav::free_busy(&calendar.url, within)?, &id);
        let found = match objects::within(&calendar.url, wide) {
            Err(ProviderError::Forbidden(_)) if calendar.counts_busy => return counted(),
            found => found?,
        };
        let reading = Reading {
            floating: calendar.clock.clone().unwrap_or_else(|| known.clone()),
            own: own.clone(),
            tentative_is_busy: self.settings.tentative_is_busy,
        };
        let mut busy = busy::of_events(&found.resources, wide, &reading, &id);
        for url in &found.too_large {
            let event = self.server.id(url);
            log::error(&format!("event {event} is too large to be read; its time is what the server counts"));
        }
        if !found.too_large.is_empty() && calendar.counts_busy {
            // What was read is in the count as well.
            let read: BTreeSet<_> = busy.iter().map(|taken| (taken.when.start, taken.when.end)).collect();
            let more = counted()?.into_iter();
            busy.extend(more.filter(|taken| !read.contains(&(taken.when.start, taken.when.end))));
        }
        Ok(busy)
    }
}
