//! Open hours: from rules on wall clocks to windows on the time line.
//!
//! A local time that does not exist takes the offset before the gap; one that exists twice is its first occurrence; a civil day
//! that a zone skipped has no window (SCHEDULING rule 2; see [`crate::scheduling::hours`]).

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, Days, NaiveDate, NaiveTime};

use super::hours::{civil_day, day_start, has_day, instant_of};
use crate::{
    budget::{Budget, Exhausted},
    catalog::member::WeeklyHours,
    intervals::merged,
    time::Interval,
    zone::Zone,
};

/// A stretch of local time on some day; no end is the end of the day (`24:00`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalStretch {
    /// Local time it begins.
    pub start: NaiveTime,
    /// Local time it ends, after `start`.
    pub end: Option<NaiveTime>,
}

/// What replaces the weekly hours of one day; nothing closes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateOverride {
    /// The civil day.
    pub date: NaiveDate,
    /// When it is open instead.
    pub intervals: Vec<LocalStretch>,
}

/// Days on which the same hours run on another clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Travel {
    /// First day.
    pub from: NaiveDate,
    /// Last day; none for an open end.
    pub to: Option<NaiveDate>,
    /// The other clock.
    pub zone: Zone,
}

/// When somebody is open, as rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHours {
    /// Whose clock.
    pub zone: Zone,
    /// Hours of each week.
    pub weekly: Vec<WeeklyHours>,
    /// Days that differ. Several for one day add up.
    pub overrides: Vec<DateOverride>,
    /// Days that are closed whatever else says.
    pub closed: Vec<NaiveDate>,
    /// Days on another clock.
    pub travel: Vec<Travel>,
}

impl OpenHours {
    /// Weekly hours and nothing else.
    #[must_use]
    pub const fn weekly(zone: Zone, weekly: Vec<WeeklyHours>) -> Self {
        Self { zone, weekly, overrides: Vec::new(), closed: Vec::new(), travel: Vec::new() }
    }

    /// The same without the days that differ: what is regularly open.
    #[must_use]
    pub fn regular(&self) -> Self {
        Self { overrides: Vec::new(), closed: Vec::new(), ..self.clone() }
    }

    fn zone_on(&self, date: NaiveDate) -> Zone {
        let away = self.travel.iter().find(|t| t.from <= date && t.to.is_none_or(|to| date <= to));
        away.map_or(self.zone, |t| t.zone)
    }

    /// Open windows within `range`: sorted, touching ones joined (also across midnight), clipped to the range.
    ///
    /// # Errors
    /// Each rule that is looked at for a day is a step of the budget.
    pub fn windows(&self, range: Interval, budget: &Budget) -> Result<Vec<Interval>, Exhausted> {
        let each_day = self.weekly.len().saturating_add(self.travel.len()).saturating_add(1);
        budget.spend_each(self.overrides.len().saturating_add(self.closed.len()))?;
        // A day early and late: another clock may show another date, by up to 26 hours.
        let two = Days::new(2);
        let mut day = civil_day(self.zone, range.start()).checked_sub_days(two);
        let last = civil_day(self.zone, range.end()).checked_add_days(two);
        let mut windows = Vec::new();
        let near =
            |date: NaiveDate| day.is_some_and(|first| first <= date) && last.is_some_and(|last| date <= last);
        let closed: HashSet<NaiveDate> = self.closed.iter().copied().filter(|date| near(*date)).collect();
        let mut replaced: HashMap<NaiveDate, Vec<LocalStretch>> = HashMap::new();
        for instead in self.overrides.iter().filter(|instead| near(instead.date)) {
            replaced.entry(instead.date).or_default().extend_from_slice(&instead.intervals);
        }
        while let Some(date) = day.filter(|d| last.is_some_and(|last| *d <= last)) {
            budget.spend_each(each_day)?;
            day = date.checked_add_days(Days::new(1));
            let zone = self.zone_on(date);
            if closed.contains(&date) || !has_day(zone, date) {
                continue;
            }
            let mut open = |stretch: LocalStretch| {
                let start = instant_of(zone, date.and_time(stretch.start));
                let end = match (stretch.end, day) {
                    (Some(end), _) => instant_of(zone, date.and_time(end)),
                    (None, Some(next)) => day_start(zone, next),
                    (None, None) => return,
                };
                // Inverted by a clock change: no length is left.
                if let Ok(window) = Interval::new(start, end) {
                    windows.extend(window.intersection(range));
                }
            };
            if let Some(instead) = replaced.get(&date) {
                budget.spend_each(instead.len())?;
                instead.iter().copied().for_each(&mut open);
            } else {
                for rule in self.weekly.iter().filter(|rule| rule.weekdays.contains(&date.weekday())) {
                    open(LocalStretch { start: rule.start, end: rule.end });
                }
            }
        }
        Ok(merged(windows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Weekday;

    fn windows(zone: &str, start: &str, end: &str, range: (&str, &str)) -> Vec<String> {
        let time = |t: &str| NaiveTime::parse_from_str(t, "%H:%M").unwrap();
        let days = [0, 1, 2, 3, 4, 5, 6].map(|d| Weekday::try_from(d).unwrap());
        let rule = WeeklyHours {
            weekdays: days.to_vec(),
            start: time(start),
            end: (end != "24:00").then(|| time(end)),
        };
        let range = Interval::new(range.0.parse().unwrap(), range.1.parse().unwrap()).unwrap();
        OpenHours::weekly(zone.parse().unwrap(), vec![rule])
            .windows(range, &Budget::of(1_000))
            .unwrap()
            .into_iter()
            .map(|w| format!("{} {}", w.start(), w.end()))
            .collect()
    }

    #[test]
    fn hours_keep_their_wall_clock_over_a_clock_change() {
        let got =
            windows("Europe/Lisbon", "09:00", "13:00", ("2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"));
        assert_eq!(
            got,
            ["2026-10-24T08:00:00Z 2026-10-24T12:00:00Z", "2026-10-25T09:00:00Z 2026-10-25T13:00:00Z"]
        );
    }

    #[test]
    fn a_gap_takes_the_offset_before_it_and_a_fold_its_first_pass() {
        // Berlin 2026-03-29: 02:00 to 03:00 does not exist. 2026-10-25: 02:00 to 03:00 exists twice.
        let spring =
            windows("Europe/Berlin", "02:30", "05:00", ("2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"));
        assert_eq!(spring, ["2026-03-29T01:30:00Z 2026-03-29T03:00:00Z"]);
        let autumn =
            windows("Europe/Berlin", "02:30", "05:00", ("2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"));
        assert_eq!(autumn, ["2026-10-25T00:30:00Z 2026-10-25T04:00:00Z"]);
        // Lord Howe moves by half an hour.
        let lord_howe = windows(
            "Australia/Lord_Howe",
            "02:15",
            "04:00",
            ("2026-10-03T12:00:00Z", "2026-10-03T20:00:00Z"),
        );
        assert_eq!(lord_howe, ["2026-10-03T15:45:00Z 2026-10-03T17:00:00Z"]);
    }

    #[test]
    fn odd_offsets_and_skipped_days() {
        let nepal =
            windows("Asia/Kathmandu", "09:00", "10:00", ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"));
        assert_eq!(nepal, ["2026-01-05T03:15:00Z 2026-01-05T04:15:00Z"]);
        let samoa =
            windows("Pacific/Apia", "09:00", "10:00", ("2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z"));
        assert_eq!(
            samoa,
            [
                "2011-12-29T19:00:00Z 2011-12-29T20:00:00Z",
                "2011-12-30T19:00:00Z 2011-12-30T20:00:00Z",
                "2011-12-31T19:00:00Z 2011-12-31T20:00:00Z"
            ]
        );
    }

    #[test]
    fn days_that_are_open_round_the_clock_are_one_window() {
        let got = windows("UTC", "00:00", "24:00", ("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z"));
        assert_eq!(got, ["2026-01-05T00:00:00Z 2026-01-08T00:00:00Z"]);
    }
}
