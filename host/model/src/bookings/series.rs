//! Series: bookings that are made together and recur on the wall clock.

use chrono::Days;

use crate::{
    budget::Budget,
    limits::{RULE_SEARCH_STEPS_MAX, SERIES_BOOKINGS_MAX},
    problem::FieldError,
    scheduling::{
        hours::{instant_of, local_of},
        recurrence::Recurrence,
    },
    time::{Instant, Interval, is_day},
    zone::Zone,
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
                ("rrule", follow(rule, first, zone).or_else(|message| bad("rrule", message))?)
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

/// The starts that a rule gives, seen from the first. Where the rule does not come at the first, does not end in time, or never comes,
/// somebody would be booked at other times than they asked for: that is refused. The error is for the field of the rule.
fn follow(rule: &str, first: Instant, zone: Zone) -> Result<Vec<Instant>, String> {
    let dtstart = local_of(zone, first);
    let recurrence = Recurrence {
        dtstart,
        zone: Some(zone),
        rule: Some(rule.to_owned()),
        exdates: Vec::new(),
        rdates: Vec::new(),
    };
    let checked = recurrence.checked().map_err(|error| error.to_string())?;
    // An hour that comes twice is read as its first pass, which may lie before the first start.
    let read = instant_of(zone, dtstart);
    let until_the_end = Interval::new(read.min(first), Instant::MAX).map_err(|error| error.to_string())?;
    let most = SERIES_BOOKINGS_MAX.saturating_add(1);
    let starts = checked.occurrences(until_the_end, most, &Budget::of(RULE_SEARCH_STEPS_MAX));
    let mut starts = starts.map_err(|error| error.to_string())?;
    match starts.first_mut() {
        None => return Err(format!("never comes at or after the start of the first booking, {first}")),
        Some(found) if *found == read => *found = first,
        Some(found) => {
            let found = *found;
            return Err(format!(
                "does not come at the start of the first booking, {first}, but first at {found}"
            ));
        }
    }
    let reach = first.plus_seconds(REACH_DAYS.saturating_mul(86_400));
    // Too many is said better as a number, below.
    if starts.len() <= SERIES_BOOKINGS_MAX
        && let Some(late) = starts.iter().find(|start| **start >= reach)
    {
        return Err(format!("must end within {REACH_DAYS} days, and comes at {late}; give COUNT or UNTIL"));
    }
    Ok(starts)
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
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

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
    fn a_rule_that_would_book_other_times_than_the_first_and_its_own_is_refused() {
        // A Thursday, at ten in Warsaw.
        let first = at("2026-10-22T08:00:00Z");
        for (rule, said) in [
            ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "does not come at the start"),
            ("FREQ=WEEKLY;BYHOUR=9;COUNT=3", "does not come at the start"),
            ("FREQ=DAILY;BYMINUTE=30;COUNT=3", "does not come at the start"),
            ("FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3", "does not come at the start"),
            ("FREQ=DAILY;UNTIL=20261021T080000Z", "never comes"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", "never comes"),
            ("FREQ=MONTHLY;COUNT=60", "must end within 732 days"),
            ("FREQ=YEARLY;INTERVAL=10", "must end within 732 days"),
            ("FREQ=YEARLY", "COUNT or UNTIL"),
            ("FREQ=DAILY;COUNT=61", "1 to 60 bookings"),
            ("FREQ=DAILY;COUNT=0", "COUNT"),
        ] {
            let refused = SeriesStarts::Rule(rule.into()).expand(first, warsaw()).unwrap_err();
            assert_eq!(refused.field, "/recurrence/rrule", "{rule}");
            assert!(refused.message.contains(said), "{rule}: {}", refused.message);
        }
    }

    #[test]
    fn a_rule_begins_with_its_first_start_whatever_the_clock_does() {
        // Half past two comes twice: this is the second pass.
        let first = at("2026-10-25T01:30:00Z");
        let starts = SeriesStarts::Rule("FREQ=DAILY;COUNT=3".into()).expand(first, warsaw()).unwrap();
        assert_eq!(starts, [first, at("2026-10-26T01:30:00Z"), at("2026-10-27T01:30:00Z")]);
        // A fraction of a second is the first start's own.
        let first = at("2026-10-22T08:00:00.25Z");
        let starts = SeriesStarts::Rule("FREQ=DAILY;COUNT=2".into()).expand(first, warsaw()).unwrap();
        assert_eq!(starts, [first, at("2026-10-23T08:00:00.25Z")]);
    }

    proptest! {
        /// Every series of a rule begins with the start that was asked for and is as long as it says, or is refused.
        #[test]
        fn whatever_rule_is_taken_it_books_what_was_asked_for(
            minutes in 0_i64..60 * 24 * 90, count in 1_usize..=10, freq in 0_usize..3, by in 0_usize..34
        ) {
            let first = at("2026-10-01T08:00:00Z").plus_minutes(minutes);
            let freq = ["DAILY", "WEEKLY", "MONTHLY"][freq];
            let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
            let by = match (days.get(by), by) {
                (Some(day), _) => format!(";BYDAY={day}"),
                (None, hour @ 7..31) => format!(";BYHOUR={}", hour - 7),
                _ => String::new(),
            };
            let rule = format!("FREQ={freq};COUNT={count}{by}");
            match SeriesStarts::Rule(rule).expand(first, warsaw()) {
                Ok(starts) => {
                    prop_assert_eq!(starts.first(), Some(&first));
                    prop_assert_eq!(starts.len(), count);
                }
                Err(refused) => prop_assert!(!by.is_empty(), "{refused:?}"),
            }
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
