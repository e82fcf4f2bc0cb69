//! Connections are paused and resumed. While one is paused nothing is read, told or offered through it: the one way to providers asks for
//! its state before each call (`oauth/authorising.rs`). What has to be delivered waits, and so do the provider's messages, which are stored.

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionState, Stopped},
    id::ConnectionId,
    problem::Problem,
};

use crate::{Caller, Outcome, connections::Connections, mirror::sync_soon};

impl Connections {
    /// Let nothing go over a connection until it is resumed. Calls under way come to their end. Pausing what is paused changes nothing.
    pub async fn pause_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        expected_revision: Option<i64>,
    ) -> Outcome<ConnectionRecord> {
        let connection = self.connection_at(caller, id, expected_revision).await?;
        match connection.state {
            ConnectionState::Paused => return Ok(connection),
            ConnectionState::Disconnected => {
                return Err(Problem::from(Stopped::Disconnected));
            }
            ConnectionState::Active => {}
        }
        self.base
            .store()
            .pause_connection(caller.tenant, id, connection.revision, self.base.audit(caller))
            .await?;
        self.cache.invalidate(id);
        self.connection(caller, id).await
    }

    /// Go on with a connection that was paused: what waits is told, and everything is read anew, since anything may have happened. Resuming
    /// what is active changes nothing.
    pub async fn resume_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        expected_revision: Option<i64>,
    ) -> Outcome<ConnectionRecord> {
        let connection = self.connection_at(caller, id, expected_revision).await?;
        match connection.state {
            ConnectionState::Active => Ok(connection),
            ConnectionState::Disconnected => Err(Problem::from(Stopped::Disconnected)),
            ConnectionState::Paused => self.resume_now(caller, connection).await,
        }
    }

    /// The same for one that is not active, whatever it is.
    pub(crate) async fn resume_now(
        &self,
        caller: &Caller,
        connection: ConnectionRecord,
    ) -> Outcome<ConnectionRecord> {
        let (tenant, id) = (connection.tenant, connection.id);
        self.base.store().resume_connection(tenant, id, connection.revision, self.base.audit(caller)).await?;
        self.cache.invalidate(id);
        self.recovery.connection(tenant, id).await;
        // Best begun at once; if not, it is found when it is due.
        if let Err(error) = sync_soon(&self.queue, tenant, id).await {
            tracing::warn!(%error, connection = %id, "a connection that was resumed is not read yet");
        }
        self.connection(caller, id).await
    }

    /// A connection over which something may go.
    pub(crate) async fn usable_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Outcome<ConnectionRecord> {
        let connection = self.connection(caller, id).await?;
        connection.state.stopped().map_or(Ok(connection), |stopped| Err(Problem::from(stopped)))
    }
}
