//! Event types: what can be booked.

use crate::{
    id::{EventTypeId, ListingId, MemberId, TenantId},
    time::Instant,
};

/// An event type of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypeRecord {
    /// Its id.
    pub id: EventTypeId,
    /// Whose.
    pub tenant: TenantId,
    /// Of which listing.
    pub listing: ListingId,
    /// Name in URLs, unique within the listing.
    pub slug: String,
    /// Name for people.
    pub title: String,
    /// Free text for customers.
    pub description: String,
    /// Length in minutes, 1 to 1440.
    pub length_minutes: u32,
    /// Distance between starts in minutes; the length if none.
    pub slot_interval_minutes: Option<u32>,
    /// Time kept free before each booking, in minutes.
    pub buffer_before_minutes: u32,
    /// Time kept free after each booking, in minutes.
    pub buffer_after_minutes: u32,
    /// Shortest time from now to a start, in minutes.
    pub minimum_notice_minutes: u32,
    /// Latest start, in days from today.
    pub booking_window_days: u32,
    /// Members who can be booked for it, by priority.
    pub members: Vec<MemberId>,
    /// Its twin at the provider, for listings that are booked there.
    pub external_id: Option<String>,
    /// Can it be booked?
    pub active: bool,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}
