//! What goes into and comes out of the store besides the model's own records.

mod availability;
mod catalog;
mod clocks;
mod customers;
mod events;
mod external;
mod holidays;
mod idempotency;
mod oauth;
mod privacy;
mod recovery;
mod states;

use berth_model::{
    bookings::{
        booking::{Booking, ProviderTask},
        change::BookingChange,
        hold::HoldRecord,
        lists::{BookingOrder, WantedStates},
        search::Search,
    },
    id::{
        ApiKeyId, AuditEntryId, BookingId, ConflictId, ConnectionId, CustomerId, EventTypeId, HoldId,
        InboundWebhookId, JobId, ListingId, MemberId, PrivateLinkId, SeriesId, TenantId,
    },
    inbound::message::WebhookStatus,
    jobs::{
        kind::{JobKind, JobQueue},
        share::FULL_MAX,
    },
    mirror::sync::Mirrored,
    plugins::manifest::PluginId,
    scheduling::rules::Limit,
    tenants::version::ApiVersion,
    time::{Instant, Interval},
};
use serde_json::Value;

pub use availability::{
    BookingSetup, CurrentSetup, KnownCounterpart, MemberSetup, OccupancyQuery, RuleFilter, RulesOf,
    ScheduleUser, SeenOccupancy,
};
pub use catalog::MemberJoin;
pub use clocks::BookingClocks;
pub use customers::{
    CustomerFilter, CustomerPage, CustomerPosition, CustomerSort, CustomerSplit, CustomerWords,
};
pub use events::{EventPage, Placed};
pub use external::{ExternalKinds, ListedExternal};
pub use holidays::HolidayImport;
pub use idempotency::{Idempotency, IdempotencyKey, KeptAnswer};
pub use oauth::{OAuthClientRecord, OAuthFlow};
pub use privacy::{BookingConsent, NewConsent, NewConsentText};
pub use recovery::Recovered;
pub use states::{ConnectionCounts, OfferCounts, TenantCounts};

/// Who caused a change, for the audit row that every change of state writes (invariant 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Id of the row.
    pub id: AuditEntryId,
    /// When.
    pub at: Instant,
    /// `key:<id>`, `customer`, `provider:<plugin>`, `operator`, `job:<id>` or `system`.
    pub actor: String,
    /// The request or job that caused it.
    pub request_id: String,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Who, when, from which request.
    pub audit: Audit,
    /// `booking.created`, `connection.updated`, …
    pub action: String,
    /// Kind of the thing that changed: `booking`.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: uuid::Uuid,
    /// What changed; never a secret.
    pub data: Value,
}

/// Which rows of the audit log; what is none counts all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditFilter {
    /// Kind of what changed: `booking`.
    pub subject_kind: Option<String>,
    /// What changed.
    pub subject_id: Option<uuid::Uuid>,
    /// Who: `key:<id>`.
    pub actor: Option<String>,
    /// What was done: `booking.created`.
    pub action: Option<String>,
    /// When.
    pub within: Option<Interval>,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The latest first.
    pub entries: Vec<AuditEntry>,
    /// What was looked at last, if there may be more before it.
    pub next: Option<AuditEntryId>,
}

/// A new booking with the places it takes: one of each member, and a seat if the meeting is shared.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBooking {
    /// The booking: `pending` with `provider_task = create`, or `confirmed` for the built-in provider.
    pub booking: Booking,
    /// The meeting widened by its buffers: what is kept free for it.
    pub padded: Interval,
    /// Job that tells the provider, already leased to the request that makes it.
    pub job: Option<NewJob>,
    /// Limits that must leave room for it.
    pub limits: Vec<MemberLimit>,
    /// The caller's own hold, whose places it takes over.
    pub hold: Option<HoldId>,
    /// The private link that it is made by: refused if that is over.
    pub private_link: Option<PrivateLinkId>,
    /// The reserved Idempotency-Key that it is made under: a second booking under it is refused.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Also for a customer who may not book.
    pub allow_blocked: bool,
    /// The booking at a provider that it was until now: its time passes to this one. Refused if it is no longer as it was.
    pub adopts: Option<Box<Mirrored>>,
    /// What the customer agreed to when they booked: written with it, or neither is.
    pub consents: Vec<BookingConsent>,
}

/// A limit that must leave room for a booking, counted in the transaction that books: per event type and member, bookings that
/// start in the period and are pending, confirmed, completed or `no_show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberLimit {
    /// Whose bookings are counted.
    pub member: MemberId,
    /// At most so much.
    pub limit: Limit,
    /// In this period: the one that holds the booking's start.
    pub period: Interval,
}

/// A new hold with the places it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct NewHold {
    /// The hold.
    pub hold: HoldRecord,
    /// The meeting widened by its buffers: what is kept free for it.
    pub padded: Interval,
    /// Customers who may share the meeting.
    pub seats: u32,
}

/// A change of a booking, with what goes with it into its transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeOrder {
    /// What happens to it.
    pub change: BookingChange,
    /// The job that delivers it to its provider, upserted by its dedup key. Only where something has to be delivered, and always there.
    pub job: Option<NewJob>,
    /// Limits that must leave room for it where it moves to; the booking itself does not count.
    pub limits: Vec<MemberLimit>,
}

impl From<BookingChange> for ChangeOrder {
    fn from(change: BookingChange) -> Self {
        Self { change, job: None, limits: Vec::new() }
    }
}

/// What became of a conflict that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is new.
    New(ConflictId),
    /// It was open already.
    Again(ConflictId),
    /// It was ignored as it is: nothing is opened.
    Ignored,
}

/// Whose bookings a private feed shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedSubject {
    /// Those that a member takes part in.
    Member(MemberId),
    /// Those of a listing.
    Listing(ListingId),
}

impl FeedSubject {
    /// Its kind in the database, and its id.
    #[must_use]
    pub const fn parts(self) -> (&'static str, uuid::Uuid) {
        match self {
            Self::Member(id) => ("member", id.uuid()),
            Self::Listing(id) => ("listing", id.uuid()),
        }
    }

    /// The subject of these parts.
    #[must_use]
    pub fn of(kind: &str, id: uuid::Uuid) -> Option<Self> {
        match kind {
            "member" => Some(Self::Member(MemberId::from_uuid(id))),
            "listing" => Some(Self::Listing(ListingId::from_uuid(id))),
            _ => None,
        }
    }
}

/// Where a booking goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookedOver {
    /// The built-in provider: nowhere else.
    BuiltIn,
    /// A connection to this provider.
    Provider(PluginId),
}

/// What a list of bookings is narrowed to.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "the names say it; none of them set means all")]
pub struct BookingFilter {
    pub listing: Option<ListingId>,
    pub event_type: Option<EventTypeId>,
    pub member: Option<MemberId>,
    pub series: Option<SeriesId>,
    pub connection: Option<ConnectionId>,
    pub customer: Option<CustomerId>,
    pub states: WantedStates,
    /// Overlapping this.
    pub within: Option<Interval>,
    /// Made in this stretch of time.
    pub created: Option<Interval>,
    /// Changed last in this stretch of time.
    pub updated: Option<Interval>,
    pub provider_task: Option<ProviderTask>,
    pub provider: Option<BookedOver>,
    /// An id that its counterpart has or had.
    pub external_id: Option<String>,
    pub search: Option<Search>,
    pub order: BookingOrder,
    /// Bookings after this one in that order (its time, its id): the cursor.
    pub after: Option<(Instant, BookingId)>,
}

/// Work to be done later.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// Whose.
    pub tenant: TenantId,
    /// What it is for, which says its queue and its order in there.
    pub kind: JobKind,
    /// What it needs to know: ids only, never a secret.
    pub payload: Value,
    /// Not before.
    pub due_at: Instant,
    /// One open job per key: a second one makes the first due at the earlier time instead.
    pub dedup_key: String,
    /// Already leased to its maker until then (counts as the first attempt); none for a job that any worker may take.
    pub leased_until: Option<Instant>,
}

/// What a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Of this queue.
    pub queue: JobQueue,
    /// So many jobs at most.
    pub most: usize,
    /// So many of them of any one tenant.
    pub of_one_tenant: usize,
    /// None of these tenants.
    pub not_of: [Option<TenantId>; FULL_MAX],
}

impl Claim {
    /// So many, whoever's they are.
    #[must_use]
    pub const fn any(queue: JobQueue, most: usize) -> Self {
        Self { queue, most, of_one_tenant: most, not_of: [None; FULL_MAX] }
    }

    /// Are jobs of some tenants passed over?
    #[must_use]
    pub fn passes_over(&self) -> bool {
        self.not_of.iter().any(Option::is_some)
    }
}

/// A job that a worker holds. `attempt` is the fence: finishing with an older attempt does nothing.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "see NewJob")]
pub struct Job {
    pub id: JobId,
    pub tenant: TenantId,
    /// See [`JobKind::named`]; it may be of another version of the program.
    pub kind: String,
    pub payload: Value,
    pub priority: i64,
    pub due_at: Instant,
    pub dedup_key: String,
    /// 1 for the first try.
    pub attempt: i64,
    /// How often in a row it was taken up and its lease ran out without an end.
    pub crashes: i64,
    /// Held until then, unless that has passed.
    pub leased_until: Option<Instant>,
    /// A dead letter: it waits for a person.
    pub dead: bool,
    pub last_error: Option<String>,
    pub created_at: Instant,
}

/// What becomes of a job that was held.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEnd {
    /// Done: removed.
    Done,
    /// Try again not before then.
    Retry {
        /// Not before.
        due_at: Instant,
        /// Why, for people; never a secret.
        error: String,
    },
    /// Its connection does not work: try again not before then, or as soon as the connection recovers (`Store::wake_stopped`).
    Stopped {
        /// Which connection.
        by: ConnectionId,
        /// Not before.
        due_at: Instant,
        /// Why, for people; never a secret.
        error: String,
    },
    /// Nothing goes over its connection for now: this was no try. Again not before then, or as soon as the connection is resumed.
    Parked {
        /// Which connection.
        by: ConnectionId,
        /// Not before.
        due_at: Instant,
        /// Why, for people; never a secret.
        error: String,
    },
    /// A dead letter: it waits for a person.
    Dead {
        /// Why, for people.
        error: String,
    },
    /// A dead letter because the process died during it again and again: no wake-up brings it back, only a person.
    Crashed {
        /// Why, for people.
        error: String,
    },
}

/// An inbound webhook as stored before it is acknowledged (invariant 6).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InboundWebhook {
    pub id: InboundWebhookId,
    pub tenant: TenantId,
    pub connection: ConnectionId,
    /// Equal for the same message sent twice.
    pub dedup_key: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub query: String,
    pub body: Vec<u8>,
    pub received_at: Instant,
    pub status: WebhookStatus,
    pub detail: Option<String>,
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ApiKeyRecord {
    pub id: ApiKeyId,
    /// None for an operator's key.
    pub tenant: Option<TenantId>,
    pub name: String,
    /// First characters, to tell keys apart.
    pub prefix: String,
    pub scopes: Vec<String>,
    /// Requests per minute; none: as the configuration says.
    pub requests_per_minute: Option<u32>,
    /// Networks that it may be used from; none: from anywhere.
    pub sources: Vec<String>,
    /// The version of the interface that it is answered in, unless a request names another.
    pub version: ApiVersion,
    pub created_at: Instant,
    pub expires_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
}

/// What is changed of a key; absent fields stay as they are.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see ApiKeyRecord")]
pub struct KeyPatch {
    pub sources: Option<Vec<String>>,
    pub version: Option<ApiVersion>,
}

/// Rights of a plugin at one level.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct GrantRecord {
    pub plugin: PluginId,
    /// None: the instance's grant.
    pub tenant: Option<TenantId>,
    /// None: the tenant's (or the instance's) grant.
    pub listing: Option<ListingId>,
    pub hosts: std::collections::BTreeSet<String>,
    /// False forbids the plugin at this level.
    pub enabled: bool,
}

/// A stretch of a member's time that is taken, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupied {
    /// Whose time.
    pub member: MemberId,
    /// The place: meeting with buffers.
    pub padded: Interval,
    /// The meeting itself.
    pub when: Interval,
    /// The booking, if one is the owner.
    pub booking: Option<BookingId>,
    /// The hold, if one is the owner.
    pub hold: Option<HoldId>,
    /// Of which event type; none for a block.
    pub event_type: Option<EventTypeId>,
    /// The meeting that it belongs to: places of one session are seats of one meeting.
    pub session: uuid::Uuid,
    /// Which seat of the meeting, from 0.
    pub seat: u32,
}

/// Which bookings count for the shares of a round robin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those that were made in this period.
    CreatedIn(Interval),
    /// Those that take place in this period.
    StartingIn(Interval),
}

/// What a member was given. Cancelled and failed bookings do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// Who.
    pub member: MemberId,
    /// Bookings of the event type that count, as organiser.
    pub bookings: u32,
    /// Bookings ahead, of any event type, in any part.
    pub upcoming: u32,
    /// When they were last given one of the event type.
    pub last_assigned_at: Option<Instant>,
}

/// Connections by how their credentials are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SealedState {
    /// With the key that seals now.
    pub current: u64,
    /// With an older key, which opens them.
    pub older: u64,
    /// No key at hand opens them.
    pub closed: u64,
    /// Tenants whose key for customers' addresses an older key opens.
    pub tenants_older: u64,
    /// Tenants whose key for customers' addresses no key at hand opens.
    pub tenants_closed: u64,
}

/// Messages that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WebhookRefusals {
    /// Name of the rule.
    pub reason: String,
    /// How many.
    pub refused: i64,
    /// The last one.
    pub last_at: Instant,
}
