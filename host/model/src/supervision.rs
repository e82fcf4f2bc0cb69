//! The health of something that goes on in the background: how long it waits after a failure, and from when on it counts as failing.

use crate::limits;

/// What is remembered of a task that is started again when it ends, or of a duty that is done again and again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    in_a_row: u32,
}

impl Health {
    /// It failed, after it had run for so many milliseconds. How many milliseconds to wait before it is started again: doubled with each
    /// failure, from [`limits::TASK_BACKOFF_MS_MIN`] to [`limits::TASK_BACKOFF_MS_MAX`].
    pub fn failed(&mut self, after_ms: u64) -> u64 {
        if after_ms >= limits::TASK_WELL_MS {
            self.in_a_row = 0;
        }
        let wait =
            1_u64.checked_shl(self.in_a_row).unwrap_or(u64::MAX).saturating_mul(limits::TASK_BACKOFF_MS_MIN);
        self.in_a_row = self.in_a_row.saturating_add(1);
        wait.min(limits::TASK_BACKOFF_MS_MAX)
    }

    /// It did what it is for: a duty that ended well, a task that ran for [`limits::TASK_WELL_MS`].
    pub fn succeeded(&mut self) {
        self.in_a_row = 0;
    }

    /// Failures since it last did well.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.in_a_row
    }

    /// Failed so often in a row that the process should not be taken for a good one.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.in_a_row >= limits::TASK_FAILURES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_failures_count_until_it_does_well() {
        let mut health = Health::default();
        let waits: Vec<u64> = (0..8).map(|_| health.failed(0)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert!(health.is_failing());
        health.succeeded();
        assert_eq!((health.failures(), health.is_failing()), (0, false));
        assert_eq!(health.failed(0), 1_000);
    }

    #[test]
    fn a_long_run_counts_as_well() {
        let mut health = Health::default();
        for _ in 0..10 {
            assert_eq!(health.failed(limits::TASK_WELL_MS), 1_000);
            assert!(!health.is_failing(), "once now and then");
        }
        for n in 1..=u64::from(limits::TASK_FAILURES_MAX) {
            health.failed(limits::TASK_WELL_MS - 1);
            assert_eq!(health.is_failing(), n + 1 >= u64::from(limits::TASK_FAILURES_MAX), "{n}");
        }
        for _ in 0..200 {
            assert!(health.failed(0) <= limits::TASK_BACKOFF_MS_MAX);
        }
    }
}
