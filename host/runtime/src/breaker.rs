//! A door that closes for a while when a version of a plugin traps again and again.

use std::sync::{Mutex, PoisonError};

use berth_model::{limits, time::Instant};

/// The door of one version. Traps in a row close it; when its time is over one call at a time tries again: a trap closes the door
/// for twice as long, a good call opens it for good. What says nothing about the component counts as nothing: a provider that is
/// slow, a full pool, a caller who went away (else anybody could close the door of others by hanging up).
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Door>);

#[derive(Debug, Default)]
struct Door {
    traps_in_a_row: u32,
    closed_ms: u64,
    opens_at: Instant,
    /// A call is finding out whether the door may open.
    probing: bool,
}

/// A call that was let through. Dropped without a word, it counted as nothing.
#[derive(Debug)]
#[must_use]
pub(crate) struct Passage<'a> {
    breaker: &'a Breaker,
    probes: bool,
}

/// How a call ended, as far as the component is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It answered. A provider's refusal is an answer.
    Well,
    /// It trapped, used up a budget or broke the contract.
    Trapped,
    /// Nobody knows.
    Unknown,
}

impl Breaker {
    /// May a call pass? Else: in how many milliseconds to ask again.
    pub(crate) fn pass(&self, now: Instant) -> Result<Passage<'_>, u64> {
        let mut door = self.door();
        let probes = door.traps_in_a_row >= limits::BREAKER_TRAPS_MAX;
        if probes {
            match u64::try_from(door.opens_at.micros_since(now)) {
                Ok(micros) if micros > 0 => return Err(micros.div_ceil(1_000)),
                _ if door.probing => return Err(limits::BREAKER_CLOSED_MS_MIN),
                _ => door.probing = true,
            }
        }
        Ok(Passage { breaker: self, probes })
    }

    fn door(&self) -> std::sync::MutexGuard<'_, Door> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passage<'_> {
    /// The call ended.
    pub(crate) fn ended(self, how: Ended, now: Instant) {
        let mut door = self.breaker.door();
        match how {
            Ended::Well => *door = Door { probing: door.probing, ..Door::default() },
            // Began before the door closed: the others of its kind have closed it already.
            Ended::Trapped if !self.probes && door.traps_in_a_row >= limits::BREAKER_TRAPS_MAX => {}
            Ended::Trapped => door.trap(now),
            Ended::Unknown => {}
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if self.probes {
            self.breaker.door().probing = false;
        }
    }
}

impl Door {
    fn trap(&mut self, now: Instant) {
        self.traps_in_a_row = self.traps_in_a_row.saturating_add(1);
        if self.traps_in_a_row >= limits::BREAKER_TRAPS_MAX {
            self.closed_ms = self
                .closed_ms
                .saturating_mul(2)
                .clamp(limits::BREAKER_CLOSED_MS_MIN, limits::BREAKER_CLOSED_MS_MAX);
            self.opens_at = now.plus_millis(i64::try_from(self.closed_ms).unwrap_or(i64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_seconds(1_000).plus_millis(millis)
    }

    fn closed(breaker: &Breaker, now: Instant) -> Option<u64> {
        breaker.pass(now).err()
    }

    fn call(breaker: &Breaker, how: Ended, now: Instant) {
        breaker.pass(now).expect("open").ended(how, now);
    }

    fn close(breaker: &Breaker) {
        for _ in 0..limits::BREAKER_TRAPS_MAX {
            call(breaker, Ended::Trapped, at(0));
        }
    }

    #[test]
    fn closes_after_traps_in_a_row_and_doubles() {
        let breaker = Breaker::default();
        for _ in 1..limits::BREAKER_TRAPS_MAX {
            call(&breaker, Ended::Trapped, at(0));
            assert_eq!(closed(&breaker, at(0)), None);
        }
        call(&breaker, Ended::Trapped, at(0));
        assert_eq!(closed(&breaker, at(0)), Some(500));
        assert_eq!(closed(&breaker, at(499)), Some(1));
        assert_eq!(closed(&breaker, at(500)), None);
        let mut now = 500;
        for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            call(&breaker, Ended::Trapped, at(now));
            assert_eq!(closed(&breaker, at(now)), Some(wait));
            now += i64::try_from(wait).expect("small");
        }
    }

    #[test]
    fn a_good_call_opens_it() {
        let breaker = Breaker::default();
        close(&breaker);
        call(&breaker, Ended::Well, at(500));
        assert_eq!(closed(&breaker, at(500)), None);
        call(&breaker, Ended::Trapped, at(501));
        assert_eq!(closed(&breaker, at(501)), None, "one trap is not enough any more");
    }

    #[test]
    fn one_call_at_a_time_tries_whether_it_works_again() {
        let breaker = Breaker::default();
        close(&breaker);
        let probe = breaker.pass(at(500)).expect("its time is over");
        assert_eq!(closed(&breaker, at(500)), Some(limits::BREAKER_CLOSED_MS_MIN));
        probe.ended(Ended::Unknown, at(600));
        assert_eq!(closed(&breaker, at(600)), None, "the next one tries");
        drop(breaker.pass(at(600)).expect("nobody tries"));
        call(&breaker, Ended::Well, at(700));
        assert!(breaker.pass(at(700)).is_ok_and(|first| breaker.pass(at(700)).is_ok_and(|_| !first.probes)));
    }

    #[test]
    fn what_says_nothing_about_the_component_counts_as_nothing() {
        let breaker = Breaker::default();
        call(&breaker, Ended::Trapped, at(0));
        call(&breaker, Ended::Trapped, at(0));
        call(&breaker, Ended::Unknown, at(0));
        drop(breaker.pass(at(0)).expect("open"));
        call(&breaker, Ended::Trapped, at(0));
        assert_eq!(closed(&breaker, at(0)), Some(500), "they are still in a row");
    }

    #[test]
    fn traps_of_calls_from_before_do_not_prolong_it() {
        let breaker = Breaker::default();
        let early: Vec<_> = (0..20).map(|_| breaker.pass(at(0)).expect("open")).collect();
        for passage in early {
            passage.ended(Ended::Trapped, at(0));
        }
        assert_eq!(closed(&breaker, at(0)), Some(limits::BREAKER_CLOSED_MS_MIN));
    }
}
