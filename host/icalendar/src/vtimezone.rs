//! A `VTIMEZONE` (RFC 5545 section 3.6.5): the wall clocks of a zone as a calendar defines them, which may be one that only one program knows.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use crate::{Component, stamp::Stamp, weekday};

/// Years that are looked back for the last change of clocks: rules have one each year.
const YEARS_BACK: i32 = 1;
/// Changes that one definition may name: all of any zone since 1970, and a bound for each question.
const CHANGES_MAX: usize = 1_000;

/// A zone as its definition tells. Times are in seconds, as if wall clocks showed UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    observances: Vec<Observance>,
}

/// Standard or daylight time: when it begins, and what clocks show then.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Observance {
    /// When it began first, on the wall clock before the change.
    start: NaiveDateTime,
    /// Offset from UTC before the change, in seconds.
    before: i64,
    /// Offset from UTC after the change, in seconds.
    after: i64,
    rule: Option<Rule>,
    /// Further single beginnings, on the wall clock before the change.
    dates: Vec<NaiveDateTime>,
}

/// Once a year: `FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    month: u32,
    weekday: Option<Weekday>,
    /// Which of those days that fit: 1 is the first, -1 the last.
    ordinal: Option<i64>,
    days: Vec<u32>,
    until: Option<Stamp>,
}

fn seconds(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp()
}

impl Zone {
    /// Read a `VTIMEZONE`. None if it has a rule that is not understood: half a zone would tell wrong times.
    #[must_use]
    pub fn read(definition: &Component) -> Option<Self> {
        let of_kind = |part: &&Component| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT");
        let parts = definition.parts.iter().filter(of_kind);
        let observances: Vec<Observance> = parts.map(Observance::read).collect::<Option<_>>()?;
        let changes = observances.iter().map(|o| o.dates.len().saturating_add(1)).sum::<usize>();
        (1..=CHANGES_MAX).contains(&changes).then_some(Self { observances })
    }

    /// The instant, in UTC, at which these clocks show a time. Of two the first; in a gap as the clocks before it would have it.
    #[must_use]
    pub fn instant(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let last = self
            .observances
            .iter()
            .filter_map(|o| Some((o.last_before(local)?, o)))
            .max_by_key(|(at, _)| *at);
        let shown = seconds(local);
        let offset = match last {
            // In the gap after the change.
            Some((at, o)) if shown.saturating_sub(seconds(at)) < o.after.saturating_sub(o.before) => o.before,
            Some((_, o)) => o.after,
            None => self.observances.iter().min_by_key(|o| o.start).map_or(0, |o| o.before),
        };
        DateTime::from_timestamp(shown.checked_sub(offset)?, 0).map(|at| at.naive_utc())
    }
}

impl Observance {
    fn read(part: &Component) -> Option<Self> {
        let Some(Stamp::Local(start)) = Stamp::read(part.property("DTSTART")?.value()) else { return None };
        let rule = match part.property("RRULE") {
            Some(rule) => Some(Rule::read(rule.value(), start)?),
            None => None,
        };
        let mut dates = Vec::new();
        for list in part.properties("RDATE") {
            for one in list.value().split(',') {
                let Some(Stamp::Local(at)) = Stamp::read(one) else { return None };
                dates.push(at);
            }
        }
        Some(Self {
            start,
            before: offset(part.property("TZOFFSETFROM")?.value())?,
            after: offset(part.property("TZOFFSETTO")?.value())?,
            rule,
            dates,
        })
    }

    /// When it began last, at or before this time.
    fn last_before(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let year = local.year();
        let of_rule = self.rule.iter().flat_map(|rule| {
            // The rule's last year may lie further back.
            let last = rule.until.map(|until| until.shown().year()).filter(|last| *last < year);
            let of = last.unwrap_or(year);
            (of.saturating_sub(YEARS_BACK)..=of).filter_map(move |year| self.in_year(rule, year))
        });
        let singles = self.dates.iter().copied().chain([self.start]);
        of_rule.chain(singles).filter(|at| *at <= local).max()
    }

    /// When it begins in a year, by its rule.
    fn in_year(&self, rule: &Rule, year: i32) -> Option<NaiveDateTime> {
        let at = rule.day(year)?.and_time(self.start.time());
        let ended = match rule.until {
            Some(Stamp::Utc(until)) => seconds(at).saturating_sub(self.before) > seconds(until),
            Some(Stamp::Local(until)) => at > until,
            Some(Stamp::Day(until)) => at.date() > until,
            None => false,
        };
        (at >= self.start && !ended).then_some(at)
    }
}

impl Rule {
    fn read(text: &str, start: NaiveDateTime) -> Option<Self> {
        let mut rule =
            Self { month: start.month(), weekday: None, ordinal: None, days: Vec::new(), until: None };
        let mut yearly = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
                ("FREQ", "YEARLY") => yearly = true,
                ("INTERVAL", "1") | ("WKST", _) => {}
                ("BYMONTH", month) => rule.month = month.parse().ok().filter(|m| (1..=12).contains(m))?,
                ("BYDAY", day) => {
                    let (ordinal, name) = day.split_at_checked(day.len().checked_sub(2)?)?;
                    rule.weekday = Some(weekday::named(name)?);
                    rule.ordinal = if ordinal.is_empty() { None } else { Some(ordinal.parse().ok()?) };
                }
                ("BYMONTHDAY", days) => {
                    rule.days = days.split(',').map(|d| d.parse().ok()).collect::<Option<_>>()?;
                }
                ("UNTIL", until) => rule.until = Some(Stamp::read(until)?),
                _ => return None,
            }
        }
        if rule.weekday.is_none() && rule.days.is_empty() {
            rule.days = vec![start.day()];
        }
        yearly.then_some(rule)
    }

    /// Its day of a year.
    fn day(&self, year: i32) -> Option<NaiveDate> {
        let named = |n: &u32| self.days.is_empty() || self.days.contains(n);
        let fits = |day: &NaiveDate| self.weekday.is_none_or(|weekday| day.weekday() == weekday);
        let all = (1..=31).filter(named).filter_map(|n| NaiveDate::from_ymd_opt(year, self.month, n));
        let fitting: Vec<NaiveDate> = all.filter(fits).collect();
        let at = match self.ordinal {
            None => 0,
            Some(n) if n > 0 => usize::try_from(n.checked_sub(1)?).ok()?,
            Some(n) => fitting.len().checked_sub(usize::try_from(n.checked_neg()?).ok()?)?,
        };
        fitting.get(at).copied()
    }
}

/// `+0100`, `-033000` in seconds.
fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let whole = match digits.len() {
        4 => format!("{digits}00"),
        6 => digits.to_owned(),
        _ => return None,
    };
    let time = NaiveTime::parse_from_str(&whole, "%H%M%S").ok()?;
    Some(i64::from(chrono::Timelike::num_seconds_from_midnight(&time)).saturating_mul(sign))
}

#[cfg(test)]
mod tests;
