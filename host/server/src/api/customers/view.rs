//! A customer as they are shown.

use berth_engine::WholeCustomer;
use berth_model::{
    customers::{AtProvider, Blocked, Counts, Customer, MaybeSame, Questions},
    id::{ConnectionId, CustomerId},
    time::Instant,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::contacts::{Email, Phone, Words};

/// Somebody whom bookings are for. E-mail address and number are masked (`a***@***`, `***00`) for a key without the scope `customers:read`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer, example = json!({
    "id": "019387c1-5a10-7cc4-9df6-3b6f0e2a7c11", "name": "Ada Nowak", "email": "ada@example.com", "phone": "+48600100200",
    "language": "pl", "notes": "Comes by bike.", "tags": ["regular"], "blocked": null, "revision": 1,
    "created_at": "2026-11-20T12:00:00Z", "last_seen_at": "2026-11-28T09:30:00Z",
}))]
pub(crate) struct View {
    #[schema(value_type = String)]
    pub(super) id: CustomerId,
    /// Full name, as it was given first or set since.
    name: String,
    /// Mailbox, as it was given first or set since.
    #[schema(value_type = Option<String>)]
    email: Option<Email>,
    /// Telephone number, as it was given first or set since.
    #[schema(value_type = Option<String>)]
    phone: Option<Phone>,
    /// The language they are written to in (BCP 47).
    language: Option<String>,
    /// What the business notes of them.
    #[schema(value_type = Option<String>)]
    notes: Option<Words>,
    /// The business's words for them.
    tags: Vec<String>,
    /// They may not book; null if they may.
    blocked: Option<BlockedView>,
    /// Counts changes; the `ETag`.
    pub(super) revision: i64,
    /// When the first booking of theirs came, or somebody made them.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When a booking of theirs came last, to within a day.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Instant,
}

/// That a customer may not book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerBlocked)]
pub(crate) struct BlockedView {
    /// Why: for the business, never shown to the customer.
    #[schema(value_type = String)]
    reason: Words,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

impl From<Customer> for View {
    fn from(c: Customer) -> Self {
        let blocked = |Blocked { at, reason }| BlockedView { reason: Words(reason), at };
        Self {
            id: c.id,
            name: c.name,
            email: c.email.map(Email),
            phone: c.phone.map(Phone),
            language: c.language,
            notes: c.notes.map(Words),
            tags: c.tags,
            blocked: c.blocked.map(blocked),
            revision: c.revision,
            created_at: c.created_at,
            last_seen_at: c.last_seen_at,
        }
    }
}

/// A customer who may be the same person, and why nobody can tell without asking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MaybeSameCustomer)]
pub(crate) struct MaybeSameView {
    #[schema(value_type = String)]
    customer_id: CustomerId,
    name: String,
    #[schema(value_type = Option<String>)]
    email: Option<Email>,
    #[schema(value_type = Option<String>)]
    phone: Option<Phone>,
    /// Both have this e-mail address.
    same_email: bool,
    /// Both have this telephone number.
    same_phone: bool,
    /// Their names are alike, however they are written.
    same_name: bool,
}

impl From<MaybeSame> for MaybeSameView {
    fn from(other: MaybeSame) -> Self {
        let MaybeSame { customer, same_email, same_phone, same_name } = other;
        let Customer { id, name, email, phone, .. } = customer;
        let (email, phone) = (email.map(Email), phone.map(Phone));
        Self { customer_id: id, name, email, phone, same_email, same_phone, same_name }
    }
}

/// How often a customer booked here. What they booked at providers is in their history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerCounts)]
pub(crate) struct CountsView {
    /// All bookings, whatever became of them.
    bookings: i64,
    cancelled: i64,
    no_shows: i64,
    /// Start of the last one that was to take place.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Instant>,
    /// Start of the next one.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Instant>,
}

/// The id that a provider has for a customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerAtProvider)]
pub(crate) struct AtProviderView {
    #[schema(value_type = String)]
    connection_id: ConnectionId,
    /// The provider's id of them.
    external_id: String,
}

/// A customer, with all that is known and what is open about them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WholeCustomer)]
pub(crate) struct Whole {
    #[serde(flatten)]
    pub(super) customer: View,
    /// How often they booked.
    counts: CountsView,
    /// What providers call them: clients there with one of their addresses and their name.
    at_providers: Vec<AtProviderView>,
    /// Customers who share an address and may be the same person: a family has one address, and one person may be written in two ways. Answer with
    /// `merge` or `not-same`.
    maybe_same: Vec<MaybeSameView>,
    /// More share an address than are named here.
    maybe_same_more: bool,
}

impl From<WholeCustomer> for Whole {
    fn from(whole: WholeCustomer) -> Self {
        let WholeCustomer { questions: Questions { customer, maybe_same, more }, counts, at_providers } =
            whole;
        let Counts { bookings, cancelled, no_shows, last_at, next_at } = counts;
        let at = |AtProvider { connection, external_id }| AtProviderView {
            connection_id: connection,
            external_id,
        };
        Self {
            customer: customer.into(),
            counts: CountsView { bookings, cancelled, no_shows, last_at, next_at },
            at_providers: at_providers.into_iter().map(at).collect(),
            maybe_same: maybe_same.into_iter().map(Into::into).collect(),
            maybe_same_more: more,
        }
    }
}
