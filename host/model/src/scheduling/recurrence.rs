//! Recurrence (RFC 5545 section 3.3.10): from a rule on a wall clock to instants.
//!
//! Local times are followed as if they were UTC (`expand`); each is then read on the zone's clock by the rule of [`crate::scheduling::hours`]:
//!
//! - A rule that is daily or coarser names a time of a day. In a gap it takes the offset before it: it comes, shifted, and is counted.
//!   Where a shifted time falls on another of the same rule, the two are one occurrence, of which `COUNT` counts both local times.
//! - An hourly or minutely rule names what the clock shows. What no clock shows, in a gap, is no occurrence, and is not counted.
//! - What a clock shows twice comes once, in its first pass, whatever the rule: in the repeated hour an hourly rule pauses.
//!
//! Every way through a rule spends steps of a budget, also through one that never comes.

mod days;
mod expand;
mod parts;
mod told;

use std::{
    collections::BTreeSet,
    ops::ControlFlow::{Break, Continue},
};

use chrono::{Datelike, Duration, NaiveDateTime, Timelike};

use super::hours::{instant_of, local_of};
use crate::{
    budget::{Budget, Exhausted},
    limits,
    time::{Instant, Interval, KNOWN_YEARS, is_day},
    zone::Zone,
};
use expand::Plan;
use parts::{Until, parts};

pub use told::{Untold, told};

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
    /// `BYDAY`, `UNTIL`, `DTSTART`, … or `RRULE` for the whole.
    pub part: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// A recurrence that can be expanded.
#[derive(Debug, Clone)]
pub struct CheckedRecurrence {
    dtstart: NaiveDateTime,
    zone: Zone,
    rule: Option<Rule>,
    exdates: BTreeSet<NaiveDateTime>,
    rdates: BTreeSet<NaiveDateTime>,
}

#[derive(Debug, Clone)]
struct Rule {
    plan: Plan,
    count: Option<u32>,
    until: Option<Until>,
}

/// The library writes a leap second as a fraction of a second and more.
const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// Does a clock of this zone ever show this local time, which is read as this instant? Not what a change of clocks jumps over. Of years
/// that Berth does not know, each.
fn is_shown(zone: Zone, local: NaiveDateTime, at: Instant) -> bool {
    !(1969..=2200).contains(&local.year()) || (local_of(zone, at) - local).num_seconds() == 0
}

fn bad(part: &str, message: impl Into<String>) -> RecurrenceError {
    RecurrenceError { part: part.to_owned(), message: message.into() }
}

impl Recurrence {
    /// Read the rule.
    ///
    /// # Errors
    /// Names the part of the rule that is not acceptable, or lies outside of the years that Berth knows ([`Instant::MIN`] to
    /// [`Instant::MAX`]).
    pub fn checked(&self) -> Result<CheckedRecurrence, RecurrenceError> {
        let checked = self.stored()?;
        let until = checked.rule.as_ref().and_then(|rule| rule.until);
        let until = until.is_none_or(|until| is_day(until.day()));
        let good = |local: &NaiveDateTime| is_day(local.date()) && local.nanosecond() < NANOS_PER_SECOND;
        let all = |list: &[NaiveDateTime]| list.iter().all(good);
        let known = [
            ("DTSTART", good(&self.dtstart)),
            ("UNTIL", until),
            ("EXDATE", all(&self.exdates)),
            ("RDATE", all(&self.rdates)),
        ];
        match known.iter().find(|(_, known)| !known) {
            Some((part, _)) => Err(bad(part, format!("{KNOWN_YEARS}, and be no leap second"))),
            None => Ok(checked),
        }
    }

    /// Read a rule that was stored, maybe by an older version that knew more years.
    ///
    /// # Errors
    /// Names the part of the rule that cannot be read.
    pub fn stored(&self) -> Result<CheckedRecurrence, RecurrenceError> {
        let rule = match &self.rule {
            None => None,
            Some(text) => {
                let parts = parts(text)?;
                let plan = Plan::new(&parts, self.dtstart);
                Some(Rule { plan, count: parts.count, until: parts.until })
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
    /// Does it come so many times, or until some time, by itself?
    #[must_use]
    pub fn ends(&self) -> bool {
        self.rule.as_ref().is_none_or(|rule| rule.count.is_some() || rule.until.is_some())
    }

    /// The first so many occurrences that start in the interval, ascending. Cost: the days, and the occurrences; of a rule with `COUNT`
    /// all since its beginning.
    ///
    /// # Errors
    /// The budget does not suffice.
    pub fn occurrences(
        &self,
        within: Interval,
        take_first: usize,
        budget: &Budget,
    ) -> Result<Vec<Instant>, Exhausted> {
        let mut found: BTreeSet<Instant> = BTreeSet::new();
        if let Some(rule) = &self.rule {
            self.of_rule(rule, within, take_first, budget, &mut found)?;
        }
        budget.spend_each(self.rdates.len())?;
        let added = self.rdates.iter().filter(|local| !self.exdates.contains(local) && is_day(local.date()));
        let added = added.map(|local| instant_of(self.zone, *local));
        found.extend(added.filter(|at| *at >= within.start() && *at < within.end()));
        Ok(found.into_iter().take(take_first).collect())
    }

    /// What the rule alone gives.
    fn of_rule(
        &self,
        rule: &Rule,
        within: Interval,
        most: usize,
        budget: &Budget,
        found: &mut BTreeSet<Instant>,
    ) -> Result<(), Exhausted> {
        // A clock change can turn two occurrences round, so it is a day more at both ends. Who counts must count from the beginning.
        let start = local_of(self.zone, within.start()) - Duration::days(1);
        let from = if rule.count.is_some() { self.dtstart } else { start };
        let until = rule.until.map(|until| until.instant(self.zone));
        let last = until.map_or(within.end(), |until| until.min(within.end()));
        let end = local_of(self.zone, last) + Duration::days(1);
        let mut counted = 0_u32;
        let mut each = |local: NaiveDateTime| {
            let at = instant_of(self.zone, local);
            let shown = is_shown(self.zone, local, at);
            // A shifted time may come before one that is earlier; what is shown comes in order.
            let all = found.len() >= most && shown && found.last().is_some_and(|last| at >= *last);
            if all || local >= end {
                return Ok(Break(()));
            }
            let over = match rule.until {
                None => false,
                Some(Until::Instant(_)) => until.is_some_and(|until| at > until),
                Some(Until::Local(until)) => local > until,
            };
            if over || (rule.plan.is_finer_than_a_day() && !shown) {
                return Ok(Continue(()));
            }
            counted = counted.saturating_add(1);
            let inside = at >= within.start() && at < within.end() && is_day(local.date());
            if inside && !self.exdates.contains(&local) {
                found.insert(at);
            }
            let complete = rule.count.is_some_and(|count| counted >= count);
            Ok(if complete { Break(()) } else { Continue(()) })
        };
        rule.plan.follow(from, end, budget, &mut each)
    }

    /// May this be kept, as a rule that questions will have to follow again and again? It must come some time, not too often a day, and
    /// take few enough steps whenever it is asked about.
    ///
    /// # Errors
    /// Names the part, and what would be accepted.
    pub fn keepable(&self) -> Result<(), RecurrenceError> {
        let Some(rule) = &self.rule else { return Ok(()) };
        let (often, most) = (rule.plan.most_a_day(), limits::RULE_OCCURRENCES_PER_DAY_MAX);
        if often > most {
            let message = format!("may come up to {often} times a day; at most {most} are allowed");
            return Err(bad("RRULE", message));
        }
        let all = Interval::new(Instant::MIN, Instant::MAX).unwrap_or(Interval::of_minutes(Instant::MIN, 0));
        // Those that are left out count: a rule whose every time is an exception opens nothing, and costs the same.
        let bare = Self { exdates: BTreeSet::new(), rdates: BTreeSet::new(), ..self.clone() };
        match bare.occurrences(all, 1, &Budget::of(limits::RULE_SEARCH_STEPS_MAX)) {
            Err(_) => {
                return Err(bad("RRULE", "needs too many steps to find its first time; make FREQ coarser"));
            }
            Ok(found) if found.is_empty() => {
                return Err(bad("RRULE", "never comes between its first local time and the year 2199"));
            }
            Ok(_) => {}
        }
        // The end of time is the farthest that is asked about.
        let last = Interval::of_minutes(Instant::MAX.plus_minutes(-1), 1);
        let counted = bare.occurrences(last, 1, &Budget::of(limits::RULE_COUNT_STEPS_MAX));
        if rule.count.is_some() && counted.is_err() {
            return Err(bad(
                "COUNT",
                "takes too many steps to count; give UNTIL instead, a smaller COUNT, or a coarser FREQ",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
