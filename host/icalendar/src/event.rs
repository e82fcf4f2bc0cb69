//! What an event says of time (RFC 5545 section 3.6.1): one reading, whoever asks.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::{
    Component, Property,
    clocks::{Clock, Clocks},
    stamp::{Length, Stamp},
};

/// Why the time of an event cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Unreadable {
    #[error("has no DTSTART")]
    NoStart,
    #[error("has a DTSTART that is no date and no time")]
    Start,
    #[error("has a DTEND that is no date and no time")]
    End,
    #[error("has a DURATION that is no length")]
    Duration,
    #[error("names a time zone that is neither defined nor known")]
    Zone,
    #[error("ends before it begins")]
    EndsFirst,
    #[error("lies outside of the calendar")]
    Beyond,
    #[error("recurs in a way that is not understood, or too often")]
    Rule,
}

/// A stretch of time, in UTC. Never inverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct When {
    pub start: NaiveDateTime,
    pub end: NaiveDateTime,
}

/// Whole days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WholeDays {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// When an event takes place on the clock of its start; of a series, how each of its times lies to its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// What the clock shows at its start.
    pub start: NaiveDateTime,
    /// Whose clock.
    pub clock: Clock,
    /// Does it take whole days?
    pub is_day: bool,
    /// How long.
    pub length: Length,
}

/// What is assumed to last as long as calendar programs give a new event, in seconds: what has a start whose end cannot be read.
const UNKNOWN_SECONDS: i64 = 3_600;

impl Extent {
    /// Of an event.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn of(event: &Component, clocks: &Clocks<'_>) -> Result<Self, Unreadable> {
        let begun = Self::begun(event, clocks)?;
        let length = match (event.property("DTEND"), event.property("DURATION")) {
            (Some(ends), _) => begun.to(ends, clocks)?,
            (None, Some(length)) => Length::read(length.value()).ok_or(Unreadable::Duration)?,
            (None, None) => Length::default(),
        };
        if length.is_negative() {
            return Err(Unreadable::EndsFirst);
        }
        Ok(Self { length: begun.at_least_a_day(length), ..begun })
    }

    /// Of an event whose end may be unreadable: then of its start, as long as such events are. For whoever must not offer time that may be
    /// taken.
    ///
    /// # Errors
    /// Nothing is known of it, not even its start.
    pub fn known_part(event: &Component, clocks: &Clocks<'_>) -> Result<Self, Unreadable> {
        Self::of(event, clocks).or_else(|_| {
            let begun = Self::begun(event, clocks)?;
            let length = if begun.is_day { Length::of_days(1) } else { Length::of_seconds(UNKNOWN_SECONDS) };
            Ok(Self { length, ..begun })
        })
    }

    fn begun(event: &Component, clocks: &Clocks<'_>) -> Result<Self, Unreadable> {
        let begins = event.property("DTSTART").ok_or(Unreadable::NoStart)?;
        let start = Stamp::read(begins.value()).ok_or(Unreadable::Start)?;
        let clock = clocks.of(begins).ok_or(Unreadable::Zone)?;
        let is_day = matches!(start, Stamp::Day(_));
        let begun = Self { start: start.shown(), clock, is_day, length: Length::default() };
        begun.at(begun.start, clocks).ok_or(Unreadable::Beyond)?;
        Ok(begun)
    }

    /// A day without an end, or that ends on the day that it begins, is that day, whatever the standard says of the second: many write it.
    fn at_least_a_day(&self, length: Length) -> Length {
        if self.is_day && length == Length::default() { Length::of_days(1) } else { length }
    }

    /// To an end that is written down: days between days, exact seconds otherwise (section 3.8.5.3).
    fn to(&self, ends: &Property, clocks: &Clocks<'_>) -> Result<Length, Unreadable> {
        let end = Stamp::read(ends.value()).ok_or(Unreadable::End)?;
        if self.is_day && matches!(end, Stamp::Day(_)) {
            return Ok(Length::of_days((end.shown() - self.start).num_days()));
        }
        // Of a time and a day, the day is on the clock of the time.
        let clock = match end {
            Stamp::Day(_) => self.clock.clone(),
            _ => clocks.of(ends).ok_or(Unreadable::Zone)?,
        };
        let instant = |clock: &Clock, local| clocks.instant(clock, local).ok_or(Unreadable::Beyond);
        let (start, end) = (instant(&self.clock, self.start)?, instant(&clock, end.shown())?);
        Ok(Length::of_seconds((end - start).num_seconds()))
    }

    /// When it takes place, where its clock shows this at the start. None beyond the calendar.
    #[must_use]
    pub fn at(&self, start: NaiveDateTime, clocks: &Clocks<'_>) -> Option<When> {
        let instant = |local| clocks.instant(&self.clock, local);
        let begins = instant(start)?;
        let ends = self.length.after_seconds(instant(self.length.after_days(start)?)?)?;
        Some(When { start: begins, end: ends.max(begins) })
    }
}

/// When an event takes place; of a series, its first time.
///
/// # Errors
/// What of it cannot be read.
pub fn when(event: &Component, clocks: &Clocks<'_>) -> Result<When, Unreadable> {
    let extent = Extent::of(event, clocks)?;
    extent.at(extent.start, clocks).ok_or(Unreadable::Beyond)
}

/// The whole days of an event, on no clock: one of days, or one from midnight to midnight that says of itself that it is a day. None of one
/// that has a time of day.
///
/// # Errors
/// What of it cannot be read.
pub fn whole_days(event: &Component) -> Result<Option<WholeDays>, Unreadable> {
    let begins = event.property("DTSTART").ok_or(Unreadable::NoStart)?;
    let start = Stamp::read(begins.value()).ok_or(Unreadable::Start)?;
    let said = event.says("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE")
        || begins.parameter("VALUE").as_deref() == Some("DATE");
    let midnight = |stamp: Stamp| stamp.shown().time() == NaiveTime::MIN;
    let is_day = |stamp: Stamp| matches!(stamp, Stamp::Day(_)) || (said && midnight(stamp));
    if !is_day(start) {
        return Ok(None);
    }
    let first = start.shown().date();
    let days = match (event.property("DTEND"), event.property("DURATION")) {
        (Some(ends), _) => {
            let end = Stamp::read(ends.value()).ok_or(Unreadable::End)?;
            if !is_day(end) {
                return if matches!(start, Stamp::Day(_)) { Err(Unreadable::End) } else { Ok(None) };
            }
            (end.shown().date() - first).num_days()
        }
        (None, Some(length)) => {
            let length = Length::read(length.value()).ok_or(Unreadable::Duration)?;
            if length.seconds.rem_euclid(86_400) != 0 {
                return Err(Unreadable::Duration);
            }
            length.days.saturating_add(length.seconds.div_euclid(86_400))
        }
        (None, None) => 1,
    };
    if days < 0 {
        return Err(Unreadable::EndsFirst);
    }
    let last = Length::of_days(days.max(1).saturating_sub(1)).after_days(first.and_time(NaiveTime::MIN));
    let last = last.ok_or(Unreadable::Beyond)?.date();
    Ok(Some(WholeDays { first, last }))
}

/// Which of two events of one UID, or of one time of a series, counts: the one with the higher `SEQUENCE`, then the one that was changed later
/// (RFC 5546 section 2.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Version {
    pub sequence: i64,
    pub modified: Option<NaiveDateTime>,
}

impl Version {
    /// Of an event. Without a `SEQUENCE` that can be read it is the first.
    #[must_use]
    pub fn of(event: &Component) -> Self {
        let sequence = event.property("SEQUENCE").and_then(|p| p.value().parse().ok()).unwrap_or(0);
        let modified = event.property("LAST-MODIFIED").and_then(|p| Stamp::read(p.value())).map(Stamp::shown);
        Self { sequence, modified }
    }
}

#[cfg(test)]
mod tests;
