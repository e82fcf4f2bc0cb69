//! The parts of a recurrence rule, each checked by what RFC 5545 section 3.3.10 says of it, so that an error names the part.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::{RecurrenceError, bad};
use crate::{limits, time::Instant};

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

    /// Length of one step in minutes, where all are equally long.
    pub(super) fn minutes(self) -> Option<i64> {
        match self {
            Self::Yearly | Self::Monthly => None,
            Self::Weekly => Some(10_080),
            Self::Daily => Some(1_440),
            Self::Hourly => Some(60),
            Self::Minutely => Some(1),
        }
    }
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// An instant.
    Instant(Instant),
    /// A local time; of a date, its last second.
    Local(NaiveDateTime),
}

/// A rule whose parts make sense, each alone and together.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) frequency: Frequency,
    pub(super) interval: u16,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    /// Hours and minutes that are left of a minutely rule; all if empty. (The library, rrule 0.14, loses its way from a day that is
    /// left out to the next of the hours.)
    pub(super) hours: Vec<u32>,
    pub(super) minutes: Vec<u32>,
    /// The rule without what is told apart above.
    pub(super) endless: String,
}

impl Parts {
    /// Is this one of the minutes that are left?
    pub(super) fn keeps(&self, local: NaiveDateTime) -> bool {
        let among = |list: &[u32], value| list.is_empty() || list.contains(&value);
        among(&self.hours, local.hour()) && among(&self.minutes, local.minute())
    }
}

const NAMES: &str = "FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, BYDAY, BYHOUR, BYMINUTE, BYSECOND, BYSETPOS, WKST";
const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

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
    let ours: &[&str] = match frequency {
        Frequency::Minutely => &["COUNT", "UNTIL", "BYHOUR", "BYMINUTE"],
        _ => &["COUNT", "UNTIL"],
    };
    let left = |name: &str| {
        let values =
            named.get(name).filter(|_| ours.contains(&name)).into_iter().flat_map(|list| list.split(','));
        values.filter_map(|value| value.parse().ok()).collect()
    };
    let endless =
        named.iter().filter(|(name, _)| !ours.contains(name)).map(|(name, value)| format!("{name}={value}"));
    Ok(Parts {
        frequency,
        interval: named.get("INTERVAL").and_then(|text| text.parse().ok()).unwrap_or(1),
        count: named.get("COUNT").and_then(|text| text.parse().ok()),
        until: named.get("UNTIL").and_then(|text| until(text)),
        hours: left("BYHOUR"),
        minutes: left("BYMINUTE"),
        endless: endless.collect::<Vec<_>>().join(";"),
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
        "WKST" if DAYS.contains(&value) => Ok(()),
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

/// The ordinal of a `BYDAY` value, if it has one.
fn weekday(text: &str) -> Result<Option<i64>, RecurrenceError> {
    let wrong = || bad("BYDAY", format!("{text:?} is not a weekday such as MO, 1MO or -1FR"));
    let (ordinal, day) =
        text.len().checked_sub(2).and_then(|at| text.split_at_checked(at)).ok_or_else(wrong)?;
    if !DAYS.contains(&day) {
        return Err(wrong());
    }
    if ordinal.is_empty() {
        return Ok(None);
    }
    let ordinal: i64 = ordinal.parse().map_err(|_| wrong())?;
    if ordinal == 0 || ordinal.abs() > 53 { Err(wrong()) } else { Ok(Some(ordinal)) }
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
    let largest = ordinals.filter_map(|day| weekday(day).ok().flatten()).map(i64::abs).max();
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
        return time(utc).map(|utc| Until::Instant(Instant::from_chrono(utc.and_utc())));
    }
    let last = || {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        NaiveTime::from_hms_opt(23, 59, 59).map(|last| date.and_time(last))
    };
    time(text).or_else(last).map(Until::Local)
}
