//! `berth:provider/zones`: when clocks change, from the data that everything here counts with.

use berth_model::{
    limits,
    time::{self, Instant},
    transitions::transitions,
    zone::Zone,
};

use crate::{
    contract::bindings::berth::provider::{
        types::Interval,
        zones::{Host, Transition, ZoneError},
    },
    sandbox::Sandbox,
};

impl Host for Sandbox {
    fn transitions(
        &mut self,
        zone: String,
        within: Interval,
    ) -> wasmtime::Result<Result<Vec<Transition>, ZoneError>> {
        self.count_host_call()?;
        Ok(told(&zone, within))
    }
}

fn told(zone: &str, within: Interval) -> Result<Vec<Transition>, ZoneError> {
    // What is longer is no name, and need not be looked for.
    let known = (zone.len() <= limits::ZONE_NAME_BYTES_MAX).then(|| zone.parse::<Zone>());
    let Some(Ok(zone)) = known else { return Err(ZoneError::UnknownZone) };
    if within.end < within.start || is_long(within) {
        return Err(ZoneError::InvalidRange);
    }
    let (start, end) = (Instant::from_micros(within.start), Instant::from_micros(within.end));
    let range = time::Interval::new(start, end).map_err(|_| ZoneError::InvalidRange)?;
    let mut told: Vec<Transition> = transitions(zone, range)
        .map_err(|_| ZoneError::InvalidRange)?
        .into_iter()
        .map(|change| Transition { at: change.at.micros(), offset_seconds: change.offset_seconds })
        .collect();
    if let Some(first) = told.first_mut() {
        // Also where it begins before the years that are known here.
        first.at = within.start;
    }
    Ok(told)
}

/// Years that are not known here count as well: so a range is refused for its length, wherever it lies.
const fn is_long(within: Interval) -> bool {
    const MICROS_MAX: i64 = limits::ZONE_RANGE_DAYS_MAX.saturating_mul(86_400_000_000);
    within.end.saturating_sub(within.start) > MICROS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn of(zone: &str, start: i64, end: i64) -> Result<Vec<(i64, i32)>, ZoneError> {
        let told = told(zone, Interval { start, end })?;
        Ok(told.into_iter().map(|change| (change.at, change.offset_seconds)).collect())
    }

    #[test]
    fn what_is_asked_is_told() {
        // 2026 and its changes in Warsaw: 29 March and 25 October, 1:00 UTC.
        let (spring, autumn) = (1_774_746_000_000_000, 1_792_890_000_000_000);
        let (start, end) = (1_767_225_600_000_000, 1_798_761_600_000_000);
        let year = of("Europe/Warsaw", start, end);
        assert_eq!(year, Ok(vec![(start, 3_600), (spring, 7_200), (autumn, 3_600)]));
        assert_eq!(of("Europe/Warsaw", autumn, autumn), Ok(vec![(autumn, 3_600)]));
    }

    #[test]
    fn what_is_no_zone_or_no_range_is_refused() {
        let names = ["", "Atlantis", "CET-1CEST", "W. Europe Standard Time", "../../etc/passwd", "\0"];
        let long = "Europe/Warsaw".repeat(100_000);
        for name in names.into_iter().chain([long.as_str()]) {
            assert_eq!(of(name, 0, DAY), Err(ZoneError::UnknownZone), "{name:.40}");
        }
        let longest = limits::ZONE_RANGE_DAYS_MAX * DAY;
        assert!(of("Europe/Warsaw", 0, longest).is_ok());
        for (start, end) in [(0, longest + 1), (1, 0), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
            assert_eq!(of("Europe/Warsaw", start, end), Err(ZoneError::InvalidRange), "{start} {end}");
        }
    }

    #[test]
    fn years_that_nobody_knows_are_answered_as_the_nearest() {
        assert_eq!(of("Europe/Warsaw", -DAY, -DAY), Ok(vec![(-DAY, 3_600)]));
        assert_eq!(of("Europe/Warsaw", i64::MIN, i64::MIN), Ok(vec![(i64::MIN, 3_600)]));
        assert_eq!(of("Europe/Warsaw", i64::MAX, i64::MAX), Ok(vec![(i64::MAX, 3_600)]));
    }
}
