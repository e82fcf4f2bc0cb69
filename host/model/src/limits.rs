//! Every limit of the host: a name with its unit, the number, and the reason. Operators may change those that
//! `berth.toml` lists; a plugin may only lower its own.

mod bookings;
mod calendars;
mod catalog;
mod closing;
mod compile;
mod config;
mod customers;
mod events;
mod jobs;
mod privacy;
mod providers;
mod public;
mod schedules;
mod zones;

pub use bookings::*;
pub use calendars::*;
pub use catalog::*;
pub use closing::*;
pub use compile::*;
pub use config::*;
pub use customers::*;
pub use events::*;
pub use jobs::*;
pub use privacy::*;
pub use providers::*;
pub use public::*;
pub use schedules::*;
pub use zones::*;

/// Largest component that may be uploaded, in bytes. Rust guests are 0.1 to 2 MiB, JavaScript ones 1 to 13 MiB.
pub const COMPONENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest manifest, in bytes: a long settings schema and an icon.
pub const MANIFEST_BYTES_MAX: usize = 64 * 1024;
/// Hosts in one manifest: a provider has a handful.
pub const MANIFEST_HOSTS_MAX: usize = 16;
/// Other names of one plugin: what people call its provider.
pub const MANIFEST_ALIASES_MAX: usize = 8;
/// Parts of one credential: a key, its secret, and whose.
pub const CREDENTIAL_PARTS_MAX: usize = 4;
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
/// Calls at the same time per process. The pool of instances is made for as many, each with the largest component, so that it never refuses.
pub const CALLS_CONCURRENT_MAX: usize = 200;
/// One in so many of those there are again for tenants none of whose calls runs, so that calls of other tenants that wait for their providers
/// do not keep them out.
pub const CALLS_FIRST_PARTS: usize = 4;
/// Components that are tried out at the same time when they are loaded: each takes what a call takes.
pub const TRIALS_CONCURRENT_MAX: usize = 4;
/// Calls at the same time per tenant, so that one cannot take all.
pub const CALLS_CONCURRENT_PER_TENANT_MAX: usize = 8;
/// Of those, calls that no booking and no customer waits for: half, so that an endpoint that hangs while calendars are written or read never
/// keeps a booking of the same tenant from its provider.
pub const CALLS_BACKGROUND_PER_TENANT_MAX: usize = CALLS_CONCURRENT_PER_TENANT_MAX / 2;
/// How long a call waits for a permit before it is refused as busy, in milliseconds.
pub const CALL_PERMIT_WAIT_MS_MAX: u64 = 2_000;
/// Bytes that one call may make the host copy out of the guest (wasmtime's default is 128 MiB).
pub const CALL_HOSTCALL_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Handles (requests, streams) open in one call (default 100 000).
pub const CALL_HANDLES_MAX: usize = 1_000;
/// Host calls of our own interfaces (log, state, settings, credentials, zones, recurrence) in one call.
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
/// How long a request waits for the rate of its connection and provider before it is answered 429, in milliseconds.
pub const EGRESS_RATE_WAIT_MS_MAX: u64 = 2_000;
/// Connections and providers whose requests are counted per process; the least recently used one goes, and its requests are old by then.
pub const EGRESS_RATE_LIMITERS_MAX: usize = 10_000;
/// One part of so many of each rate is left by what reads everything to what is more urgent; half of that part is only for bookings.
pub const EGRESS_RATE_RESERVE_PARTS: u32 = 4;
/// Parts of a rate's length within which requests are counted together, so that a rate of thousands needs no list of thousands.
pub const EGRESS_RATE_PARTS: i64 = 64;
/// Shortest time for which a connection is not asked after its provider said that this was too often, in milliseconds; also if it named none.
pub const EGRESS_PAUSE_MS_MIN: u64 = 1_000;
/// Longest such time, in milliseconds: as long as the longest wait between tries of a job; then one more request finds out.
pub const EGRESS_PAUSE_MS_MAX: u64 = 15 * 60 * 1_000;
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
/// Longest line of our own log, in bytes: what collectors take whole.
pub const LOG_LINE_BYTES_MAX: usize = 4 * 1024;
/// Entries of a connection's state.
pub const STATE_ENTRIES_MAX: usize = 64;
/// Longest key of a connection's state, in bytes.
pub const STATE_KEY_BYTES_MAX: usize = 128;
/// Largest value of a connection's state, in bytes.
pub const STATE_VALUE_BYTES_MAX: usize = 16 * 1024;
/// Times of a recurrence rule that a component is told at once: one each hour for a quarter of a year.
pub const RULE_TOLD_TIMES_MAX: usize = 2_000;
/// Steps in which they are found: a rule with `COUNT` since 1970, in about a millisecond.
pub const RULE_TOLD_STEPS_MAX: u64 = 100_000;
/// Traps in a row of one tenant's calls that open a plugin's circuit breaker for that tenant.
pub const BREAKER_TRAPS_MAX: u32 = 3;
/// How long a plugin's breaker is open at first, in milliseconds; doubles with each probe that traps.
pub const BREAKER_OPEN_MS_MIN: u64 = 500;
/// Longest time that it is open, in milliseconds.
pub const BREAKER_OPEN_MS_MAX: u64 = 60_000;
/// Different tenants whose calls trap within [`BREAKER_TENANTS_SECONDS`] before a plugin's breaker opens for everybody: one or two may be to
/// blame themselves.
pub const BREAKER_TENANTS_MAX: usize = 3;
/// See [`BREAKER_TENANTS_MAX`].
pub const BREAKER_TENANTS_SECONDS: i64 = 60;
/// How long a probe of a half-open breaker may take before another call may try, in milliseconds: the longest call, and its wait for a permit.
pub const BREAKER_PROBE_MS_MAX: u64 = CALL_WALL_MS_MAX + CALL_PERMIT_WAIT_MS_MAX;
/// Breakers of connections, or of tenants for one plugin, that a process remembers, at some hundred bytes each; only those that had a failure.
pub const BREAKERS_KEPT_MAX: usize = 10_000;
/// Earlier versions of a plugin that stay compiled, for an instant return.
pub const PLUGIN_VERSIONS_KEPT: usize = 2;
/// Items of one list that a component returns: more than a page of any provider.
pub const REPLY_ITEMS_MAX: usize = 10_000;
/// Parts of one item that a component returns: attendees, lengths, field problems.
pub const REPLY_PARTS_MAX: usize = 1_000;
/// Longest id, token, address or URL that a component returns, in bytes: cursors of some providers have thousands.
pub const REPLY_LINE_BYTES_MAX: usize = 8 * 1024;
/// Longest id that a component returns, in bytes: two of the longest of any provider (1 024) joined; a database's index takes 2 704 bytes.
pub const REPLY_ID_BYTES_MAX: usize = 2 * 1024;
/// Longest name or title that a component returns, in characters; what is longer is cut. Calendars take 1 024.
pub const REPLY_NAME_CHARS_MAX: usize = 1_024;
/// Longest text for people that a component returns, in characters; what is longer is cut. Descriptions of calendars have 8 192.
pub const REPLY_TEXT_CHARS_MAX: usize = 10_000;
/// Longest address of the web that a component returns, in bytes: what browsers and servers commonly take.
pub const REPLY_ADDRESS_BYTES_MAX: usize = 2_048;
/// Largest JSON of one item that a component returns, in bytes; a larger one is not kept: an event with two hundred guests has 50 KiB.
pub const REPLY_RAW_BYTES_MAX: usize = 256 * 1024;
/// Longest text of an error that a component returns, in characters; what is longer is cut.
pub const REPLY_ERROR_CHARS_MAX: usize = 1_000;
/// Longest text in a manifest (description, label, title of a setting), in characters: a sentence or two.
pub const MANIFEST_TEXT_CHARS_MAX: usize = 1_000;
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
/// Longest answer that is turned into an older version of the interface, in bytes: a page of 200 bookings with all that may be in them is
/// shorter.
pub const VERSIONED_ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes that are read, hashed or written between other requests: a millisecond at most. More is on a thread of its own.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;
/// Connections of a server at the same time, unless the configuration says otherwise: far more than requests under way, at about ten KiB each.
pub const CONNECTIONS_MAX: u32 = 4_096;
/// One part of so many of the connections may come from one address that is no proxy of ours: an office behind one address still fits.
pub const CONNECTIONS_SHARE_PARTS: usize = 4;
/// Longest time from the opening of a connection to the end of its first request's header, in milliseconds: a phone far from its mast.
pub const HEADER_MS_MAX: u64 = 10_000;
/// How long a connection is kept that has answered and is not asked again, in milliseconds: longer than proxies keep theirs, so that
/// they close first.
pub const CONNECTION_IDLE_MS_MAX: u64 = 75_000;
/// A body must bring [`BODY_STEP_BYTES_MIN`] bytes in each such time, in milliseconds.
pub const BODY_STEP_MS: u64 = 5_000;
/// Bytes of a body in each [`BODY_STEP_MS`], but for the last: the slowest line that anybody still uses brings ten times as many.
pub const BODY_STEP_BYTES_MIN: u64 = 1_024;
/// All header fields of a request and its first line, in bytes: what servers commonly accept.
pub const REQUEST_HEADER_BYTES_MAX: usize = 32 * 1024;
/// How long what still comes in after the last answer is thrown away before the connection is closed, in milliseconds: long enough that
/// the answer is read on the other side of the world.
pub const LINGER_MS_MAX: u64 = 1_000;
/// First wait after a connection could not be accepted (no files, no memory), in milliseconds; doubles each time.
pub const ACCEPT_BACKOFF_MS_MIN: u64 = 5;
/// Longest such wait, in milliseconds: whoever closes a connection makes room.
pub const ACCEPT_BACKOFF_MS_MAX: u64 = 500;
/// Files that a process asks for at most: the kernel's own default for the limit of limits.
pub const FILES_MAX: u64 = 1_048_576;
/// Files kept back from connections: for the database, the cache, logs, and requests to providers.
pub const FILES_RESERVED_MIN: u64 = 256;
/// One part of so many of all files is kept back, if that is more.
pub const FILES_RESERVED_PARTS: u64 = 4;
/// Files below which `berth doctor` warns: connections and requests to providers at their usual limits.
pub const FILES_LOW: u64 = 8_192;
/// How often certificate files are looked at, in milliseconds: a renewed one serves long before the old one ends.
pub const TLS_RELOAD_MS: u64 = 10_000;
/// Largest certificate or key file, in bytes: long chains have some ten KiB.
pub const TLS_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Networks that one API key may name as its sources.
pub const KEY_SOURCES_MAX: usize = 64;
/// Bodies of requests that one process holds at the same time, in bytes: six of the largest.
pub const BODIES_BYTES_MAX: usize = 96 * 1024 * 1024;
/// The part of these that one tenant may fill, or all who send no key together, in bytes: two of the largest.
pub const BODIES_BYTES_PER_SENDER_MAX: usize = 32 * 1024 * 1024;
/// Signatures in one webhook header: an old and a new one while a secret is rotated, and some to spare.
pub const WEBHOOK_SIGNATURES_MAX: usize = 8;
/// Tokens in one webhook body: messages of many items repeat it in each, and come in hundreds at most.
pub const WEBHOOK_TOKENS_MAX: usize = 1_000;
/// Longest challenge of a webhook handshake that is repeated, in bytes: providers send 20 to some hundred.
pub const WEBHOOK_CHALLENGE_BYTES_MAX: usize = 4 * 1024;
/// How far ahead of ours the clock of a sender of webhooks may be, in seconds.
pub const WEBHOOK_AHEAD_SECONDS_MAX: u32 = 300;
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
/// How long a hold lasts when nobody says, in seconds: a form is filled in within minutes.
pub const HOLD_SECONDS: i64 = 300;
/// Longest that a hold lasts before it must be extended, in seconds.
pub const HOLD_SECONDS_MAX: i64 = 1_800;
/// Longest life of a hold with all its extensions, in seconds: who needs more than an hour is not filling in a form.
pub const HOLD_LIFE_SECONDS_MAX: i64 = 3_600;
/// Bookings of one series: a year of weeks and some to spare; all are made in one request.
pub const SERIES_BOOKINGS_MAX: usize = 60;
/// Bookings that one sweep completes or declines, so that it holds nothing for long; the next one goes on.
pub const COMPLETION_ROWS_MAX: u32 = 200;
/// How long after its end a booking is completed by itself, in seconds: meetings overrun, and news of the provider comes late.
pub const COMPLETION_GRACE_SECONDS: i64 = 300;
/// Requests per minute by the link of one booking: a person who clicks about.
pub const LINK_REQUESTS_PER_MINUTE_MAX: u32 = 30;
/// Events in one feed: three a day for a year.
pub const FEED_EVENTS_MAX: u32 = 1_000;
/// How far back a feed reaches, in seconds: thirty days.
pub const FEED_BACK_SECONDS: i64 = 30 * 86_400;
/// How far ahead a feed reaches, in seconds: a year.
pub const FEED_FORWARD_SECONDS: i64 = 366 * 86_400;
/// Items on a page of a list.
pub const PAGE_ITEMS_MAX: u32 = 200;
/// Items on a page that a provider is asked for: as many as each of them gives.
pub const PROVIDER_PAGE_ITEMS_MAX: u32 = 100;
/// Longest availability query, in days.
pub const AVAILABILITY_DAYS_MAX: i64 = 92;
/// Longest meeting, in minutes: a day.
pub const MEETING_MINUTES_MAX: u32 = 1_440;
/// Longest buffer, in minutes: a day.
pub const BUFFER_MINUTES_MAX: u32 = 1_440;
/// Longest notice, in minutes: ninety days.
pub const NOTICE_MINUTES_MAX: u32 = 129_600;
/// Members of one event type: a large practice; a round robin looks at each of them.
pub const EVENT_TYPE_MEMBERS_MAX: usize = 100;
/// Stretches of weekly hours of one member: several a day.
pub const WEEKLY_HOURS_MAX: usize = 100;
/// Largest weight of a member in a round robin: ten times the usual one, and room for percent of percent.
pub const WEIGHT_MAX: u32 = 1_000;
/// Highest priority of a member in a round robin; the lowest is 0.
pub const PRIORITY_MAX: u32 = 4;
/// Most bookings that can be credited to a member.
pub const CALIBRATION_MAX: u32 = 1_000_000;
/// Lengths that a customer may choose besides the event type's own: more than a form can show.
pub const OTHER_LENGTHS_MAX: usize = 20;
/// Longest cut-off before the start, in minutes: a year.
pub const CUTOFF_MINUTES_MAX: u32 = 527_040;
/// Highest price, in the currency's smallest units: a thousand million of those with two decimals, exact in every JSON reader.
pub const PRICE_MINOR_UNITS_MAX: i64 = 100_000_000_000;
/// Questions of one event type: a long form.
pub const QUESTIONS_MAX: usize = 50;
/// Longest label of a question, in characters: a sentence or two.
pub const QUESTION_LABEL_CHARS_MAX: usize = 500;
/// Options of one question: every country, and some to spare.
pub const QUESTION_OPTIONS_MAX: usize = 300;
/// Longest option of a question, in characters: a line.
pub const QUESTION_OPTION_CHARS_MAX: usize = 200;
/// Longest answer of one line, in characters.
pub const ANSWER_LINE_CHARS_MAX: u32 = 500;
/// Longest answer of several lines, in characters: two pages.
pub const ANSWER_TEXT_CHARS_MAX: u32 = 4_000;
/// Largest number in an answer, and least with a minus: every JSON reader keeps it exactly (RFC 7493, section 2.2).
pub const ANSWER_NUMBER_MAX: i64 = 9_007_199_254_740_991;
/// Seats of one meeting: a lecture hall.
pub const SEATS_MAX: u32 = 1_000;
/// Periods of limits that a booking counts one by one; for more, a large team, its bookings are read once for all.
pub const MEMBER_LIMITS_COUNTED_SINGLY_MAX: usize = 32;
/// Limits of one event type: each period in bookings and in minutes, and some to spare.
pub const LIMITS_MAX: usize = 16;
/// Weekly stretches, date overrides, closed days or journeys of one host: a day each for years.
pub const HOURS_RULES_MAX: usize = 1_000;
/// Recurring patterns of one member, listing or event type: several a weekday. Each question follows all of them.
pub const PATTERNS_OF_ONE_MAX: i64 = 50;
/// Overrides, holidays or stretches of time off of one member, listing or event type: one a week for 40 years.
pub const DAYS_OF_ONE_MAX: i64 = 2_000;
/// Journeys of one member: one a week for years. Each is looked at for each day.
pub const JOURNEYS_OF_ONE_MAX: i64 = 200;
/// Restriction schedules of one tenant: some for each of many places.
pub const RESTRICTION_SCHEDULES_MAX: i64 = 500;
/// How far ahead the days of a window of free days are looked for, in days: the longest window, and a quarter of a year.
pub const FREE_DAYS_AHEAD_DAYS_MAX: i64 = 824;
/// Stretches of opening time on one day.
pub const DAY_STRETCHES_MAX: usize = 24;
/// Rules that one question about availability reads: years of holidays, overrides and time off of a team.
pub const RULES_READ_MAX: i64 = 10_000;
/// Taken places that one question about availability reads: sixty a day of a hundred members for a month. Some 25 MB.
pub const PLACES_READ_MAX: i64 = 200_000;
/// Longest stretch of free time of a recurrence rule, in minutes: a week.
pub const FREE_MINUTES_MAX: u32 = 10_080;
/// Occurrences of one recurrence in one answer of the stateless form: one each hour for years.
pub const OCCURRENCES_MAX: usize = 20_000;
/// Times that a rule which is kept may come on one day: each quarter of an hour. A question follows it for a quarter of a year, and many others.
pub const RULE_OCCURRENCES_PER_DAY_MAX: usize = 96;
/// Steps in which a rule that is kept must come for the first time: every day until 2199, and each of its hours.
pub const RULE_SEARCH_STEPS_MAX: u64 = 4_000_000;
/// Steps that the times of a rule with `COUNT` may take to be counted, since each question counts from the beginning: 20 years of days.
pub const RULE_COUNT_STEPS_MAX: u64 = 25_000;
/// Steps of one stored rule in one answer. What is accepted takes a tenth in two years; an older one that takes more yields nothing.
pub const STORED_RULE_STEPS_MAX: u64 = 2_000_000;
/// Longest recurrence rule, in bytes: every part with a long list.
pub const RRULE_BYTES_MAX: usize = 4_096;
/// Largest request for a computation, in bytes: the busy times that it may have.
pub const COMPUTE_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Steps of one answer about availability, or of one computation: some ten nanoseconds each, so about a second of one core. A hundred
/// members for a quarter of a year in steps of a quarter of an hour need a fiftieth.
pub const ANSWER_STEPS_MAX: u64 = 200_000_000;
/// Steps of one answer that the rules of one member may take, so that a single calendar cannot use up what the others need: a hundred
/// recurring patterns over two years.
pub const MEMBER_STEPS_MAX: u64 = 20_000_000;
/// Computations at the same time per process, where it has as many cores: each takes one. A tenant may have half of them.
pub const COMPUTES_CONCURRENT_MAX: usize = 8;
/// Computations of one tenant that wait for their turn; further ones are refused as busy. More would wait longer than anybody does.
pub const COMPUTES_WAITING_PER_TENANT_MAX: usize = 32;
/// How long a computation waits for its turn before it is refused as busy, in milliseconds: below what a person waits for.
pub const COMPUTE_WAIT_MS_MAX: u64 = 5_000;
/// Steps of a computation that is begun between other requests: about a millisecond, and a few where each looks at a clock. A month of
/// ten members takes half of them.
pub const COMPUTE_INLINE_STEPS_MAX: u64 = 20_000;
/// Rules, taken places and busy times with which a question is taken to be small.
pub const COMPUTE_INLINE_ITEMS_MAX: usize = 2_000;
/// Hosts in one request for a computation.
pub const COMPUTE_HOSTS_MAX: usize = 200;
/// Busy times, or other stretches of time, in one request for a computation: years of a full calendar.
pub const COMPUTE_BUSY_MAX: usize = 100_000;
/// Rules (weekly stretches, overrides, closed days, journeys) of all hosts in one request: each is looked at for each day.
pub const COMPUTE_RULES_MAX: usize = 10_000;
/// Longest range of a computation, in days: two years.
pub const COMPUTE_DAYS_MAX: i64 = 732;
/// Starts that one computation looks at, over all hosts.
pub const COMPUTE_STARTS_MAX: i64 = 2_000_000;
/// Times in one question whether a team is bookable.
pub const CHECKS_MAX: usize = 1_000;
/// Choices that one simulated round robin makes, times its hosts.
pub const FAIRNESS_STEPS_MAX: u64 = 10_000_000;
/// Longest booking window, in days: two years.
pub const BOOKING_WINDOW_DAYS_MAX: u32 = 730;
/// When to try again to load a component for which the machine was too busy, in seconds.
pub const PLUGIN_LOAD_RETRY_SECONDS: u64 = 30;
/// Longest run of the conformance suite when a component is installed, in milliseconds: it takes seconds, and ten times as long on
/// a machine that has much else to do.
pub const PLUGIN_CHECK_MS_MAX: u64 = 300_000;
/// Taken places that one process caches, at about a hundred bytes each: 50 teams of ten for a month.
pub const PLACES_CACHED_MAX: u64 = 500_000;
/// Versions of a member's places whose changes are kept, so that a process reads again what was touched and not a month: many
/// bookings between two viewers. Migration `0028` has the same number.
pub const PLACE_CHANGES_KEPT: i64 = 64;
/// Touched stretches of one member that are read again one by one; of more everything is read.
pub const PLACE_CHANGES_READ_MAX: usize = 32;
/// Members and calendars that one process caches with their event types, at about half a kilobyte each.
pub const SETUPS_CACHED_MAX: u64 = 20_000;
/// Rules, with their stretches and days, that one process caches, at some hundred bytes each.
pub const RULES_CACHED_MAX: u64 = 50_000;
/// Pages of holidays that an import looks through for those that are there already.
pub const HOLIDAY_PAGES_MAX: usize = 100;
/// Slots in one availability answer.
pub const SLOTS_MAX: usize = 20_000;
/// How often the slots of one availability answer name a member: a hundred members for a quarter of a year, in 20 megabytes.
pub const SLOT_MEMBERS_MAX: usize = 500_000;
/// Slots and names of members that are written between other requests: some hundred kilobytes.
pub const SLOTS_INLINE_MAX: usize = 5_000;
/// How long an Idempotency-Key is remembered, in seconds: a day of retries.
pub const IDEMPOTENCY_SECONDS: i64 = 86_400;
/// Idempotency-Keys of one API key that are remembered, in keys: more than one a second for a day.
pub const IDEMPOTENCY_KEYS_PER_API_KEY_MAX: i64 = 100_000;
/// Largest answer that is kept for an Idempotency-Key, in bytes: the bookings of a whole series.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Largest refusal that is kept, in bytes: some errors of fields. A larger one is made again, which changes nothing.
pub const IDEMPOTENCY_REFUSAL_BYTES_MAX: usize = 8 * 1024;
/// Answers that wait in memory for a database that is away, in answers: the bookings of some seconds.
pub const IDEMPOTENCY_UNSTORED_MAX: usize = 256;
/// Tries to store such an answer, two a second: ten minutes.
pub const IDEMPOTENCY_STORE_TRIES_MAX: u32 = 1_200;
/// Ends of conflicts of one booking and connection that are carried out without a person in [`CONFLICT_ENDS_SECONDS`]: what goes on
/// longer is two programs that answer each other.
pub const CONFLICT_ENDS_MAX: i64 = 5;
/// See [`CONFLICT_ENDS_MAX`].
pub const CONFLICT_ENDS_SECONDS: i64 = 3_600;
/// Jobs that are looked through for one page of operations: those of another provider are passed over.
pub const OPERATIONS_SCANNED_MAX: u32 = 1_000;
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
pub const SQLITE_READERS_MAX: usize = 4;
/// Longest wait for a lock or a connection of the database, in milliseconds; a lock is held for a few.
pub const DATABASE_BUSY_MS_MAX: u64 = 5_000;
/// A statement that takes longer raises the question whether PostgreSQL is there, in milliseconds: almost all take a few.
pub const DATABASE_SUSPECT_MS: u64 = 2_000;
/// Longest wait for the answer to that question, in milliseconds: a machine that is busy still connects.
pub const DATABASE_PROBE_MS_MAX: u64 = 2_000;
/// Time between two tries of a database that is away or cannot be written, in milliseconds: nobody notices half a second more.
pub const DATABASE_PROBE_EVERY_MS: u64 = 500;
/// Tries in a row that must find room before a full disk is over, in tries: three seconds in which nobody was refused.
pub const DATABASE_ROOM_PROBES: u32 = 6;
/// Longest time of one method of the store on PostgreSQL, in milliseconds: twice its longest statement. A connection that nobody
/// answers on any more would keep it for ever.
pub const DATABASE_METHOD_MS_MAX: u64 = 60_000;
/// When a request may be repeated that found the database away or full, in seconds.
pub const DATABASE_RETRY_AFTER_SECONDS: u64 = 2;
/// Longest time until `/readyz` answers, in milliseconds; who asks gives up after a second.
pub const READY_MS_MAX: u64 = 900;
/// Prepared statements that a database connection remembers: all that the store has, with room for filters.
pub const STATEMENTS_CACHED_MAX: usize = 256;
/// Rows of a list without pages (keys, timeline, versions, tenants).
pub const LIST_ROWS_MAX: i64 = 1_000;
/// Rows of a log that one statement inserts: SQLite takes 32 766 values.
pub const INSERT_ROWS_MAX: usize = 500;
/// How long an unanswered Idempotency-Key blocks others, in seconds: twice the longest request; then its holder is dead.
pub const IDEMPOTENCY_IN_FLIGHT_SECONDS: i64 = 60;
/// Longest work of a request with an Idempotency-Key, whoever waits for it, in seconds: shorter than its key is blocked.
pub const IDEMPOTENCY_WORK_SECONDS_MAX: u64 = 55;
/// How long webhook messages are kept, in seconds: longer than any provider repeats one, and than any may be old. What is kept is not
/// taken again.
pub const WEBHOOKS_KEPT_SECONDS: i64 = 30 * 86_400;
/// Rows that one pruning removes from one table, so that it holds no lock for long.
pub const PRUNE_ROWS_MAX: i64 = 10_000;
