//! `VTIMEZONE` (RFC 5545 section 3.6.5): what a zone's clock does around some events, from the tz data that is built in.

use chrono::{Offset, TimeZone};
use chrono_tz::OffsetComponents;

use super::line::line;
use crate::time::{Instant, Interval, Zone};

/// How far before the first event a change is looked for, in days: more than a year, so that the rule in force is found.
const BACK_DAYS: i64 = 400;
const DAY_SECONDS: i64 = 86_400;

/// Offset from UTC and its part that is daylight saving, in seconds, and the name.
fn at(zone: Zone, instant: Instant) -> (i32, i64, String) {
    let offset = zone.tz().offset_from_utc_datetime(&instant.to_chrono().naive_utc());
    (offset.fix().local_minus_utc(), offset.dst_offset().num_seconds(), offset.to_string())
}

/// The first second in (from, to] at which the clock is not as at `from`; the two differ.
fn change(zone: Zone, from: Instant, to: Instant) -> Instant {
    let before = at(zone, from);
    let (mut low, mut high) = (from.micros().div_euclid(1_000_000), to.micros().div_euclid(1_000_000));
    while low.saturating_add(1) < high {
        let middle = i64::midpoint(low, high);
        if at(zone, Instant::from_seconds(middle)) == before {
            low = middle;
        } else {
            high = middle;
        }
    }
    Instant::from_seconds(high)
}

/// Write the zone as its clock runs from the last change before the events to their end. UTC needs none.
pub(super) fn write(out: &mut String, zone: Zone, seen: Interval) {
    if zone == Zone::UTC {
        return;
    }
    line(out, "BEGIN:VTIMEZONE");
    line(out, &format!("TZID:{zone}"));
    let mut day = seen.start().plus_seconds(-BACK_DAYS.saturating_mul(DAY_SECONDS));
    let mut changes: Vec<Instant> = Vec::new();
    while day < seen.end() {
        let next = day.plus_seconds(DAY_SECONDS);
        if at(zone, day) != at(zone, next) {
            changes.push(change(zone, day, next));
        }
        day = next;
    }
    // The last change before the events and those during them.
    let first = changes.iter().rposition(|change| *change <= seen.start()).unwrap_or(0);
    let during = changes.get(first..).unwrap_or_default();
    if during.first().is_none_or(|change| *change > seen.start()) {
        let start = seen.start().plus_seconds(-BACK_DAYS.saturating_mul(DAY_SECONDS));
        let (offset, ..) = at(zone, start);
        observance(out, zone, start, offset);
    }
    for change in during {
        let (before, ..) = at(zone, change.plus_seconds(-1));
        observance(out, zone, *change, before);
    }
    line(out, "END:VTIMEZONE");
}

/// From `onset` on; its `DTSTART` is written on the clock that ran before.
fn observance(out: &mut String, zone: Zone, onset: Instant, before: i32) {
    let (after, saving, name) = at(zone, onset);
    let kind = if saving == 0 { "STANDARD" } else { "DAYLIGHT" };
    let local = onset.plus_seconds(i64::from(before)).to_chrono().format("%Y%m%dT%H%M%S");
    line(out, &format!("BEGIN:{kind}"));
    line(out, &format!("DTSTART:{local}"));
    line(out, &format!("TZOFFSETFROM:{}", offset(before)));
    line(out, &format!("TZOFFSETTO:{}", offset(after)));
    line(out, &format!("TZNAME:{name}"));
    line(out, &format!("END:{kind}"));
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
