//! Listings: where a tenant offers what it offers.

use crate::{
    id::{ConnectionId, ListingId, TenantId},
    tenants::settings::TenantSettings,
    time::Instant,
    zone::Zone,
};

/// May a tenant use Berth? Operators decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantState {
    /// Yes.
    Active,
    /// Not until an operator resumes it: its keys and links are refused, and nothing of it is read or sent.
    Suspended,
    /// Never again: everything of it is being removed.
    Deleting,
}

impl TenantState {
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }

    /// All states.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Deleting];
}

/// A tenant: a business that uses Berth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// Name in URLs: 2 to 64 of `a-z 0-9 -`.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Where bookings go when neither the request nor the listing says; none for the built-in provider.
    pub default_connection: Option<ConnectionId>,
    /// May it use Berth?
    pub state: TenantState,
    /// What it says of itself to people without a key.
    pub settings: TenantSettings,
    /// Counts changes of what it says; the `ETag`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
}

/// A listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingRecord {
    /// Its id.
    pub id: ListingId,
    /// Whose.
    pub tenant: TenantId,
    /// Name in URLs, unique within the tenant: 2 to 64 of `a-z 0-9 -`.
    pub slug: String,
    /// Name for people.
    pub title: String,
    /// Free text for customers.
    pub description: String,
    /// Zone that its times are shown in by default.
    pub time_zone: Zone,
    /// The currency of prices that are written without one (ISO 4217); none for the tenant's.
    pub currency: Option<String>,
    /// Where its bookings go; none for the tenant's default.
    pub booking_provider: Option<ConnectionId>,
    /// Can it be booked?
    pub active: bool,
    /// When it was closed, if it was: it is not active then, and stays for its bookings.
    pub archived_at: Option<Instant>,
    /// What availability does when a provider cannot be asked: hide the slots, or offer them (reported as degraded).
    pub offer_when_degraded: bool,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}
