//! A door before each connection: when its provider gives no usable answer many times in a row, nobody asks for a while. Then one call at a
//! time tries again: an answer opens the door, another failure closes it for twice as long. A refusal is an answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_model::{
    id::ConnectionId,
    limits,
    provider::{CallError, ProviderError},
    time::Instant,
};
use moka::sync::Cache;

/// Doors that are remembered: those that nobody passed for the longest time are forgotten, and open by that.
const DOORS_MAX: u64 = 10_000;

/// The doors of all connections.
pub(crate) struct Doors(Cache<ConnectionId, Arc<Mutex<Door>>>);

#[derive(Debug, Default)]
struct Door {
    failures_in_a_row: u32,
    closed_ms: u64,
    opens_at: Instant,
    /// A call is finding out whether the door may open, until then at the latest.
    probing_until: Instant,
}

fn lock(door: &Mutex<Door>) -> MutexGuard<'_, Door> {
    door.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn unavailable(retry_after_ms: u64) -> CallError {
    CallError::Provider(ProviderError::Unavailable { retry_after_ms: Some(retry_after_ms) })
}

impl Default for Doors {
    fn default() -> Self {
        Self(Cache::new(DOORS_MAX))
    }
}

impl Doors {
    fn door(&self, connection: ConnectionId) -> Arc<Mutex<Door>> {
        self.0.get_with(connection, Arc::default)
    }

    /// May a call pass? If not, nothing was asked.
    pub(crate) fn pass(&self, connection: ConnectionId, now: Instant) -> Result<(), CallError> {
        let door = self.door(connection);
        let mut door = lock(&door);
        if door.failures_in_a_row < limits::CONNECTION_FAILURES_MAX {
            return Ok(());
        }
        let wait = door.opens_at.micros_since(now).max(door.probing_until.micros_since(now));
        if wait > 0 {
            return Err(unavailable(u64::try_from(wait).unwrap_or(0).div_ceil(1_000)));
        }
        // One tries. If it never says how it went, another may after the longest time that a call takes.
        door.probing_until = now.plus_millis(i64::try_from(limits::CALL_WALL_MS_MAX).unwrap_or(i64::MAX));
        Ok(())
    }

    /// How a call went.
    pub(crate) fn ended<T>(&self, connection: ConnectionId, result: &Result<T, CallError>, now: Instant) {
        let door = self.door(connection);
        let mut door = lock(&door);
        match result {
            Err(CallError::Provider(ProviderError::Unavailable { .. })) => {
                door.failures_in_a_row = door.failures_in_a_row.saturating_add(1);
                if door.failures_in_a_row >= limits::CONNECTION_FAILURES_MAX {
                    door.closed_ms = door
                        .closed_ms
                        .saturating_mul(2)
                        .clamp(limits::CONNECTION_CLOSED_MS_MIN, limits::CONNECTION_CLOSED_MS_MAX);
                    door.opens_at = now.plus_millis(i64::try_from(door.closed_ms).unwrap_or(i64::MAX));
                    door.probing_until = now;
                }
            }
            // What is ours to blame says nothing of the provider.
            Err(
                CallError::Busy { .. }
                | CallError::NotActive(_)
                | CallError::BreakerOpen { .. }
                | CallError::Trap { .. }
                | CallError::Exhausted { .. },
            ) => {}
            Ok(_) | Err(CallError::Provider(_) | CallError::NotOffered(_)) => *door = Door::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Result<(), CallError> =
        Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }));

    #[test]
    fn a_door_closes_lets_one_try_and_opens() {
        let (doors, connection) = (Doors::default(), ConnectionId::from_uuid(uuid::Uuid::from_u128(1)));
        let other = ConnectionId::from_uuid(uuid::Uuid::from_u128(2));
        let at = |ms: i64| Instant::from_seconds(1_900_000_000).plus_millis(ms);
        for _ in 0..limits::CONNECTION_FAILURES_MAX {
            assert!(doors.pass(connection, at(0)).is_ok());
            doors.ended(connection, &LOST, at(0));
        }
        let closed = i64::try_from(limits::CONNECTION_CLOSED_MS_MIN).unwrap();
        assert_eq!(doors.pass(connection, at(0)), Err(unavailable(limits::CONNECTION_CLOSED_MS_MIN)));
        assert!(doors.pass(other, at(0)).is_ok(), "each has its own");

        assert!(doors.pass(connection, at(closed)).is_ok(), "one tries");
        assert!(doors.pass(connection, at(closed)).is_err(), "and no other");
        doors.ended(connection, &LOST, at(closed));
        assert!(doors.pass(connection, at(closed * 2)).is_err(), "twice as long");
        assert!(doors.pass(connection, at(closed * 3)).is_ok());
        doors.ended(connection, &Ok(()), at(closed * 3));
        assert!(
            doors.pass(connection, at(closed * 3)).is_ok() && doors.pass(connection, at(closed * 3)).is_ok()
        );
        // A refusal is an answer.
        for _ in 0..100 {
            doors.ended::<()>(connection, &Err(CallError::Provider(ProviderError::NotFound)), at(0));
        }
        assert!(doors.pass(connection, at(0)).is_ok());
    }
}
