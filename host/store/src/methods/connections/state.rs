//! The small state that a component keeps per connection.

use berth_model::id::{ConnectionId, TenantId};

use crate::{Store, StoreError};

impl Store {
    /// A value, if there is one.
    pub async fn state_get(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.to_owned();
        read!(self, |q, conn| q::connections::state::get(conn, tenant, connection, &key))
    }

    /// Set a value. Refused as `WrongState` when all entries are in use.
    pub async fn state_set(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        write_tx!(self, [key, value], |q, conn| q::connections::state::set(
            conn, tenant, connection, &key, &value
        ))
    }

    /// Remove a value; it need not be there.
    pub async fn state_delete(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        write_tx!(self, [key], |q, conn| q::connections::state::delete(conn, tenant, connection, &key))
    }
}
