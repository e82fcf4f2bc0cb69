//! Instants, intervals and zones.
//!
//! Instants are UTC microseconds (what PostgreSQL keeps); rules are wall-clock and carry their zone.

use std::{fmt, str::FromStr};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, within the years 0001 to 9999.
/// On the wire RFC 3339 in UTC (`2026-11-20T09:00:00Z`); any offset is understood.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

/// Why a text or number is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time with offset, such as 2026-11-20T09:00:00Z")]
pub struct InstantError;

impl Instant {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

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
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InstantError)?.with_timezone(&Utc);
        let instant = Self(time.timestamp_micros());
        if (Self::MIN..=Self::MAX).contains(&instant) { Ok(instant) } else { Err(InstantError) }
    }
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

/// An IANA time zone (`Europe/Warsaw`), known to the tz data that is built in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Zone(chrono_tz::Tz);

/// A zone name that the tz data does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an IANA time zone such as Europe/Warsaw")]
pub struct UnknownZone;

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    /// The zone for chrono.
    #[must_use]
    pub const fn tz(self) -> chrono_tz::Tz {
        self.0
    }
}
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}
impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| UnknownZone)
    }
}
impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}
impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The clock as a parameter: the product passes the machine's, tests one that they move.
pub trait Clock: Send + Sync {
    /// The instant it is now, cut to microseconds.
    fn now(&self) -> Instant;
}
