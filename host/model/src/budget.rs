//! How much work a pure computation may do: steps that are counted down, and a flag by which somebody outside ends it.
//!
//! Nothing here knows a clock. Whoever has one raises the flag when the time is over; the computation ends at its next step. A step is
//! about one comparison or one laid-out start, some ten nanoseconds; what is dearer spends more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    limits,
    problem::{Code, Problem},
};

/// Why a computation ended without an answer. There is never a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// It needs more steps than it may have.
    #[error("it needs more steps than one answer may take")]
    Steps,
    /// Somebody raised the flag: the time is over, or nobody waits any more.
    #[error("it was stopped")]
    Stopped,
}

/// Steps that are left. Passed down as `&Budget`; what one part spends, the others lack.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Budget {
    /// So many steps; `stop` ends the computation at its next one.
    #[must_use]
    pub const fn new(steps: u64, stop: Arc<AtomicBool>) -> Self {
        Self { left: AtomicU64::new(steps), stop }
    }

    /// So many steps that nobody can stop.
    #[must_use]
    pub fn of(steps: u64) -> Self {
        Self::new(steps, Arc::default())
    }

    /// What one answer may spend ([`limits::ANSWER_STEPS_MAX`]); `stop` ends it.
    #[must_use]
    pub const fn of_answer(stop: Arc<AtomicBool>) -> Self {
        Self::new(limits::ANSWER_STEPS_MAX, stop)
    }

    /// Spend so many steps, before the work that they stand for.
    ///
    /// # Errors
    /// They are not there, and then none are; or the flag is up.
    pub fn spend(&self, steps: u64) -> Result<(), Exhausted> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Exhausted::Stopped);
        }
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(steps));
        taken.map(drop).map_err(|_| {
            self.left.store(0, Ordering::Relaxed);
            Exhausted::Steps
        })
    }

    /// Spend a step for each of so many things.
    ///
    /// # Errors
    /// As [`Self::spend`].
    pub fn spend_each(&self, count: usize) -> Result<(), Exhausted> {
        self.spend(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Do a part of the work with at most so many of the steps that are left; what it spends is spent here.
    pub fn part<T>(&self, most: u64, work: impl FnOnce(&Self) -> T) -> T {
        let given = self.left().min(most);
        let part = Self::new(given, Arc::clone(&self.stop));
        let done = work(&part);
        let spent = given.saturating_sub(part.left());
        // It had no more than was left; somebody else may have spent in between, and then nothing is left.
        let rest = self.left().saturating_sub(spent);
        self.left.store(rest, Ordering::Relaxed);
        done
    }

    /// Steps that are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

impl From<Exhausted> for Problem {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::Steps => Self::new(
                Code::TooDear,
                "The answer needs more steps than one answer may take, so there is none.",
            ),
            Exhausted::Stopped => Self::new(Code::TimedOut, "The computation was stopped before its end."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone_and_a_refusal_leaves_nothing() {
        let budget = Budget::of(10);
        assert_eq!(budget.spend(7), Ok(()));
        assert_eq!(budget.spend(4), Err(Exhausted::Steps));
        assert_eq!(budget.spend(1), Err(Exhausted::Steps));
        assert_eq!(budget.spend(0), Ok(()));
    }

    #[test]
    fn a_part_spends_from_the_whole_and_no_more_than_it_was_given() {
        let budget = Budget::of(10);
        assert_eq!(budget.part(4, |part| part.spend(3)), Ok(()));
        assert_eq!(budget.left(), 7);
        assert_eq!(budget.part(4, |part| part.spend(5)), Err(Exhausted::Steps));
        assert_eq!(budget.left(), 3);
        assert_eq!(budget.part(9, |part| part.spend(3)), Ok(()));
        assert_eq!(budget.spend(1), Err(Exhausted::Steps));
    }

    #[test]
    fn a_raised_flag_ends_the_whole_and_its_parts() {
        let stop = Arc::new(AtomicBool::new(false));
        let budget = Budget::new(10, Arc::clone(&stop));
        budget.part(5, |part| {
            assert_eq!(part.spend(1), Ok(()));
            stop.store(true, Ordering::Relaxed);
            assert_eq!(part.spend(1), Err(Exhausted::Stopped));
        });
        assert_eq!(budget.spend(1), Err(Exhausted::Stopped));
        assert_eq!(Problem::from(Exhausted::Steps).code.status(), 422);
        assert_eq!(Problem::from(Exhausted::Stopped).code.status(), 503);
    }
}
