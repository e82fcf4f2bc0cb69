//! What OpenAPI says of synchronisation.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use utoipa::ToSchema;

/// Whose changes count, ours or the provider's. A booking is made at its provider in every mode; what happens afterwards is:
///
/// | | `off` | `import` | `export` | `bidirectional` |
/// |---|---|---|---|---|
/// | booked here | made there | made there | made there | made there |
/// | moved here | moved there | refused (`BERTH-E0433`) | moved there | moved there |
/// | cancelled here | cancelled there | refused, once it is there (`BERTH-E0433`) | cancelled there | cancelled there |
/// | booked there, not ours | passed over | takes its member's time | passed over | takes its member's time |
/// | that one moved there | passed over | its time moves | passed over | its time moves |
/// | that one cancelled there | passed over | its time is free | passed over | its time is free |
/// | ours moved there | passed over | followed; a conflict where the time is taken here | moved back; a conflict where the provider refuses that | followed; a conflict where the time is taken here |
/// | ours cancelled there | passed over | cancelled here | made there anew; a conflict where the provider refuses that | cancelled here |
///
/// A provider's answer to what was asked is no change of its own: what is pending there is confirmed or declined in every mode. In `export`, moving back
/// and making anew need `auto_resolve`; without it they wait as conflicts for a person. In `off` nothing is read, and messages are acknowledged
/// and passed over. When somebody is free is asked, and members' calendars are read and written, in every mode.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SyncMode {
    /// Neither side's later changes are followed: only what is done here is told there.
    Off,
    /// The provider's changes count; ours are refused.
    Import,
    /// Our changes count; the provider's are undone.
    Export,
    /// Both sides' changes count.
    #[default]
    Bidirectional,
}

/// Whose word counts where both sides disagree: both were changed at once, or a time is taken twice, or ours is gone there. In `export` and `off`
/// ours counts, whatever this says.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceOfTruth {
    /// The provider's.
    #[default]
    Provider,
    /// Ours.
    Berth,
}

/// How a connection is kept in step.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SyncRules {
    /// Whose changes count.
    mode: SyncMode,
    /// Whose word counts where both sides disagree.
    source_of_truth: SourceOfTruth,
    /// Are conflicts that have one obvious end resolved without a person?
    #[schema(default = true)]
    auto_resolve: bool,
    /// Is every conflict written into the booking's timeline, also those that end by themselves?
    #[schema(default = true)]
    notify: bool,
    /// Minutes that are kept free around bookings of the provider which are not ours.
    buffer_minutes: u32,
    /// Bookings of the provider further ahead than this many days are not followed.
    #[schema(default = 730)]
    max_advance_days: u32,
    /// Whose time bookings of the provider take that are not ours, where it is not clear from their event type.
    #[serde(rename = "member_id")]
    member: Option<String>,
    /// Are busy times read there and written there? Without, the provider's bookings take nobody's time here, and ours close no time there.
    #[schema(default = true)]
    sync_availability: bool,
    /// Several rules, of which the one with the highest priority that matches counts. What they say goes before what is above, which then
    /// is as the rules have it: `mode`, `auto_resolve`, `notify`, `buffer_minutes`, `max_advance_days`, `sync_availability`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<SyncRule>>,
}

/// A rule of several.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncRule {
    /// The caller's own name of it, unlike the other rules'.
    #[schema(max_length = 64)]
    id: String,
    /// For people.
    #[serde(default)]
    name: String,
    /// Whose changes it is about: `platform` (ours are told there), the provider's name (theirs are followed here), or `both`.
    #[serde(default)]
    #[schema(default = "both")]
    source_system: String,
    /// Of those that match, the highest counts; of equal ones the first.
    #[serde(default)]
    priority: i32,
    /// To which bookings of the provider it applies, and with what around them.
    #[serde(default)]
    conditions: RuleConditions,
    /// What it does.
    #[serde(default)]
    actions: RuleActions,
    /// Does it count at all?
    #[serde(default)]
    #[schema(default = true)]
    active: bool,
}

/// To which bookings of the provider a rule applies.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RuleConditions {
    /// Minutes that are kept free around bookings of the provider which are not ours.
    buffer_times: BufferTimes,
    /// Those that begin within so many days; none: 730.
    max_advance_booking: Option<u32>,
}

/// Minutes before and after.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BufferTimes {
    before: u32,
    after: u32,
}

/// What a rule does.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RuleActions {
    /// Are busy times read there and written there?
    #[schema(default = true)]
    sync_availability: bool,
    /// Are conflicts that have one obvious end resolved without a person?
    #[schema(default = true)]
    auto_resolve_conflicts: bool,
    /// Is every conflict written into the booking's timeline, also those that end by themselves?
    #[schema(default = true)]
    notify_admin: bool,
}

/// Which version counts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resolution {
    /// Ours: the provider is brought to it.
    Ours,
    /// Theirs: we follow.
    Theirs,
    /// Neither is changed.
    Ignored,
}
