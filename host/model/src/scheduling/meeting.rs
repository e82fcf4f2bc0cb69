//! What a slot is looked for: a meeting, of a length, with time around it.

use crate::time::{Instant, Interval};

/// The meeting that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting {
    /// Length, in minutes; at least 1.
    pub length_minutes: u32,
    /// Time that must be free before, in minutes; it may lie outside open hours.
    pub buffer_before_minutes: u32,
    /// Time that must be free after, in minutes.
    pub buffer_after_minutes: u32,
    /// Customers who share one meeting; at least 1.
    pub seats: u32,
}

impl Meeting {
    /// The meeting at a start.
    #[must_use]
    pub fn at(&self, start: Instant) -> Interval {
        Interval::of_minutes(start, self.length_minutes)
    }
}
