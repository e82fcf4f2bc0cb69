//! Whatever recovers wakes what it had stopped: a connection whose consent was given again, a plugin that serves again, a provider that
//! answers again. Until then its jobs wait longer and longer, up to a quarter of an hour.
//!
//! Here is only the waking. Who knows that something recovered says so: `connections`, `oauth`, `plugins`, and `breaker` for a provider
//! that answers again.

use std::sync::Arc;

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
    plugins::manifest::PluginId,
    time::Clock,
};
use berth_store::{Store, StoreError, records::Recovered};

use crate::jobs::workers::Queues;

/// Wakes jobs.
pub(crate) struct Recovery {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who works on jobs that may be due now.
    pub(crate) queues: Arc<Queues>,
}

impl Recovery {
    /// A connection works again, or somebody changed what it failed for.
    pub(crate) async fn connection(&self, tenant: TenantId, connection: ConnectionId) {
        self.wake(Recovered::Connection(tenant, connection)).await;
    }

    /// The same for all connections of a plugin.
    pub(crate) async fn plugin(&self, plugin: &PluginId) {
        self.wake(Recovered::Plugin { plugin: plugin.clone(), tenant: None }).await;
    }

    /// Make due what this had stopped: the most urgent now, the others over the next seconds, so that thousands do not come at once. What
    /// cannot be woken waits for its own time.
    pub(crate) async fn wake(&self, what: Recovered) {
        let now = self.clock.now();
        if let Err(error) = self.store.try_stopped_again(what.clone(), now).await {
            tracing::warn!(%error, ?what, "what is tried right now is not tried once more");
        }
        self.wake_waiting(what).await;
    }

    /// The same without what is tried right now: for who found out by such a try.
    pub(crate) async fn wake_waiting(&self, what: Recovered) {
        match self.woken(&what).await {
            Ok(0) => {}
            Ok(woken) => {
                metrics::counter!("berth_jobs_woken_total").increment(woken);
                tracing::info!(?what, woken, "what was stopped goes on");
                self.queues.ring_all();
            }
            Err(error) => {
                tracing::warn!(%error, ?what, "what was stopped was not woken; it waits for its own time");
            }
        }
    }

    async fn woken(&self, what: &Recovered) -> Result<u64, StoreError> {
        let now = self.clock.now();
        self.store.wake_upkeep(what.clone(), now).await?;
        let mut woken = 0_u64;
        for second in 0..limits::JOBS_WOKEN_SECONDS_MAX {
            let (due_at, most) = (now.plus_seconds(second), limits::JOBS_WOKEN_PER_SECOND);
            let count = self.store.wake_stopped(what.clone(), due_at, most).await?;
            woken = woken.saturating_add(count);
            if count < u64::from(most) {
                break;
            }
        }
        Ok(woken)
    }
}
