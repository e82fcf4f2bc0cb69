//! Listings.

use berth_model::{
    catalog::listing::ListingRecord,
    id::{ListingId, TenantId},
};

use crate::{Store, StoreError, records::Audit};

impl Store {
    /// Add a listing. `Duplicate` if the slug is taken within the tenant.
    pub async fn create_listing(&self, listing: ListingRecord, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [listing, audit], |q, conn| q::catalog::listings::insert(conn, &listing, &audit))
    }

    /// One listing.
    pub async fn listing(&self, tenant: TenantId, listing: ListingId) -> Result<ListingRecord, StoreError> {
        read!(self, |q, conn| q::catalog::listings::get(conn, tenant, listing))
    }

    /// The listing with this name in addresses.
    pub async fn listing_by_slug(&self, tenant: TenantId, slug: &str) -> Result<ListingRecord, StoreError> {
        let slug = slug.to_owned();
        read!(self, |q, conn| q::catalog::listings::by_slug(conn, tenant, &slug))
    }

    /// A page of listings in the order of their ids, after this one; archived ones as well if `archived`.
    pub async fn list_listings(
        &self,
        tenant: TenantId,
        archived: bool,
        after: Option<ListingId>,
        limit: u32,
    ) -> Result<Vec<ListingRecord>, StoreError> {
        read!(self, |q, conn| q::catalog::listings::list(conn, tenant, archived, after, limit))
    }

    /// Replace a listing; `Stale` if its revision is not the expected one. Returns it with its new revision.
    pub async fn update_listing(
        &self,
        listing: ListingRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ListingRecord, StoreError> {
        write_tx!(self, [listing, audit], |q, conn| q::catalog::listings::update(
            conn,
            &listing,
            expected_revision,
            &audit
        ))
    }

    /// Remove a listing; `InUse` while event types, bookings or connections refer to it.
    pub async fn delete_listing(
        &self,
        tenant: TenantId,
        listing: ListingId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::catalog::listings::delete(conn, tenant, listing, &audit))
    }
}
