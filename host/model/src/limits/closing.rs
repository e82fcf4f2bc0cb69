//! What is closed: connections that are paused or disconnected, tenants that are deleted.

/// Rows of one table that one transaction removes of what was closed, so that it holds no lock for long.
pub const REMOVED_ROWS_AT_ONCE: i64 = 500;
/// Transactions that one turn makes of that before others get theirs: a turn of a large tenant ends within seconds.
pub const REMOVAL_STEPS_MAX: u32 = 200;
/// How long taking leave of a provider may take in all, in milliseconds: a person waits for it, and the provider may be broken.
pub const FAREWELL_MS_MAX: u64 = 10_000;
/// How long after a disconnection rows may still be written by what was under way, in seconds: longer than any call and any lease.
pub const LEFTOVERS_SECONDS: i64 = 120;
/// When work for a paused connection is looked at although nobody resumed it, in seconds: resuming wakes it, so that this is a week.
pub const PARKED_SECONDS: i64 = 7 * 86_400;
