//! Instants as text.

use chrono::{DateTime, SecondsFormat, Utc};

/// `2026-01-05T09:00:00.000Z` of microseconds since 1970.
pub fn utc(micros: i64) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// RFC 3339 text as microseconds since 1970.
pub fn micros(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_micros())
}
