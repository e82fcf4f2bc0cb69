//! Recurrence (RFC 5545 section 3.3.10): from a rule on a wall clock to instants.
//!
//! The library expands local times as if they were UTC; each occurrence is then read on the zone's clock by the rule of
//! [`crate::hours`]: a gap takes the offset before it, a fold its first pass. What a rule may hold, where it ends, and how far it is
//! followed is decided here.

mod parts;

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use crate::{
    hours::{instant_of, local_of},
    limits,
    time::{Instant, Interval, Zone},
};
use parts::{Parts, Until, parts};

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
    dtstart: NaiveDateTime,
    zone: Zone,
    rule: Option<(Parts, RRule)>,
    exdates: BTreeSet<NaiveDateTime>,
    rdates: BTreeSet<NaiveDateTime>,
}

fn bad(part: &str, message: impl Into<String>) -> RecurrenceError {
    RecurrenceError { part: part.to_owned(), message: message.into() }
}

/// A local time as the library's UTC.
fn as_utc(local: NaiveDateTime) -> DateTime<Tz> {
    Tz::UTC.from_utc_datetime(&local)
}

impl Recurrence {
    /// Read the rule.
    ///
    /// # Errors
    /// Names the part of the rule that is not acceptable.
    pub fn checked(&self) -> Result<CheckedRecurrence, RecurrenceError> {
        let rule = match &self.rule {
            None => None,
            Some(text) => {
                let parts = parts(text)?;
                let library = |error: rrule::RRuleError| bad("RRULE", error.to_string());
                let rule: RRule<Unvalidated> = parts.endless.parse().map_err(library)?;
                let rule = rule.validate(as_utc(self.dtstart)).map_err(library)?;
                Some((parts, rule))
            }
        };
        let mut rdates: BTreeSet<NaiveDateTime> = self.rdates.iter().copied().collect();
        if rule.is_none() {
            rdates.insert(self.dtstart);
        }
        Ok(CheckedRecurrence {
            dtstart: self.dtstart,
            zone: self.zone.unwrap_or(Zone::UTC),
            rule,
            exdates: self.exdates.iter().copied().collect(),
            rdates,
        })
    }
}

impl CheckedRecurrence {
    /// The first so many occurrences that start in the interval, ascending.
    ///
    /// # Errors
    /// The rule needs more steps than are allowed.
    pub fn occurrences(&self, within: Interval, take_first: usize) -> Result<Vec<Instant>, RecurrenceError> {
        let most = take_first.min(limits::OCCURRENCES_MAX);
        let mut found: BTreeSet<Instant> = BTreeSet::new();
        if let Some((parts, rule)) = &self.rule {
            self.of_rule(parts, rule, within, most, &mut found)?;
        }
        let added = self.rdates.iter().filter(|local| !self.exdates.contains(local));
        found.extend(added.map(|local| instant_of(self.zone, *local)));
        Ok(found.into_iter().filter(|at| *at >= within.start() && *at < within.end()).take(most).collect())
    }

    /// What the rule alone gives.
    fn of_rule(
        &self,
        parts: &Parts,
        rule: &RRule,
        within: Interval,
        most: usize,
        found: &mut BTreeSet<Instant>,
    ) -> Result<(), RecurrenceError> {
        let too_many = || {
            bad(
                "RRULE",
                "needs too many steps; begin it nearer to the time that is asked for, or make FREQ coarser",
            )
        };
        let start = self.ahead(parts, within);
        let end = local_of(self.zone, within.end()) + Duration::days(1);
        let set = RRuleSet::new(as_utc(start)).rrule(rule.clone()).limit();
        let (mut last, mut counted) = (start, 0_u32);
        for (passed, occurrence) in (&set).into_iter().enumerate() {
            let local = occurrence.naive_utc();
            let at = instant_of(self.zone, local);
            last = local;
            let over = match parts.until {
                None => false,
                Some(Until::Instant(until)) => at > until,
                Some(Until::Local(until)) => local > until,
            };
            let all = parts.count.is_some_and(|count| counted >= count) || found.len() >= most;
            // A clock change can turn two occurrences round, so the end is a day later.
            if over || all || local >= end {
                return Ok(());
            }
            if passed > limits::OCCURRENCE_STEPS_MAX || steps(parts, start, local) > limits::RRULE_STEPS_MAX {
                return Err(too_many());
            }
            if !parts.keeps(local) {
                continue;
            }
            counted = counted.saturating_add(1);
            if at >= within.start() && at < within.end() && !self.exdates.contains(&local) {
                found.insert(at);
            }
        }
        // The library stops after so many steps without an occurrence: then it is complete only if they led far enough.
        let left = steps(parts, last, end.min(far(last)));
        if left <= LIBRARY_STEPS { Ok(()) } else { Err(too_many()) }
    }

    /// Where to begin: whole steps after `DTSTART`, so that a rule that began long ago costs no more than a young one. Who counts must
    /// count from the beginning.
    fn ahead(&self, parts: &Parts, within: Interval) -> NaiveDateTime {
        let Some(minutes) = parts.frequency.minutes().filter(|_| parts.count.is_none()) else {
            return self.dtstart;
        };
        let step = minutes.saturating_mul(i64::from(parts.interval));
        let way = local_of(self.zone, within.start()) - self.dtstart - Duration::days(1);
        let whole = way.num_minutes().div_euclid(step).saturating_sub(1).max(0);
        self.dtstart.checked_add_signed(Duration::minutes(whole.saturating_mul(step))).unwrap_or(self.dtstart)
    }
}

/// Steps that the library makes at most on the way to the next occurrence.
const LIBRARY_STEPS: i64 = 99_000;

/// A rule that did not come for a lifetime never comes.
fn far(last: NaiveDateTime) -> NaiveDateTime {
    last.checked_add_signed(Duration::days(100 * 366)).unwrap_or(NaiveDateTime::MAX)
}

/// How many steps of a rule lie between two local times; of months and years there are never many.
fn steps(parts: &Parts, from: NaiveDateTime, to: NaiveDateTime) -> i64 {
    let step = parts.frequency.minutes().map(|minutes| minutes.saturating_mul(i64::from(parts.interval)));
    step.map_or(0, |step| (to - from).num_minutes().div_euclid(step))
}

#[cfg(test)]
mod tests;
