//! Having a connection synchronised by the next worker that is free.

use std::sync::Arc;

use berth_model::{
    id::{ConnectionId, TenantId},
    jobs::kind::{JobKind, JobQueue},
};
use berth_store::{StoreError, records::NewJob};
use serde_json::json;

use crate::{base::Base, jobs::queue::Queue};

/// The key of the one job that synchronises a connection.
pub(crate) fn sync_key(connection: ConnectionId) -> String {
    format!("sync:{connection}")
}

/// Having connections synchronised.
pub(crate) struct SyncRequests {
    pub(crate) base: Base,
    pub(crate) queue: Arc<Queue>,
}

impl SyncRequests {
    /// Have a connection synchronised by the next worker that is free.
    pub(crate) async fn sync_soon(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<(), StoreError> {
        let job = NewJob {
            id: self.base.new_id(),
            tenant,
            kind: JobKind::SyncConnection,
            payload: json!({ "connection": connection }),
            due_at: self.base.now(),
            dedup_key: sync_key(connection),
            leased_until: None,
        };
        self.base.store().enqueue_job(job).await?;
        self.queue.wake_workers(JobQueue::Outbound);
        Ok(())
    }
}
