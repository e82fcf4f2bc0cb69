//! What people without a key are shown of a tenant: listings and event types that can be booked, and are public or reached by a link.

use std::sync::Arc;

use berth_model::{
    catalog::{
        event_type::{EventTypeRecord, Visibility},
        listing::ListingRecord,
    },
    connections::secret::Secret,
    id::{EventTypeId, PrivateLinkId},
    limits,
    problem::Problem,
};
use berth_store::{StoreError, records::BookingSetup};

use crate::{Caller, Outcome, catalog::Catalog, validate::is_slug};

/// An event type that somebody without a key may book.
#[derive(Debug, Clone)]
pub struct Offered {
    /// What it is booked with.
    pub setup: Arc<BookingSetup>,
    /// The link that led to it, for one that is booked by it.
    pub link: Option<PrivateLinkId>,
}

fn is_open(listing: &ListingRecord) -> bool {
    listing.active && listing.archived_at.is_none()
}

fn is_shown(event_type: &EventTypeRecord) -> bool {
    event_type.active
        && event_type.archived_at.is_none()
        && event_type.policy.visibility == Visibility::Public
}

impl Catalog {
    /// The listings that are offered, by age; at most `PUBLIC_LISTINGS_MAX`.
    pub async fn offered_listings(&self, caller: &Caller) -> Outcome<Vec<ListingRecord>> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.list_listings(caller, false, after, limits::PAGE_ITEMS_MAX).await?;
            let is_last = u32::try_from(page.len()).unwrap_or(u32::MAX) < limits::PAGE_ITEMS_MAX;
            after = page.last().map(|listing| listing.id);
            found.extend(page.into_iter().filter(is_open));
            if is_last || found.len() >= limits::PUBLIC_LISTINGS_MAX {
                found.truncate(limits::PUBLIC_LISTINGS_MAX);
                return Ok(found);
            }
        }
    }

    /// A listing that is offered, by its name in addresses, and its public event types, by age; at most `PUBLIC_EVENT_TYPES_MAX`.
    pub async fn offered_listing(
        &self,
        caller: &Caller,
        slug: &str,
    ) -> Outcome<(ListingRecord, Vec<EventTypeRecord>)> {
        let unknown = || Problem::from(StoreError::NotFound("listing"));
        if !is_slug(slug) {
            return Err(unknown());
        }
        let listing = self.base.store().listing_by_slug(caller.tenant, slug).await?;
        if !is_open(&listing) {
            return Err(unknown());
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let of = Some(listing.id);
            let page = self.list_event_types(caller, of, false, after, limits::PAGE_ITEMS_MAX).await?;
            let is_last = u32::try_from(page.len()).unwrap_or(u32::MAX) < limits::PAGE_ITEMS_MAX;
            after = page.last().map(|event_type| event_type.id);
            found.extend(page.into_iter().filter(is_shown));
            if is_last || found.len() >= limits::PUBLIC_EVENT_TYPES_MAX {
                found.truncate(limits::PUBLIC_EVENT_TYPES_MAX);
                return Ok((listing, found));
            }
        }
    }

    /// An event type that may be booked without a key: a public one, or the one that a link leads to.
    pub async fn offered_event_type(
        &self,
        caller: &Caller,
        id: EventTypeId,
        link: Option<&Secret>,
    ) -> Outcome<Offered> {
        let unknown = || Problem::from(StoreError::NotFound("event type"));
        let link = match link {
            None => None,
            Some(token) => Some(self.open_link(caller, token.expose()).await?),
        };
        if link.as_ref().is_some_and(|link| link.event_type != id) {
            return Err(unknown());
        }
        let setup = self.base.store().booking_setup(caller.tenant, id).await?.records;
        let event_type = &setup.event_type;
        let is_active = event_type.active && event_type.archived_at.is_none() && is_open(&setup.listing);
        if !is_active || link.is_none() && !is_shown(event_type) {
            return Err(unknown());
        }
        Ok(Offered { link: link.map(|link| link.id), setup })
    }

    /// What a link leads to.
    pub async fn offered_by_link(&self, caller: &Caller, token: &Secret) -> Outcome<Offered> {
        let link = self.open_link(caller, token.expose()).await?;
        self.offered_event_type(caller, link.event_type, Some(token)).await
    }
}
