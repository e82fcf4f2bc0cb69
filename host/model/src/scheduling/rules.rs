//! The vocabulary of scheduling rules: the same words in the stateless form, in an event type and in the core.

use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::zone::Zone;

/// Who must be free for a start to be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamMode {
    /// Each member by themselves; the customer or the strategy picks one.
    #[default]
    Single,
    /// Everyone, for the whole meeting.
    Collective,
    /// One person, plus all fixed ones, plus one of each group.
    RoundRobin,
}

/// How the one person of a round robin is chosen. The exact rules are in [`super::choose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Whoever was given a booking the longest time ago.
    LeastRecentlyAssigned,
    /// Whoever has the fewest bookings ahead.
    #[default]
    FewestUpcoming,
    /// The highest priority; then the least recently assigned.
    PriorityThenLru,
    /// Whoever is furthest below their weighted share; then priority; then the least recently assigned.
    WeightedShortfallThenPriorityThenLru,
}

/// Where the grid of starts begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridAnchor {
    /// It restarts after each busy time.
    FreeWindowStart,
    /// It runs from opening time whatever is booked.
    #[default]
    AvailabilityWindowStart,
    /// It runs from the start of the range that is asked for.
    RangeStart,
}

/// A civil period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Period {
    Day,
    Week,
    Month,
    Year,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// At most so many bookings.
    MaxBookings(u32),
    /// At most so many minutes of meetings.
    MaxMinutes(u32),
}

/// At most so much in each civil period. On the wire: `per`, one of `max_bookings` and `max_minutes`, `timezone`, `week_start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WireLimit", into = "WireLimit")]
pub struct Limit {
    /// The period.
    pub per: Period,
    /// What is counted, and the most of it.
    pub most: Quantity,
    /// Whose civil periods count; the host's own clock if none.
    pub timezone: Option<Zone>,
    /// First day of a week.
    pub week_start: Weekday,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
/// At most so much in each civil period: one of `max_bookings` and `max_minutes`.
struct WireLimit {
    per: Period,
    /// At most so many bookings, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_bookings: Option<u32>,
    /// At most so many minutes of meetings, as many as the shortest length or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_minutes: Option<u32>,
    /// Whose civil periods count; the member's own clock if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timezone: Option<Zone>,
    /// First day of a week (`Mon`).
    #[serde(default = "monday")]
    week_start: Weekday,
}

impl Period {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

impl TryFrom<WireLimit> for Limit {
    type Error = &'static str;
    fn try_from(wire: WireLimit) -> Result<Self, Self::Error> {
        let most = match (wire.max_bookings, wire.max_minutes) {
            (Some(bookings), None) => Quantity::MaxBookings(bookings),
            (None, Some(minutes)) => Quantity::MaxMinutes(minutes),
            _ => return Err("a limit has one of max_bookings and max_minutes"),
        };
        Ok(Self { per: wire.per, most, timezone: wire.timezone, week_start: wire.week_start })
    }
}

impl From<Limit> for WireLimit {
    fn from(limit: Limit) -> Self {
        let (max_bookings, max_minutes) = match limit.most {
            Quantity::MaxBookings(bookings) => (Some(bookings), None),
            Quantity::MaxMinutes(minutes) => (None, Some(minutes)),
        };
        Self {
            per: limit.per,
            max_bookings,
            max_minutes,
            timezone: limit.timezone,
            week_start: limit.week_start,
        }
    }
}

const fn monday() -> Weekday {
    Weekday::Mon
}

/// Which days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// Every day.
    #[default]
    Calendar,
    /// Monday to Friday.
    Business,
}

/// How far ahead something can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum BookingWindow {
    /// Today and so many days after it.
    Rolling {
        /// How many.
        days: u32,
        /// Of which.
        #[serde(default)]
        count: DayCount,
        /// Whose days; the host's own clock if none.
        #[serde(default)]
        timezone: Option<Zone>,
    },
    /// The first so many days that have something free, today included.
    RollingWindow {
        /// How many.
        days: u32,
        /// Of which.
        #[serde(default)]
        count: DayCount,
        /// Whose days; the host's own clock if none.
        #[serde(default)]
        timezone: Option<Zone>,
    },
    /// These days, both included.
    Range {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
        /// Whose days; the host's own clock if none.
        #[serde(default)]
        timezone: Option<Zone>,
    },
}
