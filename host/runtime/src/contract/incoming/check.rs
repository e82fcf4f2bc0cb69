//! Checks of single values that a component returned.

use std::{fmt, ops::RangeInclusive};

use berth_model::{
    limits,
    time::{Instant, Interval},
};
use serde_json::Value;

use crate::contract::bindings::berth::provider::types as wit;

/// A returned value that the contract does not allow: which field, and what is wrong with it. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    field: String,
    reason: &'static str,
}

/// A value that was checked.
pub(crate) type Checked<T> = Result<T, Breach>;

impl Breach {
    pub(super) fn new(field: &str, reason: &'static str) -> Self {
        Self { field: field.to_owned(), reason }
    }

    /// The same, seen from the value around it.
    pub(super) fn inside(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), reason: self.reason }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the returned `{}` {}", self.field, self.reason)
    }
}

/// An external id: not empty, one line, not endless.
pub(super) fn id(field: &str, text: String) -> Checked<String> {
    if text.is_empty() {
        return Err(Breach::new(field, "is empty"));
    }
    line(field, text)
}

/// A text that other systems read (an address, a URL, a token): no control characters.
pub(super) fn line(field: &str, text: String) -> Checked<String> {
    if text.len() > limits::REPLY_LINE_BYTES_MAX {
        return Err(Breach::new(field, "is longer than 8192 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(Breach::new(field, "holds control characters"));
    }
    Ok(text)
}

/// A text for people. Providers pass on what their customers typed, so a stray control character is replaced rather
/// than refused; line breaks and tabs stay.
pub(super) fn prose(text: &str) -> String {
    text.chars()
        .map(
            |c| {
                if c.is_control() && !matches!(c, '\n' | '\r' | '\t') {
                    char::REPLACEMENT_CHARACTER
                } else {
                    c
                }
            },
        )
        .collect()
}

/// JSON text.
pub(super) fn json(field: &str, text: &str) -> Checked<Value> {
    serde_json::from_str(text).map_err(|_| Breach::new(field, "is not JSON"))
}

/// First and last microsecond of the years 0001 to 9999: what calendars can write. Those at the ends stand for "never" and "always".
const WRITTEN: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// A point in time that a calendar can write; outside of the years that Berth knows it is the nearest that it does.
pub(super) fn instant(field: &str, micros: i64) -> Checked<Instant> {
    if WRITTEN.contains(&micros) {
        Ok(Instant::from_micros(micros))
    } else {
        Err(Breach::new(field, "is not in the years 0001 to 9999"))
    }
}

/// A stretch of time that does not end before it starts. Of one that reaches out of the years that Berth knows the part inside is left,
/// so that what is taken "for ever" is taken here as well; of one that lies outside, an empty one.
pub(super) fn interval(field: &str, of: wit::Interval) -> Checked<Interval> {
    let start = instant("start", of.start).map_err(|b| b.inside(field))?;
    let end = instant("end", of.end).map_err(|b| b.inside(field))?;
    Interval::new(start, end).map_err(|_| Breach::new(field, "ends before it starts"))
}

/// A value that may be absent.
pub(super) fn maybe<A, B>(value: Option<A>, check: impl FnOnce(A) -> Checked<B>) -> Checked<Option<B>> {
    value.map(check).transpose()
}

/// A list, at most so long; a breach inside names the item.
pub(super) fn each<A, B>(
    field: &str,
    max: usize,
    items: Vec<A>,
    mut check: impl FnMut(A) -> Checked<B>,
) -> Checked<Vec<B>> {
    if items.len() > max {
        return Err(Breach::new(field, "has too many items"));
    }
    items
        .into_iter()
        .enumerate()
        .map(|(i, item)| check(item).map_err(|b| b.inside(&format!("{field}[{i}]"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says<T: fmt::Debug>(outcome: Checked<T>) -> String {
        outcome.expect_err("a breach").to_string()
    }

    #[test]
    fn breaches_name_the_field() {
        assert_eq!(says(id("id", String::new())), "the returned `id` is empty");
        assert_eq!(says(line("next", "a\0".to_owned())), "the returned `next` holds control characters");
        assert_eq!(says(json("raw", "{")), "the returned `raw` is not JSON");
        assert_eq!(
            says(interval("when", wit::Interval { start: 1, end: 0 })),
            "the returned `when` ends before it starts"
        );
        assert_eq!(
            says(interval("when", wit::Interval { start: i64::MIN, end: 0 })),
            "the returned `when.start` is not in the years 0001 to 9999"
        );
        assert_eq!(
            says(each("items", 2, vec!["{}", "x"], |text| json("raw", text))),
            "the returned `items[1].raw` is not JSON"
        );
        assert_eq!(says(each("items", 2, vec![0; 3], Ok)), "the returned `items` has too many items");
    }

    #[test]
    fn prose_keeps_line_breaks() {
        assert_eq!(prose("a\nb\u{b}c"), "a\nb\u{fffd}c");
    }
}
