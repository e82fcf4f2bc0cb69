//! Which customers are wanted, and what is done with them.

use berth_model::{
    customers::{Customer, keys::KeyKind},
    id::{BookingId, ConsentId, CustomerId, MirroredId},
};
use serde::{Deserialize, Serialize};

/// The order of a list of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CustomerSort {
    /// Whoever is known for longest first.
    #[default]
    Age,
    /// By name, without case and accents.
    Name,
    /// Whoever was seen last first.
    LastSeen,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerWords {
    /// It may be a whole address, in its one form: whoever has it is found by that, and nobody else.
    pub key: Option<(KeyKind, String)>,
    /// Patterns that must all be in a customer's name and addresses.
    pub patterns: Vec<String>,
}

/// Which customers of a tenant.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CustomerFilter {
    pub words: Option<CustomerWords>,
    pub tag: Option<String>,
    pub blocked: Option<bool>,
    pub sort: CustomerSort,
    pub after: Option<CustomerPosition>,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerPosition {
    /// The name as it is sorted.
    pub name: String,
    /// Microseconds of when they were seen last.
    pub seen: i64,
    /// Who.
    pub id: CustomerId,
}

/// A page of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerPage {
    /// At most as many as were asked for.
    pub items: Vec<Customer>,
    /// Where to go on, if there may be more.
    pub next: Option<CustomerPosition>,
}

/// What goes from a customer to a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerSplit {
    /// Bookings that were made here.
    pub bookings: Vec<BookingId>,
    /// Bookings at providers that are none of ours.
    pub external_bookings: Vec<MirroredId>,
    /// What they said of consents.
    pub consents: Vec<ConsentId>,
}
