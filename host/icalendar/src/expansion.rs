//! When the events of a series take place (RFC 5545 section 3.8.5): rules, single times, exceptions, and times of their own.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::{
    Component, Property,
    clocks::Clocks,
    event::{Extent, Unreadable, When},
    series::Series,
    stamp::Stamp,
};

/// Whoever can follow a recurrence rule.
pub trait Rules {
    /// The times of a rule (`FREQ=WEEKLY;BYDAY=MO`) that begins at `start` which are not before `from` and before `end`, ascending, on a wall
    /// clock; an `UNTIL` of it is a time on the same clock. None of a rule that cannot be followed, or comes too often.
    fn times(
        &self,
        rule: &str,
        start: NaiveDateTime,
        from: NaiveDateTime,
        end: NaiveDateTime,
    ) -> Option<Vec<NaiveDateTime>>;
}

/// A time that an event takes, and which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Taken<'a> {
    pub event: &'a Component,
    pub when: When,
}

/// What is known of a series within a stretch of time.
#[derive(Debug, Default)]
pub struct Expanded<'a> {
    /// Its times, those that begin or end outside of the stretch whole.
    pub taken: Vec<Taken<'a>>,
    /// Events of which something cannot be read, and what. What is known of them is in `taken` all the same.
    pub odd: Vec<(&'a Component, Unreadable)>,
}

/// Clocks are at most so far from UTC, and then some.
const OFFSET_MAX: TimeDelta = TimeDelta::days(2);
/// Steps to what a clock shows: to its offset, past a change, and to see that it is so.
const APPROACHES_MAX: usize = 4;
/// Single times and exceptions of one event.
const LISTED_MAX: usize = 5_000;

/// The times of a series that touch `within`.
pub fn expanded<'a>(
    series: &Series<'a>,
    clocks: &Clocks<'_>,
    rules: &dyn Rules,
    within: When,
) -> Expanded<'a> {
    let mut all = Expanded::default();
    let moved =
        Exceptions::of(series.overrides.iter().flat_map(|event| event.properties("RECURRENCE-ID")), clocks);
    for event in &series.overrides {
        if event.property("RECURRENCE-ID").is_some_and(|id| id.parameter("RANGE").is_some()) {
            all.odd.push((event, Unreadable::Rule));
        }
        all.add(event, clocks, within, |extent| Ok(vec![extent.start]));
    }
    let moved = moved.unwrap_or_default();
    for event in &series.mains {
        all.add(event, clocks, within, |extent| times(event, extent, clocks, rules, within, &moved));
    }
    all
}

impl<'a> Expanded<'a> {
    fn add(
        &mut self,
        event: &'a Component,
        clocks: &Clocks<'_>,
        within: When,
        starts: impl Fn(&Extent) -> Result<Vec<NaiveDateTime>, Unreadable>,
    ) {
        let extent = match Extent::of(event, clocks) {
            Ok(extent) => extent,
            Err(why) => {
                self.odd.push((event, why));
                let Ok(extent) = Extent::known_part(event, clocks) else { return };
                extent
            }
        };
        let starts = starts(&extent).unwrap_or_else(|why| {
            self.odd.push((event, why));
            vec![extent.start]
        });
        let touches = |when: &When| when.start < within.end && within.start < when.end;
        let found = starts.into_iter().filter_map(|start| extent.at(start, clocks)).filter(touches);
        self.taken.extend(found.map(|when| Taken { event, when }));
    }
}

/// The starts of an event, on its clock, that may touch `within`.
fn times(
    event: &Component,
    extent: &Extent,
    clocks: &Clocks<'_>,
    rules: &dyn Rules,
    within: When,
    moved: &Exceptions,
) -> Result<Vec<NaiveDateTime>, Unreadable> {
    if event.property("EXRULE").is_some() {
        return Err(Unreadable::Rule);
    }
    let out = Exceptions::of(event.properties("EXDATE"), clocks)?;
    let length =
        extent.length.after_days(NaiveDateTime::default()).and_then(|end| extent.length.after_seconds(end));
    let length = length.ok_or(Unreadable::Beyond)? - NaiveDateTime::default();
    let from = within.start.checked_sub_signed(length).and_then(|from| from.checked_sub_signed(OFFSET_MAX));
    let (from, end) = (from.ok_or(Unreadable::Beyond)?, within.end.checked_add_signed(OFFSET_MAX));
    let end = end.ok_or(Unreadable::Beyond)?;
    // Its first time counts, whether its rule has it or not.
    let mut starts = vec![extent.start];
    for property in event.properties("RRULE") {
        let rule = Rule::read(property.value()).ok_or(Unreadable::Rule)?;
        let found = rules.times(&rule.text, extent.start, from, end).ok_or(Unreadable::Rule)?;
        let not_over = |start: &NaiveDateTime| {
            rule.until.is_none_or(|until| clocks.instant(&extent.clock, *start).is_some_and(|at| at <= until))
        };
        starts.extend(found.into_iter().filter(not_over));
    }
    for property in event.properties("RDATE") {
        for stamp in listed(property)? {
            starts.push(match stamp {
                Stamp::Local(local) => local,
                Stamp::Day(day) => day.and_time(extent.start.time()),
                // The clock shows it some time within its offset.
                Stamp::Utc(at) => shown(extent, clocks, at).ok_or(Unreadable::Rule)?,
            });
        }
    }
    if starts.len() > LISTED_MAX {
        return Err(Unreadable::Rule);
    }
    starts.sort_unstable();
    starts.dedup();
    starts.retain(|start| {
        let at = clocks.instant(&extent.clock, *start);
        !out.has(*start, at) && !moved.has(*start, at)
    });
    Ok(starts)
}

/// What the clock of an event shows at an instant. Clocks tell only the other way, so it is come near to: once, and again beside a change.
fn shown(extent: &Extent, clocks: &Clocks<'_>, at: NaiveDateTime) -> Option<NaiveDateTime> {
    let mut local = at;
    for _ in 0..APPROACHES_MAX {
        let off = at - clocks.instant(&extent.clock, local)?;
        if off.is_zero() {
            return Some(local);
        }
        local = local.checked_add_signed(off)?;
    }
    None
}

fn listed(property: &Property) -> Result<Vec<Stamp>, Unreadable> {
    let all = crate::series::listed(property).ok_or(Unreadable::Rule)?;
    if all.len() > LISTED_MAX { Err(Unreadable::Rule) } else { Ok(all) }
}

/// Times that a series does not have, or not in its own way.
#[derive(Debug, Default)]
struct Exceptions {
    instants: std::collections::BTreeSet<NaiveDateTime>,
    days: std::collections::BTreeSet<NaiveDate>,
}

impl Exceptions {
    fn of<'p>(
        properties: impl Iterator<Item = &'p Property>,
        clocks: &Clocks<'_>,
    ) -> Result<Self, Unreadable> {
        let mut all = Self::default();
        for property in properties {
            for stamp in listed(property)? {
                if let Stamp::Day(day) = stamp {
                    all.days.insert(day);
                    continue;
                }
                let clock = clocks.of_stamp(stamp, property).ok_or(Unreadable::Zone)?;
                all.instants.extend(clocks.instant(&clock, stamp.shown()));
            }
        }
        Ok(all)
    }

    fn has(&self, start: NaiveDateTime, at: Option<NaiveDateTime>) -> bool {
        self.days.contains(&start.date()) || at.is_some_and(|at| self.instants.contains(&at))
    }
}

/// A rule whose end in UTC is left out: on the wall clock it ends two days later, and is cut at the instant.
struct Rule {
    text: String,
    until: Option<NaiveDateTime>,
}

impl Rule {
    fn read(text: &str) -> Option<Self> {
        let (mut parts, mut until) = (Vec::new(), None);
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            if !name.eq_ignore_ascii_case("UNTIL") {
                parts.push(part.to_owned());
                continue;
            }
            match Stamp::read(value)? {
                Stamp::Utc(at) => {
                    until = Some(at);
                    let later = at.checked_add_signed(OFFSET_MAX)?;
                    parts.push(format!("UNTIL={}", later.format("%Y%m%dT%H%M%S")));
                }
                _ => parts.push(part.to_owned()),
            }
        }
        Some(Self { text: parts.join(";"), until })
    }
}

#[cfg(test)]
mod tests;
