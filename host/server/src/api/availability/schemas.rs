//! What OpenAPI says of rules of availability.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::catalog::schemas::WeeklyHours;

/// Local opening time, `HH:MM` to `HH:MM`; `24:00` is the end of the day.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stretch {
    /// Opens.
    #[schema(example = "09:00")]
    start: String,
    /// Closes, after `start`.
    #[schema(example = "17:00")]
    end: String,
}

/// Hours that recur: the weekly spelling (`weekdays`, `start`, `end`), or an RFC 5545 rule (`dtstart_local`, `rrule`, `duration_minutes`).
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pattern {
    /// Weekly: days it applies to.
    #[schema(example = json!(["Mon", "Wed"]))]
    weekdays: Vec<String>,
    /// Weekly: when it opens and closes.
    hours: Option<Stretch>,
    /// Weekly: first day; none for no first.
    #[schema(format = Date)]
    valid_from: Option<String>,
    /// Weekly: last day; none for no last.
    #[schema(format = Date)]
    valid_to: Option<String>,
    /// Recurring: first local time.
    #[schema(example = "2026-11-23T09:00:00")]
    dtstart_local: Option<String>,
    /// Recurring: the `RRULE`. Where clocks are set forward, a rule that is daily or coarser keeps the offset before it (02:30 is 03:30),
    /// and an hourly or minutely one leaves out what no clock shows, which `COUNT` does not count. What a clock shows twice comes once, the
    /// first time.
    #[schema(example = "FREQ=MONTHLY;BYDAY=1MO")]
    rrule: Option<String>,
    /// Recurring: how long each occurrence is open, in minutes.
    duration_minutes: Option<u32>,
    /// Recurring: local times that are left out.
    exdates_local: Vec<String>,
    /// Recurring: local times that are added.
    rdates_local: Vec<String>,
    /// Whose clock; the owner's if none.
    time_zone: Option<String>,
}

/// Hours of one day.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    /// The civil day.
    #[schema(format = Date, example = "2026-12-24")]
    date: String,
    /// When it is open instead; none: closed.
    #[serde(default)]
    intervals: Vec<Stretch>,
}

/// Days on which a listing is closed, from midnight to midnight on its own clock, wherever its members are.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Holiday {
    /// Name for people.
    name: String,
    /// First day.
    #[schema(format = Date, example = "2026-12-25")]
    date: String,
    /// Last day; the first if none.
    #[serde(default)]
    #[schema(format = Date)]
    last_date: Option<String>,
}

/// A stretch of time in which a member cannot be booked.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutOfOffice {
    /// From here.
    #[schema(format = DateTime, example = "2026-12-24T12:00:00Z")]
    start: String,
    /// To here.
    #[schema(format = DateTime, example = "2027-01-02T00:00:00Z")]
    end: String,
    /// For people; never shown to customers.
    #[serde(default)]
    reason: Option<String>,
}

/// Days on which a member keeps the same hours on another clock.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TravelRule {
    /// First day.
    #[schema(format = Date, example = "2026-12-01")]
    from: String,
    /// Last day; none for an open end.
    #[serde(default)]
    #[schema(format = Date)]
    to: Option<String>,
    /// The other clock.
    #[schema(example = "Asia/Tokyo")]
    time_zone: String,
}

/// Hours that cut everyone's hours.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestrictionSchedule {
    /// Name for people.
    name: String,
    /// Whose clock.
    #[schema(example = "Europe/Lisbon")]
    time_zone: String,
    /// Hours of each week.
    #[serde(default)]
    weekly_hours: Vec<WeeklyHours>,
    /// Days that differ.
    #[serde(default)]
    overrides: Vec<Override>,
}
