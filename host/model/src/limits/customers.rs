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
/// Bytes of a line in which customers are looked for (name, e-mail address, number): the longest of what people have. The three of them fit
/// into one entry of an index, of which PostgreSQL takes 2,704 bytes.
pub const CUSTOMER_NAME_KEY_BYTES_MAX: usize = 400;
/// Words that are looked for at once, in words: a name, and an address.
pub const CUSTOMER_SEARCH_TERMS_MAX: usize = 6;
/// Characters of what is looked for.
pub const CUSTOMER_QUERY_CHARS_MAX: usize = 200;
/// Customers that are looked at for one page of a search, in customers: some tenths of a second. A page of a larger tenant's has fewer items
/// than asked for, and a `next`.
pub const CUSTOMERS_LOOKED_AT_MAX: i64 = 100_000;
/// Notes on a customer, in characters: as those on a booking.
pub const CUSTOMER_NOTES_CHARS_MAX: usize = 4_000;
/// Tags of a customer, in tags: people choose from a list.
pub const CUSTOMER_TAGS_MAX: usize = 50;
/// A tag, in characters: a word or two.
pub const CUSTOMER_TAG_CHARS_MAX: usize = 50;
/// Why a customer may not book, in characters.
pub const CUSTOMER_BLOCKED_REASON_CHARS_MAX: usize = 500;
/// Bookings, and consents, that one request takes from a customer, of each: a page.
pub const CUSTOMER_SPLIT_MAX: usize = 200;
/// Bookings of a customer that are looked at for whose addresses are, in bookings: some tens of milliseconds.
pub const CUSTOMER_SPLIT_LOOKED_AT_MAX: i64 = 1_000;
/// Clients of providers that are named with a customer, in clients: one for each connection and address.
pub const CUSTOMER_AT_PROVIDERS_MAX: i64 = 50;
