//! Limits on lists, searches and changes of bookings.

/// Bookings or customers that one step of an export reads, in rows: each is some kilobytes at most, so that no export needs more than a few megabytes.
pub const EXPORT_ROWS_AT_ONCE: u32 = 200;
/// Rows of one export: ten years of a large business. What is more is asked for in parts, bookings by stretches of time.
pub const EXPORT_ROWS_MAX: u32 = 1_000_000;
/// Days that bookings are counted on at once: a year and a leap day, for a calendar of a year.
pub const COUNTED_DAYS_MAX: usize = 366;
/// Characters that are looked for: a name or an address.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Words of a name that a booking is found by.
pub const SEARCH_WORDS_MAX: usize = 12;
/// Characters of each word that count; those after them are not looked at.
pub const SEARCH_WORD_CHARS_MAX: usize = 100;
/// Bookings of before they could be searched that one transaction makes findable, in rows: some tens of milliseconds.
pub const SEARCHABLE_AT_ONCE: i64 = 200;
/// Seats of one meeting that one booking may take, in seats: a school class; more is a meeting of one's own.
pub const SEATS_OF_ONE_MAX: u32 = 50;
/// Guests besides the attendee, in addresses: a meeting, and no mailing.
pub const GUESTS_MAX: usize = 20;
/// All answers of one booking, as bytes of JSON.
pub const ANSWERS_BYTES_MAX: usize = 16 * 1024;
/// Notes of one booking, in characters.
pub const NOTES_CHARS_MAX: usize = 4_000;
/// Keys of a booking's metadata: what a few programs keep with it.
pub const METADATA_KEYS_MAX: usize = 50;
/// Characters of one key: a name.
pub const METADATA_KEY_CHARS_MAX: usize = 40;
/// Characters of one value: an id, an address, a sentence.
pub const METADATA_VALUE_CHARS_MAX: usize = 500;
/// Members whose reason is told where nobody else can take a booking: each is an answer of its own.
pub const REASONS_OF_OTHERS_MAX: usize = 10;
/// Locations that an event type offers: more than that nobody chooses from.
pub const LOCATIONS_MAX: usize = 20;
/// Characters of a location's name.
pub const LOCATION_LABEL_CHARS_MAX: usize = 100;
/// Characters of an address: some lines.
pub const LOCATION_ADDRESS_CHARS_MAX: usize = 300;
/// Bytes of an address on the web, with what a conference carries in it.
pub const LOCATION_URL_BYTES_MAX: usize = 2_048;
/// Bookings of one operation: a full day of many, and what a person can look through.
pub const BULK_BOOKINGS_MAX: usize = 200;
/// Bookings of an operation that are changed in one turn of its job: well within its lease, and others get a turn between.
pub const BULK_BOOKINGS_AT_ONCE: usize = 10;
/// Farthest that an operation moves bookings, in days: a year and a day.
pub const BULK_MOVE_DAYS_MAX: u32 = 366;
/// Farthest that an operation moves bookings within a day, in minutes.
pub const BULK_MOVE_MINUTES_MAX: u32 = 1_440;
/// How long a preview of an operation can be applied, in seconds: as long as somebody looks at it.
pub const BULK_PREVIEW_SECONDS: i64 = 3_600;
/// How long the report of an operation is kept, in seconds: 90 days, as events are.
pub const BULK_KEPT_SECONDS: i64 = 90 * 86_400;
