//! When a zone's clocks change: what a component is told, so that it needs no data of its own.

use crate::{
    limits,
    time::Interval,
    zone::{Transition, Zone},
};

const DAY_SECONDS: i64 = 86_400;

/// What is too much to be told at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "longer than {} days, or with more than {} changes",
    limits::ZONE_RANGE_DAYS_MAX,
    limits::ZONE_TRANSITIONS_MAX
)]
pub struct TooMuch;

/// The offset in force at the beginning, and each change of it after the beginning and before the end, ascending.
pub fn transitions(zone: Zone, within: Interval) -> Result<Vec<Transition>, TooMuch> {
    let (start, end) = (within.start(), within.end());
    if end > start.plus_seconds(limits::ZONE_RANGE_DAYS_MAX.saturating_mul(DAY_SECONDS)) {
        return Err(TooMuch);
    }
    let mut told = zone.transitions(within);
    // A change of what people call it is none of the offset.
    told.dedup_by_key(|run| run.offset_seconds);
    if told.len() > limits::ZONE_TRANSITIONS_MAX { Err(TooMuch) } else { Ok(told) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn told(zone: &str, from: &str, to: &str) -> Vec<String> {
        let within = Interval::new(at(from), at(to)).unwrap();
        let all = transitions(zone.parse().unwrap(), within).unwrap();
        all.iter().map(|t| format!("{} {}", t.at, t.offset_seconds)).collect()
    }

    #[test]
    fn changes_inside_after_the_offset_in_force() {
        for (zone, from, to, expected) in [
            (
                "Europe/Warsaw",
                "2026-01-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
                &["2026-01-01T00:00:00Z 3600", "2026-03-29T01:00:00Z 7200", "2026-10-25T01:00:00Z 3600"][..],
            ),
            // Half-open: a change at the beginning is in force, one at the end is not told.
            ("Europe/Warsaw", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", &["2026-03-29T01:00:00Z 7200"]),
            (
                "Europe/Warsaw",
                "2026-03-29T00:59:59.999999Z",
                "2026-03-29T01:00:00.000001Z",
                &["2026-03-29T00:59:59.999999Z 3600", "2026-03-29T01:00:00Z 7200"],
            ),
            ("Europe/Warsaw", "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", &["2026-07-01T00:00:00Z 7200"]),
            ("UTC", "2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z", &["2020-01-01T00:00:00Z 0"]),
            // A whole day was left out.
            (
                "Pacific/Apia",
                "2011-12-01T00:00:00Z",
                "2012-01-01T00:00:00Z",
                &["2011-12-01T00:00:00Z -36000", "2011-12-30T10:00:00Z 50400"],
            ),
        ] {
            assert_eq!(told(zone, from, to), expected, "{zone} {from}");
        }
    }

    /// Every zone, every third hour of some years, and a second before each change.
    #[test]
    fn the_last_transition_is_what_clocks_show() {
        let (from, to) = (at("2022-01-01T00:00:00Z"), at("2031-01-01T00:00:00Z"));
        for tz in chrono_tz::TZ_VARIANTS {
            let zone: Zone = tz.name().parse().unwrap();
            let all = transitions(zone, Interval::new(from, to).unwrap()).unwrap();
            let mut next = all.iter().skip(1).peekable();
            let mut shown = all[0].offset_seconds;
            let mut now = from;
            while now < to {
                if let Some(change) = next.next_if(|change| change.at <= now) {
                    assert_eq!(
                        zone.offset_seconds(change.at.plus_seconds(-1)),
                        shown,
                        "{zone} {}",
                        change.at
                    );
                    shown = change.offset_seconds;
                }
                assert_eq!(zone.offset_seconds(now), shown, "{zone} {now}");
                now = now.plus_minutes(180);
            }
        }
    }

    #[test]
    fn the_longest_range_is_told_and_no_longer_one() {
        let zone = "Africa/Casablanca".parse().unwrap();
        let from = at("2008-01-01T00:00:00Z");
        let of = |days: i64| {
            let within = Interval::new(from, from.plus_seconds(days * DAY_SECONDS)).unwrap();
            transitions(zone, within).map(|all| all.len())
        };
        // Four changes in most of these years: what was most anywhere.
        assert!(of(limits::ZONE_RANGE_DAYS_MAX).is_ok_and(|n| n > 50));
        assert_eq!(of(limits::ZONE_RANGE_DAYS_MAX + 1), Err(TooMuch));
        let last = Interval::new(at("2190-01-01T00:00:00Z"), Instant::MAX).unwrap();
        assert!(transitions(zone, last).is_ok(), "to the end of all that is known");
    }
}
