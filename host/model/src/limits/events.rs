//! Events: how they are placed, kept and read.

/// How long events are kept, in seconds: 90 days. Who reads less often begins anew.
pub const EVENTS_KEPT_SECONDS: i64 = 90 * 86_400;
/// Events of one tenant that get their positions in one transaction, so that it holds no lock for long.
pub const EVENTS_PLACED_AT_ONCE: u32 = 500;
/// How long after a change its event is placed, in milliseconds: many changes share one transaction, and nobody notices.
pub const EVENTS_PLACED_AFTER_MS: u64 = 50;
/// How often is looked for events that other processes wrote or placed, in milliseconds: their readers wait as long at most.
pub const EVENTS_LOOK_MS: u64 = 500;
/// Tenants whose events one look places, page by page: a page is some statements.
pub const EVENT_TENANTS_AT_ONCE: i64 = 100;
/// Events in one answer.
pub const EVENTS_PAGE_MAX: u32 = 200;
/// Events in one answer where nothing is said.
pub const EVENTS_PAGE_DEFAULT: u32 = 100;
/// Events that are looked at for one answer that is to have some kinds only: some ten milliseconds.
pub const EVENTS_PASSED_OVER_MAX: i64 = 10_000;
/// Longest wait for an event, in seconds: some less than a request may take.
pub const EVENTS_WAIT_SECONDS_MAX: u64 = 20;
/// How often is looked whether a request that waits for an event may still do so, in milliseconds: its key may be revoked meanwhile.
pub const EVENTS_WAIT_CHECK_MS: u64 = 5_000;
/// Requests of one tenant that wait for events: a few systems with several processes each.
pub const EVENT_WAITS_PER_TENANT_MAX: usize = 20;
/// Requests of one process that wait for events: each is a connection and some kilobytes.
pub const EVENT_WAITS_MAX: usize = 1_000;
/// When a request that found no room to wait may be repeated, in seconds; without `wait` it is answered at once.
pub const EVENT_WAIT_RETRY_AFTER_SECONDS: u64 = 5;
/// Rows of the audit log that are looked at for one page, where few match.
pub const AUDIT_ROWS_LOOKED_AT_MAX: u32 = 10_000;
