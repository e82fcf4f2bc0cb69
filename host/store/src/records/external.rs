//! Bookings that were made at providers, as lists have them.

use berth_model::{
    bookings::lists::{BookingOrder, OrderedBy},
    id::{ConnectionId, ListingId},
    mirror::sync::Mirrored,
    outbound::provider::ExternalId,
    time::Instant,
};
use uuid::Uuid;

/// What event types of ours are at providers, where bookings there are narrowed to them; nothing: none of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExternalKinds {
    /// Over connections that are for this listing alone: whatever they have.
    pub listing: Option<ListingId>,
    /// Over these connections these.
    pub over: Vec<(ConnectionId, ExternalId)>,
    /// Over whichever connection these.
    pub anywhere: Vec<ExternalId>,
}

/// A booking that was made at a provider, as lists have it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedExternal {
    /// What is kept of it.
    pub mirrored: Mirrored,
    /// When it begins, as it is ordered by that.
    pub start: Instant,
    /// When it was first seen.
    pub created_at: Instant,
    /// When something of it was last seen to change.
    pub updated_at: Instant,
}

impl ListedExternal {
    /// Its place in a list: the time that the order goes by, and its id.
    #[must_use]
    pub const fn place(&self, order: BookingOrder) -> (Instant, Uuid) {
        let at = match order.by {
            OrderedBy::Start => self.start,
            OrderedBy::Created => self.created_at,
            OrderedBy::Updated => self.updated_at,
        };
        (at, self.mirrored.id.uuid())
    }
}
