//! Limits on what people without a key see and do, and on what a tenant says to them.

/// Languages that a tenant speaks: more than any business prints its prices in.
pub const TENANT_LANGUAGES_MAX: usize = 20;
/// Addresses in one list of a tenant (origins, addresses to return to): a shop in each country of Europe.
pub const TENANT_ADDRESSES_MAX: usize = 50;
/// Longest address that a tenant names, in bytes: what every browser takes.
pub const TENANT_ADDRESS_BYTES_MAX: usize = 2_000;
/// Bookings in an hour without a key, of one tenant, unless it says otherwise: a busy practice on the day its calendar opens.
pub const PUBLIC_BOOKINGS_PER_HOUR_DEFAULT: u32 = 200;
/// Most that it may say: more than a process books in an hour for one tenant.
pub const PUBLIC_BOOKINGS_PER_HOUR_MAX: u32 = 10_000;
/// Questions without a key from one address in a minute: a family that compares months.
pub const PUBLIC_READS_PER_MINUTE: u32 = 60;
/// Holds from one address in a minute: somebody who cannot decide.
pub const PUBLIC_HOLDS_PER_MINUTE: u32 = 20;
/// Holds from one address at the same time: a family, each with a form open.
pub const PUBLIC_HOLDS_LIVE_MAX: usize = 3;
/// Bookings from one address in an hour: an office behind one address, or a parent with many children.
pub const PUBLIC_BOOKINGS_PER_ADDRESS_HOUR: u32 = 10;
/// Addresses that a process tells apart for each of these, in addresses: some 10 MB each. Who comes when there is no room for another
/// shares one place with all others who do.
pub const PUBLIC_ADDRESSES_MAX: usize = 100_000;
/// How much more often all those who share that place may do what one address may.
pub const PUBLIC_SHARED_TIMES: u32 = 10;
/// Event types of a listing that are shown without a key, in event types: more than a person reads.
pub const PUBLIC_EVENT_TYPES_MAX: usize = 200;
/// Listings of a tenant that are shown without a key, in listings.
pub const PUBLIC_LISTINGS_MAX: usize = 200;
/// Links to one event type that can still be used, in links: an invitation for each of a thousand customers.
pub const PRIVATE_LINKS_OF_ONE_MAX: i64 = 1_000;
/// How long a private link that is over is still shown, in days: until somebody has asked what became of it.
pub const PRIVATE_LINKS_KEPT_DAYS: i64 = 30;
/// How long a private link may live, in days: two years.
pub const PRIVATE_LINK_DAYS_MAX: i64 = 730;
