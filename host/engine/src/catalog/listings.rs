//! Listings: where a tenant offers what it offers.

use berth_model::{
    catalog::listing::ListingRecord,
    connections::connection::ConnectionState,
    id::{ConnectionId, ListingId},
    limits,
    problem::{FieldError, Problem},
    zone::Zone,
};
use berth_store::{StoreError, records::OfferCounts};

use crate::{Caller, Ends, Outcome, apply, catalog::Catalog, validate::Fields};

/// A listing to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see ListingRecord")]
pub struct NewListing {
    pub slug: String,
    pub title: String,
    pub description: String,
    pub time_zone: Zone,
    pub currency: Option<String>,
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
    pub currency: Option<Option<String>>,
    pub booking_provider: Option<Option<ConnectionId>>,
    pub active: Option<bool>,
    pub offer_when_degraded: Option<bool>,
}

/// What the store found wrong, with the field.
fn refused(error: StoreError) -> Problem {
    let taken = matches!(error, StoreError::Duplicate(_));
    let mut problem = Problem::from(error);
    if taken {
        problem.errors.push(FieldError::new("/slug", "is used by another listing; choose another one"));
    }
    problem
}

impl Catalog {
    /// Is it acceptable? What it is routed to already need not work.
    async fn check_listing(&self, listing: &ListingRecord, routes_anew: bool) -> Outcome<()> {
        let mut fields = Fields::default();
        fields.slug("/slug", &listing.slug);
        fields.text("/title", &listing.title, 200);
        fields.long_text("/description", &listing.description, 4_000);
        if let Some(currency) = &listing.currency {
            fields.currency("/currency", currency);
        }
        if let Some(connection) = listing.booking_provider {
            match self.base.store().connection(listing.tenant, connection).await {
                Ok(connection)
                    if connection.listing.is_some_and(|only| only != listing.id) && routes_anew =>
                {
                    fields.bad("/connection_id", "this connection is only for another listing");
                }
                Ok(connection) if connection.state == ConnectionState::Disconnected && routes_anew => {
                    fields.bad("/connection_id", "this connection is disconnected");
                }
                Ok(_) => {}
                Err(StoreError::NotFound(_)) => {
                    fields.bad("/connection_id", "there is no such connection");
                }
                Err(error) => return Err(error.into()),
            }
        }
        fields.finish()
    }

    /// Make a listing.
    pub async fn create_listing(&self, caller: &Caller, new: NewListing) -> Outcome<ListingRecord> {
        let now = self.base.now();
        let listing = ListingRecord {
            id: self.base.new_id(),
            tenant: caller.tenant,
            slug: new.slug,
            title: new.title,
            description: new.description,
            time_zone: new.time_zone,
            currency: new.currency,
            booking_provider: new.booking_provider,
            active: true,
            archived_at: None,
            offer_when_degraded: new.offer_when_degraded,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        self.check_listing(&listing, true).await?;
        self.base.store().create_listing(listing.clone(), self.base.audit(caller)).await.map_err(refused)?;
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
        let before = listing.booking_provider;
        apply!(
            listing,
            patch,
            slug,
            title,
            description,
            time_zone,
            currency,
            booking_provider,
            active,
            offer_when_degraded
        );
        if listing.active {
            // Restored.
            listing.archived_at = None;
        }
        self.check_listing(&listing, listing.booking_provider != before).await?;
        let revision = expected_revision.unwrap_or(listing.revision);
        self.base.store().update_listing(listing, revision, self.base.audit(caller)).await.map_err(refused)
    }

    /// A listing.
    pub async fn listing(&self, caller: &Caller, id: ListingId) -> Outcome<ListingRecord> {
        Ok(self.base.store().listing(caller.tenant, id).await?)
    }

    /// What closing a listing would find: it is gone if nothing refers to it, else it is archived.
    pub async fn listing_deletion(&self, caller: &Caller, id: ListingId) -> Outcome<OfferCounts> {
        self.listing(caller, id).await?;
        Ok(self.base.store().listing_counts(caller.tenant, id, self.base.now()).await?)
    }

    /// Close a listing. Gone for good if nothing refers to it; else it is archived: it offers nothing and stays for its bookings.
    pub async fn delete_listing(
        &self,
        caller: &Caller,
        id: ListingId,
        expected_revision: Option<i64>,
    ) -> Outcome<Ends<ListingRecord>> {
        let listing = self.listing(caller, id).await?;
        let revision = listing.revision;
        if expected_revision.is_some_and(|expected| expected != revision) {
            return Err(Problem::from(StoreError::Stale));
        }
        match self.base.store().delete_listing(caller.tenant, id, self.base.audit(caller)).await {
            Ok(()) => Ok(Ends::Removed),
            Err(StoreError::InUse(_)) if listing.archived_at.is_some() => Ok(Ends::Kept(listing)),
            Err(StoreError::InUse(_)) => {
                let closed = ListingRecord { active: false, archived_at: Some(self.base.now()), ..listing };
                let closed =
                    self.base.store().update_listing(closed, revision, self.base.audit(caller)).await;
                closed.map(Ends::Kept).map_err(Problem::from)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Listings by id; archived ones as well if that is said.
    pub async fn list_listings(
        &self,
        caller: &Caller,
        archived: bool,
        after: Option<ListingId>,
        limit: u32,
    ) -> Outcome<Vec<ListingRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_listings(caller.tenant, archived, after, limit).await?)
    }
}
