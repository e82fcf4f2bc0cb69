//! Open hours: from rules on wall clocks to windows on the time line.
//!
//! A local time that does not exist takes the offset before the gap; one that exists twice is its first occurrence; a civil day
//! that a zone skipped has no window (SCHEDULING rule 2; see [`crate::hours`]).

use chrono::{Datelike, Days, NaiveDate, NaiveTime};

use crate::{
    hours::{civil_day, day_start, has_day, instant_of},
    intervals::merged,
    member::WeeklyHours,
    time::{Interval, Zone},
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
    /// Cost: days of the range × rules.
    #[must_use]
    pub fn windows(&self, range: Interval) -> Vec<Interval> {
        // A day early and late: another clock may show another date, by up to 26 hours.
        let two = Days::new(2);
        let mut day = civil_day(self.zone, range.start()).checked_sub_days(two);
        let last = civil_day(self.zone, range.end()).checked_add_days(two);
        let mut windows = Vec::new();
        while let Some(date) = day.filter(|d| last.is_some_and(|last| *d <= last)) {
            day = date.checked_add_days(Days::new(1));
            let zone = self.zone_on(date);
            if self.closed.contains(&date) || !has_day(zone, date) {
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
            let mut replaced = false;
            for instead in self.overrides.iter().filter(|o| o.date == date) {
                replaced = true;
                instead.intervals.iter().copied().for_each(&mut open);
            }
            if !replaced {
                for rule in self.weekly.iter().filter(|rule| rule.weekdays.contains(&date.weekday())) {
                    open(LocalStretch { start: rule.start, end: rule.end });
                }
            }
        }
        merged(windows)
    }
}
