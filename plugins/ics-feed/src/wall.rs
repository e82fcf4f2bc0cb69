//! Clocks on a wall: between the codec's times and the contract's.

use berth_icalendar::clocks::{Clock, Clocks, Zones};
use berth_sdk::{types::Instant, zone::Zone};
use chrono::{DateTime, NaiveDateTime, TimeDelta};

/// Zones as Berth knows them.
pub(crate) struct Known;

impl Zones for Known {
    fn instant(&self, zone: &str, local: NaiveDateTime) -> Option<NaiveDateTime> {
        shown(Zone::named(zone)?.instant(micros(local)))
    }
}

pub(crate) fn micros(time: NaiveDateTime) -> Instant {
    time.and_utc().timestamp_micros()
}

pub(crate) fn shown(micros: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(micros)?.naive_utc())
}

/// What a clock shows at an instant, in UTC. Clocks tell only the other way, so it is come near to: once, and again beside a change.
pub(crate) fn on(clock: &Clock, utc: NaiveDateTime, clocks: &Clocks<'_>) -> Option<NaiveDateTime> {
    let mut local = utc;
    for _ in 0..3 {
        let off: TimeDelta = utc - clocks.instant(clock, local)?;
        local = local.checked_add_signed(off)?;
    }
    Some(local)
}
