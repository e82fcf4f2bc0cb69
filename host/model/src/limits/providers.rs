//! What goes on between Berth and providers: tokens, messages, subscriptions, synchronisation, calendars, breakers.

/// How long before its end an access token is renewed, in seconds: longer than any call.
pub const OAUTH_SKEW_SECONDS: i64 = 60;
/// Longest life that is believed of an access token, in seconds.
pub const OAUTH_TOKEN_SECONDS_MAX: i64 = 10 * 365 * 86_400;
/// How long a person may take to consent, in seconds.
pub const OAUTH_FLOW_SECONDS_MAX: i64 = 600;
/// Flows of one tenant that wait for consent: each is a person who clicked.
pub const OAUTH_FLOWS_MAX: i64 = 100;
/// How long one replica may take to renew a token before another tries, in seconds: a request and its save.
pub const OAUTH_LEASE_SECONDS: i64 = 30;
/// Looks at a token that another replica renews, and milliseconds between them: a little longer than a request takes.
pub const OAUTH_LOOKS_MAX: u32 = 100;
/// See [`OAUTH_LOOKS_MAX`].
pub const OAUTH_LOOK_MS: u64 = 200;
/// Largest answer of a token endpoint, in bytes: signed tokens have some KiB.
pub const OAUTH_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Return addresses of one client: a few consoles.
pub const OAUTH_RETURN_ADDRESSES_MAX: usize = 16;
/// Shortest time between two renewals of one token because a provider refuses it, in seconds: providers count them.
pub const OAUTH_RENEWAL_SECONDS_MIN: i64 = 30;
/// Waiting messages of one connection that are worked on in one go, in order: a few seconds of work.
pub const WEBHOOKS_AT_ONCE: usize = 20;
/// How long a message is tried at least before it is given up, in seconds: about as long as the tries of a job that nothing hurries.
pub const WEBHOOK_TRIED_SECONDS: i64 = 2 * 3_600;
/// Connections that one message may be for, where a provider sends all messages of an app to one address.
pub const WEBHOOK_CONNECTIONS_MAX: usize = 100;
/// Secrets that one message is tried against that names neither connection nor account: anybody may send one.
pub const WEBHOOK_SECRETS_TRIED_MAX: usize = 50;
/// Such messages that are tried at the same time: each reads the secrets of up to 50 connections.
pub const WEBHOOK_TRIALS_AT_ONCE: usize = 4;
/// Such messages of one sender that may be for nobody, per minute: a provider is seldom wrong, and repeats what is refused.
pub const WEBHOOK_WRONG_TRIALS_PER_MINUTE_MAX: u32 = 30;
/// Senders whose wrong messages are counted apart: some MiB.
pub const WEBHOOK_TRIAL_SENDERS_MAX: usize = 10_000;
/// Source networks that one connection may name.
pub const WEBHOOK_SOURCES_MAX: usize = 64;
/// Refusals of different kinds that are counted in memory before they are written; further ones are only logged.
pub const WEBHOOK_REFUSALS_COUNTED_MAX: usize = 10_000;
/// Longest time that a webhook secret is accepted after it was rotated, and how long it is if nobody says, in seconds: a day, as Stripe
/// and Svix have it. Providers repeat for about that long what they could not deliver, and a person who has to enter the new one by hand
/// gets to it.
pub const WEBHOOK_SECRET_OVERLAP_SECONDS: i64 = 86_400;
/// Secrets of one connection that are accepted besides the current one: a rotation and some typing errors that were mended.
pub const OLD_WEBHOOK_SECRETS_MAX: i64 = 5;
/// Subscriptions that are looked after in one go.
pub const SUBSCRIPTIONS_AT_ONCE: u32 = 50;
/// How long one replica looks after a subscription before another tries, in seconds: two calls and their waits.
pub const SUBSCRIPTION_LEASE_SECONDS: i64 = 120;
/// How often a subscription without an end is looked after, in seconds: somebody may have removed it at the provider.
pub const SUBSCRIPTION_CHECK_SECONDS: i64 = 86_400;
/// How long before its end a subscription is renewed, in seconds; at the latest after half its life.
pub const SUBSCRIPTION_MARGIN_SECONDS: i64 = 12 * 3_600;
/// First wait after a subscription could not be made, in seconds; doubles each time.
pub const SUBSCRIPTION_BACKOFF_SECONDS_MIN: i64 = 60;
/// Longest such wait, in seconds.
pub const SUBSCRIPTION_BACKOFF_SECONDS_MAX: i64 = 3_600;

/// Rules of one connection: for near and far bookings, for each side, and to spare.
pub const SYNC_RULES_MAX: usize = 50;
/// Bookings asked for in one page of a synchronisation.
pub const SYNC_PAGE_ITEMS: u32 = 100;
/// Pages read in one go; then others get their turn, and the position is where it goes on.
pub const SYNC_PAGES_AT_ONCE: u32 = 10;
/// Pages of event types or clients in one synchronisation.
pub const SYNC_ITEM_PAGES_MAX: u32 = 200;
/// How often a connection is synchronised whose provider sends webhooks, in seconds: one may be lost.
pub const SYNC_SECONDS_WITH_WEBHOOKS: i64 = 3_600;
/// How often one is synchronised whose provider does not, in seconds.
pub const SYNC_SECONDS_WITHOUT_WEBHOOKS: i64 = 300;
/// How often everything is read, in seconds: what vanished is only seen so.
pub const SYNC_FULL_SECONDS: i64 = 86_400;
/// Connections whose synchronisation is begun in one go.
pub const SYNCS_AT_ONCE: u32 = 100;
/// Bookings of ours that are asked for one by one, per synchronisation, because a whole list did not name them: more is a provider that
/// lost its data, for a person.
pub const SYNC_VANISHED_MAX: i64 = 100;
/// Moves that are followed from one booking to the next, in moves: a chain that is longer, or comes back to where it was, is another party's
/// data and leads nowhere.
pub const COUNTERPART_CHAIN_MAX: usize = 32;
/// How far ahead such bookings are looked for, in seconds: further than anything is booked.
pub const SYNC_AHEAD_SECONDS: i64 = 3 * 366 * 86_400;
/// Longest period of a reconciliation, in days.
pub const RECONCILIATION_DAYS_MAX: i64 = 366;
/// Rows of one side of a reconciliation.
pub const RECONCILIATION_ROWS_MAX: i64 = 10_000;
/// Calendars of one member.
pub const MEMBER_CALENDARS_MAX: usize = 20;
/// Bookings whose calendars are brought up to date in one go.
pub const CALENDAR_WRITES_AT_ONCE: u32 = 200;
/// Times that are closed at once in one calendar of a provider, the next ones first: some years of a full diary.
pub const CALENDAR_BLOCKS_MAX: i64 = 5_000;
/// Longest that an answer about availability is cached, in seconds, whatever a manifest says; as long our own closed times are told
/// from others' after they were opened.
pub const AVAILABILITY_CACHED_SECONDS_MAX: i64 = 3_600;
/// How often the calendars of a member with bookings to come are looked at for events over them, in seconds, where nobody else reads them.
pub const CALENDAR_LOOK_SECONDS: i64 = 900;
/// How far ahead they are looked at, in days: as far as most providers answer at once.
pub const CALENDAR_LOOK_DAYS: i64 = 31;
/// Calendars that are begun to be looked at in one go.
pub const CALENDAR_LOOKS_AT_ONCE: u32 = 100;
/// Bookings of one member that one look compares.
pub const CALENDAR_LOOK_BOOKINGS_MAX: u32 = 500;
/// Bytes that are kept of what is wrong with a calendar.
pub const CALENDAR_TROUBLE_BYTES_MAX: usize = 1_000;
/// How long after it was seen last a process is taken to be there, in seconds: it says so every ten, and two may be missed.
pub const REPLICA_SEEN_SECONDS: i64 = 30;
/// Calls in a row without a usable answer after which nobody asks a connection's provider for a while.
pub const CONNECTION_FAILURES_MAX: u32 = 10;
/// How long a connection's breaker is open then at first, in milliseconds; doubles with each probe that fails.
pub const CONNECTION_OPEN_MS_MIN: u64 = 2_000;
/// Longest time that it is open, in milliseconds.
pub const CONNECTION_OPEN_MS_MAX: u64 = 60_000;
/// Pages of providers' event types that are cached, where a manifest allows it.
pub const CATALOG_PAGES_CACHED_MAX: u64 = 1_000;
/// Kinds of things that one import names: there are no more.
pub const IMPORTED_KINDS_MAX: usize = 2;
/// Days ahead that an event type which is taken over can be booked: providers do not say it in a form that all share.
pub const IMPORTED_WINDOW_DAYS: u32 = 60;
/// Public links of providers that are kept with what stands behind them: each is about a kilobyte.
pub const LINKS_CACHED_MAX: u64 = 1_000;
/// Bytes of a public link of a provider: longer than any address that people paste.
pub const LINK_BYTES_MAX: usize = 2_048;

/// Counterparts of one event type: a business has a few providers, each with a few accounts.
pub const EVENT_TYPE_COUNTERPARTS_MAX: usize = 20;
