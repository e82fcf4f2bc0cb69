//! The times of a rule as a component is told them: on a wall, without a zone.

use chrono::DateTime;

use super::{Interval, Recurrence};
use crate::{budget::Budget, limits, time::Instant};

/// Why a component is told nothing of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// It is no rule, or begins beyond all calendars.
    #[error("no rule that can be followed")]
    Invalid,
    /// More times or steps than a call may have.
    #[error("more than {} times, or too many steps", limits::RULE_TOLD_TIMES_MAX)]
    TooMany,
}

/// The times of a rule that begins at `start`, from `from` on and before `end`, ascending; all in microseconds as if the wall clock showed
/// UTC.
///
/// # Errors
/// It is no rule, or comes too often.
pub fn told(rule: &str, start: i64, from: i64, end: i64) -> Result<Vec<i64>, Untold> {
    let start = DateTime::from_timestamp_micros(start).ok_or(Untold::Invalid)?.naive_utc();
    let recurrence = Recurrence {
        dtstart: start,
        zone: None,
        rule: Some(rule.to_owned()),
        exdates: Vec::new(),
        rdates: Vec::new(),
    };
    let rule = recurrence.stored().map_err(|_| Untold::Invalid)?;
    let Ok(within) = Interval::new(Instant::from_micros(from), Instant::from_micros(end)) else {
        return Ok(Vec::new());
    };
    let most = limits::RULE_TOLD_TIMES_MAX;
    let budget = Budget::of(limits::RULE_TOLD_STEPS_MAX);
    let found = rule.occurrences(within, most.saturating_add(1), &budget).map_err(|_| Untold::TooMany)?;
    if found.len() > most {
        return Err(Untold::TooMany);
    }
    Ok(found.into_iter().map(Instant::micros).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn at(text: &str) -> i64 {
        text.parse::<Instant>().unwrap().micros()
    }

    #[test]
    fn times_on_a_wall() {
        let start = at("2026-01-05T09:00:00Z");
        let of = |rule: &str, from: i64, end: i64| told(rule, start, from, end);
        let days = |days: &[i64]| Ok(days.iter().map(|n| start + n * DAY).collect::<Vec<_>>());
        assert_eq!(of("FREQ=DAILY;COUNT=3", 0, i64::MAX), days(&[0, 1, 2]));
        // Half-open, and in the middle of it; a wall knows no change of clocks.
        assert_eq!(of("FREQ=WEEKLY", start + 7 * DAY, start + 21 * DAY), days(&[7, 14]));
        assert_eq!(of("FREQ=DAILY;UNTIL=20260107T090000", 0, i64::MAX), days(&[0, 1, 2]));
        assert_eq!(of("FREQ=DAILY", start, start - DAY), Ok(Vec::new()));
        // It began before the years that Berth knows.
        let birthday = told("FREQ=YEARLY", -20 * 365 * DAY, start, start + 365 * DAY).unwrap();
        assert_eq!(birthday.len(), 1);
    }

    #[test]
    fn what_is_none_or_too_much_is_refused_soon() {
        let (start, end) = (at("1970-01-01T00:00:00Z"), at("2199-12-31T00:00:00Z"));
        for rule in ["", "FREQ=NEVER", "DAILY", "FREQ=DAILY;BYDAY=XX", "FREQ=SECONDLY"] {
            assert_eq!(told(rule, start, start, end), Err(Untold::Invalid), "{rule}");
        }
        let long = format!("FREQ=DAILY;BYMONTHDAY={}1", "1,".repeat(100_000));
        assert_eq!(told(&long, start, start, end), Err(Untold::Invalid));
        for rule in ["FREQ=DAILY", "FREQ=MINUTELY"] {
            assert_eq!(told(rule, start, start, end), Err(Untold::TooMany), "{rule}");
        }
        // Counted from its beginning, for nothing.
        assert_eq!(told("FREQ=MINUTELY;COUNT=1000000", start, end - DAY, end), Err(Untold::TooMany));
        assert_eq!(told("FREQ=DAILY", i64::MAX, start, end), Err(Untold::Invalid));
    }
}
