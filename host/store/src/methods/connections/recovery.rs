//! What waits for a connection that failed, and goes on when the connection works again.

use berth_model::time::Instant;

use crate::{Store, StoreError, records::Recovered};

impl Store {
    /// Jobs that this stopped ([`crate::records::JobEnd::Stopped`]) are due at that time, if that is earlier than their own; at most so
    /// many, the most urgent first. How many.
    pub async fn wake_stopped(
        &self,
        what: Recovered,
        due_at: Instant,
        limit: u32,
    ) -> Result<u64, StoreError> {
        write_tx!(self, [what], |q, conn| q::connections::recovery::wake(conn, &what, due_at, limit))
    }

    /// Jobs that this stopped before, and that are tried right now, are tried once more: they may have begun before it recovered.
    pub async fn try_stopped_again(&self, what: Recovered, now: Instant) -> Result<(), StoreError> {
        write_tx!(self, [what], |q, conn| q::connections::recovery::again(conn, &what, now))
    }

    /// Synchronisations and subscriptions that failed are due now.
    pub async fn wake_upkeep(&self, what: Recovered, now: Instant) -> Result<(), StoreError> {
        write_tx!(self, [what], |q, conn| q::connections::recovery::upkeep(conn, &what, now))
    }
}
