//! Where time-zone data comes from: the newest release of the folder that the configuration names, the machine's own, and what is built
//! in. Looked at again and again while the server runs; what is wrong is refused whole, and what is in use stays.

mod folder;
#[cfg(test)]
mod tests;

use std::{
    cmp::Ordering,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use berth_model::zone::{self, Release, Source, ZoneData};

use self::folder::{Files, Refusal};
use crate::{Readiness, config::Config};

/// Where systems keep their data.
const SYSTEM: &str = "/usr/share/zoneinfo";
/// The name under which `/readyz` shows what is wrong with data.
const REMARK: &str = "time zones";

/// What was found of one folder.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// It can be used. Its release is none if it does not say.
    Good(Arc<ZoneData>),
    /// It is not newer than what is built in, and was not read.
    Older(Release),
    /// It does not say its release, and nobody has named it.
    Unnamed,
    /// It changed since the last look: maybe it is being copied.
    Settling,
    /// This machine has none.
    Absent,
    /// It is wrong, or not there.
    Refused(Refusal),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good(data) => match data.release() {
                Some(release) => write!(f, "{release}"),
                None => f.write_str("of a release that it does not say"),
            },
            Self::Older(release) => write!(f, "{release}"),
            Self::Unnamed => f.write_str("not used, for it does not say its release"),
            Self::Settling => f.write_str("it changes"),
            Self::Absent => f.write_str("none"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

/// A folder, and what was seen of it.
struct Place {
    source: Source,
    path: PathBuf,
    /// What was read last, and what came of it.
    read: Option<(Files, Found)>,
    /// What the last look saw, if it was another.
    seen: Option<Files>,
}

impl Place {
    fn new(source: Source, path: impl Into<PathBuf>) -> Self {
        Self { source, path: path.into(), read: None, seen: None }
    }

    /// Look at it. What has changed is read when two looks saw the same, or at once if `now`.
    fn look(&mut self, now: bool) -> Found {
        let built_in = zone::embedded_release();
        if self.source == Source::System && !self.path.exists() {
            return Found::Absent;
        }
        let release = match folder::release(&self.path) {
            Ok(release) => release,
            Err(refusal) => return Found::Refused(refusal),
        };
        match (release, self.source) {
            (None, Source::System) => return Found::Unnamed,
            // Of two that are the same, the named one is used.
            (Some(release), Source::Configured) if release < built_in => return Found::Older(release),
            (Some(release), Source::System) if release <= built_in => return Found::Older(release),
            _ => {}
        }
        let files = match folder::list(&self.path) {
            Ok(files) => files,
            Err(refusal) => return Found::Refused(refusal),
        };
        if let Some((_, found)) = self.read.as_ref().filter(|(read, _)| *read == files) {
            return found.clone();
        }
        if !now && self.seen.as_ref() != Some(&files) {
            self.seen = Some(files);
            return Found::Settling;
        }
        let found = match folder::read(&self.path, &files) {
            Ok(data) => Found::Good(Arc::new(data)),
            Err(refusal) => Found::Refused(refusal),
        };
        self.seen = None;
        self.read = Some((files, found.clone()));
        found
    }
}

/// Data that could be used.
#[derive(Clone)]
struct Choice {
    source: Source,
    release: Option<Release>,
    /// None: what is built in.
    data: Option<Arc<ZoneData>>,
}

impl Choice {
    fn built_in() -> Self {
        Self { source: Source::Embedded, release: Some(zone::embedded_release()), data: None }
    }

    /// The newest comes last. One without a release was named by a person, and comes after all; of two that are the same, too.
    fn order(&self, other: &Self) -> Ordering {
        let key = |choice: &Self| {
            let by_source = match choice.source {
                Source::System => 0,
                Source::Embedded => 1,
                Source::Configured => 2,
            };
            (choice.release.is_none(), choice.release.clone(), by_source)
        };
        key(self).cmp(&key(other))
    }

    fn is(&self, other: &Self) -> bool {
        let same = match (&self.data, &other.data) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.source == other.source && same
    }
}

/// What a look found.
pub(crate) struct Look {
    /// Each folder, the named one first.
    pub(crate) folders: Vec<(Source, Found)>,
    /// What is to be used from now on, if it is not in use.
    pub(crate) changed: Option<(Source, Arc<ZoneData>)>,
}

impl Look {
    /// What is wrong, for anybody; empty if nothing is.
    pub(crate) fn wrong(&self) -> String {
        let wrong = self.folders.iter().filter_map(|(source, found)| match found {
            Found::Refused(refusal) => Some(format!("{} folder: {refusal}", source.as_str())),
            Found::Older(release) if *source == Source::Configured => {
                Some(format!("configured folder: {release} is older than what is built in"))
            }
            _ => None,
        });
        wrong.collect::<Vec<_>>().join("; ")
    }
}

struct State {
    places: Vec<Place>,
    used: Choice,
    /// What was said last to be wrong.
    said: String,
}

/// Keeps the time-zone data of this process the newest there is. Cheap to clone.
#[derive(Clone)]
pub struct ZoneKeeper(Arc<Mutex<State>>);

impl ZoneKeeper {
    /// Of the folder that the configuration names, and the machine's own. Nothing is read yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let named = (!config.time_zone_dir.is_empty()).then(|| Path::new(&config.time_zone_dir));
        Self::of(named, Path::new(SYSTEM))
    }

    fn of(named: Option<&Path>, system: &Path) -> Self {
        let named = named.map(|path| Place::new(Source::Configured, path));
        let places = named.into_iter().chain([Place::new(Source::System, system)]).collect();
        Self(Arc::new(Mutex::new(State { places, used: Choice::built_in(), said: String::new() })))
    }

    /// Look at all folders, and say what to use. Reads files.
    pub(crate) fn look(&self, now: bool) -> Look {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folders: Vec<(Source, Found)> =
            state.places.iter_mut().map(|place| (place.source, place.look(now))).collect();
        let used = state.used.clone();
        let of_folders = folders.iter().filter_map(|(source, found)| match found {
            Found::Good(data) => Some(Choice {
                source: *source,
                release: data.release().cloned(),
                data: Some(Arc::clone(data)),
            }),
            // What is in use stays.
            Found::Refused(_) | Found::Settling if *source == used.source => Some(used.clone()),
            _ => None,
        });
        let best = of_folders.chain([Choice::built_in()]).max_by(Choice::order);
        let changed = best.filter(|best| !best.is(&used)).map(|best| {
            let data = best.data.clone().unwrap_or_else(|| Arc::new(ZoneData::embedded()));
            state.used = best.clone();
            (best.source, data)
        });
        Look { folders, changed }
    }

    /// The data of the machine, whatever its release: to compare with.
    pub(crate) fn of_system(&self) -> Option<ZoneData> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = state.places.iter().find(|place| place.source == Source::System)?;
        let files = folder::list(&place.path).ok()?;
        folder::read(&place.path, &files).ok()
    }

    /// Look, and use the newest from now on, in the whole process. Says what changed and what is wrong, in the log and in `/readyz`. What
    /// changed since the last look is used after the next one, or at once if `now`.
    pub fn keep(&self, now: bool, readiness: &Readiness) {
        let look = self.look(now);
        if let Some((source, data)) = &look.changed {
            let before = zone::in_use();
            if zone::adopt(data, *source) {
                show(before, 0.0);
                let release = named(data.release());
                tracing::info!(release, source = source.as_str(), "other time-zone data is in use");
            } else {
                tracing::error!(
                    "time-zone data was not taken: this process has known too many names of zones"
                );
            }
        }
        show(zone::in_use(), 1.0);
        let wrong = look.wrong();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.is_empty() {
            readiness.unremarked(REMARK);
        } else {
            readiness.remarks(REMARK, &wrong);
            if state.said != wrong {
                tracing::error!(wrong, "time-zone data was not taken; what is in use stays");
            }
        }
        state.said = wrong;
    }
}

/// A release for people and machines that watch.
pub(crate) fn named(release: Option<&Release>) -> String {
    release.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn show((release, source): (Option<Release>, Source), value: f64) {
    let release = named(release.as_ref());
    metrics::gauge!("berth_tzdata_info", "release" => release, "source" => source.as_str()).set(value);
}
