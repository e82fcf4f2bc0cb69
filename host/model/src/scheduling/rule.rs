//! Availability rules besides weekly hours: patterns, overrides, holidays, time off, travel, restriction schedules.
//!
//! Each rule belongs to a member, a listing or an event type. What belongs to a member opens and closes their own hours; what
//! belongs to a listing or an event type cuts the hours of everyone who is booked there.

mod written;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

pub use super::day::{Override, Stretch};
pub use written::{Written, written};

use super::{
    hours::civil_day,
    recurrence::Recurrence,
    schedule::{Schedule, check_hours},
};
use crate::{
    bookings::lists::Bound,
    calendars::ics::Origin,
    catalog::member::WeeklyHours,
    id::{EventTypeId, ListingId, MemberId, RuleId, TenantId},
    limits,
    time::{Instant, Interval},
    validate::Fields,
    zone::Zone,
};

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRecord {
    /// Its id.
    pub id: RuleId,
    /// Whose.
    pub tenant: TenantId,
    /// Whom it bears on; none for schedules, which others name.
    pub owner: Option<RuleOwner>,
    /// What it says.
    pub rule: Rule,
    /// The event of a calendar that it was made from.
    pub origin: Option<Origin>,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// Whom a rule bears on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleOwner {
    /// One member, wherever they are booked.
    Member(MemberId),
    /// Everyone who is booked on a listing.
    Listing(ListingId),
    /// Everyone who is booked for an event type.
    EventType(EventTypeId),
}

/// What a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "see Rule")]
pub enum RuleKind {
    Pattern,
    Override,
    Holiday,
    OutOfOffice,
    Travel,
    RestrictionSchedule,
    Schedule,
}

impl RuleKind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Pattern,
        Self::Override,
        Self::Holiday,
        Self::OutOfOffice,
        Self::Travel,
        Self::RestrictionSchedule,
        Self::Schedule,
    ];

    /// How many one member, listing or event type may have; of schedules, one tenant.
    #[must_use]
    pub const fn most_of_one(self) -> i64 {
        match self {
            Self::Pattern => limits::PATTERNS_OF_ONE_MAX,
            Self::Override | Self::Holiday | Self::OutOfOffice => limits::DAYS_OF_ONE_MAX,
            Self::Travel => limits::JOURNEYS_OF_ONE_MAX,
            Self::RestrictionSchedule => limits::RESTRICTION_SCHEDULES_MAX,
            Self::Schedule => limits::SCHEDULES_MAX,
        }
    }

    /// Its name in the store and in audit rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::Override => "override",
            Self::Holiday => "holiday",
            Self::OutOfOffice => "out_of_office",
            Self::Travel => "travel",
            Self::RestrictionSchedule => "restriction_schedule",
            Self::Schedule => "schedule",
        }
    }
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rule {
    /// Hours that recur.
    Pattern(Pattern),
    /// Hours of one day that replace the usual ones; none close it.
    Override(Override),
    /// Days of a listing's clock on which it is closed, but for the hours of a member's override.
    Holiday(Holiday),
    /// A stretch of time in which a member cannot be booked.
    OutOfOffice(OutOfOffice),
    /// Days on which a member keeps the same hours on another clock.
    Travel(TravelRule),
    /// Hours that cut everyone's hours, for event types that name it.
    RestrictionSchedule(RestrictionSchedule),
    /// Hours that members, event types and the tenant name.
    Schedule(Schedule),
}

/// Hours that recur: the weekly spelling (`weekdays`, `start`, `end`), or an RFC 5545 rule (`dtstart_local`, `rrule`, `duration_minutes`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pattern {
    /// Weekly: days it applies to.
    pub weekdays: Vec<Weekday>,
    /// Weekly: when it opens and closes.
    pub hours: Option<Stretch>,
    /// Weekly: first day; none for no first.
    pub valid_from: Option<NaiveDate>,
    /// Weekly: last day; none for no last.
    #[serde(deserialize_with = "written::open_end")]
    pub valid_to: Option<NaiveDate>,
    /// Recurring: first local time.
    pub dtstart_local: Option<NaiveDateTime>,
    /// Recurring: the `RRULE`. Where clocks are set forward, a rule that is daily or coarser keeps the offset before it (02:30 is 03:30),
    /// and an hourly or minutely one leaves out what no clock shows, which `COUNT` does not count. What a clock shows twice comes once, the
    /// first time.
    pub rrule: Option<String>,
    /// Recurring: how long each occurrence is open, in minutes.
    pub duration_minutes: Option<u32>,
    /// Recurring: local times that are left out.
    pub exdates_local: Vec<NaiveDateTime>,
    /// Recurring: local times that are added.
    pub rdates_local: Vec<NaiveDateTime>,
    /// Whose clock; the owner's if none.
    pub time_zone: Option<Zone>,
}

/// Days on which a listing is closed, from midnight to midnight on its own clock, wherever its members are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Name for people.
    pub name: String,
    /// First day.
    pub date: NaiveDate,
    /// Last day; the first if none.
    #[serde(default, deserialize_with = "written::far_end")]
    pub last_date: Option<NaiveDate>,
}

/// A stretch of time in which a member cannot be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutOfOffice {
    /// From here.
    pub start: Instant,
    /// To here.
    pub end: Instant,
    /// For people; never shown to customers.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Days on which a member keeps the same hours on another clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TravelRule {
    /// First day.
    pub from: NaiveDate,
    /// Last day; none for an open end.
    #[serde(default, deserialize_with = "written::open_end")]
    pub to: Option<NaiveDate>,
    /// The other clock.
    pub time_zone: Zone,
}

/// Hours that cut everyone's hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestrictionSchedule {
    /// Name for people.
    pub name: String,
    /// Whose clock.
    pub time_zone: Zone,
    /// Hours of each week.
    #[serde(default)]
    pub weekly_hours: Vec<WeeklyHours>,
    /// Days that differ.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// Rules that bear on some days: whose reach ends after the one and begins before the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaching {
    /// See [`Rule::reach`].
    pub ends_after: Instant,
    /// See [`Rule::reach`].
    pub starts_before: Instant,
}

/// How far the reach of a civil day goes beyond it in UTC, in minutes: clocks show a day up to so much earlier and later.
const DAY_AROUND_MINUTES: i64 = 1_560;

/// The first instant of a civil day in UTC.
fn utc_day(day: NaiveDate) -> Instant {
    Instant::from_chrono(day.and_time(NaiveTime::MIN).and_utc())
}

impl RuleKind {
    /// Those of this kind that bear on the time from one bound to another (a day is in it to its end), by days of this zone. Rules that
    /// name days are compared by their dates, whatever their clock.
    #[must_use]
    pub fn reaching(self, from: Option<Bound>, to: Option<Bound>, zone: Zone) -> Reaching {
        if self == Self::OutOfOffice {
            let ends_after = from.map_or(Instant::MIN, |from| from.begins(zone));
            return Reaching { ends_after, starts_before: to.map_or(Instant::MAX, |to| to.ends(zone)) };
        }
        let date = |bound: Bound| match bound {
            Bound::On(date) => date,
            Bound::At(at) => civil_day(zone, at),
        };
        // What `reach` gives a rule that ends on the first day, and one that begins on the last; these are in.
        let ends = |day| utc_day(day).plus_minutes(1_440 + DAY_AROUND_MINUTES);
        let starts = |day| utc_day(day).plus_minutes(-DAY_AROUND_MINUTES);
        Reaching {
            ends_after: from.map_or(Instant::MIN, |from| ends(date(from)).plus_micros(-1)),
            starts_before: to.map_or(Instant::MAX, |to| starts(date(to)).plus_micros(1)),
        }
    }
}

impl Rule {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> RuleKind {
        match self {
            Self::Pattern(_) => RuleKind::Pattern,
            Self::Override(_) => RuleKind::Override,
            Self::Holiday(_) => RuleKind::Holiday,
            Self::OutOfOffice(_) => RuleKind::OutOfOffice,
            Self::Travel(_) => RuleKind::Travel,
            Self::RestrictionSchedule(_) => RuleKind::RestrictionSchedule,
            Self::Schedule(_) => RuleKind::Schedule,
        }
    }

    /// The stretch of time that it can bear on, whatever the clock: civil days are widened by a day and more on both sides.
    #[must_use]
    pub fn reach(&self) -> Interval {
        let days = |first: Option<NaiveDate>, last: Option<NaiveDate>| {
            let from = first.map_or(Instant::MIN, |day| utc_day(day).plus_minutes(-DAY_AROUND_MINUTES));
            let to = last.map_or(Instant::MAX, |day| utc_day(day).plus_minutes(1_440 + DAY_AROUND_MINUTES));
            Interval::new(from, to).unwrap_or(Interval::of_minutes(from, 0))
        };
        match self {
            Self::Pattern(pattern) => days(pattern.valid_from, pattern.valid_to),
            Self::Override(day) => days(Some(day.date), Some(day.date)),
            Self::Holiday(holiday) => {
                days(Some(holiday.date), Some(holiday.last_date.unwrap_or(holiday.date)))
            }
            Self::OutOfOffice(away) => {
                Interval::new(away.start, away.end).unwrap_or(Interval::of_minutes(away.start, 0))
            }
            Self::Travel(travel) => days(Some(travel.from), travel.to),
            Self::RestrictionSchedule(_) | Self::Schedule(_) => days(None, None),
        }
    }

    /// How many days and stretches it lists: what it costs to keep and to look at.
    #[must_use]
    pub const fn parts(&self) -> usize {
        match self {
            Self::Pattern(pattern) => {
                1_usize.saturating_add(pattern.exdates_local.len()).saturating_add(pattern.rdates_local.len())
            }
            Self::Override(day) => 1_usize.saturating_add(day.intervals.len()),
            Self::Holiday(_) | Self::OutOfOffice(_) | Self::Travel(_) => 1,
            Self::RestrictionSchedule(schedule) => {
                1_usize.saturating_add(schedule.weekly_hours.len()).saturating_add(schedule.overrides.len())
            }
            Self::Schedule(schedule) => {
                1_usize.saturating_add(schedule.weekly_hours.len()).saturating_add(schedule.overrides.len())
            }
        }
    }

    /// Note what is not acceptable.
    pub fn check(&self, fields: &mut Fields) {
        match self {
            Self::Pattern(pattern) => pattern.check(fields),
            Self::Override(day) => day.check(fields, ""),
            Self::Holiday(holiday) => {
                fields.text("/name", &holiday.name, 200);
                fields.day("/date", holiday.date);
                if let Some(last) = holiday.last_date {
                    fields.day("/last_date", last);
                }
                if holiday.last_date.is_some_and(|last| last < holiday.date) {
                    fields.bad("/last_date", "must not be before date");
                }
            }
            Self::OutOfOffice(away) => {
                if away.end <= away.start {
                    fields.bad("/end", "must be after start");
                }
                if let Some(reason) = &away.reason {
                    fields.text("/reason", reason, 500);
                }
            }
            Self::Travel(travel) => {
                fields.day("/from", travel.from);
                if let Some(to) = travel.to {
                    fields.day("/to", to);
                }
                if travel.to.is_some_and(|to| to < travel.from) {
                    fields.bad("/to", "must not be before from");
                }
            }
            Self::RestrictionSchedule(schedule) => {
                check_hours(fields, &schedule.name, &schedule.weekly_hours, &schedule.overrides);
            }
            Self::Schedule(schedule) => schedule.check(fields),
        }
    }
}

impl Pattern {
    fn check(&self, fields: &mut Fields) {
        let (weekly, recurring) = (self.hours.is_some(), self.dtstart_local.is_some());
        if weekly == recurring {
            fields.bad(
                "/hours",
                "give either weekdays and hours, or dtstart_local, rrule and duration_minutes",
            );
            return;
        }
        if let Some(hours) = &self.hours {
            hours.check(fields, "/hours");
            if self.weekdays.is_empty() {
                fields.bad("/weekdays", "must name at least one of Mon, Tue, Wed, Thu, Fri, Sat, Sun");
            }
            for (field, day) in [("/valid_from", self.valid_from), ("/valid_to", self.valid_to)] {
                if let Some(day) = day {
                    fields.day(field, day);
                }
            }
            if self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| to < from) {
                fields.bad("/valid_to", "must not be before valid_from");
            }
        }
        fields.count("/exdates_local", self.exdates_local.len(), 0, limits::HOURS_RULES_MAX);
        fields.count("/rdates_local", self.rdates_local.len(), 0, limits::HOURS_RULES_MAX);
        if let Some(recurrence) = self.recurrence(Zone::UTC) {
            fields.range(
                "/duration_minutes",
                self.duration_minutes.unwrap_or(0),
                1,
                limits::FREE_MINUTES_MAX,
            );
            // Each question follows it anew, so one that never comes or is too dear is told now.
            if let Err(error) = recurrence.checked().and_then(|checked| checked.keepable()) {
                let field = match error.part.as_str() {
                    "DTSTART" => "/dtstart_local",
                    "EXDATE" => "/exdates_local",
                    "RDATE" => "/rdates_local",
                    _ => "/rrule",
                };
                fields.bad(field, error.to_string());
            }
        }
    }

    /// The recurring spelling.
    #[must_use]
    pub fn recurrence(&self, zone: Zone) -> Option<Recurrence> {
        Some(Recurrence {
            dtstart: self.dtstart_local?,
            zone: Some(self.time_zone.unwrap_or(zone)),
            rule: self.rrule.clone(),
            exdates: self.exdates_local.clone(),
            rdates: self.rdates_local.clone(),
        })
    }
}
