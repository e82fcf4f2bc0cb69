//! A door that closes for a while when a version of a plugin traps again and again.

use std::sync::{Mutex, PoisonError};

use berth_model::{limits, time::Instant};

/// The door of one version. Traps in a row close it; each trap after that closes it for twice as long; one good call
/// opens it for good. Anything but a trap is a good call: a provider's refusal is no failure of the component.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Door>);

#[derive(Debug, Default)]
struct Door {
    traps_in_a_row: u32,
    closed_ms: u64,
    opens_at: Instant,
}

impl Breaker {
    /// May a call pass? Else: in how many milliseconds.
    pub(crate) fn pass(&self, now: Instant) -> Result<(), u64> {
        let door = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if door.traps_in_a_row < limits::BREAKER_TRAPS_MAX {
            return Ok(());
        }
        match u64::try_from(door.opens_at.micros_since(now)) {
            Ok(micros) if micros > 0 => Err(micros.div_ceil(1_000)),
            _ => Ok(()),
        }
    }

    /// A call ended.
    pub(crate) fn ended(&self, trapped: bool, now: Instant) {
        let mut door = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !trapped {
            *door = Door::default();
            return;
        }
        door.traps_in_a_row = door.traps_in_a_row.saturating_add(1);
        if door.traps_in_a_row >= limits::BREAKER_TRAPS_MAX {
            door.closed_ms = door
                .closed_ms
                .saturating_mul(2)
                .clamp(limits::BREAKER_CLOSED_MS_MIN, limits::BREAKER_CLOSED_MS_MAX);
            door.opens_at = now.plus_millis(i64::try_from(door.closed_ms).unwrap_or(i64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_seconds(1_000).plus_millis(millis)
    }

    #[test]
    fn closes_after_traps_in_a_row_and_doubles() {
        let breaker = Breaker::default();
        for _ in 1..limits::BREAKER_TRAPS_MAX {
            breaker.ended(true, at(0));
            assert_eq!(breaker.pass(at(0)), Ok(()));
        }
        breaker.ended(true, at(0));
        assert_eq!(breaker.pass(at(0)), Err(500));
        assert_eq!(breaker.pass(at(499)), Err(1));
        assert_eq!(breaker.pass(at(500)), Ok(()));
        breaker.ended(true, at(500));
        assert_eq!(breaker.pass(at(500)), Err(1_000));
        for _ in 0..20 {
            breaker.ended(true, at(500));
        }
        assert_eq!(breaker.pass(at(500)), Err(limits::BREAKER_CLOSED_MS_MAX));
    }

    #[test]
    fn a_good_call_opens_it() {
        let breaker = Breaker::default();
        for _ in 0..limits::BREAKER_TRAPS_MAX {
            breaker.ended(true, at(0));
        }
        breaker.ended(false, at(1));
        assert_eq!(breaker.pass(at(1)), Ok(()));
        breaker.ended(true, at(2));
        assert_eq!(breaker.pass(at(2)), Ok(()), "one trap is not enough any more");
    }
}
