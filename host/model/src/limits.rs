//! Every limit of the host: a name with its unit, the number, and the reason. Operators may change those that
//! `berth.toml` lists; a plugin may only lower its own.

/// Largest component that may be uploaded, in bytes. Rust guests are 0.1 to 2 MiB, JavaScript ones 1 to 13 MiB.
pub const COMPONENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest manifest, in bytes: a long settings schema and an icon.
pub const MANIFEST_BYTES_MAX: usize = 64 * 1024;
/// Hosts in one manifest: a provider has a handful.
pub const MANIFEST_HOSTS_MAX: usize = 16;
/// Longest compilation, in seconds: hostile components can be slow to compile, which wasmtime does not bound.
pub const COMPILE_SECONDS_MAX: u64 = 30;
/// Compilations at the same time: each uses all cores.
pub const COMPILES_CONCURRENT_MAX: usize = 1;
/// Linear memory of one call, summed over all memories, in bytes.
pub const CALL_MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Length of an epoch tick, in milliseconds.
pub const EPOCH_TICK_MS: u64 = 10;
/// CPU time of one call, in ticks: parsing a month of slots takes single-digit milliseconds.
pub const CALL_CPU_TICKS_MAX: u32 = 20;
/// Wall time of one call that changes or lists, in milliseconds: the slowest provider's 99th percentile.
pub const CALL_WALL_MS_MAX: u64 = 20_000;
/// Wall time of one call that a customer waits for (availability), in milliseconds.
pub const CALL_WALL_MS_MAX_AVAILABILITY: u64 = 5_000;
/// Calls at the same time per process; below the pool's slots, so that the pool never refuses.
pub const CALLS_CONCURRENT_MAX: usize = 200;
/// Calls at the same time per tenant, so that one cannot take all.
pub const CALLS_CONCURRENT_PER_TENANT_MAX: usize = 8;
/// How long a call waits for a permit before it is refused as busy, in milliseconds.
pub const CALL_PERMIT_WAIT_MS_MAX: u64 = 2_000;
/// Bytes that one call may make the host copy out of the guest (wasmtime's default is 128 MiB).
pub const CALL_HOSTCALL_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Handles (requests, streams) open in one call (default 100 000).
pub const CALL_HANDLES_MAX: usize = 1_000;
/// Host calls of our own interfaces (log, state, settings, credentials) in one call.
pub const CALL_HOST_CALLS_MAX: u32 = 10_000;
/// Requests in one call: paging without loops.
pub const CALL_EGRESS_REQUESTS_MAX: u32 = 20;
/// Requests of one call at the same time.
pub const CALL_EGRESS_CONCURRENT_MAX: usize = 6;
/// Largest request body, in bytes.
pub const EGRESS_BODY_OUT_BYTES_MAX: usize = 1024 * 1024;
/// Largest response body, in bytes.
pub const EGRESS_BODY_IN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// All headers of a request or response, in bytes.
pub const EGRESS_HEADER_BYTES_MAX: usize = 32 * 1024;
/// Time to connect, in milliseconds.
pub const EGRESS_CONNECT_MS_MAX: u64 = 3_000;
/// Time to the first byte of the answer, in milliseconds.
pub const EGRESS_FIRST_BYTE_MS_MAX: u64 = 10_000;
/// Time between two pieces of the answer, in milliseconds.
pub const EGRESS_BETWEEN_BYTES_MS_MAX: u64 = 5_000;
/// Whole time of one request, from its first check to the last byte of the answer, in milliseconds: a call's wall time.
pub const EGRESS_REQUEST_MS_MAX: u64 = 20_000;
/// Longest URL, in bytes: what servers commonly accept.
pub const EGRESS_URL_BYTES_MAX: usize = 8 * 1024;
/// Response bytes of one call, summed: answers wait in the host's memory until the component has read them.
pub const CALL_EGRESS_BODY_IN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Egress records that one call keeps: all requests, and some that were refused before they were counted.
pub const CALL_EGRESS_RECORDS_MAX: usize = 40;
/// How long a request waits for its connection's rate limit before it is answered 429, in milliseconds.
pub const EGRESS_RATE_WAIT_MS_MAX: u64 = 2_000;
/// Rate limiters kept per process; the least recently used one goes, and is full again by then.
pub const EGRESS_RATE_LIMITERS_MAX: usize = 10_000;
/// HTTP clients kept per process, one per tenant and host; the least recently used one goes with its connections.
pub const EGRESS_CLIENTS_MAX: usize = 512;
/// Idle connections kept per client: fewer means a new TLS handshake for most requests of a busy tenant.
pub const EGRESS_IDLE_CONNECTIONS_MAX: usize = 32;
/// How long an idle connection is kept, in milliseconds: below the minute or so after which servers close theirs.
pub const EGRESS_IDLE_MS_MAX: u64 = 45_000;
/// Longest name lookup, in milliseconds.
pub const EGRESS_LOOKUP_MS_MAX: u64 = 3_000;
/// Addresses that one name may have; more is refused rather than half checked.
pub const EGRESS_ADDRESSES_MAX: usize = 64;
/// How long a checked address stays pinned before the name is looked up again, in seconds: follows a provider's move.
pub const EGRESS_PIN_SECONDS: i64 = 30;
/// Shortest credential that is attached, in bytes: a shorter one cannot be removed from answers without harming them.
pub const EGRESS_CREDENTIAL_BYTES_MIN: usize = 4;
/// Longest credential that is attached, in bytes: long signed tokens have 2 to 4 KiB.
pub const EGRESS_CREDENTIAL_BYTES_MAX: usize = 8 * 1024;
/// Largest answer that is searched for credentials between other work, in bytes; a larger one is searched on a thread of
/// its own, since it takes milliseconds.
pub const EGRESS_SEARCH_INLINE_BYTES_MAX: usize = 256 * 1024;
/// Longest path in an egress record, in bytes.
pub const EGRESS_RECORD_PATH_BYTES_MAX: usize = 256;
/// Log lines of one call.
pub const CALL_LOG_LINES_MAX: u32 = 200;
/// Log bytes of one call.
pub const CALL_LOG_BYTES_MAX: usize = 64 * 1024;
/// Last log bytes that are kept for an error.
pub const CALL_LOG_TAIL_BYTES_MAX: usize = 4 * 1024;
/// Entries of a connection's state.
pub const STATE_ENTRIES_MAX: usize = 64;
/// Longest key of a connection's state, in bytes.
pub const STATE_KEY_BYTES_MAX: usize = 128;
/// Largest value of a connection's state, in bytes.
pub const STATE_VALUE_BYTES_MAX: usize = 16 * 1024;
/// Traps in a row that close a plugin's door for a while.
pub const BREAKER_TRAPS_MAX: u32 = 3;
/// How long the door stays closed at first, in milliseconds; doubles each time.
pub const BREAKER_CLOSED_MS_MIN: u64 = 500;
/// Longest time that the door stays closed, in milliseconds.
pub const BREAKER_CLOSED_MS_MAX: u64 = 60_000;
/// Earlier versions of a plugin that stay compiled, for an instant return.
pub const PLUGIN_VERSIONS_KEPT: usize = 2;
/// Items of one list that a component returns: more than a page of any provider.
pub const REPLY_ITEMS_MAX: usize = 10_000;
/// Parts of one item that a component returns: attendees, lengths, field problems.
pub const REPLY_PARTS_MAX: usize = 1_000;
/// Longest id, token, address or URL that a component returns, in bytes: cursors of some providers have thousands.
pub const REPLY_LINE_BYTES_MAX: usize = 8 * 1024;
/// Longest text of an error that a component returns, in bytes; what is longer is cut.
pub const REPLY_ERROR_BYTES_MAX: usize = 2 * 1024;
/// Largest reply to a webhook, in bytes: providers want an echoed token or nothing.
pub const WEBHOOK_REPLY_BYTES_MAX: usize = 64 * 1024;
/// Longest description of a trap, in bytes: a message and a few frames.
pub const TRAP_MESSAGE_BYTES_MAX: usize = 2 * 1024;
/// Largest compiled component in the cache, in bytes: machine code is a small multiple of the component.
pub const AOT_ENTRY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Age at which a compiled component that no installed version needs is removed, in seconds: longer than any installation.
pub const AOT_UNUSED_SECONDS_MIN: u64 = 3_600;
/// Files of the cache that one cleaning looks at: far more than there are versions.
pub const AOT_ENTRIES_CLEANED_MAX: usize = 10_000;
/// First wait before an active plugin that could not be loaded is tried again, in milliseconds; doubles each time.
pub const PLUGIN_RELOAD_MS_MIN: i64 = 5_000;
/// Longest wait between such tries, in milliseconds: it may need a person, and a compilation uses all cores.
pub const PLUGIN_RELOAD_MS_MAX: i64 = 10 * 60 * 1_000;
/// Tenants whose idle call permits are remembered, so that the table does not grow for ever.
pub const TENANT_PERMITS_KEPT_MAX: usize = 10_000;

/// Largest JSON body of an API request, in bytes.
pub const API_BODY_BYTES_MAX: usize = 256 * 1024;
/// Signatures in one webhook header: an old and a new one while a secret is exchanged, and some to spare.
pub const WEBHOOK_SIGNATURES_MAX: usize = 8;
/// Longest challenge of a webhook handshake that is repeated, in bytes: providers send 20 to some hundred.
pub const WEBHOOK_CHALLENGE_BYTES_MAX: usize = 4 * 1024;
/// Largest webhook body, in bytes.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most requests per minute that one API key may be allowed; more than a process answers.
pub const KEY_REQUESTS_PER_MINUTE_MAX: u32 = 1_000_000;
/// Time for the command line to connect to a server, in milliseconds.
pub const CLI_CONNECT_MS_MAX: u64 = 5_000;
/// Longest wait of the command line for an answer, in milliseconds: an upload over a slow line, and its compilation.
pub const CLI_REQUEST_MS_MAX: u64 = 120_000;
/// Longest handling of an API request, in milliseconds: a call to a provider and its overhead.
pub const API_REQUEST_MS_MAX: u64 = 30_000;
/// Items on a page of a list.
pub const PAGE_ITEMS_MAX: u32 = 100;
/// Longest availability query, in days.
pub const AVAILABILITY_DAYS_MAX: i64 = 92;
/// Slots in one availability answer.
pub const SLOTS_MAX: usize = 20_000;
/// How long an Idempotency-Key is remembered, in seconds: a day of retries.
pub const IDEMPOTENCY_SECONDS: i64 = 86_400;
/// Tries of a job before it is put aside for a person.
pub const JOB_ATTEMPTS_MAX: u32 = 20;
/// First wait between tries of a job, in milliseconds; doubles each time, with jitter.
pub const JOB_BACKOFF_MS_MIN: u64 = 1_000;
/// Longest wait between tries of a job, in milliseconds.
pub const JOB_BACKOFF_MS_MAX: u64 = 15 * 60 * 1_000;
/// Longest that a provider may put off the next try of a job, in milliseconds: a day. A provider that names more is wrong.
pub const JOB_RETRY_AFTER_MS_MAX: u64 = 24 * 3_600 * 1_000;
/// How long a worker holds a job, in milliseconds; longer than the longest call, so that no job runs twice at once.
pub const JOB_LEASE_MS: u64 = 60_000;
/// Jobs that one process works on at the same time.
pub const JOBS_CONCURRENT_MAX: usize = 8;
/// Writes that one SQLite transaction carries, each in a savepoint of its own.
pub const SQLITE_BATCH_MAX: usize = 64;
/// Writes that wait for the SQLite writer before further ones are refused as busy.
pub const SQLITE_QUEUE_MAX: usize = 4_096;
/// Tries of a PostgreSQL transaction that was refused by a serialisation failure or a deadlock.
pub const POSTGRES_RETRIES_MAX: u32 = 5;
/// How long calls into components are kept for people to look at, in seconds: a week.
pub const CALLS_KEPT_SECONDS: i64 = 7 * 86_400;
/// Free disk below which `berth doctor` fails, in bytes: the database cannot grow.
pub const DISK_FREE_BYTES_MIN: u64 = 100 * 1024 * 1024;
/// Free disk below which it warns, in bytes: some weeks of calls and webhooks.
pub const DISK_FREE_BYTES_LOW: u64 = 1024 * 1024 * 1024;
/// Connections per process to PostgreSQL: more than its server has cores to serve only adds waiting.
pub const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// Connections that read from SQLite at the same time.
pub const SQLITE_READERS_MAX: u32 = 4;
/// Longest wait for a lock or a connection of the database, in milliseconds; a lock is held for a few.
pub const DATABASE_BUSY_MS_MAX: u64 = 5_000;
/// Prepared statements that a database connection remembers: all that the store has, with room for filters.
pub const STATEMENTS_CACHED_MAX: usize = 256;
/// Rows of a list without pages (keys, timeline, versions, tenants).
pub const LIST_ROWS_MAX: i64 = 1_000;
/// Rows of a log that one statement inserts: SQLite takes 32 766 values.
pub const INSERT_ROWS_MAX: usize = 500;
/// How long an unanswered Idempotency-Key blocks others, in seconds: twice the longest request; then its holder is dead.
pub const IDEMPOTENCY_IN_FLIGHT_SECONDS: i64 = 60;
/// How long webhook messages are kept, in seconds: longer than any provider repeats one.
pub const WEBHOOKS_KEPT_SECONDS: i64 = 30 * 86_400;
/// Rows that one pruning removes from one table, so that it holds no lock for long.
pub const PRUNE_ROWS_MAX: i64 = 10_000;
