//! Connections as they are.

use berth_model::{connections::connection::ConnectionRecord, id::ConnectionId, problem::Problem};
use berth_store::StoreError;

use crate::{Caller, Outcome, connections::Connections};

impl Connections {
    /// A connection.
    pub async fn connection(&self, caller: &Caller, id: ConnectionId) -> Outcome<ConnectionRecord> {
        Ok(self.base.store().connection(caller.tenant, id).await?)
    }

    /// A connection, if its revision is this one.
    pub(crate) async fn connection_at(
        &self,
        caller: &Caller,
        id: ConnectionId,
        expected_revision: Option<i64>,
    ) -> Outcome<ConnectionRecord> {
        let connection = self.connection(caller, id).await?;
        if expected_revision.is_some_and(|expected| expected != connection.revision) {
            return Err(Problem::from(StoreError::Stale));
        }
        Ok(connection)
    }
}
