//! Between the iCalendar codec (`berth-icalendar`), whose times are on a wall or in UTC, and the contract, whose times are microseconds: zones
//! and rules are those of Berth, so that every component reads a calendar as Berth does. A feature, `icalendar`.

use berth_icalendar::{clocks::Zones, event::When, expansion::Rules};
use chrono::{DateTime, NaiveDateTime};

use crate::{
    recurrence,
    types::{Instant, Interval},
    zone::Zone,
};

/// Zones as Berth knows them.
#[derive(Debug, Clone, Copy)]
pub struct Known;

impl Zones for Known {
    fn instant(&self, zone: &str, local: NaiveDateTime) -> Option<NaiveDateTime> {
        utc(Zone::named(zone)?.instant(micros(local)))
    }
}

/// Recurrence rules as Berth follows them.
#[derive(Debug, Clone, Copy)]
pub struct Followed;

impl Rules for Followed {
    fn times(
        &self,
        rule: &str,
        start: NaiveDateTime,
        from: NaiveDateTime,
        end: NaiveDateTime,
    ) -> Option<Vec<NaiveDateTime>> {
        let found = recurrence::occurrences(rule, micros(start), micros(from), micros(end)).ok()?;
        found.into_iter().map(utc).collect()
    }
}

/// A time in UTC as an instant.
#[must_use]
pub fn micros(utc: NaiveDateTime) -> Instant {
    utc.and_utc().timestamp_micros()
}

/// An instant as a time in UTC. None beyond all calendars.
#[must_use]
pub fn utc(instant: Instant) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(instant)?.naive_utc())
}

/// When something takes place.
#[must_use]
pub fn interval(when: When) -> Interval {
    Interval { start: micros(when.start), end: micros(when.end) }
}
