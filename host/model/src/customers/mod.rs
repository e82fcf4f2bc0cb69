//! Customers: the people whom bookings are for, and the only place where it is said who they are.

pub mod identity;
pub mod keys;
pub(crate) mod names;
pub mod profile;
pub mod search;

use uuid::Uuid;

use crate::{
    id::{ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, TenantId},
    time::Instant,
};

/// A customer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Whose.
    pub tenant: TenantId,
    /// Full name, as it was given first or set since.
    pub name: String,
    /// Mailbox, as it was given first or set since.
    pub email: Option<String>,
    /// Telephone number, as it was given first or set since.
    pub phone: Option<String>,
    /// The language they are written to in: a BCP 47 tag.
    pub language: Option<String>,
    /// What the tenant notes of them.
    pub notes: Option<String>,
    /// The tenant's words for them, by their order in the alphabet.
    pub tags: Vec<String>,
    /// They may not book.
    pub blocked: Option<Blocked>,
    /// Counts changes.
    pub revision: i64,
    /// When the first booking of theirs came, or somebody made them.
    pub created_at: Instant,
    /// When a booking of theirs came last, to within a day.
    pub last_seen_at: Instant,
}

/// That a customer may not book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Since when.
    pub at: Instant,
    /// Why: for the tenant, never for the customer.
    pub reason: String,
}

/// What is open about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questions {
    /// Who.
    pub customer: Customer,
    /// Who may be the same person, by age.
    pub maybe_same: Vec<MaybeSame>,
    /// There may be more of them.
    pub more: bool,
}

/// How often a customer booked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All bookings, whatever became of them.
    pub bookings: i64,
    /// Those that are cancelled.
    pub cancelled: i64,
    /// Those to which they did not come.
    pub no_shows: i64,
    /// Start of the last one that was to take place.
    pub last_at: Option<Instant>,
    /// Start of the next one.
    pub next_at: Option<Instant>,
}

/// The id that a provider has for a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtProvider {
    /// Over which connection.
    pub connection: ConnectionId,
    /// The provider's id of them.
    pub external_id: String,
}

/// One line of a customer's history: a booking that was made here, or one at a provider that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Id of the booking, or of what is known of the one at the provider.
    pub id: Uuid,
    /// True: it was made at the provider.
    pub external: bool,
    /// How it stands.
    pub status: String,
    /// When it is.
    pub start: Instant,
    /// Until when.
    pub end: Instant,
    /// With whom.
    pub member: Option<MemberId>,
    /// Of what, if it was made here.
    pub event_type: Option<EventTypeId>,
    /// Where, if it was made here.
    pub listing: Option<ListingId>,
    /// Over which connection.
    pub connection: Option<ConnectionId>,
    /// The provider's id of it.
    pub external_id: Option<String>,
}

/// A customer who may be the same person as another, which somebody has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeSame {
    /// Who.
    pub customer: Customer,
    /// Both have this e-mail address.
    pub same_email: bool,
    /// Both have this telephone number.
    pub same_phone: bool,
    /// Their names are alike.
    pub same_name: bool,
}
