//! Which processes work on this database.

use berth_model::{limits, time::Instant};
use uuid::Uuid;

use crate::{Store, StoreError};

impl Store {
    /// Say that a process is there. How many are: those that said so within the last `REPLICA_SEEN_SECONDS`.
    pub async fn replica_seen(&self, replica: Uuid, now: Instant) -> Result<u32, StoreError> {
        let gone_before = now.plus_seconds(-limits::REPLICA_SEEN_SECONDS);
        let count = write_tx!(self, [], |q, conn| q::jobs::replicas::seen(conn, replica, now, gone_before))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// How many processes are there.
    pub async fn replicas_there(&self, now: Instant) -> Result<u32, StoreError> {
        let gone_before = now.plus_seconds(-limits::REPLICA_SEEN_SECONDS);
        let count = read!(self, |q, conn| q::jobs::replicas::count(conn, gone_before))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// A process ends; the others need not wait until it is missed.
    pub async fn replica_leaves(&self, replica: Uuid) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::jobs::replicas::leave(conn, replica))
    }
}
