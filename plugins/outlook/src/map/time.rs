//! Times without an offset, whose zone stands beside them.

use berth_sdk::{time, types::Instant};
use serde::Deserialize;
use serde_json::{Value, json};

/// `{"dateTime": "2026-01-05T09:00:00.0000000", "timeZone": "UTC"}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DateTime {
    date_time: String,
    time_zone: String,
}

impl DateTime {
    /// The instant, if it is in UTC, which every request asks for. Other zones may have names that only Windows knows.
    pub(super) fn instant(&self) -> Option<Instant> {
        let is_utc = ["UTC", "Etc/UTC", "Etc/GMT"].contains(&self.time_zone.as_str());
        let text = self.date_time.trim_end_matches('Z');
        is_utc.then(|| time::parse(&format!("{text}Z")))?
    }

    /// The day, of an event that lasts days: `2026-01-05`.
    pub(super) fn day(&self) -> Option<&str> {
        self.date_time.get(..10)
    }
}

/// An instant as Graph writes and reads them.
pub(crate) fn time_of(instant: Instant) -> Value {
    json!({ "dateTime": time::format(instant).trim_end_matches('Z'), "timeZone": "UTC" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for instant in [0, 1_767_603_600_000_000, 1_767_603_600_123_456] {
            let written: DateTime = serde_json::from_value(time_of(instant)).unwrap();
            assert_eq!(written.instant(), Some(instant));
        }
        assert_eq!(time_of(0), json!({ "dateTime": "1970-01-01T00:00:00", "timeZone": "UTC" }));
    }

    #[test]
    fn seven_digits_and_other_zones() {
        let read = |text: &str, zone: &str| {
            DateTime { date_time: text.to_owned(), time_zone: zone.to_owned() }.instant()
        };
        assert_eq!(read("2026-01-05T09:00:00.0000000", "UTC"), time::parse("2026-01-05T09:00:00Z"));
        assert_eq!(read("2026-01-05T09:00:00Z", "UTC"), time::parse("2026-01-05T09:00:00Z"));
        assert_eq!(read("2026-01-05T10:00:00.0000000", "Central European Standard Time"), None);
        assert_eq!(read("2026-01-05T09:00:00+01:00", "UTC"), None);
        assert_eq!(read("junk", "UTC"), None);
    }
}
