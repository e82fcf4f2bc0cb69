//! What the clock of one zone does, in the years that Berth knows: read from compiled tz data (`TZif`, RFC 9636) once, asked often.

use jiff::{Timestamp, tz::TimeZone};

use crate::limits;

/// 1968-01-01T00:00:00Z and 2202-01-01T00:00:00Z, in seconds since 1970: more than what instants and their local times need.
const FIRST: i64 = -63_158_400;
const LAST: i64 = 7_321_190_400;
/// No clock is further from UTC than so many seconds: what `TZif` may say at most.
const FURTHEST: i64 = 26 * 3_600;

/// A stretch of time in which a clock runs evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its first second, since 1970.
    pub(super) from: i64,
    /// What the clock shows more than UTC does, in seconds.
    pub(super) offset: i32,
    /// Is it daylight saving time, by the data's own word?
    pub(super) saving: bool,
    name: u8,
}

/// Stretches in order; there is always one, and the first has no beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    stretches: Box<[Stretch]>,
    /// `CET`, `CEST`.
    names: Box<[Box<str>]>,
}

/// Why compiled data cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CourseError {
    /// Not `TZif`, or not all of it.
    #[error("broken or cut off")]
    Broken,
    /// It counts leap seconds, which no other clock here does.
    #[error("made with leap seconds (the folder \"right\"), which civil time does not count")]
    LeapSeconds,
    /// More changes than a clock has.
    #[error("more changes than {} of one clock", limits::ZONE_CHANGES_MAX)]
    Changes,
}

/// How often a clock shows a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It is set forward over it.
    Never,
    /// As most.
    Once,
    /// It is set back over it.
    Twice,
}

/// The instant that a local time stands for: its first, and by the offset before where it is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// Seconds since 1970.
    pub(crate) at: i64,
    pub(crate) shown: Shown,
}

impl Course {
    /// The clock that shows UTC.
    pub(super) fn utc() -> Self {
        let stretch = Stretch { from: i64::MIN, offset: 0, saving: false, name: 0 };
        Self { stretches: Box::new([stretch]), names: Box::new(["UTC".into()]) }
    }

    /// Read compiled data.
    ///
    /// # Errors
    /// When it is not whole, or no clock of civil time.
    pub fn read(tzif: &[u8]) -> Result<Self, CourseError> {
        if has_leap_seconds(tzif).ok_or(CourseError::Broken)? {
            return Err(CourseError::LeapSeconds);
        }
        let zone = TimeZone::tzif("zone", tzif).map_err(|_| CourseError::Broken)?;
        let begin = Timestamp::from_second(FIRST).map_err(|_| CourseError::Broken)?;
        let mut names: Vec<Box<str>> = Vec::new();
        let mut name_of = |name: &str| -> Result<u8, CourseError> {
            let at = names.iter().position(|known| **known == *name).unwrap_or_else(|| {
                names.push(name.into());
                names.len().saturating_sub(1)
            });
            u8::try_from(at).map_err(|_| CourseError::Changes)
        };
        let first = zone.to_offset_info(begin);
        let mut last = Stretch {
            from: i64::MIN,
            offset: first.offset().seconds(),
            saving: first.dst().is_dst(),
            name: name_of(first.abbreviation())?,
        };
        let mut stretches = vec![last];
        // A change that changes nothing is none, and there may be many before the years that are of interest.
        for (passed, change) in zone.following(begin).enumerate() {
            let from = change.timestamp().as_second();
            if from >= LAST {
                break;
            }
            if passed >= limits::ZONE_CHANGES_MAX {
                return Err(CourseError::Changes);
            }
            let next = Stretch {
                from,
                offset: change.offset().seconds(),
                saving: change.dst().is_dst(),
                name: name_of(change.abbreviation())?,
            };
            if (next.offset, next.saving, next.name) != (last.offset, last.saving, last.name) {
                stretches.push(next);
                last = next;
            }
        }
        Ok(Self { stretches: stretches.into(), names: names.into() })
    }

    /// Place of the stretch that an instant lies in.
    fn place(&self, at: i64) -> usize {
        self.stretches.partition_point(|stretch| stretch.from <= at).saturating_sub(1)
    }

    /// What the clock shows more than UTC does at an instant, in seconds.
    pub(super) fn offset(&self, at: i64) -> i32 {
        self.stretches.get(self.place(at)).map_or(0, |stretch| stretch.offset)
    }

    /// The stretch that `from` lies in, and those that begin before `to`.
    pub(super) fn within(&self, from: i64, to: i64) -> impl Iterator<Item = &Stretch> {
        let stretches = self.stretches.get(self.place(from)..).unwrap_or_default();
        stretches.iter().take_while(move |stretch| stretch.from <= from || stretch.from < to)
    }

    pub(super) fn name(&self, stretch: &Stretch) -> &str {
        self.names.get(usize::from(stretch.name)).map_or("", |name| name)
    }

    /// The instant at which the clock shows a local time (written as if it were UTC): the first of two, and where none is, by the offset
    /// before the gap.
    pub(super) fn resolve(&self, local: i64) -> Resolved {
        let first = self.place(local.saturating_sub(FURTHEST));
        let stretches = self.stretches.get(first..).unwrap_or_default();
        let later = |nth: usize| stretches.get(nth.saturating_add(1));
        let at = |stretch: &Stretch| local.saturating_sub(i64::from(stretch.offset));
        let mut before = local;
        for (nth, stretch) in stretches.iter().enumerate() {
            let found = at(stretch);
            if found < stretch.from {
                return Resolved { at: before, shown: Shown::Never };
            }
            if later(nth).is_none_or(|next| found < next.from) {
                let again = later(nth).is_some_and(|next| at(next) >= next.from);
                return Resolved { at: found, shown: if again { Shown::Twice } else { Shown::Once } };
            }
            before = found;
        }
        // Not reached: the last stretch has no end.
        Resolved { at: before, shown: Shown::Never }
    }

    /// Do two clocks show the same from one second to another, whatever they call it?
    pub(super) fn shows_as(&self, other: &Self, from: i64, to: i64) -> bool {
        let seen = |course: &Self| {
            let mut seen: Vec<(i64, i32)> =
                course.within(from, to).map(|stretch| (stretch.from.max(from), stretch.offset)).collect();
            seen.dedup_by_key(|(_, offset)| *offset);
            seen
        };
        seen(self) == seen(other)
    }
}

/// Does this `TZif` count leap seconds? None if it is not whole, or without the rule for years to come: a version that ends in 2037.
fn has_leap_seconds(tzif: &[u8]) -> Option<bool> {
    const HEADER: usize = 44;
    let count = |header: usize, nth: usize| -> Option<usize> {
        let at = header.checked_add(20)?.checked_add(nth.checked_mul(4)?)?;
        let bytes: [u8; 4] = tzif.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    let is_header = |at: usize| -> Option<bool> {
        let header = tzif.get(at..at.checked_add(HEADER)?)?;
        Some(header.starts_with(b"TZif") && header.get(4).is_some_and(|version| *version >= b'2'))
    };
    // Counts: UT and standard indicators, leap seconds, changes, kinds of time, characters.
    if !is_header(0)? || !tzif.ends_with(b"\n") {
        return None;
    }
    let sizes = [(0, 1), (1, 1), (2, 8), (3, 5), (4, 6), (5, 1)];
    let block = sizes
        .iter()
        .try_fold(HEADER, |sum: usize, (nth, bytes)| sum.checked_add(count(0, *nth)?.checked_mul(*bytes)?))?;
    if !is_header(block)? {
        return None;
    }
    Some(count(block, 2)? > 0)
}
