//! Connections as they are.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    bookings::booking::Booking, connections::connection::ConnectionRecord, id::ConnectionId, limits,
    plugins::manifest::PluginId, problem::Problem,
};
use berth_store::StoreError;
use serde_json::Value;

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

    /// The last calls over a connection, newest first.
    pub async fn connection_calls(
        &self,
        caller: &Caller,
        id: ConnectionId,
        limit: u32,
    ) -> Outcome<Vec<Value>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX);
        let calls = self.base.store().list_calls(caller.tenant, id, limit).await?;
        if calls.is_empty() {
            // One that was tried and not made has its calls, and nothing else.
            self.connection(caller, id).await?;
        }
        Ok(calls)
    }

    /// Which provider each booking's connection is to. Of what cannot be read nothing is said: the bookings stand.
    pub async fn providers_of(
        &self,
        caller: &Caller,
        bookings: &[Booking],
    ) -> BTreeMap<ConnectionId, PluginId> {
        let over: BTreeSet<ConnectionId> = bookings.iter().filter_map(|booking| booking.connection).collect();
        let found = self.base.store().providers_of(caller.tenant, over.into_iter().collect()).await;
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, "which providers connections are to was not read");
            BTreeMap::new()
        })
    }
}
