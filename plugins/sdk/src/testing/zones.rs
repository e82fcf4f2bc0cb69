//! `zones.transitions` and `recurrence.occurrences`, from the Berth that this is built beside.

use berth_model::{scheduling::recurrence, time, transitions, zone};

use super::world;
use crate::{
    bindings::connection::berth::provider::{
        recurrence::RuleError,
        zones::{Transition, ZoneError},
    },
    types::Interval,
};

pub(crate) fn transitions(zone: &str, within: Interval) -> Result<Vec<Transition>, ZoneError> {
    world::count_zone_question();
    let zone: zone::Zone = zone.parse().map_err(|_| ZoneError::UnknownZone)?;
    let (start, end) = (time::Instant::from_micros(within.start), time::Instant::from_micros(within.end));
    let range = time::Interval::new(start, end).map_err(|_| ZoneError::InvalidRange)?;
    let told = transitions::transitions(zone, range).map_err(|_| ZoneError::InvalidRange)?;
    let change = |(n, told): (usize, zone::Transition)| Transition {
        at: if n == 0 { within.start } else { told.at.micros() },
        offset_seconds: told.offset_seconds,
    };
    Ok(told.into_iter().enumerate().map(change).collect())
}

/// `recurrence.occurrences`.
pub fn occurrences(rule: &str, start: i64, from: i64, end: i64) -> Result<Vec<i64>, RuleError> {
    recurrence::told(rule, start, from, end).map_err(|refused| match refused {
        recurrence::Untold::Invalid => RuleError::InvalidRule,
        recurrence::Untold::TooMany => RuleError::TooMany,
    })
}
