//! Limits: at most so many bookings or minutes in a civil period.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::hours::{civil_day, day_start};
use super::rules::{Limit, Period, Quantity};
use crate::{
    time::{Instant, Interval},
    zone::Zone,
};

/// The civil period that holds an instant, in a zone: [first instant, first instant of the next). A day of a clock change is
/// 23 or 25 hours long, and so counts whole.
#[must_use]
pub fn period_of(per: Period, zone: Zone, week_start: Weekday, at: Instant) -> Interval {
    let day = civil_day(zone, at);
    let first = match per {
        Period::Day => Some(day),
        Period::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().days_since(week_start)))),
        Period::Month => day.with_day(1),
        Period::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
    }
    .unwrap_or(day);
    let next = match per {
        Period::Day => first.checked_add_days(Days::new(1)),
        Period::Week => first.checked_add_days(Days::new(7)),
        Period::Month => first.checked_add_months(Months::new(1)),
        Period::Year => first.checked_add_months(Months::new(12)),
    };
    let start = day_start(zone, first);
    let end = next.map_or(Instant::MAX, |next| day_start(zone, next));
    Interval::new(start, end).unwrap_or(Interval::of_minutes(start, 0))
}

impl Limit {
    /// The period of this limit that holds an instant; `zone` is used when the limit names none.
    #[must_use]
    pub fn period_of(&self, zone: Zone, at: Instant) -> Interval {
        period_of(self.per, self.timezone.unwrap_or(zone), self.week_start, at)
    }

    /// Is there room for one more meeting of this length, beside so many bookings and minutes?
    #[must_use]
    pub fn allows(&self, bookings: u32, minutes: u64, length_minutes: u32) -> bool {
        match self.most {
            Quantity::MaxBookings(most) => bookings < most,
            Quantity::MaxMinutes(most) => {
                minutes.saturating_add(u64::from(length_minutes)) <= u64::from(most)
            }
        }
    }
}

/// Counts what one person has in the periods of one limit. Made from starts and lengths; asked for starts.
#[derive(Debug, Clone)]
pub struct Counter {
    limit: Limit,
    zone: Zone,
    /// Start and minutes of what counts, by start.
    counted: Vec<(Instant, u64)>,
    /// Minutes before each of them.
    sums: Vec<u64>,
    /// The period that was asked for last: questions ascend, and periods are long.
    last: Option<(Interval, u32, u64)>,
}

impl Counter {
    /// A counter of these meetings.
    #[must_use]
    pub fn new(limit: Limit, zone: Zone, meetings: impl Iterator<Item = Interval>) -> Self {
        let minutes = |m: Interval| u64::try_from(m.end().micros_since(m.start()) / 60_000_000).unwrap_or(0);
        let mut counted: Vec<(Instant, u64)> = meetings.map(|m| (m.start(), minutes(m))).collect();
        counted.sort_unstable();
        let mut sums = Vec::with_capacity(counted.len().saturating_add(1));
        let mut sum = 0_u64;
        sums.push(sum);
        for (_, minutes) in &counted {
            sum = sum.saturating_add(*minutes);
            sums.push(sum);
        }
        Self { limit, zone, counted, sums, last: None }
    }

    /// Is there room for a meeting of this length that starts then?
    pub fn allows(&mut self, start: Instant, length_minutes: u32) -> bool {
        let known = self.last.filter(|(period, ..)| period.start() <= start && start < period.end());
        let (_, bookings, minutes) = known.unwrap_or_else(|| {
            let period = self.limit.period_of(self.zone, start);
            let from = self.counted.partition_point(|(at, _)| *at < period.start());
            let to = self.counted.partition_point(|(at, _)| *at < period.end());
            let bookings = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX);
            let sum = |i: usize| self.sums.get(i).copied().unwrap_or(0);
            (period, bookings, sum(to).saturating_sub(sum(from)))
        });
        if known.is_none() {
            self.last = Some((self.limit.period_of(self.zone, start), bookings, minutes));
        }
        self.limit.allows(bookings, minutes, length_minutes)
    }
}

/// May these limits stand together? A longer period may not allow less than a shorter one: it could never be reached.
/// The pair that contradicts, shorter first.
#[must_use]
pub fn contradiction(limits: &[(Period, u32)]) -> Option<(Period, Period)> {
    limits.iter().find_map(|(short, few)| {
        let longer = limits.iter().find(|(long, many)| long > short && many < few);
        longer.map(|(long, _)| (*short, *long))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }
    fn period(per: Period, zone: &str, day: &str) -> String {
        let p = period_of(per, zone.parse().unwrap(), Weekday::Mon, at(day));
        format!("{} {}", p.start(), p.end())
    }

    #[test]
    fn periods_are_civil() {
        // Warsaw leaves summer time on 2026-10-25: that day has 25 hours.
        assert_eq!(
            period(Period::Day, "Europe/Warsaw", "2026-10-25T12:00:00Z"),
            "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z"
        );
        assert_eq!(
            period(Period::Week, "UTC", "2026-11-22T23:59:59Z"),
            "2026-11-16T00:00:00Z 2026-11-23T00:00:00Z"
        );
        assert_eq!(
            period(Period::Month, "Asia/Kathmandu", "2026-02-10T00:00:00Z"),
            "2026-01-31T18:15:00Z 2026-02-28T18:15:00Z"
        );
        assert_eq!(
            period(Period::Year, "UTC", "2024-02-29T00:00:00Z"),
            "2024-01-01T00:00:00Z 2025-01-01T00:00:00Z"
        );
        // Samoa skipped 30 December 2011: the 29th ends where the 31st begins.
        assert_eq!(
            period(Period::Day, "Pacific/Apia", "2011-12-29T20:00:00Z"),
            "2011-12-29T10:00:00Z 2011-12-30T10:00:00Z"
        );
    }

    #[test]
    fn a_week_begins_when_it_is_said_to() {
        let week = period_of(Period::Week, Zone::UTC, Weekday::Sun, at("2026-11-22T10:00:00Z"));
        assert_eq!(week.start(), at("2026-11-22T00:00:00Z"));
    }

    #[test]
    fn bookings_and_minutes_are_counted_by_start() {
        let limit = |most| Limit { per: Period::Day, most, timezone: None, week_start: Weekday::Mon };
        let meetings = [
            Interval::of_minutes(at("2026-11-23T09:00:00Z"), 30),
            // Crosses midnight: belongs to the day of its start.
            Interval::of_minutes(at("2026-11-23T23:45:00Z"), 30),
        ];
        let mut two = Counter::new(limit(Quantity::MaxBookings(2)), Zone::UTC, meetings.into_iter());
        assert!(!two.allows(at("2026-11-23T10:00:00Z"), 30));
        assert!(two.allows(at("2026-11-24T00:00:00Z"), 30));
        let mut minutes = Counter::new(limit(Quantity::MaxMinutes(90)), Zone::UTC, meetings.into_iter());
        assert!(minutes.allows(at("2026-11-23T10:00:00Z"), 30));
        assert!(!minutes.allows(at("2026-11-23T10:00:00Z"), 31));
    }

    #[test]
    fn a_longer_period_may_not_allow_less() {
        assert_eq!(contradiction(&[(Period::Day, 2), (Period::Week, 2), (Period::Year, 5)]), None);
        assert_eq!(
            contradiction(&[(Period::Month, 5), (Period::Day, 6)]),
            Some((Period::Day, Period::Month))
        );
    }
}
