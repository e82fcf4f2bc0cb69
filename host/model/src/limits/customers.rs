//! Limits on customers.

/// Customers that share an address and are looked at for one booking: a family has a few, and the address of a hotel's desk would have
/// thousands. Somebody of the same name and address is found beyond it, too.
pub const CUSTOMER_CANDIDATES_MAX: i64 = 50;
/// Addresses by which one customer is found, in keys: a person has a few, and each booking may bring another.
pub const CUSTOMER_KEYS_MAX: i64 = 20;
/// How exactly it is known when a customer was seen last, in seconds: a day, so that not each booking writes it.
pub const CUSTOMER_SEEN_SECONDS: i64 = 86_400;
/// Bookings of before there were customers that one transaction gives theirs, in rows: some tens of milliseconds.
pub const CUSTOMERS_FILLED_AT_ONCE: i64 = 50;
/// Tenants whose key for customers' addresses a process keeps open, in tenants: some hundred bytes each.
pub const MAC_KEYS_KEPT_MAX: u64 = 10_000;
