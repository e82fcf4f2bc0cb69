//! The grid: which starts of a window are looked at.

use chrono::Timelike;

use super::hours::local_of;
use crate::{
    budget::{Budget, Exhausted},
    time::{Instant, Interval},
    zone::Zone,
};

/// How starts are laid out in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Length of the meeting, in minutes; at least 1.
    pub length_minutes: u32,
    /// Distance between starts, in minutes of elapsed time; at least 1.
    pub step_minutes: u32,
    /// Moves every start, in minutes.
    pub offset_minutes: u32,
    /// Rounds the first start up to a multiple of so many minutes past the hour on this clock.
    pub round_up: Option<(u32, Zone)>,
}

impl Step {
    /// The first start at or after `anchor`.
    #[must_use]
    pub fn first(&self, anchor: Instant) -> Instant {
        let rounded = match self.round_up {
            Some((minutes, zone)) if minutes > 0 => rounded_up(anchor, minutes, zone),
            _ => anchor,
        };
        rounded.plus_minutes(i64::from(self.offset_minutes))
    }

    /// Append the starts of meetings that lie in `window` and in `range`, on the grid that begins at `anchor`. How many there are is
    /// reckoned first: no instant is stepped, since one at the end of time would stay where it is.
    ///
    /// # Errors
    /// Each start is a step of the budget.
    pub fn starts(
        &self,
        anchor: Instant,
        window: Interval,
        range: Interval,
        budget: &Budget,
        out: &mut Vec<Instant>,
    ) -> Result<(), Exhausted> {
        budget.spend(1)?;
        let Some(room) = window.intersection(range) else { return Ok(()) };
        let step = i64::from(self.step_minutes.max(1)).saturating_mul(60_000_000);
        let first = self.first(anchor);
        // Jump to the first start in the room: the anchor may lie far back.
        let behind = room.start().micros_since(first).max(0);
        let skipped = behind.saturating_add(step.saturating_sub(1)).div_euclid(step);
        let start = first.micros().saturating_add(skipped.saturating_mul(step));
        let length = i64::from(self.length_minutes).saturating_mul(60_000_000);
        let last = room.end().micros().saturating_sub(length);
        if last < start {
            return Ok(());
        }
        let more = last.saturating_sub(start).div_euclid(step);
        budget.spend(u64::try_from(more).unwrap_or(u64::MAX).saturating_add(1))?;
        out.extend((0..=more).map(|n| Instant::from_micros(start.saturating_add(n.saturating_mul(step)))));
        Ok(())
    }
}

/// The instant rounded up to a multiple of so many minutes past the hour on this clock.
fn rounded_up(at: Instant, minutes: u32, zone: Zone) -> Instant {
    let local = local_of(zone, at);
    let past_hour = i64::from(local.minute())
        .saturating_mul(60_000_000)
        .saturating_add(i64::from(local.second()).saturating_mul(1_000_000))
        .saturating_add(i64::from(local.nanosecond() / 1_000));
    let unit = i64::from(minutes).saturating_mul(60_000_000);
    let up = past_hour.saturating_add(unit.saturating_sub(1)).div_euclid(unit).saturating_mul(unit);
    at.plus_micros(up.saturating_sub(past_hour))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }
    fn starts(step: Step, anchor: &str, window: (&str, &str)) -> Vec<String> {
        let window = Interval::new(at(window.0), at(window.1)).unwrap();
        let mut out = Vec::new();
        step.starts(at(anchor), window, window, &Budget::of(1_000), &mut out).unwrap();
        out.into_iter().map(|s| s.to_string()[11..16].to_owned()).collect()
    }
    const HALF_HOURS: Step = Step { length_minutes: 30, step_minutes: 30, offset_minutes: 0, round_up: None };
    const MORNING: (&str, &str) = ("2026-11-23T09:10:00Z", "2026-11-23T11:00:00Z");

    #[test]
    fn the_anchor_decides_where_starts_lie() {
        assert_eq!(starts(HALF_HOURS, "2026-11-23T09:10:00Z", MORNING), ["09:10", "09:40", "10:10"]);
        assert_eq!(starts(HALF_HOURS, "2026-11-01T00:00:00Z", MORNING), ["09:30", "10:00", "10:30"]);
    }

    #[test]
    fn the_first_start_is_rounded_up_on_a_clock() {
        let quarter = |zone: &str| Step { round_up: Some((15, zone.parse().unwrap())), ..HALF_HOURS };
        assert_eq!(starts(quarter("UTC"), "2026-11-23T09:10:00Z", MORNING), ["09:15", "09:45", "10:15"]);
        // Nepal is 5:45 ahead: 09:10Z is 14:55 there, and 15:00 is 09:15Z.
        let full = Step { round_up: Some((60, "Asia/Kathmandu".parse().unwrap())), ..HALF_HOURS };
        assert_eq!(starts(full, "2026-11-23T09:10:00Z", MORNING), ["09:15", "09:45", "10:15"]);
        // What is round already stays.
        let window = ("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
        assert_eq!(starts(quarter("UTC"), "2026-11-23T09:00:00Z", window), ["09:00", "09:30"]);
    }

    #[test]
    fn an_offset_moves_every_start() {
        let late = Step { offset_minutes: 5, ..HALF_HOURS };
        assert_eq!(starts(late, "2026-11-23T09:10:00Z", MORNING), ["09:15", "09:45", "10:15"]);
    }
}
