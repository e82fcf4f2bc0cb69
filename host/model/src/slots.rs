//! From open windows and taken time to the starts that are offered.

use crate::{
    limits,
    time::{Instant, Interval},
};

/// What an event type demands of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRules {
    /// Length of the meeting, in minutes; at least 1.
    pub length_minutes: u32,
    /// Distance between starts, in minutes, counted from the opening of each window; at least 1.
    pub interval_minutes: u32,
    /// Time that must be free before, in minutes; it may lie outside opening hours.
    pub buffer_before_minutes: u32,
    /// Time that must be free after, in minutes.
    pub buffer_after_minutes: u32,
    /// No start before this (now + notice); equality is allowed.
    pub not_before: Instant,
    /// No start at or after this (the end of the booking window).
    pub before: Instant,
}

/// Starts that one member can offer, ascending. `windows` and `taken` must be merged ([`crate::intervals::merged`]); `taken`
/// holds bookings with their buffers and external busy times without any. Cost: windows + taken + starts.
#[must_use]
pub fn offered_starts(rules: &SlotRules, windows: &[Interval], taken: &[Interval]) -> Vec<Instant> {
    let step = i64::from(rules.interval_minutes.max(1));
    let mut offered = Vec::new();
    let mut taken = taken.iter().copied().peekable();
    for window in windows {
        let mut start = window.start();
        loop {
            let meeting = Interval::of_minutes(start, rules.length_minutes.max(1));
            if !window.contains(meeting) || start >= rules.before || offered.len() >= limits::SLOTS_MAX {
                break;
            }
            let blocked = meeting.widened(rules.buffer_before_minutes, rules.buffer_after_minutes);
            // Starts ascend, so what ends before this one never matters again.
            while taken.next_if(|t| t.end() <= blocked.start()).is_some() {}
            let free = taken.peek().is_none_or(|t| !t.overlaps(blocked));
            if free && start >= rules.not_before {
                offered.push(start);
            }
            start = start.plus_minutes(step);
        }
    }
    offered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::merged;
    use proptest::prelude::*;

    fn at(minute: i64) -> Instant {
        Instant::from_seconds(minute * 60)
    }
    fn span(start: i64, end: i64) -> Interval {
        Interval::new(at(start), at(end)).unwrap()
    }
    const RULES: SlotRules = SlotRules {
        length_minutes: 30,
        interval_minutes: 30,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        not_before: Instant::MIN,
        before: Instant::MAX,
    };
    fn minutes(starts: &[Instant]) -> Vec<i64> {
        starts.iter().map(|s| s.micros() / 60_000_000).collect()
    }

    #[test]
    fn the_grid_runs_from_opening_time_whatever_is_booked() {
        assert_eq!(minutes(&offered_starts(&RULES, &[span(0, 130)], &[span(40, 50)])), [0, 60, 90]);
    }

    #[test]
    fn touching_is_not_overlapping_and_buffers_add_up() {
        let rules = SlotRules { buffer_before_minutes: 10, buffer_after_minutes: 5, ..RULES };
        // Taken until 50 (its own buffer included): the new meeting's buffer before must not reach into it.
        assert_eq!(minutes(&offered_starts(&rules, &[span(0, 200)], &[span(30, 50)])), [60, 90, 120, 150]);
    }

    #[test]
    fn notice_allows_equality_and_the_window_ends_before_its_end() {
        let rules = SlotRules { not_before: at(30), before: at(90), ..RULES };
        assert_eq!(minutes(&offered_starts(&rules, &[span(0, 200)], &[])), [30, 60]);
    }

    fn spans(most: usize) -> impl Strategy<Value = Vec<Interval>> {
        prop::collection::vec((0_i64..1_000, 1_i64..200), 0..most)
            .prop_map(|v| merged(v.into_iter().map(|(s, l)| span(s, s + l)).collect()))
    }

    proptest! {
        #[test]
        fn slots_are_open_free_and_complete(
            windows in spans(5), taken in spans(12), length in 1_u32..90, interval in 1_u32..60,
            before in 0_u32..30, after in 0_u32..30,
        ) {
            let rules = SlotRules {
                length_minutes: length, interval_minutes: interval,
                buffer_before_minutes: before, buffer_after_minutes: after, ..RULES
            };
            let got = offered_starts(&rules, &windows, &taken);
            // The rule as a scan of every grid point.
            let mut expected = Vec::new();
            for window in &windows {
                let mut start = window.start();
                while start < window.end() {
                    let meeting = Interval::of_minutes(start, length);
                    let blocked = meeting.widened(before, after);
                    if window.contains(meeting) && taken.iter().all(|t| !t.overlaps(blocked)) {
                        expected.push(start);
                    }
                    start = start.plus_minutes(i64::from(interval));
                }
            }
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn a_busy_time_never_adds_a_slot(windows in spans(5), taken in spans(8), more in (0_i64..1_000, 1_i64..200)) {
            let without = offered_starts(&RULES, &windows, &taken);
            let mut with = taken;
            with.push(span(more.0, more.0 + more.1));
            for start in offered_starts(&RULES, &windows, &merged(with)) {
                prop_assert!(without.contains(&start));
            }
        }
    }
}
