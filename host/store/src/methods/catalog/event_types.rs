//! Event types.

use std::sync::Arc;

use berth_model::{
    catalog::event_type::EventTypeRecord,
    id::{EventTypeId, ListingId, TenantId},
};

use crate::{
    Store, StoreError,
    records::{Audit, BookingSetup, CurrentSetup},
};

impl Store {
    /// Add an event type. `Duplicate` if the slug is taken within the listing, `NotFound` for another tenant's listing or member.
    pub async fn create_event_type(
        &self,
        event_type: EventTypeRecord,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [event_type, audit], |q, conn| q::catalog::event_types::insert(
            conn,
            &event_type,
            &audit
        ))
    }

    /// One event type.
    pub async fn event_type(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
    ) -> Result<EventTypeRecord, StoreError> {
        read!(self, |q, conn| q::catalog::event_types::get(conn, tenant, event_type))
    }

    /// A page of event types (of one listing, or all) in the order of their ids, after this one; archived ones as well if `archived`.
    pub async fn list_event_types(
        &self,
        tenant: TenantId,
        listing: Option<ListingId>,
        archived: bool,
        after: Option<EventTypeId>,
        limit: u32,
    ) -> Result<Vec<EventTypeRecord>, StoreError> {
        read!(self, |q, conn| q::catalog::event_types::list(conn, tenant, listing, archived, after, limit))
    }

    /// Replace an event type (not its listing); `Stale` if its revision is not the expected one.
    pub async fn update_event_type(
        &self,
        event_type: EventTypeRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<EventTypeRecord, StoreError> {
        write_tx!(self, [event_type, audit], |q, conn| q::catalog::event_types::update(
            conn,
            &event_type,
            expected_revision,
            &audit
        ))
    }

    /// Remove an event type; `InUse` while bookings refer to it.
    pub async fn delete_event_type(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::catalog::event_types::delete(conn, tenant, event_type, &audit))
    }

    /// What an event type is booked with, as it is now. One statement, if what is cached still holds.
    pub async fn booking_setup(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
    ) -> Result<CurrentSetup, StoreError> {
        let known = self.cache.setups.get(&(tenant, event_type));
        let now = read!(self, |q, conn| async move {
            let versions = q::availability::busy::scene_versions(conn, tenant, event_type).await?;
            let (setup, places) = versions.ok_or(StoreError::NotFound("tenant"))?;
            if let Some(records) = known.filter(|known| known.setup == setup) {
                return Ok(CurrentSetup { records, places });
            }
            let mut members = q::catalog::members::of_event_type(conn, tenant, event_type).await?;
            let ids = members.iter().map(|member| member.id).collect();
            let event_type = q::catalog::event_types::get_with(conn, tenant, event_type, ids).await?;
            let listing = q::catalog::listings::get(conn, tenant, event_type.listing).await?;
            let tenant = q::tenants::get(conn, tenant).await?;
            let calendars = q::calendars::connected::of_members(conn, tenant.id, &event_type.members).await?;
            members.retain(|member| member.active);
            let records = BookingSetup { setup, tenant, listing, event_type, members, calendars };
            Ok(CurrentSetup { records: Arc::new(records), places })
        })?;
        self.cache.setups.insert((tenant, event_type), Arc::clone(&now.records));
        Ok(now)
    }
}
