//! Calendars that are imported: holidays.

/// Largest calendar that is imported, in bytes: [`super::HOURS_RULES_MAX`] days take some 400 KiB with the notes that calendars have, and three times
/// that with alarms.
pub const HOLIDAY_FILE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Years after this one for which recurring holidays of a calendar are written out, to their end.
pub const HOLIDAYS_AHEAD_YEARS: i32 = 5;
/// Events of a calendar that are named as left out, one by one; all are counted.
pub const LEFT_OUT_TOLD_MAX: usize = 100;
/// Longest UID of an event that is imported, in bytes: four times what the standard asks for (RFC 7986 section 5.3).
pub const UID_BYTES_MAX: usize = 1_000;
/// Tries of an import whose listing got other holidays meanwhile.
pub const HOLIDAY_IMPORT_TRIES: u32 = 4;
