//! The parts of a recurrence rule, each checked by what RFC 5545 section 3.3.10 says of it, so that an error names the part.

use std::{collections::BTreeMap, ops::RangeInclusive};

use berth_icalendar::weekday;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::{RecurrenceError, bad};
use crate::{limits, scheduling::hours::instant_of, time::Instant, zone::Zone};

/// How often a rule comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
}

impl Frequency {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "YEARLY" => Self::Yearly,
            "MONTHLY" => Self::Monthly,
            "WEEKLY" => Self::Weekly,
            "DAILY" => Self::Daily,
            "HOURLY" => Self::Hourly,
            "MINUTELY" => Self::Minutely,
            _ => return None,
        })
    }

    /// Hourly or minutely?
    pub(super) const fn is_finer_than_a_day(self) -> bool {
        matches!(self, Self::Hourly | Self::Minutely)
    }
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// A time in UTC.
    Instant(NaiveDateTime),
    /// A local time; of a date, its last second.
    Local(NaiveDateTime),
}

impl Until {
    /// The day on which it ends, on the clock that it is told of.
    pub(super) const fn day(self) -> NaiveDate {
        match self {
            Self::Instant(local) | Self::Local(local) => local.date(),
        }
    }

    /// The instant, on a clock.
    pub(super) fn instant(self, zone: Zone) -> Instant {
        match self {
            Self::Instant(utc) => Instant::from_chrono(utc.and_utc()),
            Self::Local(local) => instant_of(zone, local),
        }
    }
}

/// A rule whose parts make sense, each alone and together.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) frequency: Frequency,
    pub(super) interval: u16,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    /// `BYMONTH` and so on: ascending, none twice; empty if not given.
    pub(super) months: Vec<i64>,
    pub(super) week_numbers: Vec<i64>,
    pub(super) year_days: Vec<i64>,
    pub(super) month_days: Vec<i64>,
    pub(super) hours: Vec<i64>,
    pub(super) minutes: Vec<i64>,
    pub(super) seconds: Vec<i64>,
    pub(super) positions: Vec<i64>,
    /// `BYDAY`, with its ordinal if it has one.
    pub(super) weekdays: Vec<(Option<i64>, Weekday)>,
    /// `WKST`.
    pub(super) week_start: Weekday,
}

const NAMES: &str = "FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, BYDAY, BYHOUR, BYMINUTE, BYSECOND, BYSETPOS, WKST";

/// Read a rule.
pub(super) fn parts(rule: &str) -> Result<Parts, RecurrenceError> {
    if rule.len() > limits::RRULE_BYTES_MAX {
        return Err(bad("RRULE", format!("is longer than {} bytes", limits::RRULE_BYTES_MAX)));
    }
    let rule = rule.trim().to_ascii_uppercase();
    let mut named: BTreeMap<&str, &str> = BTreeMap::new();
    for part in rule.strip_prefix("RRULE:").unwrap_or(&rule).split(';') {
        let (name, value) =
            part.split_once('=').ok_or_else(|| bad("RRULE", format!("{part:?} is not NAME=value")))?;
        if named.insert(name, value).is_some() {
            return Err(bad(name, "is given twice"));
        }
    }
    for (name, value) in &named {
        each(name, value)?;
    }
    let frequency = named.get("FREQ").and_then(|text| Frequency::of(text));
    let frequency = frequency.ok_or_else(|| bad("FREQ", "is missing; every rule has one"))?;
    together(&named, frequency)?;
    let numbers = |name: &str| {
        let values = named.get(name).into_iter().flat_map(|list| list.split(','));
        let mut numbers: Vec<i64> = values.filter_map(|value| value.parse().ok()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let weekdays = named.get("BYDAY").into_iter().flat_map(|days| days.split(','));
    Ok(Parts {
        frequency,
        interval: named.get("INTERVAL").and_then(|text| text.parse().ok()).unwrap_or(1),
        count: named.get("COUNT").and_then(|text| text.parse().ok()),
        until: named.get("UNTIL").and_then(|text| until(text)),
        months: numbers("BYMONTH"),
        week_numbers: numbers("BYWEEKNO"),
        year_days: numbers("BYYEARDAY"),
        month_days: numbers("BYMONTHDAY"),
        hours: numbers("BYHOUR"),
        minutes: numbers("BYMINUTE"),
        seconds: numbers("BYSECOND"),
        positions: numbers("BYSETPOS"),
        weekdays: weekdays.map(weekday).collect::<Result<_, _>>()?,
        week_start: named.get("WKST").and_then(|day| weekday::named(day)).unwrap_or(Weekday::Mon),
    })
}

/// One part by itself.
fn each(name: &str, value: &str) -> Result<(), RecurrenceError> {
    match name {
        "FREQ" if Frequency::of(value).is_some() => Ok(()),
        "FREQ" => Err(bad(name, "must be YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY or MINUTELY")),
        "INTERVAL" => numbers(name, &[value], 1..=i64::from(u16::MAX), false),
        "COUNT" => numbers(name, &[value], 1..=i64::from(u32::MAX), false),
        "UNTIL" if until(value).is_some() => Ok(()),
        "UNTIL" => Err(bad(name, "must be a date or time such as 20261231 or 20261231T235959Z")),
        "WKST" if weekday::named(value).is_some() => Ok(()),
        "WKST" => Err(bad(name, "must be one of MO, TU, WE, TH, FR, SA, SU")),
        "BYDAY" => value.split(',').try_for_each(|day| weekday(day).map(drop)),
        "BYMONTH" => list(name, value, 1..=12, false),
        "BYMONTHDAY" => list(name, value, 1..=31, true),
        "BYYEARDAY" | "BYSETPOS" => list(name, value, 1..=366, true),
        "BYWEEKNO" => list(name, value, 1..=53, true),
        "BYHOUR" => list(name, value, 0..=23, false),
        "BYMINUTE" | "BYSECOND" => list(name, value, 0..=59, false),
        _ => Err(bad(name, format!("is no part of a rule; they are {NAMES}"))),
    }
}

fn list(
    name: &str,
    value: &str,
    range: RangeInclusive<i64>,
    from_the_end: bool,
) -> Result<(), RecurrenceError> {
    numbers(name, &value.split(',').collect::<Vec<_>>(), range, from_the_end)
}

/// Whole numbers of a range; `from_the_end`: negative ones too.
fn numbers(
    name: &str,
    texts: &[&str],
    range: RangeInclusive<i64>,
    from_the_end: bool,
) -> Result<(), RecurrenceError> {
    for text in texts {
        let number = text.parse::<i64>().ok();
        let good = number
            .is_some_and(|n| range.contains(&n) || (from_the_end && range.contains(&n.saturating_neg())));
        if !good {
            let (low, high) = (range.start(), range.end());
            let negative = if from_the_end { format!(" or -{high} to -{low}") } else { String::new() };
            return Err(bad(name, format!("{text:?} is not a number from {low} to {high}{negative}")));
        }
    }
    Ok(())
}

/// A `BYDAY` value, with its ordinal if it has one.
fn weekday(text: &str) -> Result<(Option<i64>, Weekday), RecurrenceError> {
    let wrong = || bad("BYDAY", format!("{text:?} is not a weekday such as MO, 1MO or -1FR"));
    let (ordinal, day) =
        text.len().checked_sub(2).and_then(|at| text.split_at_checked(at)).ok_or_else(wrong)?;
    let day = weekday::named(day).ok_or_else(wrong)?;
    if ordinal.is_empty() {
        return Ok((None, day));
    }
    let ordinal: i64 = ordinal.parse().map_err(|_| wrong())?;
    if ordinal == 0 || ordinal.abs() > 53 { Err(wrong()) } else { Ok((Some(ordinal), day)) }
}

/// Parts that exclude or need one another.
fn together(named: &BTreeMap<&str, &str>, frequency: Frequency) -> Result<(), RecurrenceError> {
    use Frequency::{Daily, Hourly, Minutely, Monthly, Weekly, Yearly};
    let has = |name: &str| named.contains_key(name);
    if has("COUNT") && has("UNTIL") {
        return Err(bad("COUNT", "and UNTIL may not both be given"));
    }
    if has("BYWEEKNO") && frequency != Yearly {
        return Err(bad("BYWEEKNO", "goes with FREQ=YEARLY only"));
    }
    if has("BYYEARDAY") && matches!(frequency, Monthly | Weekly | Daily) {
        return Err(bad("BYYEARDAY", "does not go with FREQ=MONTHLY, WEEKLY or DAILY"));
    }
    if has("BYMONTHDAY") && frequency == Weekly {
        return Err(bad("BYMONTHDAY", "does not go with FREQ=WEEKLY"));
    }
    let ordinals = named.get("BYDAY").into_iter().flat_map(|days| days.split(','));
    let largest = ordinals.filter_map(|day| weekday(day).ok()?.0).map(i64::abs).max();
    if let Some(largest) = largest {
        if !matches!(frequency, Monthly | Yearly) || has("BYWEEKNO") {
            return Err(bad(
                "BYDAY",
                "a number before the weekday goes with FREQ=MONTHLY, or YEARLY without BYWEEKNO",
            ));
        }
        if frequency == Monthly && largest > 5 {
            return Err(bad("BYDAY", "no month has more than 5 of a weekday"));
        }
    }
    if let Some(positions) = named.get("BYSETPOS") {
        if !named.keys().any(|name| name.starts_with("BY") && *name != "BYSETPOS") {
            return Err(bad("BYSETPOS", "needs another BY part to choose from"));
        }
        let most = match frequency {
            Yearly | Daily => 366,
            Monthly => 31,
            Weekly => 53,
            Hourly => 24,
            Minutely => 60,
        };
        list("BYSETPOS", positions, 1..=most, true)?;
    }
    Ok(())
}

fn until(text: &str) -> Option<Until> {
    let time = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    if let Some(utc) = text.strip_suffix('Z') {
        return time(utc).map(Until::Instant);
    }
    let last = || {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        NaiveTime::from_hms_opt(23, 59, 59).map(|last| date.and_time(last))
    };
    time(text).or_else(last).map(Until::Local)
}
