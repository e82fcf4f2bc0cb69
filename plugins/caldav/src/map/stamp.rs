//! Dates, times and lengths of iCalendar (RFC 5545 sections 3.3.4 to 3.3.6).

use berth_sdk::{
    time::{self, DAY, HOUR, MINUTE, SECOND},
    types::Instant,
};

/// A date or time of iCalendar. A time without a `Z` is on somebody's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// In UTC.
    Utc(Instant),
    /// As if the wall clock showed UTC.
    Local(Instant),
    /// Midnight of a day, as if the wall clock showed UTC.
    Day(Instant),
}

/// `20300105T090000Z`, `20300105T100000`, `20300105`.
pub(crate) fn stamp(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let day =
        |text: &str| time::parse_date(&format!("{}-{}-{}", text.get(..4)?, text.get(4..6)?, text.get(6..8)?));
    let Some((date, clock)) = text.split_once(['T', 't']) else {
        return (text.len() == 8).then(|| day(text)).flatten().map(Stamp::Day);
    };
    let digits = clock.strip_suffix(['Z', 'z']);
    let (hour, minute, second) = {
        let clock = digits.unwrap_or(clock);
        (clock.len() == 6).then_some(())?;
        (clock.get(..2)?, clock.get(2..4)?, clock.get(4..6)?)
    };
    let date = (date.len() == 8).then(|| day(date)).flatten()?;
    let midnight = time::format(date);
    let at = time::parse(&format!("{}T{hour}:{minute}:{second}Z", midnight.get(..10)?))?;
    Some(if digits.is_some() { Stamp::Utc(at) } else { Stamp::Local(at) })
}

/// An instant in UTC, no finer than a second.
pub(crate) fn utc(instant: Instant) -> String {
    let whole = instant.saturating_sub(instant.rem_euclid(SECOND));
    time::format(whole).replace(['-', ':'], "")
}

/// `PT1H30M`, `P1W`, `-PT15M` in microseconds (RFC 5545 section 3.3.6).
pub(crate) fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mut total, mut number, mut in_day, mut units) = (0_i64, String::new(), false, 0);
    for c in rest.strip_prefix('P')?.chars() {
        let unit = match (c, in_day) {
            ('0'..='9', _) if number.len() < 9 => {
                number.push(c);
                continue;
            }
            ('T', false) if number.is_empty() => {
                in_day = true;
                continue;
            }
            ('W', false) => 7 * DAY,
            ('D', false) => DAY,
            ('H', true) => HOUR,
            ('M', true) => MINUTE,
            ('S', true) => SECOND,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
        units += 1;
    }
    (number.is_empty() && units > 0).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone() {
        let at = |text| time::parse(text).unwrap();
        for (text, expected) in [
            ("20300105T090000Z", Some(Stamp::Utc(at("2030-01-05T09:00:00Z")))),
            ("20300105T100000", Some(Stamp::Local(at("2030-01-05T10:00:00Z")))),
            ("20300105", Some(Stamp::Day(at("2030-01-05T00:00:00Z")))),
            ("20300230", None),
            ("20300105T10", None),
            ("20300105T250000Z", None),
            ("2030-01-05T09:00:00Z", None),
            ("+0300105T090000Z", None),
            ("é0300105T090000Z", None),
            ("", None),
        ] {
            assert_eq!(stamp(text), expected, "{text}");
        }
        assert_eq!(utc(at("2030-01-05T09:00:00.999Z")), "20300105T090000Z");
    }

    #[test]
    fn lengths() {
        for (text, expected) in [
            ("PT30M", Some(30 * MINUTE)),
            ("P1DT2H3M4S", Some(DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND)),
            ("-P2W", Some(-14 * DAY)),
            ("+PT0S", Some(0)),
            ("P", None),
            ("PT", None),
            ("P1H", None),
            ("PT1D", None),
            ("P1D2", None),
            ("P9999999999W", None),
            ("30", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
