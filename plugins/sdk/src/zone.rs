//! Wall clocks of IANA zones, for providers that tell days, or times without an offset. A feature, `zones`, since the data of all
//! zones is large.

use chrono::{DateTime, TimeZone as _};
use chrono_tz::Tz;

use crate::{time::HOUR, types::Instant};

/// Hours that are looked back from a time that no clock shows, to before the gap: Samoa once left out a day.
const GAP_HOURS_MAX: i64 = 26;

/// An IANA zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Where clocks show UTC.
    pub const UTC: Self = Self(Tz::UTC);

    /// By its name: `Europe/Warsaw`. None for a name that is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// The instant at which clocks show `local`, which counts microseconds as if they showed UTC. Of two the first; in a gap as the
    /// clocks before it would have it, so that a day without a midnight begins with its first moment.
    #[must_use]
    pub fn instant(self, local: i64) -> Instant {
        let at = |hours: i64| {
            let back = hours * HOUR;
            let shown = DateTime::from_timestamp_micros(local.checked_sub(back)?)?.naive_utc();
            self.0.from_local_datetime(&shown).earliest()?.timestamp_micros().checked_add(back)
        };
        (0..=GAP_HOURS_MAX).find_map(at).unwrap_or(local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{format, parse};

    #[test]
    fn summer_winter_gap_and_fold() {
        for (zone, local, expected) in [
            ("Europe/Warsaw", "2030-01-05T10:00:00Z", "2030-01-05T09:00:00Z"),
            ("Europe/Warsaw", "2030-07-05T10:00:00Z", "2030-07-05T08:00:00Z"),
            ("Europe/Warsaw", "2030-03-31T02:30:00Z", "2030-03-31T01:30:00Z"),
            ("Europe/Warsaw", "2030-10-27T02:30:00Z", "2030-10-27T00:30:00Z"),
            // Clocks go from 24:00 to 01:00 there, by half an hour there, and over a whole day there.
            ("Africa/Cairo", "2026-04-24T00:00:00Z", "2026-04-23T22:00:00Z"),
            ("Australia/Lord_Howe", "2030-10-06T02:15:00Z", "2030-10-05T15:45:00Z"),
            ("Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T22:00:00Z"),
            ("UTC", "2030-01-05T10:00:00Z", "2030-01-05T10:00:00Z"),
        ] {
            let found = Zone::named(zone).unwrap().instant(parse(local).unwrap());
            assert_eq!(format(found), expected, "{zone} {local}");
        }
        assert_eq!(Zone::UTC.instant(i64::MAX), i64::MAX, "what no calendar reaches stays");
        assert_eq!((Zone::named("Atlantis"), Zone::named("")), (None, None));
    }
}
