//! Checks of single values that a component returned.

use std::{fmt, ops::RangeInclusive};

use berth_model::{
    limits, text,
    time::{Instant, Interval},
    zone::Zone,
};
use serde_json::{Value, json};

use crate::contract::bindings::berth::provider::types as wit;

/// Longest mailbox, in bytes: 64 before the at sign and 255 after it (RFC 5321, section 4.5.3.1).
const EMAIL_BYTES_MAX: usize = 320;
/// Longest telephone number as people write it, in bytes.
const PHONE_BYTES_MAX: usize = 64;
/// Longest language tag, in bytes (RFC 5646, section 4.4.1).
const LANGUAGE_BYTES_MAX: usize = 35;

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

/// An external id: not empty, one line, short enough for an index. Never changed: it is the provider's, who compares it.
pub(super) fn id(field: &str, text: String) -> Checked<String> {
    if text.is_empty() {
        return Err(Breach::new(field, "is empty"));
    }
    if text.len() > limits::REPLY_ID_BYTES_MAX {
        return Err(Breach::new(field, "is longer than 2048 bytes"));
    }
    line(field, text)
}

/// A text that the provider reads again (a token, a cursor): nothing that is not seen, or turns around what is.
pub(super) fn line(field: &str, text: String) -> Checked<String> {
    if text.len() > limits::REPLY_LINE_BYTES_MAX {
        return Err(Breach::new(field, "is longer than 8192 bytes"));
    }
    if text.chars().any(text::is_forbidden) {
        return Err(Breach::new(field, "holds control characters"));
    }
    Ok(text)
}

/// What only the component understands: any text but U+0000, which no database keeps.
pub(super) fn opaque(field: &str, text: String) -> Checked<String> {
    if text.len() > limits::STATE_VALUE_BYTES_MAX {
        return Err(Breach::new(field, "is longer than 16384 bytes"));
    }
    if text.contains('\0') {
        return Err(Breach::new(field, "holds control characters"));
    }
    Ok(text)
}

/// A text for people, of several lines. Providers pass on what their customers typed, so what may not be in it is replaced
/// rather than refused, and what is too long is cut.
pub(super) fn prose(text: &str) -> String {
    text::clean(text, limits::REPLY_TEXT_CHARS_MAX)
}

/// A name or a title: the same on one line.
pub(super) fn name(text: &str) -> String {
    text::clean_line(text, limits::REPLY_NAME_CHARS_MAX)
}

/// Where a person may be sent; none if it is no page of the web.
pub(super) fn web_address(text: String) -> Option<String> {
    text::is_web_address(&text, limits::REPLY_ADDRESS_BYTES_MAX).then_some(text)
}

/// Where to meet: a text, or an address; none if a click on it would run something.
pub(super) fn place(text: &str) -> Option<String> {
    (!text::is_active_address(text)).then(|| prose(text))
}

/// A mailbox of somebody at the provider. What cannot be one is as good as none: people type it, so it is no breach.
pub(super) fn email(text: String) -> Option<String> {
    let seen = |c: char| !c.is_whitespace() && !text::is_forbidden(c) && !text::is_invisible(c);
    (text.len() <= EMAIL_BYTES_MAX && text.contains('@') && text.chars().all(seen)).then_some(text)
}

/// A telephone number as the provider writes it; likewise.
pub(super) fn phone(text: String) -> Option<String> {
    let good = |c: char| c.is_ascii_graphic() || c == ' ';
    (!text.is_empty() && text.len() <= PHONE_BYTES_MAX && text.chars().all(good)).then_some(text)
}

/// A language tag (BCP 47); likewise.
pub(super) fn language(text: String) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    ((1..=LANGUAGE_BYTES_MAX).contains(&text.len()) && text.bytes().all(good)).then_some(text)
}

/// A zone that is known here, by its name; likewise.
pub(super) fn zone(text: &str) -> Option<String> {
    text.parse::<Zone>().ok().map(|zone| zone.to_string())
}

/// JSON text of an item. One that is too large is not kept, so that a customer who fills a field there cannot stop everything
/// else from coming over; U+0000 in it is replaced, which databases refuse.
pub(super) fn json(field: &str, text: &str) -> Checked<Value> {
    let mut value: Value = serde_json::from_str(text).map_err(|_| Breach::new(field, "is not JSON"))?;
    if text.len() > limits::REPLY_RAW_BYTES_MAX {
        return Ok(json!({ "left_out": format!("the provider's own {} bytes", text.len()) }));
    }
    // As an escape: the bare character is not JSON.
    if text.contains("\\u0000") {
        without_nul(&mut value);
    }
    Ok(value)
}

/// As deep as the reader of JSON goes, which is 128.
fn without_nul(value: &mut Value) {
    let replaced = |text: &str| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(text) => *text = replaced(text),
        Value::Array(items) => items.iter_mut().for_each(without_nul),
        Value::Object(members) => {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    without_nul(&mut value);
                    (replaced(&name), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
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
        assert_eq!(name("a\nb\u{202e}c"), "a b\u{fffd}c");
    }

    #[test]
    fn what_is_not_of_its_form_is_none() {
        assert_eq!(zone("../../etc/passwd"), None);
        assert_eq!(zone("Europe/Warsaw").as_deref(), Some("Europe/Warsaw"));
        assert_eq!(place("javascript:alert(1)"), None);
        assert_eq!(place("Room 4\u{202e}").as_deref(), Some("Room 4\u{fffd}"));
        assert_eq!(email("a\u{200b}b@example.com".to_owned()), None);
        assert_eq!(phone("+48 600\n100".to_owned()), None);
        assert_eq!(language("pl<script>".to_owned()), None);
    }

    #[test]
    fn raw_values_are_bounded_and_can_be_kept() {
        assert_eq!(
            json("raw", r#"{"a\u0000":["x\u0000y",1]}"#).expect("JSON"),
            json!({ "a\u{fffd}": ["x\u{fffd}y", 1] })
        );
        let long = format!("\"{}\"", "x".repeat(limits::REPLY_RAW_BYTES_MAX));
        assert!(json("raw", &long).expect("JSON").to_string().len() < 100);
    }
}
