//! What people decide of connections.

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionState, Stopped},
        secret::Credentials,
    },
    id::{BookingId, ConnectionId, EventTypeId, ListingId, TenantId},
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{Audit, ConnectionCounts, OfferCounts},
};

impl Store {
    /// Why nothing goes over a connection, if somebody decided so. Nothing for one that is not saved.
    pub async fn stopped(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Option<Stopped>, StoreError> {
        read!(self, |q, conn| q::connections::states::stopped(conn, tenant, connection))
    }

    /// Connections of a tenant that are not active (at most `LIST_ROWS_MAX`).
    pub async fn stopped_connections(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<(ConnectionId, ConnectionState)>, StoreError> {
        read!(self, |q, conn| q::connections::states::all_stopped(conn, tenant))
    }

    /// Pause an active connection; `Stale` if its revision is another, `WrongState` if it is not active.
    pub async fn pause_connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        revision: i64,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::connections::states::pause(
            conn, tenant, connection, revision, &audit
        ))
    }

    /// Make a connection active again that is not, to be read anew; `Stale` if its revision is another, `WrongState` if it is active.
    pub async fn resume_connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        revision: i64,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::connections::states::resume(
            conn, tenant, connection, revision, &audit
        ))
    }

    /// Disconnect: credentials, rotated secrets, subscriptions, consent flows and what its component remembers are erased, and the
    /// jobs with these keys end. What else is of it is removed with `clear_connection`. `Stale` if its revision is another, `WrongState`
    /// if it is disconnected already.
    pub async fn disconnect(
        &self,
        connection: &ConnectionRecord,
        revision: i64,
        job_keys: [String; 2],
        audit: Audit,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (connection.tenant, connection.id);
        let sealed = self.keys.seal(self.random.as_ref(), tenant, id, &Credentials::new())?;
        write_tx!(self, [sealed, job_keys, audit], |q, conn| q::connections::states::disconnect(
            conn,
            (tenant, id),
            revision,
            &sealed,
            &job_keys,
            &audit
        ))
    }

    /// Disconnected connections of any tenant of which rows may be left, with when they were disconnected.
    pub async fn connections_left_over(&self) -> Result<Vec<(TenantId, ConnectionId, Instant)>, StoreError> {
        read!(self, |q, conn| q::connections::states::left_over(conn))
    }

    /// Remove some of what is left of a disconnected connection. How many rows: 0 if nothing is left.
    pub async fn clear_connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<u64, StoreError> {
        write_tx!(self, [], |q, conn| q::connections::states::clear_some(conn, tenant, connection))
    }

    /// Note that nothing is left of it.
    pub async fn connection_cleared(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::connections::states::no_leftovers(conn, tenant, connection))
    }

    /// Some bookings over a connection of which not everything was delivered to its provider.
    pub async fn undelivered_bookings(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Vec<BookingId>, StoreError> {
        read!(self, |q, conn| q::connections::states::undelivered(conn, tenant, connection))
    }

    /// Remove the jobs with this key, dead letters included.
    pub async fn end_jobs(&self, tenant: TenantId, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        write_tx!(self, [key], |q, conn| q::connections::states::end_jobs(conn, tenant, &key))
    }

    /// Note, for people, what could not be ended at the provider of a disconnected connection.
    pub async fn note_unended(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        detail: String,
    ) -> Result<(), StoreError> {
        write_tx!(self, [detail], |q, conn| q::connections::states::note_unended(
            conn, tenant, connection, &detail
        ))
    }

    /// Titles of the listings that book over a connection (at most `LIST_ROWS_MAX`).
    pub async fn listings_over(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Vec<String>, StoreError> {
        read!(self, |q, conn| q::connections::states::listings_over(conn, tenant, connection))
    }

    /// What a connection holds.
    pub async fn connection_counts(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        now: Instant,
    ) -> Result<ConnectionCounts, StoreError> {
        let [
            upcoming_bookings,
            past_bookings,
            undelivered_bookings,
            calendars,
            mirrored_bookings,
            open_conflicts,
        ] = read!(self, |q, conn| q::connections::states::counts(conn, tenant, connection, now))?;
        Ok(ConnectionCounts {
            upcoming_bookings,
            past_bookings,
            undelivered_bookings,
            calendars,
            mirrored_bookings,
            open_conflicts,
        })
    }

    /// What a listing holds.
    pub async fn listing_counts(
        &self,
        tenant: TenantId,
        listing: ListingId,
        now: Instant,
    ) -> Result<OfferCounts, StoreError> {
        read!(self, |q, conn| q::connections::states::of_listing(conn, tenant, listing, now))
    }

    /// What an event type holds.
    pub async fn event_type_counts(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
        now: Instant,
    ) -> Result<OfferCounts, StoreError> {
        read!(self, |q, conn| q::connections::states::of_event_type(conn, tenant, event_type, now))
    }
}
