//! Named schedules: hours that members, event types and a tenant's opening share.
//!
//! A member's schedule stands in place of their weekly hours; that of an event type, and the tenant's opening hours, only take away.

use serde::{Deserialize, Serialize};

use super::{
    day::Override,
    windows::{DateOverride, OpenHours},
};
use crate::{
    budget::{Budget, Exhausted},
    catalog::member::WeeklyHours,
    intervals::{intersection, merged},
    limits,
    time::Interval,
    validate::Fields,
    zone::Zone,
};

/// Hours with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Name for people.
    pub name: String,
    /// Whose clock; none: each one's own. That is the member's, and for opening hours the listing's.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// Hours of each week; none: open on the days of `overrides` alone.
    #[serde(default)]
    pub weekly_hours: Vec<WeeklyHours>,
    /// Days that differ.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// What a schedule opens for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// With everything.
    pub windows: Vec<Interval>,
    /// Without the days that differ.
    pub regular: Vec<Interval>,
}

impl Schedule {
    /// Note what is not acceptable.
    pub(super) fn check(&self, fields: &mut Fields) {
        check_hours(fields, &self.name, &self.weekly_hours, &self.overrides);
    }

    /// Its hours, on this clock unless it names one.
    #[must_use]
    pub fn hours(&self, own: Zone) -> OpenHours {
        let days = self.overrides.iter().map(Override::day).collect();
        let zone = self.time_zone.unwrap_or(own);
        OpenHours { overrides: days, ..OpenHours::weekly(zone, self.weekly_hours.clone()) }
    }

    /// What it opens for somebody who keeps it, and has days and journeys of their own: a day of their own replaces that of the schedule, and
    /// the schedule goes on a journey with them unless it names a clock.
    ///
    /// # Errors
    /// It takes days × rules of the budget.
    pub fn kept(&self, own: &OpenHours, seen: Interval, budget: &Budget) -> Result<Kept, Exhausted> {
        let usual = self.hours(own.zone);
        let travel = if self.time_zone.is_none() { own.travel.clone() } else { Vec::new() };
        let closed = own.overrides.iter().map(|day| day.date).collect();
        let usual = OpenHours { closed, travel, ..usual };
        let days = OpenHours { weekly: Vec::new(), ..own.clone() };
        let mut windows = usual.windows(seen, budget)?;
        windows.extend(days.windows(seen, budget)?);
        Ok(Kept { windows: merged(windows), regular: usual.regular().windows(seen, budget)? })
    }
}

/// What is left of these windows within each of those bounds: never more than any of them.
#[must_use]
pub fn bounded<'a>(windows: &[Interval], bounds: impl IntoIterator<Item = &'a [Interval]>) -> Vec<Interval> {
    bounds.into_iter().fold(windows.to_vec(), |left, bound| intersection(&left, bound))
}

/// Note what is not acceptable in hours with a name.
pub(super) fn check_hours(
    fields: &mut Fields,
    name: &str,
    weekly_hours: &[WeeklyHours],
    overrides: &[Override],
) {
    fields.text("/name", name, 200);
    fields.count("/weekly_hours", weekly_hours.len(), 0, limits::HOURS_RULES_MAX);
    for (i, hours) in weekly_hours.iter().enumerate() {
        if hours.weekdays.is_empty() {
            fields.bad(&format!("/weekly_hours/{i}/weekdays"), "must name at least one day");
        }
        if hours.end.is_some_and(|end| end <= hours.start) {
            fields.bad(&format!("/weekly_hours/{i}/end"), "must be after start; 24:00 is the end of the day");
        }
    }
    fields.count("/overrides", overrides.len(), 0, limits::HOURS_RULES_MAX);
    for (i, day) in overrides.iter().enumerate() {
        day.check(fields, &format!("/overrides/{i}"));
    }
}

/// The days of these, for the core.
#[must_use]
pub fn days(overrides: &[Override]) -> Vec<DateOverride> {
    overrides.iter().map(Override::day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduling::windows::Travel;

    fn schedule(value: serde_json::Value) -> Schedule {
        serde_json::from_value(value).unwrap()
    }

    fn week() -> Interval {
        // Monday to Saturday.
        Interval::new("2026-11-30T00:00:00Z".parse().unwrap(), "2026-12-05T00:00:00Z".parse().unwrap())
            .unwrap()
    }

    fn own(zone: &str) -> OpenHours {
        OpenHours::weekly(zone.parse().unwrap(), Vec::new())
    }

    fn shown(windows: &[Interval]) -> Vec<String> {
        windows.iter().map(|w| format!("{} {}", w.start(), w.end())).collect()
    }

    #[test]
    fn hours_are_on_the_clock_of_whoever_keeps_them_unless_the_schedule_names_one() {
        let hours = serde_json::json!([{ "weekdays": ["Tue"], "start": "09:00", "end": "10:00" }]);
        let each = schedule(serde_json::json!({ "name": "Early", "weekly_hours": hours }));
        let kept = |schedule: &Schedule, own: &OpenHours| {
            shown(&schedule.kept(own, week(), &Budget::of(1_000)).unwrap().windows)
        };
        assert_eq!(kept(&each, &own("Asia/Tokyo")), ["2026-12-01T00:00:00Z 2026-12-01T01:00:00Z"]);
        assert_eq!(kept(&each, &own("UTC")), ["2026-12-01T09:00:00Z 2026-12-01T10:00:00Z"]);
        let lisbon = Schedule { time_zone: "Europe/Lisbon".parse().ok(), ..each.clone() };
        assert_eq!(kept(&lisbon, &own("Asia/Tokyo")), ["2026-12-01T09:00:00Z 2026-12-01T10:00:00Z"]);
        // On a journey the clock of the journey counts, but for a schedule with a clock.
        let date = "2026-12-01".parse().unwrap();
        let away = OpenHours {
            travel: vec![Travel { from: date, to: Some(date), zone: "America/New_York".parse().unwrap() }],
            ..own("UTC")
        };
        assert_eq!(kept(&each, &away), ["2026-12-01T14:00:00Z 2026-12-01T15:00:00Z"]);
        assert_eq!(kept(&lisbon, &away), ["2026-12-01T09:00:00Z 2026-12-01T10:00:00Z"]);
    }

    #[test]
    fn a_day_of_ones_own_replaces_that_of_the_schedule() {
        let shared = schedule(serde_json::json!({
            "name": "Shop", "weekly_hours": [{ "weekdays": ["Tue", "Wed"], "start": "09:00", "end": "12:00" }],
            "overrides": [{ "date": "2026-12-01", "intervals": [{ "start": "10:00", "end": "11:00" }] },
                { "date": "2026-12-02" }],
        }));
        let kept = shared.kept(&own("UTC"), week(), &Budget::of(1_000)).unwrap();
        assert_eq!(shown(&kept.windows), ["2026-12-01T10:00:00Z 2026-12-01T11:00:00Z"]);
        assert_eq!(kept.regular.len(), 2, "without the days that differ");
        let day: Override = serde_json::from_value(
            serde_json::json!({ "date": "2026-12-01", "intervals": [{ "start": "20:00", "end": "21:00" }] }),
        )
        .unwrap();
        let mine = OpenHours { overrides: days(&[day]), ..own("UTC") };
        let kept = shared.kept(&mine, week(), &Budget::of(1_000)).unwrap();
        assert_eq!(shown(&kept.windows), ["2026-12-01T20:00:00Z 2026-12-01T21:00:00Z"]);
    }
}
