//! `zones.transitions`, from the data of the Berth that this is built beside.

use berth_model::{
    time::{self, Zone},
    transitions,
};

use super::world;
use crate::{
    bindings::connection::berth::provider::zones::{Transition, ZoneError},
    types::Interval,
};

pub(crate) fn transitions(zone: &str, within: Interval) -> Result<Vec<Transition>, ZoneError> {
    world::count_zone_question();
    let zone: Zone = zone.parse().map_err(|_| ZoneError::UnknownZone)?;
    let (start, end) = (time::Instant::from_micros(within.start), time::Instant::from_micros(within.end));
    let range = time::Interval::new(start, end).map_err(|_| ZoneError::InvalidRange)?;
    let told = transitions::transitions(zone, range).map_err(|_| ZoneError::InvalidRange)?;
    let change = |(n, told): (usize, transitions::Transition)| Transition {
        at: if n == 0 { within.start } else { told.at.micros() },
        offset_seconds: told.offset_seconds,
    };
    Ok(told.into_iter().enumerate().map(change).collect())
}
