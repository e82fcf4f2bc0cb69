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
#[cfg(test)]
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

/// A pattern to be made, written in one of two ways. As people say it: `pattern`, `days_of_week`, `start_time`, `end_time`, `start_date`, `end_date`. Or in
/// the members that it has when it is shown: `weekdays`, `hours`, `valid_from`, `valid_to`, or `dtstart_local`, `rrule` and `duration_minutes`.
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({
    "event_type_id": "0193b3f0-0000-7000-8000-000000000001", "pattern": "weekly", "days_of_week": [1, 3, 5], "start_time": "09:00",
    "end_time": "17:00", "start_date": "2027-01-01", "end_date": "9999-12-31",
}))]
pub(crate) struct PatternBody {
    /// `weekly` (on `days_of_week`), `daily`, `monthly` (on the day of the month of `start_date`; months without it are left out) or `custom` (by `rrule`).
    #[schema(value_type = Option<PatternKind>)]
    pattern: Option<String>,
    /// Of `weekly`: numbers, where 1 is Monday, and 0 and 7 are Sunday; or names (`Mon`).
    #[schema(value_type = Option<Vec<DayOfWeek>>)]
    days_of_week: Option<Vec<u8>>,
    /// When it opens.
    #[schema(example = "09:00")]
    start_time: Option<String>,
    /// When it closes, after `start_time`; `24:00` is the end of the day.
    #[schema(example = "17:00")]
    end_time: Option<String>,
    /// First day; absent: no first. Needed by `monthly` and `custom`.
    #[schema(format = Date)]
    start_date: Option<String>,
    /// Last day; absent or `9999-12-31`: no last.
    #[schema(format = Date)]
    end_date: Option<String>,
    /// Weekly: days it applies to.
    #[schema(example = json!(["Mon", "Wed"]))]
    weekdays: Option<Vec<String>>,
    /// Weekly: when it opens and closes.
    hours: Option<Stretch>,
    /// Weekly: first day; none for no first.
    #[schema(format = Date)]
    valid_from: Option<String>,
    /// Weekly: last day; absent or `9999-12-31`: no last.
    #[schema(format = Date)]
    valid_to: Option<String>,
    /// Recurring: first local time.
    #[schema(example = "2026-11-23T09:00:00")]
    dtstart_local: Option<String>,
    /// Recurring: the `RRULE`.
    #[schema(example = "FREQ=MONTHLY;BYDAY=1MO")]
    rrule: Option<String>,
    /// Recurring: how long each occurrence is open, in minutes.
    duration_minutes: Option<u32>,
    /// Recurring: local times that are left out.
    exdates_local: Option<Vec<String>>,
    /// Recurring: local times that are added.
    rdates_local: Option<Vec<String>>,
    /// Whose clock; the owner's if none.
    time_zone: Option<String>,
}

/// How a pattern recurs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by the derive alone")]
pub(crate) enum PatternKind {
    Weekly,
    Daily,
    Monthly,
    Custom,
}

/// A day of the week: 1 is Monday, 0 and 7 are Sunday; or its name.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the derive alone")]
pub(crate) enum DayOfWeek {
    Number(u8),
    Name(String),
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
    /// Last day; the first if none. `9999-12-31` is the last day that is known, 2199-12-31.
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
    /// Last day; none (or `9999-12-31`) for an open end.
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

/// Hours with a name, which members, event types and the tenant's opening hours share.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    /// Name for people, 1 to 200 characters.
    #[schema(example = "Evenings")]
    name: String,
    /// Whose clock; null: each one's own. That is the member's, and for opening hours the listing's.
    #[serde(default)]
    #[schema(example = "Europe/Lisbon")]
    time_zone: Option<String>,
    /// Hours of each week, at most 1,000 stretches; none: open on the days of `overrides` alone.
    #[serde(default)]
    weekly_hours: Vec<WeeklyHours>,
    /// Days that differ, at most 1,000; no intervals close one.
    #[serde(default)]
    overrides: Vec<Override>,
}
