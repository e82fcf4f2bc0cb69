//! iCalendar as the codec has it, and time as the contract has it: microseconds.

use berth_icalendar::{
    Component,
    clocks::{Clock, Zones},
    event::When,
    expansion::Rules,
    stamp,
};
use berth_sdk::{
    Result, log, recurrence, time,
    types::{Instant, Interval, ProviderError},
    zone,
};
use chrono::{DateTime, NaiveDateTime};

/// Zones as the SDK knows them.
pub(crate) struct Known;

impl Zones for Known {
    fn instant(&self, zone: &str, local: NaiveDateTime) -> Option<NaiveDateTime> {
        utc(zone::Zone::named(zone)?.instant(micros(local)))
    }
}

/// Rules as Berth follows them.
pub(crate) struct Followed;

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

/// The clock of a zone by its name, or one that shows UTC.
pub(crate) fn clock(name: &str) -> Clock {
    Clock::named(name, &Known).unwrap_or(Clock::Utc)
}

/// The clock of a calendar's `calendar-timezone`.
pub(crate) fn zone(text: &str) -> Option<Clock> {
    Clock::of(read(text).ok()?.all("VTIMEZONE").next()?, &Known)
}

/// The first `VCALENDAR`. What is none is no usable answer.
pub(crate) fn read(text: &str) -> Result<Component> {
    Component::read(text.as_bytes()).map_err(|refused| {
        log::warn(&format!("an answer holds no readable iCalendar object: {refused}"));
        ProviderError::Unavailable(None)
    })
}

pub(crate) fn micros(utc: NaiveDateTime) -> Instant {
    utc.and_utc().timestamp_micros()
}

pub(crate) fn utc(instant: Instant) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(instant)?.naive_utc())
}

pub(crate) fn interval(when: When) -> Interval {
    Interval { start: micros(when.start), end: micros(when.end) }
}

/// An instant as text, in UTC, no finer than a second.
pub(crate) fn stamped(instant: Instant) -> String {
    utc(instant.saturating_sub(instant.rem_euclid(time::SECOND))).map(stamp::utc).unwrap_or_default()
}
