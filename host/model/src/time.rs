//! Instants and intervals.
//!
//! Instants are UTC microseconds (what PostgreSQL keeps); rules are wall-clock and carry their zone ([`crate::zone`]).

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, within the years 1970 to 2199. Nobody books outside of them, and years that
/// stand for "always" or "never" elsewhere (1, 1601, 9999) are no times; every computation may rely on these ends.
/// On the wire RFC 3339 in UTC (`2026-11-20T09:00:00Z`); any offset is understood.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

/// Why a text is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// It is written otherwise.
    #[error("not an RFC 3339 date and time with offset, such as 2026-11-20T09:00:00Z")]
    Form,
    /// It lies before [`Instant::MIN`] or after [`Instant::MAX`].
    #[error("{KNOWN_YEARS}")]
    Domain,
}

/// What is said of a time outside of them.
pub const KNOWN_YEARS: &str = "must lie in the years 1970 to 2199";

/// Is this a day that some instant of ours lies on?
#[must_use]
pub fn is_day(date: NaiveDate) -> bool {
    (1970..=2199).contains(&date.year())
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 2199-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(7_258_118_399_999_999);

    /// The instant so many microseconds after 1970, kept within [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// The instant so many seconds after 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// So many microseconds later (earlier when negative), kept within range.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// So many milliseconds later (earlier when negative).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        self.plus_micros(millis.saturating_mul(1_000))
    }

    /// So many seconds later (earlier when negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// So many minutes later (earlier when negative).
    #[must_use]
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        self.plus_seconds(minutes.saturating_mul(60))
    }

    /// Microseconds from `earlier` to here; negative if it is later.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same instant for chrono.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// From chrono, cut to microseconds.
    #[must_use]
    pub fn from_chrono(time: DateTime<Utc>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}
impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Instant {
    type Err = InstantError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !is_rfc3339(text.as_bytes()) {
            return Err(InstantError::Form);
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InstantError::Form)?;
        let instant = Self(time.timestamp_micros());
        if (Self::MIN..=Self::MAX).contains(&instant) { Ok(instant) } else { Err(InstantError::Domain) }
    }
}

/// Is it written as RFC 3339 has it, in the one form that everybody reads alike? The library also takes spaces, other minus signs, lower
/// case, leap seconds, and digits without end.
fn is_rfc3339(text: &[u8]) -> bool {
    let digits = |from: usize, to: usize| {
        text.get(from..to).is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    let is = |at: usize, byte: u8| text.get(at) == Some(&byte);
    let time = digits(0, 4) && is(4, b'-') && digits(5, 7) && is(7, b'-') && digits(8, 10) && is(10, b'T');
    let clock = digits(11, 13) && is(13, b':') && digits(14, 16) && is(16, b':') && digits(17, 19);
    let leap = is(17, b'6');
    let mut offset = 19;
    if is(19, b'.') {
        let fraction = text.iter().skip(20).take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&fraction) {
            return false;
        }
        offset = fraction.saturating_add(20);
    }
    let end = |length: usize| text.len() == offset.saturating_add(length);
    let minutes = offset.saturating_add(3);
    let zone = (is(offset, b'Z') && end(1))
        || ((is(offset, b'+') || is(offset, b'-'))
            && digits(offset.saturating_add(1), minutes)
            && is(minutes, b':')
            && digits(minutes.saturating_add(1), offset.saturating_add(6))
            && end(6));
    time && clock && !leap && zone
}
impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A half-open stretch of time: `start` belongs to it, `end` does not. Never inverted; may be empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Interval {
    start: Instant,
    end: Instant,
}

/// An interval whose end lies before its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the interval ends before it starts")]
pub struct InvertedInterval;

impl Interval {
    /// All that is known.
    pub const EVER: Self = Self { start: Instant::MIN, end: Instant::MAX };

    /// The interval from `start` to `end`; refused when inverted.
    pub fn new(start: Instant, end: Instant) -> Result<Self, InvertedInterval> {
        if start <= end { Ok(Self { start, end }) } else { Err(InvertedInterval) }
    }

    /// The interval of so many minutes from `start`.
    #[must_use]
    pub fn of_minutes(start: Instant, minutes: u32) -> Self {
        Self { start, end: start.plus_minutes(i64::from(minutes)) }
    }

    /// First instant inside.
    #[must_use]
    pub const fn start(self) -> Instant {
        self.start
    }

    /// First instant after.
    #[must_use]
    pub const fn end(self) -> Instant {
        self.end
    }

    /// Does it hold no instant at all?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Do the two share an instant? Touching is not overlapping.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Does all of `other` lie inside?
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Widened by minutes at both ends.
    #[must_use]
    pub fn widened(self, before_minutes: u32, after_minutes: u32) -> Self {
        Self {
            start: self.start.plus_minutes(-i64::from(before_minutes)),
            end: self.end.plus_minutes(i64::from(after_minutes)),
        }
    }

    /// The shortest interval that holds both.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The part that both share, if it is not empty.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end })
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            start: Instant,
            end: Instant,
        }
        let raw = Raw::deserialize(deserializer)?;
        Self::new(raw.start, raw.end).map_err(de::Error::custom)
    }
}

/// The clock as a parameter: the product passes the machine's, tests one that they move.
pub trait Clock: Send + Sync {
    /// The instant it is now, cut to microseconds.
    fn now(&self) -> Instant;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_one_form_and_lies_between_the_ends() {
        for (text, expected) in [
            ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z"),
            ("2026-11-20T09:00:00.123456789+05:45", "2026-11-20T03:15:00.123456Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("1969-12-31T22:00:00-02:00", "1970-01-01T00:00:00Z"),
            ("2199-12-31T23:59:59.999999Z", "2199-12-31T23:59:59.999999Z"),
            ("2200-01-01T01:00:00+02:00", "2199-12-31T23:00:00Z"),
        ] {
            assert_eq!(text.parse::<Instant>().unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T09:00:00",
            "2026-11-20T09:00Z",
            "2026-11-20 09:00:00Z",
            "2026-11-20t09:00:00Z",
            "2026-11-20T09:00:00z",
            "2026-11-20T09:00:60Z",
            "2016-12-31T23:59:60Z",
            "2026-11-20T24:00:00Z",
            "2026-02-29T09:00:00Z",
            "2026-11-20T09:00:00.Z",
            "2026-11-20T09:00:00.1234567890123456789012345Z",
            "2026-11-20T09:00:00\u{2212}01:00",
            "2026-11-20T09:00:00+0100",
            "2026-11-20T09:00:00+25:00",
            "+2026-11-20T09:00:00Z",
            " 2026-11-20T09:00:00Z",
            "2026-11-20T09:00:00Z ",
            "\u{0662}026-11-20T09:00:00Z",
        ] {
            assert_eq!(text.parse::<Instant>(), Err(InstantError::Form), "{text}");
        }
        for text in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "1970-01-01T00:00:00+00:01",
            "2200-01-01T00:00:00Z",
            "2199-12-31T23:59:00-00:01",
            "9999-12-31T10:00:00Z",
        ] {
            assert_eq!(text.parse::<Instant>(), Err(InstantError::Domain), "{text}");
        }
    }
}
