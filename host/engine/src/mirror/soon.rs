//! Having a connection synchronised by the next worker that is free.

use berth_model::{
    id::{ConnectionId, TenantId},
    jobs::kind::JobKind,
};
use berth_store::StoreError;
use serde_json::json;

use crate::jobs::queue::Queue;

/// The key of the one job that synchronises a connection.
pub(crate) fn sync_key(connection: ConnectionId) -> String {
    format!("sync:{connection}")
}

/// Have a connection synchronised by the next worker that is free.
pub(crate) async fn sync_soon(
    queue: &Queue,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<(), StoreError> {
    let key = sync_key(connection);
    let job = queue.job(tenant, JobKind::SyncConnection, json!({ "connection": connection }), key);
    queue.enqueue(job).await
}
