//! Members: the people (or rooms) whose time is booked.

use chrono::{NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::{
    id::{MemberId, TenantId},
    time::{Instant, Zone},
};

/// A stretch of opening time that recurs each week, on the member's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyHours {
    /// Days it applies to.
    pub weekdays: Vec<Weekday>,
    /// Local time it opens, `HH:MM`.
    #[serde(with = "clock_time")]
    pub start: NaiveTime,
    /// Local time it closes, after `start`; `24:00` (none) is the end of the day.
    #[serde(with = "closing_time")]
    pub end: Option<NaiveTime>,
}

/// A member of a tenant. One person in two listings is one member, so that they cannot be booked twice at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// Their id.
    pub id: MemberId,
    /// Whose.
    pub tenant: TenantId,
    /// Name for people.
    pub name: String,
    /// Mailbox, for invitations.
    pub email: Option<String>,
    /// The clock of their hours.
    pub time_zone: Zone,
    /// When they can be booked.
    pub weekly_hours: Vec<WeeklyHours>,
    /// Can they be booked?
    pub active: bool,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When they were added.
    pub created_at: Instant,
    /// When they last changed.
    pub updated_at: Instant,
}

mod clock_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        parse(&String::deserialize(deserializer)?)
            .ok_or_else(|| de::Error::custom("not a time such as 09:30"))
    }

    pub(super) fn parse(text: &str) -> Option<NaiveTime> {
        (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten()
    }
}

mod closing_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<NaiveTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&time.format("%H:%M")),
            None => serializer.serialize_str("24:00"),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveTime>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "24:00" {
            return Ok(None);
        }
        super::clock_time::parse(&text)
            .map(Some)
            .ok_or_else(|| de::Error::custom("not a time such as 17:00, or 24:00 for the end of the day"))
    }
}
