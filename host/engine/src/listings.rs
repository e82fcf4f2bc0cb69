//! Listings: where a tenant offers what it offers.

use berth_model::{
    id::{ConnectionId, ListingId},
    limits,
    listing::ListingRecord,
    problem::{FieldError, Problem},
    time::Zone,
};
use berth_store::StoreError;

use crate::{Caller, Engine, Outcome, apply, problems::of_store, uses::Removed, validate::Fields};

/// A listing to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see ListingRecord")]
pub struct NewListing {
    pub slug: String,
    pub title: String,
    pub description: String,
    pub time_zone: Zone,
    pub booking_provider: Option<ConnectionId>,
    pub offer_when_degraded: bool,
}

/// Changes of a listing; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see ListingRecord")]
pub struct ListingPatch {
    pub slug: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub time_zone: Option<Zone>,
    pub booking_provider: Option<Option<ConnectionId>>,
    pub active: Option<bool>,
    pub offer_when_degraded: Option<bool>,
}

/// What the store found wrong, with the field.
fn refused(error: StoreError) -> Problem {
    let taken = matches!(error, StoreError::Duplicate(_));
    let mut problem = of_store(error);
    if taken {
        problem.errors.push(FieldError::new("/slug", "is used by another listing; choose another one"));
    }
    problem
}

impl Engine {
    async fn check_listing(&self, listing: &ListingRecord) -> Outcome<()> {
        let mut fields = Fields::default();
        fields.slug("/slug", &listing.slug);
        fields.text("/title", &listing.title, 200);
        fields.long_text("/description", &listing.description, 4_000);
        if let Some(connection) = listing.booking_provider {
            match self.store().connection(listing.tenant, connection).await {
                Ok(connection) if connection.listing.is_some_and(|only| only != listing.id) => {
                    fields.bad("/booking_provider_id", "this connection is only for another listing");
                }
                Ok(_) => {}
                Err(StoreError::NotFound(_)) => {
                    fields.bad("/booking_provider_id", "there is no such connection");
                }
                Err(error) => return Err(of_store(error)),
            }
        }
        fields.finish()
    }

    /// Make a listing.
    pub async fn create_listing(&self, caller: &Caller, new: NewListing) -> Outcome<ListingRecord> {
        let now = self.now();
        let listing = ListingRecord {
            id: self.new_id(),
            tenant: caller.tenant,
            slug: new.slug,
            title: new.title,
            description: new.description,
            time_zone: new.time_zone,
            booking_provider: new.booking_provider,
            active: true,
            offer_when_degraded: new.offer_when_degraded,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        self.check_listing(&listing).await?;
        self.store().create_listing(listing.clone(), self.audit(caller)).await.map_err(refused)?;
        Ok(listing)
    }

    /// Change a listing.
    pub async fn update_listing(
        &self,
        caller: &Caller,
        id: ListingId,
        patch: ListingPatch,
        expected_revision: Option<i64>,
    ) -> Outcome<ListingRecord> {
        let mut listing = self.listing(caller, id).await?;
        apply!(
            listing,
            patch,
            slug,
            title,
            description,
            time_zone,
            booking_provider,
            active,
            offer_when_degraded
        );
        self.check_listing(&listing).await?;
        let revision = expected_revision.unwrap_or(listing.revision);
        self.store().update_listing(listing, revision, self.audit(caller)).await.map_err(refused)
    }

    /// A listing.
    pub async fn listing(&self, caller: &Caller, id: ListingId) -> Outcome<ListingRecord> {
        self.store().listing(caller.tenant, id).await.map_err(of_store)
    }

    /// Remove a listing that nothing refers to.
    pub async fn delete_listing(&self, caller: &Caller, id: ListingId) -> Outcome<()> {
        match self.store().delete_listing(caller.tenant, id, self.audit(caller)).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.not_removed(caller, Removed::Listing(id), error).await),
        }
    }

    /// Listings by id.
    pub async fn list_listings(
        &self,
        caller: &Caller,
        after: Option<ListingId>,
        limit: u32,
    ) -> Outcome<Vec<ListingRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        self.store().list_listings(caller.tenant, after, limit).await.map_err(of_store)
    }
}
