//! Series: bookings that are made together and recur on the wall clock.

use chrono::Days;

use crate::{
    budget::Budget,
    hours::{instant_of, local_of},
    limits::{RULE_SEARCH_STEPS_MAX, SERIES_BOOKINGS_MAX},
    problem::FieldError,
    recurrence::Recurrence,
    time::{Instant, Interval, Zone, is_day},
};

/// How far a series reaches, in days: two years, like the longest booking window.
const REACH_DAYS: i64 = 732;
/// Longest distance between two bookings of a weekly series, in weeks.
const WEEKS_MAX: u32 = 52;

/// When the bookings of a series start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesStarts {
    /// Every so many weeks, so many times, the first included.
    EveryWeeks {
        /// 1 to 52.
        weeks: u32,
        /// 2 to [`SERIES_BOOKINGS_MAX`].
        count: u32,
    },
    /// An `RRULE` of RFC 5545, seen from the first start.
    Rule(String),
    /// The first start and these.
    List(Vec<Instant>),
}

/// Which bookings of a series are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeriesScope {
    /// This one.
    #[default]
    One,
    /// This one and all that start later.
    Following,
    /// All.
    Series,
}

impl SeriesStarts {
    /// The starts, ascending, each once; on the clock of `zone`, so that a series at ten o'clock stays at ten when clocks change.
    ///
    /// # Errors
    /// Names the field, below `/recurrence`.
    pub fn expand(&self, first: Instant, zone: Zone) -> Result<Vec<Instant>, FieldError> {
        let bad =
            |field: &str, message: String| Err(FieldError::new(format!("/recurrence/{field}"), message));
        let (field, starts) = match self {
            Self::EveryWeeks { weeks, count } => {
                if !(1..=WEEKS_MAX).contains(weeks) {
                    return bad("every_weeks", format!("must be 1 to {WEEKS_MAX}"));
                }
                let wanted = usize::try_from(*count).unwrap_or(usize::MAX);
                if !(2..=SERIES_BOOKINGS_MAX).contains(&wanted) {
                    return bad("count", format!("must be 2 to {SERIES_BOOKINGS_MAX}"));
                }
                let local = local_of(zone, first);
                let days = |n: u32| u64::from(n).saturating_mul(u64::from(*weeks)).saturating_mul(7);
                let later: Vec<_> =
                    (1..*count).filter_map(|n| local.checked_add_days(Days::new(days(n)))).collect();
                if !later.iter().all(|local| is_day(local.date())) {
                    return bad("count", "must end in the year 2199 at the latest".to_owned());
                }
                let later = later.into_iter();
                let starts = std::iter::once(first).chain(later.map(|local| instant_of(zone, local)));
                ("count", starts.collect())
            }
            Self::Rule(rule) => {
                let recurrence = Recurrence {
                    dtstart: local_of(zone, first),
                    zone: Some(zone),
                    rule: Some(rule.clone()),
                    exdates: Vec::new(),
                    rdates: Vec::new(),
                };
                let reach = Interval::new(first, first.plus_seconds(REACH_DAYS.saturating_mul(86_400)));
                let checked = match recurrence.checked() {
                    Ok(checked) => checked,
                    Err(error) => return bad("rrule", error.to_string()),
                };
                let reach = reach.unwrap_or(Interval::of_minutes(first, 0));
                let most = SERIES_BOOKINGS_MAX.saturating_add(1);
                match checked.occurrences(reach, most, &Budget::of(RULE_SEARCH_STEPS_MAX)) {
                    Ok(starts) => ("rrule", starts),
                    Err(error) => return bad("rrule", error.to_string()),
                }
            }
            Self::List(starts) => {
                // Bounded before it is copied.
                if starts.len() > SERIES_BOOKINGS_MAX {
                    return bad("starts", format!("must be at most {SERIES_BOOKINGS_MAX}"));
                }
                let mut starts: Vec<Instant> = starts.iter().copied().chain([first]).collect();
                starts.sort_unstable();
                starts.dedup();
                ("starts", starts)
            }
        };
        if starts.is_empty() || starts.len() > SERIES_BOOKINGS_MAX {
            return bad(
                field,
                format!("must make 1 to {SERIES_BOOKINGS_MAX} bookings; an RRULE needs COUNT or UNTIL"),
            );
        }
        Ok(starts)
    }
}

/// Where a booking at `at` goes when another of its series goes `from` one time `to` another: as far on the wall clock.
#[must_use]
pub fn shifted(zone: Zone, at: Instant, from: Instant, to: Instant) -> Instant {
    let by = local_of(zone, to).signed_duration_since(local_of(zone, from));
    match local_of(zone, at).checked_add_signed(by) {
        Some(local) => instant_of(zone, local),
        None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }
    fn warsaw() -> Zone {
        "Europe/Warsaw".parse().unwrap()
    }

    #[test]
    fn a_series_keeps_its_time_on_the_wall_clock() {
        // Ten o'clock in Warsaw, over the end of summer time.
        let first = at("2026-10-22T08:00:00Z");
        let weekly = ["2026-10-22T08:00:00Z", "2026-10-29T09:00:00Z", "2026-11-05T09:00:00Z"].map(at);
        for starts in [
            SeriesStarts::EveryWeeks { weeks: 1, count: 3 },
            SeriesStarts::Rule("FREQ=WEEKLY;COUNT=3".into()),
            SeriesStarts::List(vec![weekly[2], weekly[1], weekly[1]]),
        ] {
            assert_eq!(starts.expand(first, warsaw()).unwrap(), weekly, "{starts:?}");
        }
    }

    #[test]
    fn what_is_not_bounded_is_refused() {
        let first = at("2026-10-22T08:00:00Z");
        for (starts, field) in [
            (SeriesStarts::EveryWeeks { weeks: 0, count: 3 }, "/recurrence/every_weeks"),
            (SeriesStarts::EveryWeeks { weeks: 1, count: 61 }, "/recurrence/count"),
            (SeriesStarts::EveryWeeks { weeks: 1, count: 1 }, "/recurrence/count"),
            (SeriesStarts::Rule("FREQ=DAILY".into()), "/recurrence/rrule"),
            (SeriesStarts::Rule("FREQ=OFTEN;COUNT=3".into()), "/recurrence/rrule"),
            (SeriesStarts::List(vec![first; 61]), "/recurrence/starts"),
        ] {
            assert_eq!(starts.expand(first, warsaw()).unwrap_err().field, field, "{starts:?}");
        }
    }

    #[test]
    fn a_shift_is_civil() {
        let moved = shifted(
            warsaw(),
            at("2026-10-29T09:00:00Z"),
            at("2026-10-22T08:00:00Z"),
            at("2026-10-23T09:30:00Z"),
        );
        assert_eq!(moved, at("2026-10-30T10:30:00Z"), "a day and an hour and a half later, on its own clock");
    }
}
