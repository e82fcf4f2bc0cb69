//! Between wall clocks and the time line.
//!
//! A local time that does not exist (a clock change jumps over it) takes the offset before the jump; one that exists twice is its
//! first occurrence; a civil day that a zone skipped has no window.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime};

use crate::{
    time::Instant,
    zone::{Shown, Zone},
};

/// The instant at which a clock of this zone shows this local time, by the rule of this module; of years that Berth does not know, its
/// first or last.
#[must_use]
pub fn instant_of(zone: Zone, local: NaiveDateTime) -> Instant {
    match local.year() {
        ..1969 => return Instant::MIN,
        2201.. => return Instant::MAX,
        _ => {}
    }
    let clock = local.and_utc();
    let at = zone.resolve(clock.timestamp()).at;
    Instant::from_seconds(at).plus_micros(i64::from(clock.timestamp_subsec_micros()))
}

/// Does this zone have this civil day at all? Samoa had no 30 December 2011.
pub(crate) fn has_day(zone: Zone, date: NaiveDate) -> bool {
    (1969..=2200).contains(&date.year())
        && (0..24).any(|hour| {
            date.and_hms_opt(hour, 0, 0)
                .is_some_and(|local| zone.resolve(local.and_utc().timestamp()).shown != Shown::Never)
        })
}

/// Does a clock of this zone show this local time twice, since it is set back over it?
#[must_use]
pub fn is_shown_twice(zone: Zone, local: NaiveDateTime) -> bool {
    zone.resolve(local.and_utc().timestamp()).shown == Shown::Twice
}

/// What a clock of this zone shows at an instant.
#[must_use]
pub fn local_of(zone: Zone, at: Instant) -> NaiveDateTime {
    at.to_chrono().naive_utc() + Duration::seconds(i64::from(zone.offset_seconds(at)))
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
