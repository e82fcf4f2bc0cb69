//! Recurrence (RFC 5545 section 3.3.10): from a rule on a wall clock to instants.
//!
//! The library expands local times as if they were UTC; each occurrence is then read on the zone's clock by the rule of
//! [`crate::hours`]: a gap takes the offset before it, a fold its first pass.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use crate::{
    hours::{instant_of, local_of},
    limits,
    time::{Instant, Interval, Zone},
};

/// A recurrence as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// First local time.
    pub dtstart: NaiveDateTime,
    /// Whose clock; none: floating, local times read as UTC.
    pub zone: Option<Zone>,
    /// The `RRULE`, without its name: `FREQ=WEEKLY;BYDAY=MO`.
    pub rule: Option<String>,
    /// Local times that are left out.
    pub exdates: Vec<NaiveDateTime>,
    /// Local times that are added.
    pub rdates: Vec<NaiveDateTime>,
}

/// Why a rule is not acceptable. Names the part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {message}")]
pub struct RecurrenceError {
    /// `BYDAY`, `UNTIL`, … or `RRULE` for the whole.
    pub part: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// A recurrence that can be expanded.
#[derive(Debug, Clone)]
pub struct CheckedRecurrence {
    set: RRuleSet,
    zone: Zone,
}

fn bad(part: &str, message: impl Into<String>) -> RecurrenceError {
    RecurrenceError { part: part.to_owned(), message: message.into() }
}

/// A local time as the library's UTC.
fn as_utc(local: NaiveDateTime) -> DateTime<Tz> {
    Tz::UTC.from_utc_datetime(&local)
}

/// `UNTIL` as a local time: an instant is read on the zone's clock, a date includes that day.
fn until(text: &str, zone: Zone) -> Option<NaiveDateTime> {
    if let Some(utc) = text.strip_suffix('Z') {
        let utc = NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok()?;
        return Some(local_of(zone, Instant::from_chrono(utc.and_utc())));
    }
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok().or_else(|| {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        NaiveTime::from_hms_opt(23, 59, 59).map(|last| date.and_time(last))
    })
}

impl Recurrence {
    /// Read the rule.
    ///
    /// # Errors
    /// Names the part of the rule that is not acceptable.
    pub fn checked(&self) -> Result<CheckedRecurrence, RecurrenceError> {
        let zone = self.zone.unwrap_or(Zone::UTC);
        let start = as_utc(self.dtstart);
        let mut set = RRuleSet::new(start);
        if let Some(rule) = &self.rule {
            let mut parts = Vec::new();
            for part in rule.trim_start_matches("RRULE:").split(';') {
                match part.split_once('=') {
                    Some(("FREQ", "SECONDLY")) => {
                        return Err(bad("FREQ", "MINUTELY is the finest that is allowed"));
                    }
                    Some(("UNTIL", text)) => {
                        let local = until(text, zone)
                            .ok_or_else(|| bad("UNTIL", "must be a date or time such as 20261231T235959Z"))?;
                        parts.push(format!("UNTIL={}", local.format("%Y%m%dT%H%M%SZ")));
                    }
                    Some(_) => parts.push(part.to_owned()),
                    None => return Err(bad("RRULE", format!("{part:?} is not NAME=value"))),
                }
            }
            let parsed: RRule<Unvalidated> = parts
                .join(";")
                .parse()
                .map_err(|error: rrule::RRuleError| bad("RRULE", error.to_string()))?;
            let checked = parsed.validate(start).map_err(|error| bad("RRULE", error.to_string()))?;
            set = set.rrule(checked);
        } else {
            set = set.rdate(start);
        }
        for exdate in &self.exdates {
            set = set.exdate(as_utc(*exdate));
        }
        for rdate in &self.rdates {
            set = set.rdate(as_utc(*rdate));
        }
        Ok(CheckedRecurrence { set, zone })
    }
}

impl CheckedRecurrence {
    /// The first so many occurrences that start in the interval, ascending.
    ///
    /// # Errors
    /// The rule needs more steps than are allowed.
    pub fn occurrences(&self, within: Interval, take_first: usize) -> Result<Vec<Instant>, RecurrenceError> {
        let most = take_first.min(limits::OCCURRENCES_MAX);
        let mut found: Vec<Instant> = Vec::new();
        for (steps, occurrence) in (&self.set).into_iter().enumerate() {
            if steps > limits::OCCURRENCE_STEPS_MAX {
                return Err(bad("RRULE", "needs too many steps; begin it later or make it rarer"));
            }
            let local = NaiveDate::from_ymd_opt(occurrence.year(), occurrence.month(), occurrence.day())
                .and_then(|date| {
                    date.and_hms_opt(occurrence.hour(), occurrence.minute(), occurrence.second())
                });
            let Some(local) = local else { continue };
            let at = instant_of(self.zone, local);
            if at >= within.end() || found.len() >= most {
                break;
            }
            if at >= within.start() && found.last() != Some(&at) {
                found.push(at);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
