//! Listings, members and event types.

use berth_model::{
    event_type::EventTypeRecord,
    id::{EventTypeId, ListingId, MemberId, TenantId},
    listing::{ListingRecord, TenantRecord},
    member::MemberRecord,
};

use crate::{Backend, Store, StoreError, records::Audit};

impl Store {
    /// Create listing.
    pub async fn create_listing(&self, listing: ListingRecord, audit: Audit) -> Result<(), StoreError> {
        write!(self, (listing, audit), |conn, queries| queries::listings::insert(conn, &listing, &audit))
    }

    /// Listing.
    pub async fn listing(&self, tenant: TenantId, listing: ListingId) -> Result<ListingRecord, StoreError> {
        read!(self, (tenant, listing), |conn, queries| queries::listings::get(conn, tenant, listing))
    }

    /// List listings.
    pub async fn list_listings(
        &self,
        tenant: TenantId,
        after: Option<ListingId>,
        limit: u32,
    ) -> Result<Vec<ListingRecord>, StoreError> {
        read!(self, (tenant, after, limit), |conn, queries| queries::listings::list(
            conn, tenant, after, limit
        ))
    }

    /// Update listing.
    pub async fn update_listing(
        &self,
        listing: ListingRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ListingRecord, StoreError> {
        write!(self, (listing, expected_revision, audit), |conn, queries| queries::listings::update(
            conn,
            &listing,
            expected_revision,
            &audit
        ))
    }

    /// Delete listing.
    pub async fn delete_listing(
        &self,
        tenant: TenantId,
        listing: ListingId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, listing, audit), |conn, queries| queries::listings::delete(
            conn, tenant, listing, &audit
        ))
    }

    /// Create member.
    pub async fn create_member(&self, member: MemberRecord, audit: Audit) -> Result<(), StoreError> {
        write!(self, (member, audit), |conn, queries| queries::members::insert(conn, &member, &audit))
    }

    /// Member.
    pub async fn member(&self, tenant: TenantId, member: MemberId) -> Result<MemberRecord, StoreError> {
        read!(self, (tenant, member), |conn, queries| queries::members::get(conn, tenant, member))
    }

    /// List members.
    pub async fn list_members(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRecord>, StoreError> {
        read!(self, (tenant, after, limit), |conn, queries| queries::members::list(
            conn, tenant, after, limit
        ))
    }

    /// Update member.
    pub async fn update_member(
        &self,
        member: MemberRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<MemberRecord, StoreError> {
        write!(self, (member, expected_revision, audit), |conn, queries| queries::members::update(
            conn,
            &member,
            expected_revision,
            &audit
        ))
    }

    /// Delete member.
    pub async fn delete_member(
        &self,
        tenant: TenantId,
        member: MemberId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, member, audit), |conn, queries| queries::members::delete(
            conn, tenant, member, &audit
        ))
    }

    /// Create event type.
    pub async fn create_event_type(
        &self,
        event_type: EventTypeRecord,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (event_type, audit), |conn, queries| queries::event_types::insert(
            conn,
            &event_type,
            &audit
        ))
    }

    /// Event type.
    pub async fn event_type(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
    ) -> Result<EventTypeRecord, StoreError> {
        read!(self, (tenant, event_type), |conn, queries| queries::event_types::get(conn, tenant, event_type))
    }

    /// List event types.
    pub async fn list_event_types(
        &self,
        tenant: TenantId,
        listing: Option<ListingId>,
        after: Option<EventTypeId>,
        limit: u32,
    ) -> Result<Vec<EventTypeRecord>, StoreError> {
        read!(self, (tenant, listing, after, limit), |conn, queries| queries::event_types::list(
            conn, tenant, listing, after, limit
        ))
    }

    /// Update event type.
    pub async fn update_event_type(
        &self,
        event_type: EventTypeRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<EventTypeRecord, StoreError> {
        write!(self, (event_type, expected_revision, audit), |conn, queries| queries::event_types::update(
            conn,
            &event_type,
            expected_revision,
            &audit
        ))
    }

    /// Delete event type.
    pub async fn delete_event_type(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, event_type, audit), |conn, queries| queries::event_types::delete(
            conn, tenant, event_type, &audit
        ))
    }

    /// One read for the booking path: event type, its listing, its tenant, its active members (by the event type's order).
    pub async fn booking_scene(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
    ) -> Result<(TenantRecord, ListingRecord, EventTypeRecord, Vec<MemberRecord>), StoreError> {
        read!(self, (tenant, event_type), |conn, queries| queries::event_types::scene(
            conn, tenant, event_type
        ))
    }
}
