//! When a published calendar is taken: its events, each time of a series for itself.

use std::collections::{BTreeMap, BTreeSet};

use berth_icalendar::{
    Component, Property,
    clocks::{Clock, Clocks},
    event::Extent,
    stamp::Stamp,
};
use berth_sdk::{
    log, recurrence,
    time::DAY,
    types::{Instant, Interval},
};
use chrono::{NaiveDate, NaiveDateTime};

use crate::{
    feed::Feed,
    wall::{self, Known, micros},
};

/// Times that are told; a calendar with more of them in a year is not one person's. Those that come first count.
const TIMES_MAX: usize = 8_000;
/// Times of one series beside its rule.
const LISTED_MAX: usize = 2_000;
/// Clocks are at most so far from UTC, and events that began so long ago still count.
const BEFORE: i64 = 2 * DAY;

/// The taken times that overlap a stretch, ascending. Days, and times that belong to no zone, are those of the calendar, or of where somebody
/// asks (`zone`). An event that cannot be read is left out as far as it cannot be, and named.
pub(crate) fn times(feed: &Feed, zone: &str, within: Interval, tentative: bool) -> Vec<Interval> {
    let mut found = BTreeSet::new();
    for calendar in &feed.calendars {
        let own = calendar.text("X-WR-TIMEZONE").and_then(|name| Clock::named(&name, &Known));
        let floating = own.or_else(|| Clock::named(zone, &Known)).unwrap_or(Clock::Utc);
        let clocks = Clocks::new(calendar, &Known, floating);
        let replaced = replaced(calendar, &clocks);
        for event in calendar.all("VEVENT") {
            if takes_no_time(event, tentative) {
                continue;
            }
            let replaced = event
                .text("UID")
                .filter(|_| event.property("RECURRENCE-ID").is_none())
                .and_then(|uid| replaced.get(&uid));
            for when in of_event(event, &clocks, within) {
                if !replaced.is_some_and(|all| all.contains(&when.start)) && overlap(when, within) {
                    found.insert((when.start, when.end));
                }
            }
        }
    }
    if found.len() > TIMES_MAX {
        log::warn(&format!("the calendar has {} times; the first {TIMES_MAX} count", found.len()));
    }
    found.into_iter().take(TIMES_MAX).map(|(start, end)| Interval { start, end }).collect()
}

fn overlap(when: Interval, within: Interval) -> bool {
    when.start < within.end && within.start < when.end && when.start < when.end
}

/// Cancelled, shown as free, or only maybe, where that does not count.
fn takes_no_time(event: &Component, tentative: bool) -> bool {
    let shown = "X-MICROSOFT-CDO-BUSYSTATUS";
    let maybe = event.says("STATUS", "TENTATIVE") || event.says(shown, "TENTATIVE");
    event.says("STATUS", "CANCELLED")
        || event.says("TRANSP", "TRANSPARENT")
        || event.says(shown, "FREE")
        || (maybe && !tentative)
}

/// The times of series that are told for themselves, by UID.
fn replaced(calendar: &Component, clocks: &Clocks<'_>) -> BTreeMap<String, BTreeSet<Instant>> {
    let mut all: BTreeMap<String, BTreeSet<Instant>> = BTreeMap::new();
    for event in calendar.all("VEVENT") {
        let at = event.property("RECURRENCE-ID").and_then(|id| instant(id, clocks));
        if let (Some(uid), Some(at)) = (event.text("UID"), at) {
            all.entry(uid).or_default().insert(at);
        }
    }
    all
}

fn instant(property: &Property, clocks: &Clocks<'_>) -> Option<Instant> {
    let shown = Stamp::read(property.value())?.shown();
    clocks.instant(&clocks.of(property)?, shown).map(micros)
}

/// When it takes place, around a stretch.
fn of_event(event: &Component, clocks: &Clocks<'_>, within: Interval) -> Vec<Interval> {
    if let Err(why) = Extent::of(event, clocks) {
        log::warn(&format!("the event at line {} {why}", event.line));
    }
    let Ok(extent) = Extent::known_part(event, clocks) else { return Vec::new() };
    let is_series = ["RRULE", "RDATE"].iter().any(|name| event.property(name).is_some());
    let locals = if is_series && event.property("RECURRENCE-ID").is_none() {
        series(event, &extent, clocks, within)
    } else {
        BTreeSet::from([extent.start])
    };
    let at = |local| extent.at(local, clocks).map(|when| (micros(when.start), micros(when.end)));
    locals.into_iter().filter_map(at).map(|(start, end)| Interval { start, end }).collect()
}

/// What the clock shows at the times of a series that are not left out.
fn series(
    event: &Component,
    extent: &Extent,
    clocks: &Clocks<'_>,
    within: Interval,
) -> BTreeSet<NaiveDateTime> {
    let mut locals = BTreeSet::from([extent.start]);
    let length = extent
        .length
        .days
        .saturating_mul(DAY)
        .saturating_add(extent.length.seconds.saturating_mul(1_000_000));
    let from = within.start.saturating_sub(BEFORE).saturating_sub(length);
    let end = within.end.saturating_add(BEFORE);
    for rule in event.properties("RRULE") {
        let rule = on_the_wall(rule.value(), &extent.clock, clocks);
        match recurrence::occurrences(&rule, micros(extent.start), from, end) {
            Ok(found) => locals.extend(found.into_iter().filter_map(wall::shown)),
            Err(error) => log::warn(&format!("the rule of the event at line {}: {error:?}", event.line)),
        }
    }
    locals.extend(listed(event, "RDATE").iter().filter_map(|date| {
        let stamp = Stamp::read(date.value())?;
        match stamp {
            Stamp::Utc(utc) => wall::on(&extent.clock, utc, clocks),
            Stamp::Local(local) => Some(local),
            Stamp::Day(day) => Some(day.and_time(extent.start.time())),
        }
    }));
    let left_out = listed(event, "EXDATE");
    let days: BTreeSet<NaiveDate> = left_out
        .iter()
        .filter_map(|date| match Stamp::read(date.value())? {
            Stamp::Day(day) => Some(day),
            _ => None,
        })
        .collect();
    let times: BTreeSet<Instant> = left_out.iter().filter_map(|date| instant(date, clocks)).collect();
    locals.retain(|local| {
        let at = clocks.instant(&extent.clock, *local).map(micros);
        !days.contains(&local.date()) && !at.is_some_and(|at| times.contains(&at))
    });
    locals
}

/// Each time of a list; of a period its start.
fn listed(event: &Component, name: &str) -> Vec<Property> {
    let lists = event.properties(name).flat_map(|list| {
        let zone = list.parameter("TZID");
        let each = list.value().split(',').map(|text| text.split_once('/').map_or(text, |(start, _)| start));
        let of = |text: &str| match &zone {
            Some(zone) => Property::with(name, &[("TZID", zone)], text),
            None => Property::plain(name, text),
        };
        each.map(of).collect::<Vec<_>>()
    });
    lists.take(LISTED_MAX).collect()
}

/// A rule whose `UNTIL` is an instant, with what the clock of the series shows then.
fn on_the_wall(rule: &str, clock: &Clock, clocks: &Clocks<'_>) -> String {
    let part = |part: &str| {
        let until = part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("UNTIL"));
        let Some(Stamp::Utc(utc)) = until.and_then(|(_, text)| Stamp::read(text)) else {
            return part.to_owned();
        };
        wall::on(clock, utc, clocks)
            .map_or(part.to_owned(), |local| format!("UNTIL={}", local.format("%Y%m%dT%H%M%S")))
    };
    rule.split(';').map(part).collect::<Vec<_>>().join(";")
}
