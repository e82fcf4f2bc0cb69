//! Which days a rule may come on, told of each day by itself.

use chrono::{Datelike, NaiveDate, Weekday};

use super::parts::{Frequency, Parts};

/// What a rule says of days: a day passes when it passes every part.
#[derive(Debug, Clone)]
pub(super) struct Days {
    /// Months that are let through, bit 1 is January.
    months: u16,
    weeks: Vec<i64>,
    of_year: Vec<i64>,
    of_month: Vec<i64>,
    weekdays: Vec<(Option<i64>, Weekday)>,
    week_start: Weekday,
    /// Ordinals of weekdays count within the month, not the year.
    nth_of_month: bool,
}

/// Is the ordinal, counted from 1, or from the end of so many with a minus, among these? Of nothing, each is.
fn among(list: &[i64], ordinal: i64, of: i64) -> bool {
    list.is_empty() || list.contains(&ordinal) || list.contains(&ordinal.saturating_sub(of).saturating_sub(1))
}

impl Days {
    /// The days of a rule. What it does not say, its first local time says (RFC 5545 section 3.3.10).
    pub(super) fn new(parts: &Parts, first: NaiveDate) -> Self {
        let mut months = parts.months.clone();
        let mut month_days = parts.month_days.clone();
        let mut weekdays = parts.weekdays.clone();
        let free = parts.week_numbers.is_empty()
            && parts.year_days.is_empty()
            && month_days.is_empty()
            && weekdays.is_empty();
        if free {
            match parts.frequency {
                Frequency::Yearly => {
                    if months.is_empty() {
                        months.push(i64::from(first.month()));
                    }
                    month_days.push(i64::from(first.day()));
                }
                Frequency::Monthly => month_days.push(i64::from(first.day())),
                Frequency::Weekly => weekdays.push((None, first.weekday())),
                Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {}
            }
        }
        let bit = |month: u32| 1_u16.checked_shl(month).unwrap_or(0);
        let named = (1..=12_u32).filter(|month| months.is_empty() || months.contains(&i64::from(*month)));
        Self {
            months: named.map(bit).fold(0, |all, month| all | month),
            weeks: parts.week_numbers.clone(),
            of_year: parts.year_days.clone(),
            of_month: month_days,
            weekdays,
            week_start: parts.week_start,
            nth_of_month: parts.frequency == Frequency::Monthly || !parts.months.is_empty(),
        }
    }

    /// Can a day of this month pass?
    pub(super) fn month(&self, month: u32) -> bool {
        1_u16.checked_shl(month).is_some_and(|bit| self.months & bit != 0)
    }

    /// Does this day pass?
    pub(super) fn pass(&self, day: NaiveDate) -> bool {
        let (year_day, year) = (i64::from(day.ordinal()), days_of_year(day));
        let (month_day, month) = (i64::from(day.day()), i64::from(day.num_days_in_month()));
        self.month(day.month())
            && among(&self.of_month, month_day, month)
            && among(&self.of_year, year_day, year)
            && (self.weekdays.is_empty() || {
                let (ordinal, of) = if self.nth_of_month { (month_day, month) } else { (year_day, year) };
                self.weekdays.iter().any(|(nth, weekday)| {
                    *weekday == day.weekday() && nth.is_none_or(|nth| nth == nth_of(nth, ordinal, of))
                })
            })
            && (self.weeks.is_empty() || {
                let (number, weeks) = week_number(day, self.week_start);
                among(&self.weeks, number, weeks)
            })
    }
}

/// Which of its weekday a day is, from the end if `like` is negative.
fn nth_of(like: i64, ordinal: i64, of: i64) -> i64 {
    if like > 0 {
        ordinal.saturating_sub(1).div_euclid(7).saturating_add(1)
    } else {
        of.saturating_sub(ordinal).div_euclid(7).saturating_add(1).saturating_neg()
    }
}

fn days_of_year(day: NaiveDate) -> i64 {
    if day.leap_year() { 366 } else { 365 }
}

/// The number of a day's week and how many weeks its year has: week 1 is the first with four days or more of the year.
fn week_number(day: NaiveDate, week_start: Weekday) -> (i64, i64) {
    let into_week = i64::from(day.weekday().days_since(week_start));
    // The day of the year on which this week's fourth day lies decides whose week it is.
    let middle = i64::from(day.ordinal()).saturating_sub(into_week).saturating_add(3);
    let own = days_of_year(day);
    let length = |year: i32| if NaiveDate::from_ymd_opt(year, 2, 29).is_some() { 366 } else { 365 };
    let (middle, days) = if middle < 1 {
        let before = length(day.year().saturating_sub(1));
        (middle.saturating_add(before), before)
    } else if middle > own {
        (middle.saturating_sub(own), length(day.year().saturating_add(1)))
    } else {
        (middle, own)
    };
    let number = middle.saturating_sub(1).div_euclid(7).saturating_add(1);
    // Weeks that follow as long as their middle is in the year.
    let weeks = number.saturating_add(days.saturating_sub(middle).div_euclid(7));
    (number, weeks)
}
