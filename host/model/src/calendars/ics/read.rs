//! Reading the days that an iCalendar file closes: holidays. What is odd is left out by itself, and named.

use std::collections::{BTreeMap, BTreeSet};

use berth_icalendar::{
    Component,
    event::{Version, WholeDays, whole_days},
    series::{Series, listed, series},
};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};

use super::origin::Origin;
use crate::{
    budget::{Budget, Exhausted},
    limits,
    problem::{Code, FieldError, Problem},
    scheduling::{recurrence::Recurrence, rule::Holiday},
    text::clean_line,
    time::{Instant, Interval, KNOWN_YEARS, is_day},
};

/// What a file closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDays {
    /// By UID, in the order of the file.
    pub by_uid: Vec<ClosedBy>,
    /// What was left out, at most [`limits::LEFT_OUT_TOLD_MAX`] of them.
    pub left_out: Vec<LeftOut>,
    /// How many were left out.
    pub left_out_count: usize,
    /// Where something recurs, the days that were looked at: no later ones are in `by_uid`.
    pub recurring_within: Option<(NaiveDate, NaiveDate)>,
}

/// What the newest version of one UID closes; nothing if it is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedBy {
    /// None of an event without a UID.
    pub origin: Option<Origin>,
    /// By their first days, none twice.
    pub holidays: Vec<Holiday>,
    /// Does it name all its days, or those of `recurring_within`?
    pub recurs: bool,
    /// Does it not take place at all?
    pub cancelled: bool,
}

/// An event that closes nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The line at which it begins, counted from 1; none of one that is told of by its UID alone.
    pub line: Option<usize>,
    /// Its UID, if it has one.
    pub uid: Option<String>,
    /// Its `SUMMARY`, if it has one.
    pub summary: Option<String>,
    /// In words that follow "the event".
    pub reason: String,
}

/// Longest `SUMMARY` and UID that are told, in characters.
const TOLD_CHARS_MAX: usize = 200;
const CANCELLED: &str = "is cancelled";

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

fn told(event: &Component, name: &str) -> Option<String> {
    event.text(name).map(|text| clean_line(text.trim(), TOLD_CHARS_MAX)).filter(|text| !text.is_empty())
}

/// Read a file. Recurring events are followed from the first of January of this year on, for [`limits::HOLIDAYS_AHEAD_YEARS`].
///
/// # Errors
/// It is no iCalendar, or has too many days; or nothing of it can be taken, with what is wrong with each; or the budget does not suffice.
pub fn closed_days(octets: &[u8], today: NaiveDate, budget: &Budget) -> Result<ClosedDays, Problem> {
    let refused = |message: String| Problem::invalid(vec![FieldError::new("", message)]);
    let calendars = Component::read_all(octets).map_err(|error| refused(error.to_string()))?;
    let mut reader = Reader::new(today, budget);
    for one in series(calendars.iter().flat_map(|calendar| calendar.all("VEVENT"))) {
        reader.series(&one)?;
    }
    let read = reader.finish();
    if !read.by_uid.is_empty() {
        return Ok(read);
    }
    if read.left_out_count == 0 {
        return Err(refused("holds no events".to_owned()));
    }
    let errors = read.left_out.iter().map(|left| FieldError::new("", left.to_string())).collect();
    let mut problem = Problem::invalid(errors);
    problem.detail = format!("None of the {} events of the file can be imported.", read.left_out_count);
    Err(problem)
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str("the event")?;
        if let Some(summary) = &self.summary {
            write!(f, " {summary:?}")?;
        }
        if let Some(uid) = &self.uid {
            write!(f, " (UID {uid})")?;
        }
        write!(f, " {}", self.reason)
    }
}

struct Reader<'a> {
    budget: &'a Budget,
    reach: (NaiveDate, NaiveDate),
    any_recurs: bool,
    by_uid: Vec<ClosedBy>,
    left_out: Vec<LeftOut>,
    left_out_count: usize,
    days: usize,
}

/// Why an event is left out, or why nothing goes on.
enum No {
    Left(String),
    Ended(Exhausted),
}

impl No {
    fn left<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self::Left(reason.into()))
    }
}

impl<'a> Reader<'a> {
    fn new(today: NaiveDate, budget: &'a Budget) -> Self {
        let year = |year: i32, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or(today);
        let last = today.year().saturating_add(limits::HOLIDAYS_AHEAD_YEARS);
        let reach = (year(today.year(), 1, 1), year(last, 12, 31));
        Self {
            budget,
            reach,
            any_recurs: false,
            by_uid: Vec::new(),
            left_out: Vec::new(),
            left_out_count: 0,
            days: 0,
        }
    }

    fn finish(self) -> ClosedDays {
        let Self { by_uid, left_out, left_out_count, .. } = self;
        ClosedDays {
            by_uid,
            left_out,
            left_out_count,
            recurring_within: self.any_recurs.then_some(self.reach),
        }
    }

    fn leave_out(&mut self, event: &Component, reason: impl Into<String>) {
        self.left_out_count = self.left_out_count.saturating_add(1);
        if self.left_out.len() < limits::LEFT_OUT_TOLD_MAX {
            let (uid, summary) = (told(event, "UID"), told(event, "SUMMARY"));
            self.left_out.push(LeftOut { line: Some(event.line), uid, summary, reason: reason.into() });
        }
    }

    fn series(&mut self, series: &Series<'_>) -> Result<(), Problem> {
        for event in &series.outdated {
            self.leave_out(event, "is an older version of one in the file");
        }
        if series.uid.as_ref().is_some_and(|uid| uid.len() > limits::UID_BYTES_MAX) {
            for event in series.events() {
                self.leave_out(event, format!("has a UID of more than {} bytes", limits::UID_BYTES_MAX));
            }
            return Ok(());
        }
        // Its times that are not as the series has them: each takes a day of the series away and may bring others.
        let moved: BTreeSet<NaiveDate> = series
            .overrides
            .iter()
            .filter_map(|event| event.property("RECURRENCE-ID"))
            .flat_map(|id| listed(id).unwrap_or_default())
            .map(|stamp| stamp.shown().date())
            .collect();
        let none = BTreeSet::new();
        let (mut holidays, mut understood, mut recurs) = (BTreeMap::new(), false, false);
        for event in series.events() {
            self.budget.spend(1)?;
            let single = event.property("RECURRENCE-ID").is_some();
            match self.event(event, if single { &none } else { &moved }) {
                Ok(days) => {
                    understood = true;
                    recurs |= is_recurring(event);
                    let name = told(event, "SUMMARY").unwrap_or_else(|| "Holiday".to_owned());
                    for WholeDays { first, last } in days {
                        holidays.insert(
                            (first, last),
                            Holiday { name: name.clone(), date: first, last_date: Some(last) },
                        );
                    }
                }
                Err(No::Left(reason)) => {
                    // It is known what becomes of it: what it closed before is open again.
                    understood |= reason == CANCELLED;
                    self.leave_out(event, reason);
                }
                Err(No::Ended(exhausted)) => return Err(exhausted.into()),
            }
        }
        if understood {
            self.any_recurs |= recurs;
            let version = series.mains.iter().chain(&series.overrides).map(|event| Version::of(event)).max();
            let Version { sequence, modified } = version.unwrap_or_default();
            let modified = modified.map(|at| Instant::from_chrono(at.and_utc()));
            let origin = series.uid.clone().map(|uid| Origin { uid, sequence, modified });
            let cancelled = !series.mains.is_empty()
                && series.mains.iter().all(|event| event.says("STATUS", "CANCELLED"));
            self.days = self.days.saturating_add(holidays.len());
            if self.days > limits::HOURS_RULES_MAX {
                let message = format!("The file closes more than {} times.", limits::HOURS_RULES_MAX);
                let hint = "Import it in parts, such as a year at a time.";
                return Err(Problem::new(Code::TooLarge, message).with_hint(hint));
            }
            self.by_uid.push(ClosedBy {
                origin,
                holidays: holidays.into_values().collect(),
                recurs,
                cancelled,
            });
        }
        Ok(())
    }

    /// The days of one event, but for those that begin on a day that is told elsewhere.
    fn event(&self, event: &Component, elsewhere: &BTreeSet<NaiveDate>) -> Result<Vec<WholeDays>, No> {
        if event.says("STATUS", "CANCELLED") {
            return No::left(CANCELLED);
        }
        if !event.closed {
            return No::left("has no END");
        }
        if event.property("RECURRENCE-ID").is_some_and(|id| id.parameter("RANGE").is_some()) {
            return No::left("changes all later times of its series, which is not understood (RANGE)");
        }
        let days = match whole_days(event) {
            Ok(Some(days)) => days,
            Ok(None) => return No::left("has a time of day; only whole days are imported"),
            Err(why) => return No::left(why.to_string()),
        };
        let firsts = if is_recurring(event) { self.recurring(event, days.first)? } else { vec![days.first] };
        let more = Days::new((days.last - days.first).num_days().unsigned_abs());
        let mut all = Vec::with_capacity(firsts.len());
        for first in firsts.into_iter().filter(|first| !elsewhere.contains(first)) {
            match first.checked_add_days(more).filter(|last| is_day(first) && is_day(*last)) {
                Some(last) => all.push(WholeDays { first, last }),
                None => return No::left(format!("has days that are not known: they {KNOWN_YEARS}")),
            }
        }
        Ok(all)
    }

    /// The first days of a recurring event, within the reach.
    fn recurring(&self, event: &Component, first: NaiveDate) -> Result<Vec<NaiveDate>, No> {
        if event.property("EXRULE").is_some() {
            return No::left("has an EXRULE, which is not understood");
        }
        let dates = |name: &str| -> Result<Vec<NaiveDateTime>, No> {
            let mut all = Vec::new();
            for property in event.properties(name) {
                match listed(property) {
                    Some(stamps) => all.extend(stamps.iter().map(|stamp| midnight(stamp.shown().date()))),
                    None => return No::left(format!("has an {name} that is no list of days")),
                }
            }
            Ok(all)
        };
        let rules: Vec<String> = event.properties("RRULE").map(|rule| rule.value().to_owned()).collect();
        let (exdates, mut rdates) = (dates("EXDATE")?, dates("RDATE")?);
        // The first one counts, whether the rule has it or not (section 3.8.5.3).
        rdates.push(midnight(first));
        let (from, to) = self.reach;
        let start = Instant::from_chrono(midnight(from).and_utc());
        let end = Instant::from_chrono(midnight(to).and_utc()).plus_seconds(86_400);
        let within = Interval::new(start, end).unwrap_or(Interval::EVER);
        let most = limits::HOURS_RULES_MAX.saturating_add(1);
        let mut found: BTreeSet<NaiveDate> = BTreeSet::new();
        for rule in rules.into_iter().map(Some).chain([None]) {
            let is_rule = rule.is_some();
            let recurrence = Recurrence {
                dtstart: midnight(first),
                zone: None,
                rule,
                exdates: exdates.clone(),
                rdates: if is_rule { Vec::new() } else { rdates.clone() },
            };
            let checked = recurrence.stored().or_else(|error| No::left(format!("has an RRULE: {error}")))?;
            let work = |part: &Budget| checked.occurrences(within, most, part);
            match self.budget.part(limits::RULE_SEARCH_STEPS_MAX, work) {
                Ok(times) => found.extend(times.into_iter().map(|at| at.to_chrono().date_naive())),
                Err(Exhausted::Stopped) => return Err(No::Ended(Exhausted::Stopped)),
                Err(Exhausted::Steps) if self.budget.left() == 0 => return Err(No::Ended(Exhausted::Steps)),
                Err(Exhausted::Steps) => return No::left("has an RRULE that takes too many steps to follow"),
            }
        }
        Ok(found.into_iter().collect())
    }
}

fn is_recurring(event: &Component) -> bool {
    ["RRULE", "RDATE"].iter().any(|name| event.property(name).is_some())
}

#[cfg(test)]
mod tests;
