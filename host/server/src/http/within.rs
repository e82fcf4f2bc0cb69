//! Stretches of time as lists are asked for them: two ends, each an instant or a day of a zone, or left out.

use berth_model::{
    bookings::lists::Bound,
    problem::Problem,
    time::{Instant, Interval},
    zone::Zone,
};

use super::problem::wrong;

/// A stretch of time with at least one end.
pub(crate) fn between(
    names: (&str, &str),
    (from, to): (Option<Instant>, Option<Instant>),
) -> Result<Option<Interval>, Problem> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let within = Interval::new(from.unwrap_or(Instant::MIN), to.unwrap_or(Instant::MAX));
    within.map(Some).map_err(|_| wrong(names.1, format!("must not be before {}", names.0)))
}

/// The zone of days, where there are any.
pub(crate) fn zone_of_days(zone: Option<Zone>, ends: &[Option<Bound>]) -> Result<Zone, Problem> {
    if zone.is_none() && ends.iter().flatten().any(|end| end.is_day()) {
        return Err(wrong("time_zone", "is required where from or to is a day"));
    }
    Ok(zone.unwrap_or(Zone::UTC))
}
