//! What OpenAPI says of answers about synchronisation. The values themselves are the model's and the engine's; these types are never made. The
//! walks of the API's suite hold what is answered against them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::schemas::{Resolution, SyncRules};

/// How far the synchronisation of a connection is.
#[derive(Serialize, ToSchema)]
pub(crate) struct SyncStatus {
    connection_id: String,
    rules: SyncRules,
    phase: SyncPhase,
    /// Pages read by the current or last synchronisation.
    pages: i64,
    /// Bookings read by it.
    items: i64,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// When everything was read last.
    #[schema(format = DateTime)]
    full_at: Option<String>,
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// How often it failed in a row.
    failures: i64,
    /// Why it failed last.
    error: Option<String>,
    /// Conflicts that wait for a person.
    open_conflicts: i64,
}

/// What a synchronisation is doing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SyncPhase {
    /// Nothing.
    Idle,
    /// Reading everything.
    Full,
    /// Reading what changed.
    Incremental,
}

/// In what both sides disagree.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConflictKind {
    /// A booking there takes time that is taken here; or an event appeared over a booking in its member's calendar (no `external_id`).
    TimeOverlap,
    /// The same, where seats are shared and none is left.
    Capacity,
    /// Only the buffers are in each other's way.
    Buffer,
    /// Changed here and there before either knew.
    BothChanged,
    /// The provider carries a reference like ours, and we know of no such booking. Not opened any more.
    VanishedHere,
    /// Our booking is not at the provider any more.
    VanishedThere,
    /// A booking there is of an event type that nothing here stands for.
    UnknownService,
    /// A booking there names nobody.
    UnknownClient,
}

/// Where both sides disagree, with both versions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conflict {
    id: String,
    connection_id: String,
    booking_id: Option<String>,
    external_id: Option<String>,
    /// Is the provider's version our booking's own counterpart? Else it is another booking, and both stand.
    own_twin: bool,
    kind: ConflictKind,
    /// Our version when it was found: `{start, end, status}`, or null.
    ours: Value,
    /// The provider's version when it was found, whole, or null.
    theirs: Value,
    resolved: bool,
    resolution: Option<Resolution>,
    /// `key:…` of a person, or `system`.
    resolved_by: Option<String>,
    #[schema(format = DateTime)]
    detected_at: String,
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
}

/// What was done to end a conflict.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Done {
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
#[derive(Serialize, ToSchema)]
pub(crate) struct EndedConflict {
    #[serde(flatten)]
    conflict: Conflict,
    done: Done,
    /// The provider does not answer for now: it is told as soon as it does.
    pending: bool,
}

/// One thing that differs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Difference {
    /// `missing_there`, `missing_here`, `time`, `status`, `local_changes` (what was changed here alone), `price`.
    kind: String,
    connection_id: String,
    booking_id: Option<String>,
    /// For prices.
    event_type_id: Option<String>,
    external_id: Option<String>,
    ours: Value,
    theirs: Value,
}

/// What the bookings of both sides cost together, by the price that each side has for the event type now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Total {
    /// ISO 4217.
    currency: String,
    /// Our sum, in the currency's smallest units.
    ours: i64,
    /// The provider's.
    theirs: i64,
}

/// Both sides of a connection compared.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reconciliation {
    connection_id: String,
    /// Bookings that begin from here (inclusive)
    #[schema(format = DateTime)]
    from: String,
    /// to here (exclusive).
    #[schema(format = DateTime)]
    to: String,
    /// When the provider's side was read last; null: never to the end.
    #[schema(format = DateTime)]
    as_of: Option<String>,
    /// Bookings on our side that take place, or took place; not those that were called off or replaced.
    ours: u64,
    /// On the provider's.
    theirs: u64,
    totals: Vec<Total>,
    differences: Vec<Difference>,
}

/// Something that a provider has besides bookings, as it last said it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MirroredItem {
    external_id: String,
    title: String,
    /// The provider's own JSON.
    payload: Value,
    #[schema(format = DateTime)]
    last_synced_at: String,
}
