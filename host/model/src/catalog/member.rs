//! Members: the people (or rooms) whose time is booked.

use chrono::{NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::{
    id::{MemberId, ScheduleId, TenantId},
    limits::{CALIBRATION_MAX, PRIORITY_MAX, WEEKLY_HOURS_MAX, WEIGHT_MAX},
    problem::Problem,
    time::Instant,
    validate::Fields,
    zone::Zone,
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

/// What a person may do in their tenant when they sign in. A tenant that has an owner keeps one. API keys act for the tenant and
/// not for a person: they carry scopes, and no role adds to or takes from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Everything, the tenant itself included.
    Owner,
    /// Everything but owners.
    Admin,
    /// Their own hours and bookings.
    #[default]
    Member,
    /// Look only.
    Viewer,
}

impl MemberRole {
    /// All roles.
    pub const ALL: &[Self] = &[Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// Its name on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }
}

/// A member's part in round robins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoundRobinShare {
    /// Do they take turns? If not, they are booked there only by name.
    pub round_robin: bool,
    /// Their share, relative to the others': 0 to 1000.
    pub weight: u32,
    /// Who goes first among equals: 0 (lowest) to 4 (highest).
    pub priority: u32,
    /// Bookings credited to them, so that a newcomer or someone back from leave is not flooded.
    pub calibration: u32,
}

impl Default for RoundRobinShare {
    fn default() -> Self {
        Self { round_robin: true, weight: 100, priority: 2, calibration: 0 }
    }
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
    /// The tenant's own id of them, no other member's.
    pub user_id: Option<String>,
    /// The clock of their hours.
    pub time_zone: Zone,
    /// The named schedule that stands in place of their weekly hours.
    pub schedule: Option<ScheduleId>,
    /// When they can be booked, unless they keep a schedule.
    pub weekly_hours: Vec<WeeklyHours>,
    /// What they may do.
    pub role: MemberRole,
    /// Their part in round robins.
    pub turns: RoundRobinShare,
    /// Can they be booked?
    pub active: bool,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When they were added.
    pub created_at: Instant,
    /// When they last changed.
    pub updated_at: Instant,
}

impl MemberRecord {
    /// Refuse what is not acceptable: all problems at once, each with its field.
    pub fn check(&self) -> Result<(), Problem> {
        let mut fields = Fields::default();
        fields.text("/name", &self.name, 200);
        if let Some(email) = &self.email {
            fields.email("/email", email);
        }
        if let Some(user_id) = &self.user_id {
            fields.text("/user_id", user_id, 200);
        }
        fields.range("/turns/weight", self.turns.weight, 0, WEIGHT_MAX);
        fields.range("/turns/priority", self.turns.priority, 0, PRIORITY_MAX);
        fields.range("/turns/calibration", self.turns.calibration, 0, CALIBRATION_MAX);
        fields.count("/weekly_hours", self.weekly_hours.len(), 0, WEEKLY_HOURS_MAX);
        for (i, hours) in self.weekly_hours.iter().enumerate() {
            if hours.weekdays.is_empty() {
                fields.bad(
                    &format!("/weekly_hours/{i}/weekdays"),
                    "must be at least one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
                );
            }
            if hours.end.is_some_and(|end| end <= hours.start) {
                fields.bad(
                    &format!("/weekly_hours/{i}/end"),
                    "must be after start; 24:00 is the end of the day",
                );
            }
        }
        fields.finish()
    }

    /// Can they act as an owner?
    #[must_use]
    pub fn is_acting_owner(&self) -> bool {
        self.active && self.role == MemberRole::Owner
    }
}

pub(crate) mod clock_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        parse(&String::deserialize(deserializer)?)
            .ok_or_else(|| de::Error::custom("not a time such as 09:30"))
    }

    pub(crate) fn parse(text: &str) -> Option<NaiveTime> {
        (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten()
    }
}

pub(crate) mod closing_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<NaiveTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&time.format("%H:%M")),
            None => serializer.serialize_str("24:00"),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
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
