//! Reading a request: every refusal names the field's path.

use chrono::{NaiveDate, NaiveDateTime, Timelike};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::refused;
use crate::{
    json,
    problem::Problem,
    time::{Instant, Interval, KNOWN_YEARS, is_day},
};

/// Read the fields of a request.
pub(super) fn fields<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Problem> {
    json::read(&Value::Object(fields)).map_err(|error| refused(&error.field, error.message))
}

/// A stretch of time as it comes: data may be inverted, rules may not.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl Span {
    /// As data: inverted or empty is dropped (SCHEDULING rule 9).
    pub(super) fn data(self) -> Option<Interval> {
        Interval::new(self.start, self.end).ok().filter(|i| !i.is_empty())
    }

    /// As a rule: inverted or empty is refused.
    pub(super) fn rule(self, field: &str) -> Result<Interval, Problem> {
        self.data().ok_or_else(|| refused(&format!("{field}/end"), "must be after start"))
    }
}

/// A local date and time: `2026-11-23T09:00:00`, seconds optional.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local(pub(super) NaiveDateTime);

impl<'de> Deserialize<'de> for Local {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y%m%dT%H%M%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
            .filter(|local| local.nanosecond() == 0)
            .ok_or_else(|| serde::de::Error::custom("not a local time such as 2026-11-23T09:00:00"))
            .and_then(|local| if is_day(local.date()) { Ok(Self(local)) } else { unknown() })
    }
}

fn unknown<T, E: serde::de::Error>() -> Result<T, E> {
    Err(serde::de::Error::custom(KNOWN_YEARS))
}

/// A civil day: `2026-11-23`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day(pub(super) NaiveDate);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let day = NaiveDate::deserialize(deserializer)?;
        if is_day(day) { Ok(Self(day)) } else { unknown() }
    }
}

/// Refuse a number outside its bounds.
pub(super) fn within(field: &str, value: u32, least: u32, most: u32) -> Result<(), Problem> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(refused(field, format!("must be {least} to {most}")))
    }
}

/// Refuse a list that is too long.
pub(super) fn at_most<T>(field: &str, list: &[T], most: usize) -> Result<(), Problem> {
    if list.len() <= most { Ok(()) } else { Err(refused(field, format!("at most {most} items"))) }
}
