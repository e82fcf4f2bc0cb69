//! Zones for somebody to choose from: by the city that is in a name, with how the clock runs and when that changes next.

use super::{Transition, Zone};
use crate::{
    text::plain,
    time::{Instant, Interval},
};

/// Within so many seconds a clock that is changed twice a year changes: two years. Only others are looked at to the end of time.
const SOON_SECONDS: i64 = 2 * 366 * 86_400;

/// How a zone's clock runs at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// As it runs then; `at` is that instant.
    pub now: Transition,
    /// When it runs otherwise next, and how; none: never, as far as the data in use says.
    pub next: Option<Transition>,
}

impl Zone {
    /// How its clock runs at an instant, and what changes next.
    #[must_use]
    pub fn running(self, at: Instant) -> Option<Running> {
        let until = |end: Instant| {
            let within = Interval::new(at, end).unwrap_or(Interval::of_minutes(at, 0));
            let mut changes = self.transitions(within).into_iter();
            (changes.next(), changes.next())
        };
        let (now, next) = until(at.plus_seconds(SOON_SECONDS));
        Some(Running { now: now?, next: next.or_else(|| until(Instant::MAX).1) })
    }

    /// The place that it is named after: `New York` of `America/New_York`.
    #[must_use]
    pub fn city(self) -> String {
        let name = self.name();
        name.rsplit('/').next().unwrap_or(name).replace('_', " ")
    }

    /// Does every word of this stand at the beginning of a word of its name, whatever case and accents? Nothing asked is in all of them.
    #[must_use]
    pub fn is_found_by(self, words: &str) -> bool {
        let name = plain(self.name());
        let of = |text: &'_ str| -> Vec<String> {
            text.split(|c: char| !c.is_alphanumeric() && c != '+')
                .filter(|w| !w.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let in_name = of(&name);
        of(&plain(words)).iter().all(|word| in_name.iter().any(|part| part.starts_with(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    #[test]
    fn a_zone_is_found_by_its_city() {
        for (name, words) in [
            ("America/New_York", "new york"),
            ("America/New_York", "YORK"),
            ("America/Sao_Paulo", "São Paulo"),
            ("Europe/Zurich", "zürich"),
            ("Europe/Warsaw", "europe war"),
            ("Etc/GMT+5", "gmt+5"),
            ("UTC", ""),
        ] {
            assert!(zone(name).is_found_by(words), "{name} by {words}");
        }
        for (name, words) in [("America/New_York", "ork"), ("Europe/Warsaw", "Kraków"), ("UTC", "utc x")] {
            assert!(!zone(name).is_found_by(words), "{name} by {words}");
        }
        assert_eq!(zone("America/Argentina/Buenos_Aires").city(), "Buenos Aires");
    }

    #[test]
    fn a_clock_says_when_it_changes_next() {
        let at = "2026-11-30T12:00:00Z".parse::<Instant>().unwrap();
        let warsaw = zone("Europe/Warsaw").running(at).unwrap();
        assert_eq!((warsaw.now.at, warsaw.now.offset_seconds), (at, 3_600));
        let next = warsaw.next.unwrap();
        assert_eq!((next.at.to_string().as_str(), next.offset_seconds), ("2027-03-28T01:00:00Z", 7_200));
        assert_eq!(zone("Asia/Tokyo").running(at).unwrap().next, None);
        // At both ends of time.
        assert!(zone("Europe/Warsaw").running(Instant::MIN).unwrap().next.is_some());
        assert_eq!(zone("Europe/Warsaw").running(Instant::MAX).unwrap().next, None);
    }
}
