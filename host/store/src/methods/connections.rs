//! Connections, their sealed credentials, their state and their calls.

use berth_model::{
    connection::{ConnectionRecord, ConnectionStatus},
    id::{ConnectionId, TenantId},
    provider::{CallRecord, Subscription},
    secret::Credentials,
    time::Instant,
};
use serde_json::Value;

use crate::{Backend, Store, StoreError, records::Audit};

impl Store {
    /// Connection.
    pub async fn connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<ConnectionRecord, StoreError> {
        read!(self, (tenant, connection), |conn, queries| queries::connections::get(conn, tenant, connection))
    }

    /// Connection by id.
    pub async fn connection_by_id(&self, connection: ConnectionId) -> Result<ConnectionRecord, StoreError> {
        read!(self, (connection), |conn, queries| queries::connections::by_id(conn, connection))
    }

    /// List connections.
    pub async fn list_connections(
        &self,
        tenant: TenantId,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        read!(self, (tenant, after, limit), |conn, queries| queries::connections::list(
            conn, tenant, after, limit
        ))
    }

    /// Status, account and subscription only; no revision check.
    pub async fn set_connection_health(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        status: ConnectionStatus,
        now: Instant,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, connection, status, now), |conn, queries| queries::connections::set_status(
            conn, tenant, connection, status, now
        ))
    }

    /// Set connection subscription.
    pub async fn set_connection_subscription(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        subscription: Option<Subscription>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, connection, subscription, audit), |conn, queries| {
            queries::connections::set_subscription(conn, tenant, connection, subscription.as_ref(), &audit)
        })
    }

    /// Delete connection.
    pub async fn delete_connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, connection, audit), |conn, queries| queries::connections::delete(
            conn, tenant, connection, &audit
        ))
    }

    /// State get.
    pub async fn state_get(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.to_owned();
        read!(self, (tenant, connection, key), |conn, queries| queries::state::get(
            conn, tenant, connection, &key
        ))
    }

    /// Refused as `WrongState` when all entries are in use.
    pub async fn state_set(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        write!(self, (tenant, connection, key, value), |conn, queries| queries::state::set(
            conn, tenant, connection, &key, &value
        ))
    }

    /// State delete.
    pub async fn state_delete(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        write!(self, (tenant, connection, key), |conn, queries| queries::state::delete(
            conn, tenant, connection, &key
        ))
    }

    /// Insert calls.
    pub async fn insert_calls(&self, calls: Vec<CallRecord>) -> Result<(), StoreError> {
        write!(self, (calls), |conn, queries| queries::calls::insert(conn, &calls))
    }

    /// List calls.
    pub async fn list_calls(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        limit: u32,
    ) -> Result<Vec<Value>, StoreError> {
        read!(self, (tenant, connection, limit), |conn, queries| queries::calls::list(
            conn, tenant, connection, limit
        ))
    }

    /// Save a connection and seal its credentials.
    pub async fn create_connection(
        &self,
        connection: ConnectionRecord,
        credentials: Credentials,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let sealed = self.vault.seal(&*self.random, connection.tenant, connection.id, &credentials)?;
        write!(self, (connection, sealed, audit), |conn, queries| queries::connections::insert(
            conn,
            &connection,
            &sealed,
            &audit
        ))
    }

    /// Credentials of none leaves the sealed ones as they are; given ones replace all. `Stale` when the revision differs.
    pub async fn update_connection(
        &self,
        connection: ConnectionRecord,
        credentials: Option<Credentials>,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ConnectionRecord, StoreError> {
        let seal = |c: Credentials| self.vault.seal(&*self.random, connection.tenant, connection.id, &c);
        let sealed = credentials.map(seal).transpose()?;
        write!(self, (connection, sealed, expected_revision, audit), |conn, queries| {
            queries::connections::update(conn, &connection, sealed.as_deref(), expected_revision, &audit)
        })
    }

    /// The credentials of a connection, opened.
    pub async fn connection_credentials(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Credentials, StoreError> {
        let sealed: Vec<u8> = read!(self, (tenant, connection), |conn, queries| {
            queries::connections::sealed(conn, tenant, connection)
        })?;
        self.vault.open(tenant, connection, &sealed)
    }
}
