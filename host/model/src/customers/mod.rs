//! Customers: the people whom bookings are for, and the only place where it is said who they are.

pub mod identity;
pub mod keys;
pub(crate) mod names;

use crate::{
    id::{CustomerId, TenantId},
    time::Instant,
};

/// A customer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Whose.
    pub tenant: TenantId,
    /// Full name, as it was given first.
    pub name: String,
    /// Mailbox, as it was given first.
    pub email: Option<String>,
    /// Telephone number, as it was given first.
    pub phone: Option<String>,
    /// Counts changes.
    pub revision: i64,
    /// When the first booking of theirs came.
    pub created_at: Instant,
    /// When a booking of theirs came last, to within a day.
    pub last_seen_at: Instant,
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
