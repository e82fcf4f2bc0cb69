//! Instants (microseconds since 1970, UTC) from and to text. Proleptic Gregorian calendar, no leap seconds, no zones but
//! offsets: rules that need IANA zones are Berth's business.

use serde::{Deserialize, Deserializer, de};

use crate::types::Instant;

/// Microseconds in a millisecond.
pub const MILLISECOND: i64 = 1_000;
/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// The clock that Berth gives to the call; in native tests the one that [`crate::testing::set_now`] set.
#[must_use]
pub fn now() -> Instant {
    #[cfg(target_arch = "wasm32")]
    {
        let now = wasip2::clocks::wall_clock::now();
        let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX / SECOND);
        seconds.saturating_mul(SECOND).saturating_add(i64::from(now.nanoseconds / 1_000))
    }
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::now()
}

/// RFC 3339 text as an instant: `2026-01-05T10:00:00.000+01:00`, `2026-01-05t09:00:00z`, also without seconds. None for
/// anything else. A fraction is cut after six digits.
#[must_use]
pub fn parse(text: &str) -> Option<Instant> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    Some(parse_date(date)? + parse_clock(clock)? - parse_offset(zone)?)
}

/// `2026-01-05` as the instant of its midnight in UTC.
#[must_use]
pub fn parse_date(text: &str) -> Option<Instant> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, day) = (i64::from(digits(year)?), two_digits(month)?, two_digits(day)?);
    let valid = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    valid.then(|| days_from_civil(year, month, day) * DAY)
}

/// `10:00:00.123` as microseconds since midnight.
fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hour, minute) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let (second, fraction) = match parts.next() {
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "0")),
        None => ("00", "0"),
    };
    let second = two_digits(second)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 || fraction.is_empty() {
        return None;
    }
    let mut micros = 0;
    for place in 0..6 {
        micros = micros * 10 + fraction.as_bytes().get(place).map_or(Some(0), |b| digit(*b))?;
    }
    fraction.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    // A leap second is shown as the last of its minute.
    Some(hour * HOUR + minute * MINUTE + second.min(59) * SECOND + micros)
}

/// `Z`, `+01:00` or `+0100` as microseconds.
fn parse_offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'Z' | b'z' => return (text.len() == 1).then_some(0),
        b'+' => 1,
        _ => -1,
    };
    let (hours, minutes) = text.get(1..)?.split_at_checked(2)?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes.strip_prefix(':').unwrap_or(minutes))?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * HOUR + minutes * MINUTE))
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2).then(|| digits(text).map(i64::from))?
}

/// The instant in UTC: `2026-01-05T09:00:00Z`, with milliseconds or microseconds only if there are any.
#[must_use]
pub fn format(instant: Instant) -> String {
    let (days, in_day) = (instant.div_euclid(DAY), instant.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (in_day / HOUR, in_day / MINUTE % 60, in_day / SECOND % 60);
    let micros = in_day % SECOND;
    let fraction = match (micros, micros % MILLISECOND) {
        (0, _) => String::new(),
        (_, 0) => format!(".{:03}", micros / MILLISECOND),
        _ => format!(".{micros:06}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// As [`format()`], no finer than milliseconds, rounded down: what most services take.
#[must_use]
pub fn format_millis(instant: Instant) -> String {
    format(instant.saturating_sub(instant.rem_euclid(MILLISECOND)))
}

/// An HTTP date (RFC 9110 section 5.6.7, the fixed form): `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Instant> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (clock, zone) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    let date = parse_date(&format!("{year}-{month:02}-{day}"))?;
    (zone == "GMT" && parts.next().is_none()).then_some(())?;
    Some(date + parse_clock(clock)?)
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

/// For `#[serde(deserialize_with = "berth_sdk::time::rfc3339")]`.
pub fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| de::Error::custom("not an RFC 3339 time"))
}

/// As [`rfc3339`] for a field that may be missing or null; mark it `default` too.
pub fn rfc3339_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) => parse(&text).map(Some).ok_or_else(|| de::Error::custom("not an RFC 3339 time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-01-05T10:00:00.000+01:00", 1_767_603_600),
            ("2026-01-05T04:15:00-04:45", 1_767_603_600),
            ("2026-01-05 09:00z", 1_767_603_600),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Some(seconds * SECOND), "{text}");
        }
        assert_eq!(parse("2026-01-05T09:00:00.1234567Z"), Some(1_767_603_600_123_456));
    }

    #[test]
    fn junk_is_refused() {
        for text in [
            "",
            "2026-01-05",
            "2026-01-05T09:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-05T24:00:00Z",
            "2026-01-05T09:00:00.Z",
            "2026-01-05T09:00:00.1x2Z",
            "2026-01-05T09:00:00Zjunk",
            "2026-01-05T09:00:00+1:00",
            "+026-01-05T09:00:00Z",
            "2026-01-0\u{e9}T09:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_survives_the_round_trip() {
        let mut expected = parse_date("1600-01-01").unwrap();
        for _ in 0..(146_097 * 2) {
            let text = format(expected);
            assert_eq!(parse(&text), Some(expected), "{text}");
            expected += DAY;
        }
        assert_eq!(format(expected), "2400-01-01T00:00:00Z");
    }

    #[test]
    fn fractions_are_written_only_if_there_are_any() {
        assert_eq!(format(1_767_603_600_123_000), "2026-01-05T09:00:00.123Z");
        assert_eq!(format(1_767_603_600_000_001), "2026-01-05T09:00:00.000001Z");
        assert_eq!(format(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(format_millis(1_767_603_600_123_999), "2026-01-05T09:00:00.123Z");
        assert_eq!(format_millis(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn http_dates() {
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777 * SECOND));
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 CET"), None);
        assert_eq!(parse_http_date("tomorrow"), None);
    }
}
