//! Whether providers have what event types stand for.

use berth_model::{
    id::{ConnectionId, EventTypeId, TenantId},
    time::Instant,
};

use crate::{Store, StoreError, records::KnownCounterpart};

impl Store {
    /// What is known of an event type of a provider by this id.
    pub async fn known_counterpart(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<KnownCounterpart, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, |q, conn| q::catalog::at_provider::known(conn, tenant, connection, &external_id))
    }

    /// A provider's list of event types was read to its end: what is not kept of it is not there.
    pub async fn note_catalog_read(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::catalog::at_provider::note_read(conn, tenant, connection, now))
    }

    /// An event type was saved while its provider could not be asked whether it has its counterpart.
    pub async fn note_unchecked_counterpart(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
        connection: ConnectionId,
        external_id: String,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [external_id], |q, conn| q::catalog::at_provider::note_unchecked(
            conn,
            tenant,
            event_type,
            connection,
            &external_id,
            now
        ))
    }

    /// Is there an event type that waits for this provider's list to be read?
    pub async fn has_unchecked_counterparts(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<bool, StoreError> {
        read!(self, |q, conn| q::catalog::at_provider::is_unchecked(conn, tenant, connection))
    }
}
