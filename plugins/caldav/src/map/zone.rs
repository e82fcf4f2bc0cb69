//! Wall clocks: from a time as a zone's clocks show it to an instant, by the `VTIMEZONE` that comes with it (RFC 5545 section
//! 3.6.5), so that zones that only one program knows work as well; else by the zone's name (RFC 7809).

use berth_sdk::{
    time::{self, DAY, HOUR, MINUTE, SECOND},
    types::Instant,
    zone,
};

use super::{
    ics::Component,
    stamp::{Stamp, stamp},
};

/// Years that are looked back for the last change of clocks: rules have one each year.
const YEARS_BACK: i64 = 1;
const WEEKDAYS: [&str; 7] = ["TH", "FR", "SA", "SU", "MO", "TU", "WE"];

/// Clocks that show a wall clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks<'a> {
    /// As a calendar defines them.
    Defined(&'a Zone),
    /// As everybody knows them.
    Known(zone::Zone),
}

impl Clocks<'_> {
    /// The instant of a wall clock time. Of two the first; in a gap as the clocks before it would have it.
    pub(crate) fn instant(&self, local: i64) -> Instant {
        match self {
            Self::Defined(zone) => zone.instant(local),
            Self::Known(zone) => zone.instant(local),
        }
    }
}

/// A zone as its definition tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    observances: Vec<Observance>,
}

/// Standard or daylight time: when it begins, and what clocks show then.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Observance {
    /// When it began first, on the wall clock before the change.
    start: i64,
    /// Offset from UTC before the change, in microseconds.
    before: i64,
    /// Offset from UTC after the change, in microseconds.
    after: i64,
    rule: Option<Rule>,
    /// Further single beginnings, on the wall clock before the change.
    dates: Vec<i64>,
}

/// Once a year: `FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rule {
    month: u32,
    /// Index into [`WEEKDAYS`].
    weekday: Option<i64>,
    /// Which of those days that fit: 1 is the first, -1 the last.
    ordinal: Option<i64>,
    days: Vec<u32>,
    until: Option<Stamp>,
}

impl Zone {
    /// Read a `VTIMEZONE`. None if it has a rule that is not understood: half a zone would tell wrong times.
    pub(crate) fn read(definition: &Component) -> Option<Self> {
        let of_kind = |part: &&Component| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT");
        let observances: Option<Vec<_>> =
            definition.parts.iter().filter(of_kind).map(Observance::read).collect();
        observances.filter(|all| !all.is_empty()).map(|observances| Self { observances })
    }

    fn instant(&self, local: i64) -> Instant {
        let last = self
            .observances
            .iter()
            .filter_map(|o| Some((o.last_before(local)?, o)))
            .max_by_key(|(at, _)| *at);
        let offset = match last {
            Some((at, o)) if local - at < o.after - o.before => o.before,
            Some((_, o)) => o.after,
            None => self.observances.iter().min_by_key(|o| o.start).map_or(0, |o| o.before),
        };
        local.saturating_sub(offset)
    }
}

impl Observance {
    fn read(part: &Component) -> Option<Self> {
        let Some(Stamp::Local(start)) = stamp(&part.property("DTSTART")?.value) else { return None };
        let rule = match part.property("RRULE") {
            Some(rule) => Some(Rule::read(&rule.value, start)?),
            None => None,
        };
        let mut dates = Vec::new();
        for list in part.properties.iter().filter(|p| p.name == "RDATE") {
            for one in list.value.split(',') {
                let Some(Stamp::Local(at)) = stamp(one) else { return None };
                dates.push(at);
            }
        }
        Some(Self {
            start,
            before: offset(&part.property("TZOFFSETFROM")?.value)?,
            after: offset(&part.property("TZOFFSETTO")?.value)?,
            rule,
            dates,
        })
    }

    /// When it began last, at or before this time.
    fn last_before(&self, local: i64) -> Option<i64> {
        let year = year_of(local);
        let of_rule = self.rule.iter().flat_map(|rule| {
            ((year - YEARS_BACK)..=year).filter_map(|year| {
                let at = rule.day(year)? + self.start.rem_euclid(DAY);
                let ended = match rule.until {
                    Some(Stamp::Utc(until)) => at - self.before > until,
                    Some(Stamp::Local(until) | Stamp::Day(until)) => at > until,
                    None => false,
                };
                (at >= self.start && !ended).then_some(at)
            })
        });
        // The rule's last year may lie further back.
        let last_of_rule = self.rule.as_ref().and_then(|rule| {
            let (Stamp::Utc(until) | Stamp::Local(until) | Stamp::Day(until)) = rule.until?;
            let at = rule.day(year_of(until))? + self.start.rem_euclid(DAY);
            let earlier = || Some(rule.day(year_of(until) - 1)? + self.start.rem_euclid(DAY));
            let at = if at - self.before <= until { Some(at) } else { earlier() };
            at.filter(|at| *at >= self.start)
        });
        let singles = self.dates.iter().copied().chain([self.start]);
        of_rule.chain(last_of_rule).chain(singles).filter(|at| *at <= local).max()
    }
}

impl Rule {
    fn read(text: &str, start: i64) -> Option<Self> {
        let mut rule = Self::default();
        let mut yearly = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
                ("FREQ", "YEARLY") => yearly = true,
                ("INTERVAL", "1") | ("WKST", _) => {}
                ("BYMONTH", month) => rule.month = month.parse().ok().filter(|m| (1..=12).contains(m))?,
                ("BYDAY", day) => {
                    let (ordinal, name) = day.split_at_checked(day.len().checked_sub(2)?)?;
                    rule.weekday = i64::try_from(WEEKDAYS.iter().position(|d| *d == name)?).ok();
                    rule.ordinal = if ordinal.is_empty() { None } else { Some(ordinal.parse().ok()?) };
                }
                ("BYMONTHDAY", days) => {
                    rule.days = days.split(',').map(|d| d.parse().ok()).collect::<Option<_>>()?;
                }
                ("UNTIL", until) => rule.until = Some(stamp(until)?),
                _ => return None,
            }
        }
        if rule.month == 0 {
            rule.month = time::format(start).get(5..7)?.parse().ok()?;
        }
        if rule.weekday.is_none() && rule.days.is_empty() {
            rule.days = vec![time::format(start).get(8..10)?.parse().ok()?];
        }
        yearly.then_some(rule)
    }

    /// The day of a year, as the instant of its midnight.
    fn day(&self, year: i64) -> Option<i64> {
        let day = |n: u32| time::parse_date(&format!("{year:04}-{:02}-{n:02}", self.month));
        let fits = |at: &i64| self.weekday.is_none_or(|weekday| (at / DAY).rem_euclid(7) == weekday);
        let named = |n: &u32| self.days.is_empty() || self.days.contains(n);
        let fitting: Vec<i64> = (1..=31).filter(named).filter_map(day).filter(fits).collect();
        let at = match self.ordinal {
            None | Some(1) => 0,
            Some(n) if n > 0 => usize::try_from(n - 1).ok()?,
            Some(n) => fitting.len().checked_sub(usize::try_from(n.checked_neg()?).ok()?)?,
        };
        fitting.get(at).copied()
    }
}

fn year_of(local: i64) -> i64 {
    time::format(local).get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970)
}

/// `+0100`, `-033000` in microseconds.
fn offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let two = |at: usize| digits.get(at..at + 2)?.parse::<i64>().ok().filter(|n| *n < 60);
    let seconds = match digits.len() {
        4 => 0,
        6 => two(4)?,
        _ => return None,
    };
    Some(sign * (two(0)? * HOUR + two(2)? * MINUTE + seconds * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(definition: &str) -> Option<Zone> {
        let text =
            format!("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\n{definition}END:VTIMEZONE\nEND:VCALENDAR\n");
        Zone::read(&Component::read(&text).unwrap().parts[0])
    }

    fn part(kind: &str, start: &str, from: &str, to: &str, rest: &str) -> String {
        format!("BEGIN:{kind}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rest}END:{kind}\n")
    }

    fn at(zone: &Zone, local: &str) -> String {
        let Some(Stamp::Local(local)) = stamp(local) else { panic!("{local}") };
        stamp_text(zone.instant(local))
    }

    fn stamp_text(instant: i64) -> String {
        super::super::stamp::utc(instant)
    }

    fn warsaw() -> Zone {
        let summer =
            part("DAYLIGHT", "19810329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n");
        let winter = part(
            "STANDARD",
            "19961027T030000",
            "+0200",
            "+0100",
            "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\n",
        );
        zone(&(summer + &winter)).unwrap()
    }

    #[test]
    fn summer_winter_gap_and_fold() {
        for (local, expected) in [
            ("20300105T100000", "20300105T090000Z"),
            ("20300705T100000", "20300705T080000Z"),
            ("20300331T015959", "20300331T005959Z"),
            // Not on any clock: as the clocks before it would have it.
            ("20300331T023000", "20300331T013000Z"),
            ("20300331T030000", "20300331T010000Z"),
            // Twice: the first.
            ("20301027T023000", "20301027T003000Z"),
            ("20301027T030000", "20301027T020000Z"),
            // Before everything that is told.
            ("19500101T100000", "19500101T090000Z"),
        ] {
            assert_eq!(at(&warsaw(), local), expected, "{local}");
        }
    }

    #[test]
    fn other_ways_to_tell_a_year() {
        // Second Sunday by its days, first Sunday by number, as some programs write it.
        let summer = part(
            "DAYLIGHT",
            "20070311T020000",
            "-0500",
            "-0400",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU\n",
        );
        let winter =
            part("STANDARD", "20071104T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\n");
        let new_york = zone(&(summer + &winter)).unwrap();
        assert_eq!(at(&new_york, "20300310T040000"), "20300310T080000Z");
        assert_eq!(at(&new_york, "20300309T040000"), "20300309T090000Z");
        assert_eq!(at(&new_york, "20301104T040000"), "20301104T090000Z");
        let fixed = zone(&part("STANDARD", "19700101T000000", "+0545", "+0545", "")).unwrap();
        assert_eq!(at(&fixed, "20300105T100000"), "20300105T041500Z");
    }

    #[test]
    fn rules_end_and_single_dates_count() {
        let summer = part(
            "DAYLIGHT",
            "19900325T020000",
            "+0300",
            "+0400",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20100327T230000Z\nRDATE:20110327T020000\n",
        );
        let winter = part(
            "STANDARD",
            "19901028T030000",
            "+0400",
            "+0300",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20101030T230000Z\n",
        );
        let later = part("STANDARD", "20141026T020000", "+0400", "+0300", "");
        let moscow = zone(&(summer + &winter + &later)).unwrap();
        for (local, expected) in [
            ("20100705T100000", "20100705T060000Z"),
            ("20110105T100000", "20110105T070000Z"),
            ("20120105T100000", "20120105T060000Z"),
            ("20300705T100000", "20300705T070000Z"),
        ] {
            assert_eq!(at(&moscow, local), expected, "{local}");
        }
    }

    #[test]
    fn half_a_zone_is_none() {
        for rule in
            ["FREQ=DAILY", "FREQ=YEARLY;BYMONTH=13", "FREQ=YEARLY;BYDAY=XX", "FREQ=YEARLY;COUNT=3", "x"]
        {
            let odd = part("DAYLIGHT", "19810329T020000", "+0100", "+0200", &format!("RRULE:{rule}\n"));
            assert_eq!(zone(&odd), None, "{rule}");
        }
        assert_eq!(zone(""), None);
        assert_eq!(zone(&part("STANDARD", "19700101T000000Z", "+0100", "+0100", "")), None);
        assert_eq!(zone(&part("STANDARD", "19700101T000000", "0100", "+01", "")), None);
    }
}
