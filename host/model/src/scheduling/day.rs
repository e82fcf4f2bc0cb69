//! Hours of one day, as rules and schedules give them.

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use super::windows::{DateOverride, LocalStretch};
use crate::{limits, validate::Fields};

/// Local opening time, `HH:MM` to `HH:MM`; `24:00` is the end of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Opens.
    #[serde(with = "crate::catalog::member::clock_time")]
    pub start: NaiveTime,
    /// Closes, after `start`.
    #[serde(with = "crate::catalog::member::closing_time")]
    pub end: Option<NaiveTime>,
}

/// Hours of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The civil day.
    pub date: NaiveDate,
    /// When it is open instead; none: closed.
    #[serde(default)]
    pub intervals: Vec<Stretch>,
}

impl Stretch {
    pub(super) fn check(&self, fields: &mut Fields, path: &str) {
        if self.end.is_some_and(|end| end <= self.start) {
            fields.bad(&format!("{path}/end"), "must be after start; 24:00 is the end of the day");
        }
    }
}

impl Override {
    pub(super) fn check(&self, fields: &mut Fields, path: &str) {
        fields.day(&format!("{path}/date"), self.date);
        fields.count(&format!("{path}/intervals"), self.intervals.len(), 0, limits::DAY_STRETCHES_MAX);
        for (i, stretch) in self.intervals.iter().enumerate() {
            stretch.check(fields, &format!("{path}/intervals/{i}"));
        }
    }

    /// For the core.
    #[must_use]
    pub fn day(&self) -> DateOverride {
        let stretch = |s: &Stretch| LocalStretch { start: s.start, end: s.end };
        DateOverride { date: self.date, intervals: self.intervals.iter().map(stretch).collect() }
    }
}
