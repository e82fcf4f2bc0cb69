//! Wall clocks of IANA zones, for providers that tell days, or times without an offset. A feature, `zones`: Berth is asked for what it
//! knows of a zone, about once a call, so that a component counts as Berth does and brings no data.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    bindings::connection::berth::provider::zones::{Transition, ZoneError},
    imports::zones,
    time::{self, DAY},
    types::{Instant, Interval},
};

/// How far before and after a time a zone's clocks are asked for, in days: ten years, so that one question answers for a calendar. Twice
/// this is less than Berth tells at once.
const AROUND_DAYS: i64 = 3_653;
/// What is told of a time is enough for wall clocks so far from the ends of what was asked for: more than any offset.
const EDGE: i64 = 2 * DAY;
/// The years that Berth knows end here, in 2200.
const LAST: Instant = 7_258_118_400_000_000;
/// Longest name that is asked for, in bytes: Berth knows no longer one.
const NAME_BYTES_MAX: usize = 64;
/// Names that are looked up in one call. Who writes into a calendar may name what they like, and must not use up a call's questions.
const NAMES_MAX: usize = 500;

/// An IANA zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(&'static str);

/// What Berth told of a zone: a stretch for each question.
struct Known {
    name: &'static str,
    stretches: Vec<Stretch>,
}

struct Stretch {
    within: Interval,
    transitions: Vec<Transition>,
}

thread_local! {
    /// By name; none for a name that is none. A component's memory lasts for one call, so nothing here grows old.
    static KNOWN: RefCell<BTreeMap<String, Option<Known>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Zone {
    /// Where clocks show UTC.
    pub const UTC: Self = Self("UTC");

    /// By its name: `Europe/Warsaw`. None for a name that is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == Self::UTC.0 {
            return Some(Self::UTC);
        }
        KNOWN.with_borrow_mut(|all| {
            if let Some(known) = all.get(name) {
                return known.as_ref().map(|known| Self(known.name));
            }
            if name.is_empty() || name.len() > NAME_BYTES_MAX || all.len() >= NAMES_MAX {
                return None;
            }
            // Most times that a call has to do with are near the present.
            let known = Stretch::around(name, time::now()).ok().map(|stretch| {
                // A name for each zone that is used in one call.
                Known { name: String::from(name).leak(), stretches: vec![stretch] }
            });
            let zone = known.as_ref().map(|known| Self(known.name));
            all.insert(name.to_owned(), known);
            zone
        })
    }

    /// The instant at which clocks show `local`, which counts microseconds as if they showed UTC. Of two the first; in a gap as the
    /// clocks before it would have it, so that a day without a midnight begins with its first moment.
    #[must_use]
    pub fn instant(self, local: i64) -> Instant {
        KNOWN.with_borrow_mut(|all| match all.get_mut(self.0) {
            Some(Some(known)) => known.instant(local),
            // UTC, which nobody is asked for.
            _ => local,
        })
    }
}

impl Known {
    fn instant(&mut self, local: i64) -> Instant {
        let near = local.clamp(0, LAST);
        if !self.stretches.iter().any(|stretch| stretch.tells(near)) {
            // What is refused for its range, which none of these is, would leave what is known.
            self.stretches.extend(Stretch::around(self.name, near));
        }
        let told = self.stretches.iter().find(|stretch| stretch.tells(near));
        told.or(self.stretches.last()).map_or(local, |stretch| instant(&stretch.transitions, local))
    }
}

impl Stretch {
    /// Ask for what clocks do around a time.
    fn around(name: &str, at: i64) -> Result<Self, ZoneError> {
        let around = AROUND_DAYS * DAY;
        let within = Interval { start: at.saturating_sub(around), end: at.saturating_add(around) };
        Ok(Self { within, transitions: zones::transitions(name, within)? })
    }

    /// Does it hold every change that matters to clocks which show this?
    const fn tells(&self, local: i64) -> bool {
        self.within.start + EDGE <= local && local <= self.within.end - EDGE
    }
}

/// See [`Zone::instant`].
fn instant(transitions: &[Transition], local: i64) -> Instant {
    let mut before = None;
    for (n, change) in transitions.iter().enumerate() {
        let offset = i64::from(change.offset_seconds) * time::SECOND;
        let shown = local.saturating_sub(offset);
        if transitions.get(n + 1).is_none_or(|next| shown < next.at) {
            // Before its beginning: these clocks have passed over it, those before it had not come to it.
            let is_in_gap = shown < change.at;
            return before.filter(|_| is_in_gap).map_or(shown, |offset| local.saturating_sub(offset));
        }
        before = Some(offset);
    }
    local
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testing,
        time::{HOUR, format, parse},
    };

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
            // Years that Berth does not know: as in the nearest.
            ("Europe/Warsaw", "1950-07-05T10:00:00Z", "1950-07-05T09:00:00Z"),
            ("Asia/Tokyo", "2300-07-05T10:00:00Z", "2300-07-05T01:00:00Z"),
        ] {
            let found = Zone::named(zone).unwrap().instant(parse(local).unwrap());
            assert_eq!(format(found), expected, "{zone} {local}");
        }
        assert_eq!(Zone::UTC.instant(i64::MAX), i64::MAX, "what no calendar reaches stays");
        let tokyo = Zone::named("Asia/Tokyo").unwrap();
        assert_eq!(tokyo.instant(i64::MAX), i64::MAX - 9 * HOUR);
        assert_eq!((Zone::named("Atlantis"), Zone::named("")), (None, None));
    }

    /// Every wall clock time of some zones, a quarter of an hour after the other over a change, as the offsets themselves have it.
    #[test]
    fn each_time_is_one_that_clocks_show_or_none_shows() {
        for (name, from) in [
            ("Europe/Warsaw", "2026-03-28T00:00:00Z"),
            ("Europe/Warsaw", "2026-10-24T00:00:00Z"),
            ("America/New_York", "2026-03-07T00:00:00Z"),
            ("America/New_York", "2026-10-31T00:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
            ("Pacific/Apia", "2011-12-29T00:00:00Z"),
            ("America/Havana", "2026-03-07T00:00:00Z"),
            ("Africa/Casablanca", "2026-02-14T00:00:00Z"),
        ] {
            let (zone, from) = (Zone::named(name).unwrap(), parse(from).unwrap());
            let offset = |at: i64| {
                let told = zones::transitions(name, Interval { start: at, end: at }).unwrap();
                i64::from(told[0].offset_seconds) * time::SECOND
            };
            for n in 0..(4 * 24 * 4) {
                let local = from + n * 15 * time::MINUTE;
                // All instants at which clocks show it, in steps of a quarter of an hour.
                let candidates = (-14 * 4..=14 * 4).map(|n| local + n * 15 * time::MINUTE);
                let first = candidates.filter(|at| at + offset(*at) == local).min();
                let expected = first.unwrap_or_else(|| local - offset(local - 26 * HOUR));
                assert_eq!(format(zone.instant(local)), format(expected), "{name} {}", format(local));
            }
        }
    }

    #[test]
    fn a_calendar_is_read_with_one_question_per_zone() {
        testing::set_now(parse("2026-01-05T09:00:00Z").unwrap());
        let asked = testing::zone_questions;
        for _ in 0..5_000 {
            for name in ["Europe/Warsaw", "America/New_York", "Atlantis"] {
                let zone = Zone::named(name);
                let of_day = |day: i64| zone.map(|zone| zone.instant(time::now() + day * DAY));
                assert_eq!(of_day(-3_600).is_some() && of_day(3_600).is_some(), name != "Atlantis");
            }
        }
        assert_eq!(asked(), 3);
        // Another century is another question, once.
        let zone = Zone::named("Europe/Warsaw").unwrap();
        (0..1_000)
            .for_each(|n| assert_ne!(zone.instant(parse("1985-06-01T00:00:00Z").unwrap() + n * DAY), 0));
        assert_eq!(asked(), 4);
        // Names that are made up do not use up the call.
        (0..10_000).for_each(|n| assert_eq!(Zone::named(&format!("Zone {n}")), None));
        assert!(asked() < 600, "{}", asked());
        assert!(Zone::named(&"x".repeat(100_000)).is_none());
    }
}
