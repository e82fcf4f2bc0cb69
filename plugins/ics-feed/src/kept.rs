//! The times of a calendar that has not changed, in the connection's state, so that it need not be sent and read again. Best effort: what is
//! not kept is asked for.

use berth_sdk::{
    log, state,
    time::{DAY, SECOND},
    types::{Instant, Interval},
};
use serde::{Deserialize, Serialize};

const KEY: &str = "times";
/// How long it counts whatever the server says, in microseconds: laws about clocks change, and so do servers' minds.
const AGE_MAX: i64 = DAY;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of the calendar that was read.
    pub(crate) etag: String,
    zone: String,
    tentative: bool,
    from: Instant,
    end: Instant,
    read_at: Instant,
    /// For each time the seconds since the start of the one before, and its length; no calendar is finer.
    steps: Vec<(i64, i64)>,
}

impl Kept {
    /// What is kept, if anything.
    pub(crate) fn read() -> Option<Self> {
        state::get_json(KEY).ok().flatten()
    }

    /// Does it say all about this stretch, while the calendar is the same?
    pub(crate) fn answers(&self, zone: &str, tentative: bool, within: Interval, now: Instant) -> bool {
        let inside = self.from <= within.start && within.end <= self.end;
        let age = now.saturating_sub(self.read_at);
        inside && self.zone == zone && self.tentative == tentative && (0..AGE_MAX).contains(&age)
    }

    pub(crate) fn times(&self) -> Vec<Interval> {
        let mut last = 0_i64;
        let each = self.steps.iter().map(|(since, length)| {
            last = last.saturating_add(since.saturating_mul(SECOND));
            Interval { start: last, end: last.saturating_add(length.saturating_mul(SECOND)) }
        });
        each.collect()
    }

    /// Keep what was read of a calendar that has a tag, if it is short enough; else nothing.
    pub(crate) fn keep(
        etag: Option<String>,
        zone: &str,
        tentative: bool,
        within: Interval,
        now: Instant,
        times: &[Interval],
    ) {
        let kept = etag.map(|etag| {
            let mut last = 0;
            let step = |when: &Interval| {
                let (since, length) = (when.start.saturating_sub(last), when.end.saturating_sub(when.start));
                last = when.start;
                (since / SECOND, length / SECOND)
            };
            let steps = times.iter().map(step).collect();
            let zone = zone.to_owned();
            Self { etag, zone, tentative, from: within.start, end: within.end, read_at: now, steps }
        });
        let done = kept.map_or(Ok(()), |kept| state::set_json(KEY, &kept));
        if let Err(error) = done {
            log::debug(&format!("the times are not kept: {error:?}"));
            // What was kept before is of another calendar now, which its tag shows.
            let _ = state::delete(KEY);
        }
    }
}
