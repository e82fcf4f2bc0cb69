//! From a rule to its local times, one period after another, each a step of a budget.
//!
//! Finer than a day a rule is followed day by day, and asks of each hour or minute whether whole intervals lead to it. So no rule, also
//! one that never comes, takes more steps than there are days, and what its own lists name.

use std::ops::ControlFlow::{self, Break, Continue};

use chrono::{Datelike, Days as Length, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::{
    days::Days,
    parts::{Frequency, Parts},
};
use crate::budget::{Budget, Exhausted};

/// A rule from its first local time on.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    frequency: Frequency,
    interval: i64,
    first: NaiveDateTime,
    days: Days,
    hours: Vec<u32>,
    /// Minutes of an hour; none given: each minute of a minutely rule.
    minutes: Vec<u32>,
    seconds: Vec<u32>,
    /// Of each hour (hourly) or minute (minutely), what `BYSETPOS` leaves; of coarser rules, of each period.
    positions: Vec<i64>,
    week_start: chrono::Weekday,
}

/// What was found to do next.
type Flow = Result<ControlFlow<()>, Exhausted>;

/// The minutes between 1970 and a local time, cut.
fn minute_of(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp().div_euclid(60)
}

/// Numbers that were checked to be 0 to 59.
fn small(list: &[i64]) -> Vec<u32> {
    list.iter().filter_map(|n| u32::try_from(*n).ok()).collect()
}

impl Plan {
    pub(super) fn new(parts: &Parts, first: NaiveDateTime) -> Self {
        let or = |list: &[i64], default: Option<u32>| {
            let given = small(list);
            if given.is_empty() { default.into_iter().collect() } else { given }
        };
        let hours = if parts.frequency.is_finer_than_a_day() && parts.hours.is_empty() {
            (0..24).collect()
        } else {
            or(&parts.hours, Some(first.hour()))
        };
        let minute = (parts.frequency != Frequency::Minutely).then(|| first.minute());
        Self {
            frequency: parts.frequency,
            interval: i64::from(parts.interval.max(1)),
            first,
            days: Days::new(parts, first.date()),
            hours,
            minutes: or(&parts.minutes, minute),
            seconds: or(&parts.seconds, Some(first.second())),
            positions: parts.positions.clone(),
            week_start: parts.week_start,
        }
    }

    /// Hourly or minutely?
    pub(super) const fn is_finer_than_a_day(&self) -> bool {
        self.frequency.is_finer_than_a_day()
    }

    /// The most local times of one day.
    pub(super) fn most_a_day(&self) -> usize {
        let interval = usize::try_from(self.interval).unwrap_or(usize::MAX).max(1);
        match self.frequency {
            Frequency::Minutely => {
                let listed = if self.minutes.is_empty() { 60 } else { self.minutes.len() };
                let of_list = self.hours.len().saturating_mul(listed);
                of_list.min(1_440_usize.div_ceil(interval)).saturating_mul(self.seconds.len())
            }
            Frequency::Hourly => {
                let hours = self.hours.len().min(24_usize.div_ceil(interval));
                hours.saturating_mul(self.minutes.len()).saturating_mul(self.seconds.len())
            }
            _ => self.times(),
        }
    }

    fn times(&self) -> usize {
        self.hours.len().saturating_mul(self.minutes.len()).saturating_mul(self.seconds.len())
    }

    /// Call `each` with the local times from the period that holds `from` on, ascending, until it breaks or the period begins after
    /// `end`. `from` is the first local time for who counts.
    pub(super) fn follow(
        &self,
        from: NaiveDateTime,
        end: NaiveDateTime,
        budget: &Budget,
        each: &mut dyn FnMut(NaiveDateTime) -> Flow,
    ) -> Result<(), Exhausted> {
        let from = from.max(self.first);
        let skipping = from > self.first;
        let mut each = |local: NaiveDateTime| {
            // What a rule cannot say its first local time says.
            let local = local.with_nanosecond(self.first.nanosecond()).unwrap_or(local);
            if local < self.first { Ok(Continue(())) } else { each(local) }
        };
        let mut days: Vec<NaiveDate> = Vec::new();
        let mut at = self.period_of(from);
        loop {
            budget.spend(1)?;
            let Some((start, length)) = self.period(at) else { return Ok(()) };
            if start.and_time(NaiveTime::MIN) > end {
                return Ok(());
            }
            days.clear();
            self.passing(start, length, budget, &mut days)?;
            let flow = match self.frequency {
                Frequency::Hourly | Frequency::Minutely => self.hours_of(&days, budget, &mut each)?,
                _ if self.positions.is_empty() => {
                    if skipping {
                        days.retain(|day| *day >= from.date());
                    }
                    self.times_of(&days, end, budget, &mut each)?
                }
                _ => self.placed(&days, budget, &mut each)?,
            };
            if flow.is_break() {
                return Ok(());
            }
            at = self.after(at, start);
        }
    }

    /// The number of the period that holds a local time or begins last before it: of years, months, weeks or days since the first,
    /// divided by the interval.
    fn period_of(&self, from: NaiveDateTime) -> i64 {
        let passed = match self.frequency {
            Frequency::Yearly => i64::from(from.year()).saturating_sub(i64::from(self.first.year())),
            Frequency::Monthly => month_of(from.date()).saturating_sub(month_of(self.first.date())),
            Frequency::Weekly => {
                (self.week(from.date()) - self.week(self.first.date())).num_days().div_euclid(7)
            }
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {
                (from.date() - self.first.date()).num_days()
            }
        };
        passed.max(0).div_euclid(self.stride())
    }

    /// Periods are so many years, months, weeks or days apart.
    fn stride(&self) -> i64 {
        match self.frequency {
            Frequency::Hourly | Frequency::Minutely => 1,
            _ => self.interval,
        }
    }

    fn week(&self, day: NaiveDate) -> NaiveDate {
        let back = u64::from(day.weekday().days_since(self.week_start));
        day.checked_sub_days(Length::new(back)).unwrap_or(day)
    }

    /// First day and number of days of a period; none beyond the calendar.
    fn period(&self, at: i64) -> Option<(NaiveDate, u64)> {
        let passed = at.checked_mul(self.stride())?;
        let first = self.first.date();
        match self.frequency {
            Frequency::Yearly => {
                let year = i32::try_from(i64::from(first.year()).checked_add(passed)?).ok()?;
                let start = NaiveDate::from_ymd_opt(year, 1, 1)?;
                Some((start, if start.leap_year() { 366 } else { 365 }))
            }
            Frequency::Monthly => {
                let start = first_of(month_of(first).checked_add(passed)?)?;
                Some((start, u64::from(start.num_days_in_month())))
            }
            Frequency::Weekly => {
                let ahead = Length::new(u64::try_from(passed.checked_mul(7)?).ok()?);
                let start = self.week(first).checked_add_days(ahead)?;
                // Of the first week only the days from the first local time on are chosen from.
                let gone = if at == 0 { u64::from(first.weekday().days_since(self.week_start)) } else { 0 };
                Some((start.checked_add_days(Length::new(gone))?, 7_u64.saturating_sub(gone)))
            }
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {
                let day = first.checked_add_days(Length::new(u64::try_from(passed).ok()?))?;
                Some((day, 1))
            }
        }
    }

    /// The period after one: of days whose month is left out, the first one of the next month.
    fn after(&self, at: i64, start: NaiveDate) -> i64 {
        let next = at.saturating_add(1);
        let daily = self.frequency == Frequency::Daily || self.frequency.is_finer_than_a_day();
        if !daily || self.days.month(start.month()) {
            return next;
        }
        let Some(month) = first_of(month_of(start).saturating_add(1)) else { return next };
        let passed = (month - self.first.date()).num_days();
        let whole = passed.saturating_add(self.stride().saturating_sub(1)).div_euclid(self.stride());
        whole.max(next)
    }

    /// Days of a period that pass.
    fn passing(
        &self,
        start: NaiveDate,
        length: u64,
        budget: &Budget,
        days: &mut Vec<NaiveDate>,
    ) -> Result<(), Exhausted> {
        let end = start.checked_add_days(Length::new(length)).unwrap_or(NaiveDate::MAX);
        let mut day = start;
        while day < end {
            budget.spend(1)?;
            let next = if self.days.month(day.month()) {
                if self.days.pass(day) {
                    days.push(day);
                }
                day.succ_opt()
            } else {
                first_of(month_of(day).saturating_add(1))
            };
            let Some(next) = next else { return Ok(()) };
            day = next;
        }
        Ok(())
    }

    /// Every time of these days.
    fn times_of(
        &self,
        days: &[NaiveDate],
        end: NaiveDateTime,
        budget: &Budget,
        each: &mut dyn FnMut(NaiveDateTime) -> Flow,
    ) -> Flow {
        for day in days {
            if day.and_time(NaiveTime::MIN) > end {
                return Ok(Break(()));
            }
            for index in 0..self.times() {
                budget.spend(1)?;
                if let Some(local) = self.time(*day, index)
                    && each(local)?.is_break()
                {
                    return Ok(Break(()));
                }
            }
        }
        Ok(Continue(()))
    }

    /// The time with this number among those of a day.
    fn time(&self, day: NaiveDate, index: usize) -> Option<NaiveDateTime> {
        let (rest, second) = divided(index, self.seconds.len())?;
        let (hour, minute) = divided(rest, self.minutes.len())?;
        day.and_hms_opt(*self.hours.get(hour)?, *self.minutes.get(minute)?, *self.seconds.get(second)?)
    }

    /// What `BYSETPOS` leaves of all times of these days.
    fn placed(
        &self,
        days: &[NaiveDate],
        budget: &Budget,
        each: &mut dyn FnMut(NaiveDateTime) -> Flow,
    ) -> Flow {
        let times = self.times();
        for index in chosen(&self.positions, days.len().saturating_mul(times)) {
            budget.spend(1)?;
            let local = divided(index, times).and_then(|(day, time)| self.time(*days.get(day)?, time));
            if let Some(local) = local
                && each(local)?.is_break()
            {
                return Ok(Break(()));
            }
        }
        Ok(Continue(()))
    }

    /// The hours or minutes of these days to which whole intervals lead.
    fn hours_of(
        &self,
        days: &[NaiveDate],
        budget: &Budget,
        each: &mut dyn FnMut(NaiveDateTime) -> Flow,
    ) -> Flow {
        for day in days {
            for hour in &self.hours {
                budget.spend(1)?;
                let Some(hour) = day.and_hms_opt(*hour, 0, 0) else { continue };
                let flow = if self.frequency == Frequency::Hourly {
                    let passed = minute_of(hour).saturating_sub(minute_of(self.first)).div_euclid(60);
                    // The first minute is within its hour.
                    let passed = passed.saturating_add(i64::from(self.first.minute() > 0));
                    if passed.rem_euclid(self.interval) == 0 {
                        self.within(hour, &self.minutes, budget, each)?
                    } else {
                        Continue(())
                    }
                } else {
                    self.minutes_of(hour, budget, each)?
                };
                if flow.is_break() {
                    return Ok(Break(()));
                }
            }
        }
        Ok(Continue(()))
    }

    /// The minutes of an hour to which whole intervals lead.
    fn minutes_of(
        &self,
        hour: NaiveDateTime,
        budget: &Budget,
        each: &mut dyn FnMut(NaiveDateTime) -> Flow,
    ) -> Flow {
        let passed = minute_of(hour).saturating_sub(minute_of(self.first));
        let whole = |minute: u32| passed.saturating_add(i64::from(minute)).rem_euclid(self.interval) == 0;
        if !self.minutes.is_empty() {
            for minute in &self.minutes {
                budget.spend(1)?;
                if whole(*minute) && self.within(hour, &[*minute], budget, each)?.is_break() {
                    return Ok(Break(()));
                }
            }
            return Ok(Continue(()));
        }
        let first = passed.saturating_neg().rem_euclid(self.interval);
        let mut minute = first;
        while let Some(at) = u32::try_from(minute).ok().filter(|at| *at < 60) {
            if self.within(hour, &[at], budget, each)?.is_break() {
                return Ok(Break(()));
            }
            minute = minute.saturating_add(self.interval);
        }
        Ok(Continue(()))
    }

    /// These minutes of an hour, each at the seconds, or what `BYSETPOS` leaves of them.
    fn within(
        &self,
        hour: NaiveDateTime,
        minutes: &[u32],
        budget: &Budget,
        each: &mut dyn FnMut(NaiveDateTime) -> Flow,
    ) -> Flow {
        let all = minutes.len().saturating_mul(self.seconds.len());
        let indexes =
            if self.positions.is_empty() { (0..all).collect() } else { chosen(&self.positions, all) };
        for index in indexes {
            budget.spend(1)?;
            let local = divided(index, self.seconds.len()).and_then(|(minute, second)| {
                hour.with_minute(*minutes.get(minute)?)?.with_second(*self.seconds.get(second)?)
            });
            if let Some(local) = local
                && each(local)?.is_break()
            {
                return Ok(Break(()));
            }
        }
        Ok(Continue(()))
    }
}

/// Quotient and remainder.
fn divided(index: usize, by: usize) -> Option<(usize, usize)> {
    Some((index.checked_div(by)?, index.checked_rem(by)?))
}

/// The indexes that positions name among so many, ascending: 1 is the first, -1 the last.
fn chosen(positions: &[i64], of: usize) -> Vec<usize> {
    let index = |position: &i64| {
        let from_start = usize::try_from(position.unsigned_abs()).ok()?;
        let index = if *position > 0 { from_start.checked_sub(1)? } else { of.checked_sub(from_start)? };
        (index < of).then_some(index)
    };
    let mut indexes: Vec<usize> = positions.iter().filter_map(index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes
}

/// Months since the year 0.
fn month_of(day: NaiveDate) -> i64 {
    i64::from(day.year()).saturating_mul(12).saturating_add(i64::from(day.month0()))
}

/// First day of the month of so many since the year 0.
fn first_of(month: i64) -> Option<NaiveDate> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()?.checked_add(1)?, 1)
}
