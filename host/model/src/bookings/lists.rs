//! How lists of bookings are ordered, narrowed by state, and counted by day.

use std::{collections::BTreeMap, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use super::booking::{Booking, BookingStatus};
use crate::{
    problem::FieldError,
    scheduling::hours,
    time::{Instant, Interval, KNOWN_YEARS, is_day},
    zone::Zone,
};

/// By which time bookings are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderedBy {
    /// When it starts.
    #[default]
    Start,
    /// When it was made.
    Created,
    /// When it last changed.
    Updated,
}

/// An order of bookings: by a time, and by id where that is the same, so that a position in it is the same for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookingOrder {
    /// The time.
    pub by: OrderedBy,
    /// The latest first.
    pub descending: bool,
}

impl BookingOrder {
    /// All orders by their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("start", Self { by: OrderedBy::Start, descending: false }),
        ("-start", Self { by: OrderedBy::Start, descending: true }),
        ("created", Self { by: OrderedBy::Created, descending: false }),
        ("-created", Self { by: OrderedBy::Created, descending: true }),
        ("updated", Self { by: OrderedBy::Updated, descending: false }),
        ("-updated", Self { by: OrderedBy::Updated, descending: true }),
    ];

    /// The order of this name.
    pub fn named(name: &str) -> Result<Self, FieldError> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, order)| *order).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            FieldError::new("sort", format!("{name:?} is not known here; one of: {}", all.join(", ")))
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, order)| *order == self).map_or("start", |(name, _)| name)
    }

    /// The time of a booking that this order goes by.
    #[must_use]
    pub const fn time_of(self, booking: &Booking) -> Instant {
        match self.by {
            OrderedBy::Start => booking.when.start(),
            OrderedBy::Created => booking.created_at,
            OrderedBy::Updated => booking.updated_at,
        }
    }
}

/// Whose bookings are in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// Those that were made here, or adopted.
    #[default]
    Berth,
    /// Those that were made at providers.
    External,
    /// Both.
    All,
}

impl Origin {
    /// All of them by their names.
    pub const ALL: [(&'static str, Self); 3] =
        [("berth", Self::Berth), ("external", Self::External), ("all", Self::All)];

    /// The one of this name.
    pub fn named(name: &str) -> Result<Self, FieldError> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, origin)| *origin).ok_or_else(|| {
            let all = Self::ALL.map(|(name, _)| name).join(", ");
            FieldError::new("origin", format!("{name:?} is not known here; one of: {all}"))
        })
    }

    /// Are ours in the list?
    #[must_use]
    pub const fn has_ours(self) -> bool {
        !matches!(self, Self::External)
    }

    /// Are those of providers in it?
    #[must_use]
    pub const fn has_theirs(self) -> bool {
        !matches!(self, Self::Berth)
    }
}

/// What `rescheduled` is called among the states. It is none: a booking that was moved is in any state.
pub const RESCHEDULED: &str = "rescheduled";
/// What others call `confirmed`.
const SCHEDULED: &str = "scheduled";

/// Which states are wanted; nothing: all of them. A booking is in the list if it is in one of the states, or was moved and that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedStates {
    /// One of these.
    pub statuses: Vec<BookingStatus>,
    /// Those that were moved.
    pub rescheduled: bool,
}

impl WantedStates {
    /// Those in one of these states.
    #[must_use]
    pub fn of(statuses: impl IntoIterator<Item = BookingStatus>) -> Self {
        Self { statuses: statuses.into_iter().collect(), rescheduled: false }
    }

    /// By names, with commas between them.
    pub fn named(names: &str) -> Result<Self, FieldError> {
        let mut wanted = Self::default();
        for name in names.split(',').map(str::trim) {
            let name = if name == SCHEDULED { BookingStatus::Confirmed.as_str() } else { name };
            if name == RESCHEDULED {
                wanted.rescheduled = true;
            } else if let Some(status) = BookingStatus::ALL.into_iter().find(|s| s.as_str() == name) {
                if !wanted.statuses.contains(&status) {
                    wanted.statuses.push(status);
                }
            } else {
                let all = BookingStatus::ALL.map(BookingStatus::as_str).join(", ");
                let why = format!(
                    "{name:?} is not known here; of: {all}, {RESCHEDULED} (`{SCHEDULED}` is read as confirmed)"
                );
                return Err(FieldError::new("status", why));
            }
        }
        Ok(wanted)
    }

    /// Are all wanted?
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.statuses.is_empty() && !self.rescheduled
    }
}

/// One end of a stretch of time, as it is asked for: an instant, or a day on some clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// RFC 3339.
    At(Instant),
    /// `2026-11-24`.
    On(NaiveDate),
}

impl Bound {
    /// Does it need a zone to be an instant?
    #[must_use]
    pub const fn is_day(self) -> bool {
        matches!(self, Self::On(_))
    }

    /// From when on: a day from its first instant.
    #[must_use]
    pub fn begins(self, zone: Zone) -> Instant {
        match self {
            Self::At(at) => at,
            Self::On(date) => hours::day_start(zone, date),
        }
    }

    /// Until when: a day to its end.
    #[must_use]
    pub fn ends(self, zone: Zone) -> Instant {
        match self {
            Self::At(at) => at,
            Self::On(date) => date.succ_opt().map_or(Instant::MAX, |next| hours::day_start(zone, next)),
        }
    }
}

impl FromStr for Bound {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == "2026-11-24".len() {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "is no day".to_owned())?;
            return if is_day(date) { Ok(Self::On(date)) } else { Err(KNOWN_YEARS.to_owned()) };
        }
        text.parse().map(Self::At).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|why| serde::de::Error::custom(format!("{why} (a day such as 2026-11-24, or RFC 3339)")))
    }
}

/// A civil day of a zone, and the stretch of time that it is there: 23, 24 or 25 hours where clocks change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: NaiveDate,
    /// From its first instant to the first of the next.
    pub within: Interval,
}

/// The days from one to another, both included, at most so many. None if there are more.
#[must_use]
pub fn days(zone: Zone, first: NaiveDate, last: NaiveDate, most: usize) -> Option<Vec<Day>> {
    let mut days = Vec::new();
    let mut date = first;
    while date <= last {
        if days.len() >= most {
            return None;
        }
        let next = date.succ_opt()?;
        let within = Interval::new(hours::day_start(zone, date), hours::day_start(zone, next)).ok()?;
        days.push(Day { date, within });
        date = next;
    }
    Some(days)
}

/// How many bookings start on a day, by status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCount {
    /// The day.
    pub date: NaiveDate,
    /// All of them.
    pub total: i64,
    /// Those of each status that there are any of.
    pub by_status: BTreeMap<String, i64>,
}

impl DayCount {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.total = self.total.saturating_add(other.total);
        for (status, count) in &other.by_status {
            let sum = self.by_status.entry(status.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn states_are_read_by_their_names() {
        let wanted = WantedStates::named("pending, scheduled,confirmed,rescheduled").unwrap();
        assert_eq!(wanted.statuses, [BookingStatus::Pending, BookingStatus::Confirmed]);
        assert!(wanted.rescheduled && !wanted.is_all() && WantedStates::default().is_all());
        for wrong in ["", "pending,", "Pending", "done"] {
            let error = WantedStates::named(wrong).unwrap_err();
            assert!(error.message.contains("no_show, rescheduled"), "{}", error.message);
        }
    }

    #[test]
    fn origins_have_names() {
        for (name, origin) in Origin::ALL {
            assert_eq!(Origin::named(name), Ok(origin));
            assert!(origin.has_ours() || origin.has_theirs(), "{name}");
        }
        assert!(Origin::default().has_ours() && !Origin::default().has_theirs());
        assert!(Origin::named("theirs").unwrap_err().message.contains("external"));
    }

    #[test]
    fn orders_have_names() {
        for (name, order) in BookingOrder::ALL {
            assert_eq!((BookingOrder::named(name).unwrap(), order.name()), (order, name));
        }
        assert!(BookingOrder::named("-name").unwrap_err().message.contains("-updated"));
        assert_eq!(BookingOrder::default().name(), "start");
    }

    #[test]
    fn ends_are_instants_or_days() {
        let zone: Zone = "Europe/Warsaw".parse().unwrap();
        let day: Bound = "2026-10-25".parse().unwrap();
        assert_eq!(day.begins(zone).to_string(), "2026-10-24T22:00:00Z");
        assert_eq!(
            day.ends(zone).to_string(),
            "2026-10-25T23:00:00Z",
            "an hour more, and the day itself is in it"
        );
        let at: Bound = "2026-10-25T10:00:00+01:00".parse().unwrap();
        assert!(day.is_day() && !at.is_day() && at.begins(zone) == at.ends(zone));
        for wrong in [
            "",
            "2026-13-01",
            "2026-10-32",
            "1969-12-31",
            "2200-01-01",
            "2026-1-001",
            "20261025",
            "25.10.2026",
        ] {
            assert!(wrong.parse::<Bound>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_are_as_long_as_clocks_make_them() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let of = |zone: &str, from: &str, to: &str| {
            let days = days(zone.parse().unwrap(), day(from), day(to), 9).unwrap();
            days.iter()
                .map(|d| d.within.end().micros_since(d.within.start()) / 3_600_000_000)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("Europe/Warsaw", "2026-10-24", "2026-10-26"), [24, 25, 24]);
        assert_eq!(of("Europe/Warsaw", "2027-03-27", "2027-03-29"), [24, 23, 24]);
        // Clocks there change at midnight: the day begins at one.
        assert_eq!(of("America/Asuncion", "2023-10-01", "2023-10-01"), [23]);
        // A day that was never.
        assert_eq!(of("Pacific/Apia", "2011-12-29", "2011-12-31"), [24, 0, 24]);
        assert!(days("UTC".parse().unwrap(), day("2026-01-01"), day("2026-01-10"), 9).is_none());
        assert_eq!(days("UTC".parse().unwrap(), day("2026-01-02"), day("2026-01-01"), 9), Some(vec![]));
    }

    proptest! {
        /// Days of a zone follow each other without a gap: each instant is on one.
        #[test]
        fn days_join(zone in prop::sample::select(Zone::all()), from in 0_i64..80_000, count in 1_i64..40) {
            let first = NaiveDate::from_ymd_opt(1970, 1, 3).unwrap() + chrono::Duration::days(from);
            let last = first + chrono::Duration::days(count - 1);
            let days = days(zone, first, last, 40).unwrap();
            prop_assert_eq!(days.len(), usize::try_from(count).unwrap());
            for pair in days.windows(2) {
                prop_assert_eq!(pair[0].within.end(), pair[1].within.start());
            }
        }
    }
}
