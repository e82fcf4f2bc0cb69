//! Keeping a connection in step with its provider: the rules, how far it is, what the provider has, and where both sides disagree.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::rules::{SourceOfTruth, SyncMode, SyncRule, SyncRules};

use crate::{
    id::{BookingId, ConflictId, ConnectionId, CustomerId, MemberId, MirroredId, TenantId},
    outbound::provider::{ExternalBooking, ExternalId},
    time::{Instant, Interval},
};

/// What a synchronisation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncPhase {
    /// Nothing.
    Idle,
    /// Reading everything.
    Full,
    /// Reading what changed.
    Incremental,
}

impl SyncPhase {
    /// All phases.
    pub const ALL: [Self; 3] = [Self::Idle, Self::Full, Self::Incremental];
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Full => "full",
            Self::Incremental => "incremental",
        }
    }
}

/// How far the synchronisation of a connection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SyncState {
    #[serde(skip)]
    pub tenant: TenantId,
    #[serde(rename = "connection_id")]
    pub connection: ConnectionId,
    pub rules: SyncRules,
    pub phase: SyncPhase,
    /// The provider's cursor: where it goes on, also after a crash. None: from the beginning.
    #[serde(skip)]
    pub position: Option<String>,
    /// Counts full synchronisations: what was not seen in the last one is gone.
    #[serde(skip)]
    pub run: i64,
    /// Pages and bookings read by the current or last synchronisation.
    pub pages: i64,
    pub items: i64,
    pub started_at: Option<Instant>,
    pub finished_at: Option<Instant>,
    /// When everything was read last.
    pub full_at: Option<Instant>,
    pub due_at: Option<Instant>,
    /// How often it failed in a row, and why.
    pub failures: i64,
    pub error: Option<String>,
}

/// A booking as the provider last said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirrored {
    /// Its id here.
    pub id: MirroredId,
    /// Whose.
    pub tenant: TenantId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// Our booking, if it is one.
    pub booking: Option<BookingId>,
    /// Whom it is for, if somebody is named; the store finds out.
    pub customer: Option<CustomerId>,
    /// Whose time it takes, if it is not ours and that is known.
    pub member: Option<MemberId>,
    /// The provider's own word, whole.
    pub external: ExternalBooking,
    /// Its time with what the rules keep free around it.
    pub padded: Interval,
    /// The full synchronisation that saw it.
    pub run: i64,
    /// When it was read last.
    pub last_synced_at: Instant,
}

/// Kinds of things that are mirrored besides bookings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Something that can be booked there.
    EventType,
    /// A person who books there.
    Client,
}

impl ItemKind {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventType => "event_type",
            Self::Client => "client",
        }
    }
}

/// An event type or client as the provider last said it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MirroredItem {
    pub external_id: ExternalId,
    pub title: String,
    pub payload: Value,
    pub last_synced_at: Instant,
}

/// In what both sides disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// A booking there takes time that is taken here; or an event appeared over a booking in its member's calendar (no `external_id`).
    TimeOverlap,
    /// The same, where seats are shared and none is left.
    Capacity,
    /// Only the buffers are in each other's way.
    Buffer,
    /// Changed here and there before either knew.
    BothChanged,
    /// The provider carries a reference like ours, and we know of no such booking. Not opened any more: a reference proves nothing, and what
    /// is not ours by our own record is somebody else's.
    VanishedHere,
    /// Our booking is not at the provider any more.
    VanishedThere,
    /// A booking there is of an event type that nothing here stands for.
    UnknownService,
    /// A booking there names nobody.
    UnknownClient,
}

impl ConflictKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::TimeOverlap,
        Self::Capacity,
        Self::Buffer,
        Self::BothChanged,
        Self::VanishedHere,
        Self::VanishedThere,
        Self::UnknownService,
        Self::UnknownClient,
    ];
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimeOverlap => "time_overlap",
            Self::Capacity => "capacity",
            Self::Buffer => "buffer",
            Self::BothChanged => "both_changed",
            Self::VanishedHere => "vanished_here",
            Self::VanishedThere => "vanished_there",
            Self::UnknownService => "unknown_service",
            Self::UnknownClient => "unknown_client",
        }
    }
}

/// Which version counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Ours: the provider is brought to it.
    Ours,
    /// Theirs: we follow.
    Theirs,
    /// Neither is changed.
    Ignored,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Theirs, Self::Ignored];
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
            Self::Ignored => "ignored",
        }
    }
}

/// Where both sides disagree, with both versions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Conflict {
    pub id: ConflictId,
    #[serde(skip)]
    pub tenant: TenantId,
    #[serde(rename = "connection_id")]
    pub connection: ConnectionId,
    #[serde(rename = "booking_id")]
    pub booking: Option<BookingId>,
    pub external_id: Option<ExternalId>,
    /// Is the provider's version our booking's own counterpart? Else it is another booking, and both stand.
    #[serde(rename = "own_twin")]
    pub own_counterpart: bool,
    pub kind: ConflictKind,
    /// Our version when it was found: `{start, end, status}`, or null.
    pub ours: Value,
    /// The provider's version when it was found, whole, or null.
    pub theirs: Value,
    pub resolved: bool,
    pub resolution: Option<Resolution>,
    /// `key:…` of a person, or `system`.
    pub resolved_by: Option<String>,
    pub detected_at: Instant,
    pub resolved_at: Option<Instant>,
    /// How often it was found while it was open.
    #[serde(skip)]
    pub findings: i64,
}

impl Conflict {
    /// Equal for the same disagreement found twice: one at a time is open. About one booking there may be several: with its own counterpart, with each
    /// booking of others that is in its way, and with the calendar of each of its members.
    #[must_use]
    pub fn dedup_key(&self) -> String {
        let Self { connection, booking, .. } = self;
        let kind = self.kind.as_str();
        let external = self.external_id.as_deref().unwrap_or_default();
        match booking {
            None => format!("{connection}:{kind}:{external}"),
            Some(booking) if self.is_about_an_event() => {
                let member = self.theirs.get("member").and_then(Value::as_str).unwrap_or_default();
                format!("{connection}:{kind}:{booking}:event:{member}")
            }
            Some(booking) if self.own_counterpart => format!("{connection}:{kind}:{booking}"),
            Some(booking) => format!("{connection}:{kind}:{booking}:of:{external}"),
        }
    }

    /// Is it about an event in a member's calendar over a booking? Such an event has no id that anything could be done with.
    #[must_use]
    pub const fn is_about_an_event(&self) -> bool {
        self.booking.is_some()
            && self.external_id.is_none()
            && matches!(self.kind, ConflictKind::TimeOverlap | ConflictKind::Capacity)
    }

    /// When what it is about begins: at the provider, or here if it is not there.
    #[must_use]
    pub fn start(&self) -> Option<Instant> {
        let when = |side: &Value| serde_json::from_value::<Interval>(side.get("when")?.clone()).ok();
        when(&self.theirs).or_else(|| when(&self.ours)).map(Interval::start)
    }

    /// Both versions in short: where each side has it, and as what. Equal for as long as neither changes.
    #[must_use]
    pub fn versions(&self) -> String {
        let part = |side: &Value, name: &str| side.get(name).unwrap_or(&Value::Null).to_string();
        let of = |side: &Value| format!("{} {}", part(side, "when"), part(side, "status"));
        format!("{} | {} {}", of(&self.ours), part(&self.theirs, "id"), of(&self.theirs))
    }
}

/// What an end of a conflict came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// Nothing had to be changed.
    Nothing,
    /// The booking was moved at the provider, to where it is here.
    MovedThere,
    /// The booking was moved here, to where it is at the provider.
    MovedHere,
    /// The booking was moved on both sides.
    Moved,
    /// The booking was made at the provider once more.
    MadeThere,
    /// Our booking was cancelled, here and at the provider.
    OursCancelled,
    /// The provider's booking, which is not ours, was cancelled there.
    TheirsCancelled,
}

/// A conflict after an end was carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ended {
    /// As it stands now.
    #[serde(flatten)]
    pub conflict: Conflict,
    /// What was done.
    pub done: Done,
    /// The provider does not answer for now: it is told as soon as it does.
    pub pending: bool,
}
