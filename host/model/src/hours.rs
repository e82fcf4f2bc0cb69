//! Between wall clocks and the time line.
//!
//! A local time that does not exist (a clock change jumps over it) takes the offset before the jump; one that exists twice is its
//! first occurrence; a civil day that a zone skipped has no window.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};

use crate::time::{Instant, Zone};

/// The instant at which a clock of this zone shows this local time, by the rule of this module; of years that Berth does not know, its
/// first or last.
#[must_use]
pub fn instant_of(zone: Zone, local: NaiveDateTime) -> Instant {
    match local.year() {
        ..1969 => return Instant::MIN,
        2201.. => return Instant::MAX,
        _ => {}
    }
    let tz = zone.tz();
    if let Some(time) = tz.from_local_datetime(&local).earliest() {
        return Instant::from_chrono(time.to_utc());
    }
    // In the gap. The offset before it is the one in force 15 hours before that clock time read as UTC: no zone is further ahead.
    let before = tz.offset_from_utc_datetime(&(local - Duration::hours(15))).fix();
    Instant::from_chrono((local - before).and_utc())
}

/// Does this zone have this civil day at all? Samoa had no 30 December 2011.
pub(crate) fn has_day(zone: Zone, date: NaiveDate) -> bool {
    (1969..=2200).contains(&date.year())
        && (0..24).any(|hour| {
            date.and_hms_opt(hour, 0, 0)
                .is_some_and(|local| zone.tz().from_local_datetime(&local).earliest().is_some())
        })
}

/// Does a clock of this zone show this local time twice, since it is set back over it?
#[must_use]
pub fn is_shown_twice(zone: Zone, local: NaiveDateTime) -> bool {
    matches!(zone.tz().from_local_datetime(&local), chrono::LocalResult::Ambiguous(..))
}

/// What a clock of this zone shows at an instant.
#[must_use]
pub fn local_of(zone: Zone, at: Instant) -> NaiveDateTime {
    at.to_chrono().with_timezone(&zone.tz()).naive_local()
}

/// The civil day that a clock of this zone shows at an instant.
#[must_use]
pub fn civil_day(zone: Zone, at: Instant) -> NaiveDate {
    local_of(zone, at).date()
}

/// First instant of a civil day.
#[must_use]
pub fn day_start(zone: Zone, date: NaiveDate) -> Instant {
    instant_of(zone, date.and_time(NaiveTime::MIN))
}
