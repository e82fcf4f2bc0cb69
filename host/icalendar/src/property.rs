//! One content line: `DTSTART;TZID=Europe/Warsaw:20300105T100000` (RFC 5545 section 3.1).

use std::{borrow::Cow, fmt::Write as _};

use crate::LINE_OCTETS_MAX;

/// A property. Kept as it was written, so that writing it again loses nothing that is not understood here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The whole line, unfolded.
    line: String,
    /// Where its name ends, in bytes.
    name_end: usize,
    /// Where its value begins, in bytes.
    value_start: usize,
}

impl Property {
    /// One with this value as it stands: a date, a keyword.
    #[must_use]
    pub fn plain(name: &str, value: &str) -> Self {
        Self::with(name, &[], value)
    }

    /// One whose value is text.
    #[must_use]
    pub fn text(name: &str, value: &str) -> Self {
        Self::with(name, &[], &escaped(value))
    }

    /// One with parameters, which are encoded (RFC 6868), and quoted where they are more than a word, and this value as it stands.
    #[must_use]
    pub fn with(name: &str, parameters: &[(&str, &str)], value: &str) -> Self {
        let mut line = name.to_owned();
        for (key, text) in parameters {
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_' | '+');
            let quote = if !text.is_empty() && text.chars().all(is_word) { "" } else { "\"" };
            // Writing to a String cannot fail.
            let _ = write!(line, ";{key}={quote}{}{quote}", caret_encoded(text));
        }
        line.push(':');
        let value_start = line.len();
        line.extend(value.chars().filter(|c| !matches!(c, '\r' | '\n')));
        Self { line, name_end: name.len(), value_start }
    }

    /// Read an unfolded line; none if it has no name or no value, or a parameter that does not end.
    pub(crate) fn read(line: String) -> Option<Self> {
        let name_end = line.find([';', ':'])?;
        let mut rest = line.get(name_end..)?;
        while let Some(after) = rest.strip_prefix(';') {
            let (_, _, after) = parameter(after)?;
            rest = after;
        }
        let value = rest.strip_prefix(':')?;
        let value_start = line.len().checked_sub(value.len())?;
        (name_end > 0).then_some(Self { line, name_end, value_start })
    }

    /// Its name, as it was written: names have no case ([`Self::is`]).
    #[must_use]
    pub fn name(&self) -> &str {
        self.line.get(..self.name_end).unwrap_or_default()
    }

    /// Is this its name, in any case?
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// The value as it was written, escapes and blanks included.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.line.get(self.value_start..).unwrap_or_default()
    }

    /// The value without blanks around it: a date, a keyword. Gateways and people leave some.
    #[must_use]
    pub fn value(&self) -> &str {
        self.raw().trim()
    }

    /// Is this keyword its value, in any case?
    #[must_use]
    pub fn says(&self, keyword: &str) -> bool {
        self.value().eq_ignore_ascii_case(keyword)
    }

    /// Its parameters: names as written, values without quotes and decoded.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, String)> {
        let mut rest = self.line.get(self.name_end..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (name, value, after) = parameter(rest.strip_prefix(';')?)?;
            rest = after;
            Some((name, caret_decoded(&value.replace('"', ""))))
        })
    }

    /// A parameter by its name, in any case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value as text, without escapes (RFC 5545 section 3.3.11).
    #[must_use]
    pub fn unescaped(&self) -> String {
        unescaped(self.raw())
    }

    /// As lines of at most [`LINE_OCTETS_MAX`] octets that end with CRLF; no fold cuts a character.
    pub fn write(&self, out: &mut String) {
        fold(out, &self.line);
    }
}

/// `NAME=value` and what follows it; the value with its quotes. A colon, a semicolon or a comma between quotes ends nothing.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, after) = text.split_once('=')?;
    let mut quoted = false;
    let end = after.find(|c| {
        quoted ^= c == '"';
        !quoted && matches!(c, ';' | ':')
    })?;
    let (value, rest) = after.split_at_checked(end)?;
    Some((name, value, rest))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Append a line in pieces, never inside a character.
pub(crate) fn fold(out: &mut String, line: &str) {
    let mut used = 0_usize;
    for c in line.chars() {
        if used.saturating_add(c.len_utf8()) > LINE_OCTETS_MAX {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used = used.saturating_add(c.len_utf8());
    }
    out.push_str("\r\n");
}

/// Text as a value. Control characters are not allowed there.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in without_cr(text).chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() && c != '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text as a parameter (RFC 6868).
fn caret_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in without_cr(text).chars() {
        match c {
            '^' => out.push_str("^^"),
            '\n' => out.push_str("^n"),
            '"' => out.push_str("^'"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn without_cr(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

/// A caret before anything else stands for itself (RFC 6868 section 3.2).
fn caret_decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let decoded = match (c, chars.peek()) {
            ('^', Some('^')) => Some('^'),
            ('^', Some('n' | 'N')) => Some('\n'),
            ('^', Some('\'')) => Some('"'),
            _ => None,
        };
        if decoded.is_some() {
            chars.next();
        }
        out.push(decoded.unwrap_or(c));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn read(line: &str) -> Option<Property> {
        Property::read(line.to_owned())
    }

    #[test]
    fn quotes_keep_what_would_end_a_parameter() {
        let line = "Attendee;CN=\"Nowak; Ada: ^'x^' a^b\";b=c,\"d:e\":mailto:a ";
        let person = read(line).unwrap();
        assert!(person.is("ATTENDEE") && person.name() == "Attendee");
        assert_eq!(person.parameter("cn").as_deref(), Some("Nowak; Ada: \"x\" a^b"));
        assert_eq!(person.parameter("B").as_deref(), Some("c,d:e"));
        assert_eq!((person.parameter("C"), person.value(), person.raw()), (None, "mailto:a", "mailto:a "));
        let cid = read("SUMMARY;ALTREP=\"cid:part1@example.org\":Christmas").unwrap();
        assert_eq!(cid.value(), "Christmas");
        for odd in ["", "no property", ":x", ";A=b:c", "X;A:b", "X;A=\"b:c", "X;A=b"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in any::<String>(), parameter in any::<String>()) {
            let plain: String = without_cr(&text).chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect();
            let quoted: String = without_cr(&parameter).chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
            for property in [Property::text("X-A", &text), Property::with("X-A", &[("P", &parameter), ("Q", "1")], &escaped(&text))] {
                let mut out = String::new();
                property.write(&mut out);
                prop_assert!(out.split("\r\n").all(|line| line.len() <= LINE_OCTETS_MAX));
                let (_, line) = crate::unfold::unfolded(out.as_bytes()).next().unwrap();
                let again = Property::read(line).unwrap();
                prop_assert_eq!(&again, &property);
                prop_assert_eq!(again.unescaped(), plain.as_str());
            }
            let with = Property::with("X-A", &[("P", &parameter), ("Q", "1")], "");
            prop_assert_eq!(with.parameter("P"), Some(quoted));
            prop_assert_eq!(with.parameter("Q"), Some("1".to_owned()));
        }
    }
}
