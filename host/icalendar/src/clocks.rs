//! From what a wall clock shows to an instant, whatever a calendar calls the clock.

use std::{fmt, sync::Arc};

use chrono::NaiveDateTime;

use crate::{Component, Property, stamp::Stamp, vtimezone, windows};

/// The tz data of whoever asks.
pub trait Zones {
    /// The instant, in UTC, at which clocks of this IANA zone show a time. Of two the first; in a gap as the clocks before it would have it.
    /// None where there is no such zone.
    fn instant(&self, zone: &str, local: NaiveDateTime) -> Option<NaiveDateTime>;
}

impl<T: Zones + ?Sized> Zones for &T {
    fn instant(&self, zone: &str, local: NaiveDateTime) -> Option<NaiveDateTime> {
        (**self).instant(zone, local)
    }
}

/// A clock on a wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// It shows UTC.
    Utc,
    /// Of an IANA zone that is known.
    Known(String),
    /// As a calendar defines it.
    Defined(Arc<vtimezone::Zone>),
}

impl Clock {
    /// By the name of a zone: an IANA name, one of Windows, or one that ends with an IANA name as some programs make them
    /// (`/example.org/20260101/Europe/Warsaw`). None where none is meant that `zones` knows.
    #[must_use]
    pub fn named(name: &str, zones: &dyn Zones) -> Option<Self> {
        let name = name.trim();
        let is_known = |name: &str| zones.instant(name, NaiveDateTime::default()).is_some();
        let ends = name.match_indices('/').filter_map(|(at, _)| name.get(at.saturating_add(1)..));
        let ends = ends.take(if name.starts_with('/') { PREFIXES_MAX } else { 0 });
        let known = std::iter::once(name).chain(windows::iana(name)).chain(ends).find(|name| is_known(name));
        known.map(|name| Self::Known(name.to_owned()))
    }

    /// Of a `VTIMEZONE`. A name that everybody knows counts more than what a calendar once said of it: laws change, files stay.
    #[must_use]
    pub fn of(definition: &Component, zones: &dyn Zones) -> Option<Self> {
        let name = definition.text("TZID").unwrap_or_default();
        if zones.instant(name.trim(), NaiveDateTime::default()).is_some() {
            return Some(Self::Known(name.trim().to_owned()));
        }
        let defined = vtimezone::Zone::read(definition).map(|zone| Self::Defined(Arc::new(zone)));
        defined.or_else(|| Self::named(&name, zones))
    }

    /// The instant, in UTC, at which it shows a time. None beyond the calendar.
    #[must_use]
    pub fn instant(&self, local: NaiveDateTime, zones: &dyn Zones) -> Option<NaiveDateTime> {
        match self {
            Self::Utc => Some(local),
            Self::Known(name) => zones.instant(name, local),
            Self::Defined(zone) => zone.instant(local),
        }
    }
}

/// Parts of a name before an IANA name that are passed over.
const PREFIXES_MAX: usize = 8;

/// The clocks of one calendar.
pub struct Clocks<'a> {
    defined: Vec<(String, Option<Clock>)>,
    zones: &'a dyn Zones,
    /// For days, and for times that belong to no zone.
    pub floating: Clock,
}

impl fmt::Debug for Clocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clocks").field("defined", &self.defined).field("floating", &self.floating).finish()
    }
}

impl<'a> Clocks<'a> {
    /// Those that a calendar names, where these zones are known; `floating` is for days, and for times that belong to no zone.
    #[must_use]
    pub fn new(calendar: &Component, zones: &'a dyn Zones, floating: Clock) -> Self {
        let defined = calendar
            .all("VTIMEZONE")
            .filter_map(|definition| Some((definition.text("TZID")?, Clock::of(definition, zones))));
        Self { defined: defined.collect(), zones, floating }
    }

    /// The clock that a property's time is shown by. None where its zone is neither defined nor known: a guess would be hours off.
    #[must_use]
    pub fn of(&self, property: &Property) -> Option<Clock> {
        self.of_stamp(Stamp::read(property.value())?, property)
    }

    /// The same for one time of a property that lists several.
    #[must_use]
    pub fn of_stamp(&self, stamp: Stamp, property: &Property) -> Option<Clock> {
        match (stamp, property.parameter("TZID")) {
            (Stamp::Utc(_), _) => Some(Clock::Utc),
            (Stamp::Local(_), Some(name)) => self.named(&name),
            (Stamp::Local(_) | Stamp::Day(_), _) => Some(self.floating.clone()),
        }
    }

    fn named(&self, name: &str) -> Option<Clock> {
        let name = name.trim();
        match self.defined.iter().find(|(defined, _)| defined.trim() == name) {
            Some((_, Some(clock))) => Some(clock.clone()),
            _ => Clock::named(name, self.zones),
        }
    }

    /// The instant, in UTC, at which a clock shows a time.
    #[must_use]
    pub fn instant(&self, clock: &Clock, local: NaiveDateTime) -> Option<NaiveDateTime> {
        clock.instant(local, self.zones)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone as _};

    /// tz data for tests.
    pub(crate) struct Tz;

    impl Zones for Tz {
        fn instant(&self, zone: &str, local: NaiveDateTime) -> Option<NaiveDateTime> {
            let tz: chrono_tz::Tz = zone.parse().ok()?;
            let at = |hours: i64| {
                let back = TimeDelta::hours(hours);
                let found = tz.from_local_datetime(&local.checked_sub_signed(back)?).earliest()?;
                found.naive_utc().checked_add_signed(back)
            };
            (0..26).find_map(at)
        }
    }

    /// As old as the file: Brazil has had no summer time since 2019.
    const OLD: &str = "BEGIN:VTIMEZONE\nTZID:America/Sao_Paulo\nBEGIN:DAYLIGHT\nTZOFFSETFROM:-0300\nTZOFFSETTO:-0200\nDTSTART:19701011T000000\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=10\nEND:DAYLIGHT\nBEGIN:STANDARD\nTZOFFSETFROM:-0200\nTZOFFSETTO:-0300\nDTSTART:19700215T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=2\nEND:STANDARD\nEND:VTIMEZONE\n";

    fn fixed(name: &str, offset: &str) -> String {
        format!(
            "BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
        )
    }

    #[test]
    fn a_zone_is_found_whatever_it_is_called() {
        let at = |definition: &str, property: &str| {
            let text =
                format!("BEGIN:VCALENDAR\n{definition}BEGIN:VEVENT\n{property}\nEND:VEVENT\nEND:VCALENDAR");
            let calendar = Component::read(text.as_bytes()).unwrap();
            let clocks = Clocks::new(&calendar, &Tz, Clock::Known("Asia/Tokyo".to_owned()));
            let event = calendar.all("VEVENT").next().unwrap();
            let start = event.property("DTSTART").unwrap();
            let local = Stamp::read(start.value()).unwrap().shown();
            clocks.instant(&clocks.of(start)?, local).map(crate::stamp::utc)
        };
        let half_broken = "BEGIN:VTIMEZONE\nTZID:Eastern Standard Time\nEND:VTIMEZONE\n";
        for (definition, property, expected) in [
            ("", "DTSTART;TZID=Europe/Warsaw:20300705T110000", Some("20300705T090000Z")),
            ("", "DTSTART;TZID=Eastern Standard Time:20261215T100000", Some("20261215T150000Z")),
            ("", "DTSTART;TZID=\"eastern standard time \":20260715T100000", Some("20260715T140000Z")),
            (
                "",
                "DTSTART;TZID=/example.org/20260101_1/America/Argentina/Salta:20300705T090000",
                Some("20300705T120000Z"),
            ),
            ("", "DTSTART;TZID=/Europe/Warsaw:20300105T110000", Some("20300105T100000Z")),
            ("", "DTSTART;TZID=Mars:20300105T110000", None),
            ("", "DTSTART;TZID=:20300105T110000", None),
            ("", "DTSTART;TZID=Europe/Warsaw:20300105T110000Z", Some("20300105T110000Z")),
            ("", "DTSTART:20300105T110000", Some("20300105T020000Z")),
            ("", "DTSTART;VALUE=DATE:20300105", Some("20300104T150000Z")),
            (&fixed("Mars", "+0037"), "DTSTART;TZID=Mars:20300105T110000", Some("20300105T102300Z")),
            // What Windows has on its own machine may be another rule under that name.
            (
                &fixed("Eastern Standard Time", "-0400"),
                "DTSTART;TZID=Eastern Standard Time:20261215T100000",
                Some("20261215T140000Z"),
            ),
            (half_broken, "DTSTART;TZID=Eastern Standard Time:20261215T100000", Some("20261215T150000Z")),
            (OLD, "DTSTART;TZID=America/Sao_Paulo:20261215T100000", Some("20261215T130000Z")),
        ] {
            assert_eq!(at(definition, property).as_deref(), expected, "{property}");
        }
    }
}
