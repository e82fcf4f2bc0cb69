//! The outside world for the inner crates: the machine's clock and randomness, and the store as the runtime sees it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use berth_model::{
    boxed::BoxFuture,
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::{CallLog, CallRecord, ConnectionState, StateError},
    random::Random,
    time::{Clock, Instant},
};
use berth_store::{Store, StoreError};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Mutex, mpsc};

use crate::background::supervisor::Supervisor;

/// The machine's clock, cut to microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone)]
pub struct MachineRandom(SystemRandom);

impl Default for MachineRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl MachineRandom {
    /// The operating system's randomness.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Random for MachineRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            // Keys are made from this; to go on without randomness would be worse than to stop.
            tracing::error!("the operating system gives no randomness");
            std::process::abort();
        }
    }
}

/// The small state of connections, kept in the store.
#[derive(Debug, Clone)]
pub struct StoredState(pub Store);

fn state_error(error: &StoreError) -> StateError {
    match error {
        StoreError::WrongState => StateError::Full,
        // A connection that is tried before it is saved has none yet.
        StoreError::NotFound(_) => StateError::Unavailable,
        error => {
            if error.trouble().is_none() {
                tracing::warn!(%error, "a connection's state is not available");
            }
            StateError::Unavailable
        }
    }
}

fn fits(key: &str, value: &[u8]) -> Result<(), StateError> {
    let good = (1..=limits::STATE_KEY_BYTES_MAX).contains(&key.len())
        && value.len() <= limits::STATE_VALUE_BYTES_MAX;
    if good { Ok(()) } else { Err(StateError::TooLarge) }
}

impl ConnectionState for StoredState {
    fn get<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async move {
            fits(key, &[])?;
            self.0.state_get(tenant, connection, key).await.map_err(|e| state_error(&e))
        })
    }

    fn set<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
        value: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async move {
            fits(key, &value)?;
            self.0.state_set(tenant, connection, key, value).await.map_err(|e| state_error(&e))
        })
    }

    fn delete<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(
            async move { self.0.state_delete(tenant, connection, key).await.map_err(|e| state_error(&e)) },
        )
    }
}

/// Calls that wait to be written.
const CALLS_WAITING_MAX: usize = 4_096;
/// Calls that are written at once.
const CALLS_BATCH_MAX: usize = 256;

/// The log of calls, written behind the calls' backs.
#[derive(Debug, Clone)]
pub struct StoredCalls(mpsc::Sender<CallRecord>);

impl StoredCalls {
    /// Start writing into this store, for as long as the process lives.
    #[must_use]
    pub(crate) fn start(store: Store, supervisor: &Supervisor) -> Arc<Self> {
        let (send, waiting) = mpsc::channel(CALLS_WAITING_MAX);
        // What waits outlives the task that writes it.
        let waiting = Arc::new(Mutex::new(waiting));
        tokio::spawn(
            supervisor.clone().keep("calls", move || write_calls(store.clone(), Arc::clone(&waiting))),
        );
        Arc::new(Self(send))
    }
}

async fn write_calls(store: Store, waiting: Arc<Mutex<mpsc::Receiver<CallRecord>>>) {
    let (mut waiting, mut batch) = (waiting.lock().await, Vec::new());
    while waiting.recv_many(&mut batch, CALLS_BATCH_MAX).await > 0 {
        write_batch(&store, std::mem::take(&mut batch)).await;
    }
    // Nobody is left who could send one: the process ends, which is no failure of this task.
    std::future::pending::<()>().await;
}

/// While the database is away they wait, and those that come meanwhile wait behind them, as many as there is room for.
async fn write_batch(store: &Store, batch: Vec<CallRecord>) {
    while let Err(error) = store.insert_calls(batch.clone()).await {
        if error.trouble().is_none() {
            let lost = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            metrics::counter!("berth_calls_not_recorded_total").increment(lost);
            tracing::warn!(%error, lost, "calls were not written");
            return;
        }
        tokio::time::sleep(Duration::from_millis(limits::DATABASE_PROBE_EVERY_MS)).await;
    }
}

impl CallLog for StoredCalls {
    fn record(&self, call: CallRecord) {
        if self.0.try_send(call).is_err() {
            metrics::counter!("berth_calls_not_recorded_total").increment(1);
        }
    }
}
