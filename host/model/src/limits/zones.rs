//! Time-zone data: what is read of it, and how often it is looked at.

/// Zones whose names one process knows: there are some 600, and a few come with each decade.
pub const ZONES_MAX: usize = 2_048;
/// Changes of one zone's clock within the years that Berth knows: twice a year is 460, four times 920.
pub const ZONE_CHANGES_MAX: usize = 2_000;
/// Entries of a folder of zones that are looked at, folders included: the data of a system has some 700.
pub const ZONE_ENTRIES_MAX: usize = 4_096;
/// How deep folders of zones lie in each other: America/Argentina/Ushuaia is two.
pub const ZONE_FOLDERS_DEEP_MAX: usize = 4;
/// Largest file of one zone, in bytes: the largest there is has 3.5 KiB.
pub const ZONE_FILE_BYTES_MAX: u64 = 64 * 1024;
/// All files of zones in one folder, in bytes: 400 KiB, or 1.3 MiB in the older form.
pub const ZONE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Largest list of the rules in a folder (`tzdata.zi`), in bytes: it has some 110 KiB.
pub const ZONE_INDEX_BYTES_MAX: u64 = 1024 * 1024;
/// How often folders of zones are looked at, in milliseconds. What has changed is taken when the next look finds it unchanged: within a
/// minute, however the looks fall.
pub const ZONE_LOOK_MS: u64 = 5_000;
/// Bookings to come that one answer looks at for clocks that show another time than was told.
pub const CLOCKS_LOOKED_AT_ONCE: usize = 2_000;
/// Longest name of a time zone that is looked up, in bytes: twice the longest there is.
pub const ZONE_NAME_BYTES_MAX: usize = 64;
/// Longest range of which a zone's changes are told, in days: 25 years. What laws say is known for a few; telling it takes some tenths of a
/// millisecond.
pub const ZONE_RANGE_DAYS_MAX: i64 = 9_132;
/// Changes that are told at once: ten in each of those years, where the most that any zone has are four.
pub const ZONE_TRANSITIONS_MAX: usize = 250;
