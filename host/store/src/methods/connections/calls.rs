//! Finished calls into components.

use berth_model::{
    id::{ConnectionId, TenantId},
    outbound::provider::CallRecord,
};
use serde_json::Value;

use crate::{Store, StoreError};

impl Store {
    /// Write down finished calls. One that is there already is left as it is.
    pub async fn insert_calls(&self, calls: Vec<CallRecord>) -> Result<(), StoreError> {
        write_tx!(self, [calls], |q, conn| q::connections::calls::insert(conn, &calls))
    }

    /// Calls over a connection, the latest first: `id`, `operation`, `started_at`, `elapsed_ms`, `outcome`, `error`,
    /// `request_id`, `plugin`, `digest`, `listing`, `connection`, `egress`.
    pub async fn list_calls(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        limit: u32,
    ) -> Result<Vec<Value>, StoreError> {
        read!(self, |q, conn| q::connections::calls::list(conn, tenant, connection, limit))
    }
}
