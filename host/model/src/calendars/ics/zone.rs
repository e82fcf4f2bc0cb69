//! `VTIMEZONE` (RFC 5545 section 3.6.5): what a zone's clock does around some events.
//!
//! Where clocks change by the same rule each year, both observances are written with it: that is what large clients ask for
//! (\[MS-OXCICAL\] 2.1.3.1.1.19 wants a `STANDARD` in every zone). Elsewhere each change around the events is written.

use berth_icalendar::weekday;
use chrono::{DateTime, Datelike, NaiveDateTime, Utc};

use super::plain;
use crate::{
    time::Interval,
    zone::{Transition, Zone},
};

const DAY_SECONDS: i64 = 86_400;
/// How far around the events changes are written, in days: more than a year, so that both observances are there.
const AROUND_DAYS: i64 = 400;
/// How long a rule must have held, in days, for it to be written as one.
const RULE_DAYS: i64 = 8 * 366;

/// A change of clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    /// Seconds ahead of UTC before it.
    before: i32,
    after: Transition,
}

/// Write the zone as its clock runs around the events. UTC needs none.
pub(super) fn write(out: &mut String, zone: Zone, seen: Interval) {
    if zone == Zone::UTC {
        return;
    }
    let days = |days: i64| days.saturating_mul(DAY_SECONDS);
    let back = seen.start().plus_seconds(-days(AROUND_DAYS));
    let long = Interval::new(back, seen.end().plus_seconds(days(RULE_DAYS))).unwrap_or(seen);
    let runs = zone.transitions(long);
    let changes = changes(&runs);
    // A rule that begins after the events says nothing of them: clocks that left out a change, as Cuba's in 2026.
    let is_in_force = changes.first().is_some_and(|first| first.after.at <= seen.start());
    let by_rule = if is_in_force { yearly(&changes) } else { None };
    let observances = by_rule.unwrap_or_else(|| {
        let end = seen.end().plus_seconds(days(AROUND_DAYS));
        let mut near: Vec<_> = changes.into_iter().filter(|change| change.after.at < end).collect();
        if near.first().is_none_or(|first| first.after.at > seen.start()) {
            // Nothing changes before the events: what runs there has begun some time.
            if let Some(after) = runs.into_iter().next() {
                near.insert(0, Change { before: after.offset_seconds, after });
            }
        }
        near.into_iter().map(|change| Observance { change, rule: None }).collect()
    });
    plain(out, "BEGIN", "VTIMEZONE");
    plain(out, "TZID", zone.name());
    let is_without_standard = observances.iter().all(|one| one.change.after.is_saving);
    for observance in observances {
        observance.write(out, is_without_standard);
    }
    plain(out, "END", "VTIMEZONE");
}

/// From each run of a clock to the next.
fn changes(runs: &[Transition]) -> Vec<Change> {
    let two = runs.iter().zip(runs.iter().skip(1));
    two.map(|(before, after)| Change { before: before.offset_seconds, after: after.clone() }).collect()
}

/// From a change on; again each year if there is a rule.
#[derive(Debug)]
struct Observance {
    change: Change,
    rule: Option<String>,
}

impl Observance {
    /// Its `DTSTART` is written on the clock that ran before.
    fn write(&self, out: &mut String, is_standard: bool) {
        let Self { change, rule } = self;
        let kind = if change.after.is_saving && !is_standard { "DAYLIGHT" } else { "STANDARD" };
        plain(out, "BEGIN", kind);
        plain(out, "DTSTART", &change.shown().format("%Y%m%dT%H%M%S").to_string());
        plain(out, "TZOFFSETFROM", &offset(change.before));
        plain(out, "TZOFFSETTO", &offset(change.after.offset_seconds));
        plain(out, "TZNAME", &change.after.abbreviation);
        if let Some(rule) = rule {
            plain(out, "RRULE", rule);
        }
        plain(out, "END", kind);
    }
}

impl Change {
    /// What the clock before it showed.
    fn shown(&self) -> NaiveDateTime {
        let time: DateTime<Utc> = self.after.at.plus_seconds(i64::from(self.before)).to_chrono();
        time.naive_utc()
    }

    /// Is it the same step at the same time of day of the same month and weekday?
    fn is_like(&self, other: &Self) -> bool {
        let (one, another) = (self.shown(), other.shown());
        let step = |change: &Self| (change.before, change.after.offset_seconds, change.after.is_saving);
        step(self) == step(other)
            && self.after.abbreviation == other.after.abbreviation
            && one.time() == another.time()
            && one.month() == another.month()
            && one.weekday() == another.weekday()
    }

    /// Which of those weekdays of its month it falls on: counted from the first, and -1 if it is the last.
    fn ordinals(&self) -> [i32; 2] {
        let day = self.shown().date();
        let nth = i32::try_from(day.day().div_ceil(7)).unwrap_or(0);
        let is_last =
            day.checked_add_days(chrono::Days::new(7)).is_none_or(|next| next.month() != day.month());
        [nth, if is_last { -1 } else { 0 }]
    }
}

/// Two steps that come once each year by one rule each, if that is what these are.
fn yearly(changes: &[Change]) -> Option<Vec<Observance>> {
    let of_step = |first: usize| -> Option<Observance> {
        let all: Vec<&Change> = changes.iter().skip(first).step_by(2).collect();
        let (head, rest) = all.split_first()?;
        let mut year = head.shown().year();
        let mut ordinals: Vec<i32> = head.ordinals().into_iter().filter(|nth| *nth != 0).collect();
        // A fifth one is not there in every year.
        ordinals.retain(|nth| *nth != 5);
        for change in rest {
            year = year.saturating_add(1);
            if !change.is_like(head) || change.shown().year() != year {
                return None;
            }
            ordinals.retain(|nth| change.ordinals().contains(nth));
        }
        let nth = if ordinals.contains(&-1) { -1 } else { *ordinals.first()? };
        let shown = head.shown();
        let weekday = weekday::name(shown.weekday());
        let rule = format!("FREQ=YEARLY;BYMONTH={};BYDAY={nth}{weekday}", shown.month());
        Some(Observance { change: (*head).clone(), rule: Some(rule) })
    };
    // Some years of each, else anything would be a rule.
    if changes.len() < 12 {
        return None;
    }
    Some(vec![of_step(0)?, of_step(1)?])
}

/// `+0545`; with seconds where there are some.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}
