//! iCalendar as a tree (RFC 5545 section 3.1), read and written without losing what is not understood.

use std::fmt::Write as _;

use berth_sdk::{log, types::ProviderError};

/// Components inside one another: an alarm in an event in a calendar, with room for what others invent.
const DEPTH_MAX: usize = 8;
/// Longest line in bytes, without its end.
const LINE_BYTES_MAX: usize = 75;

/// A property: `DTSTART;TZID=Europe/Warsaw:20300105T100000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    /// In upper case.
    pub(crate) name: String,
    /// Names in upper case, values without quotes.
    parameters: Vec<(String, String)>,
    /// As written, escapes included.
    pub(crate) value: String,
    /// The whole line, unfolded.
    line: String,
}

/// A component: `VCALENDAR`, `VEVENT`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    /// In upper case.
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
    pub(crate) parts: Vec<Self>,
}

impl Property {
    /// One with this value as it stands: a date, a keyword.
    pub(crate) fn plain(name: &str, value: &str) -> Self {
        Self::with(name, &[], value)
    }

    /// One whose value is text.
    pub(crate) fn text(name: &str, value: &str) -> Self {
        Self::with(name, &[], &escaped(value))
    }

    /// One with parameters.
    pub(crate) fn with(name: &str, parameters: &[(&str, &str)], value: &str) -> Self {
        let mut line = name.to_owned();
        for (key, text) in parameters {
            // Writing to a String cannot fail.
            let _ = write!(line, ";{key}=\"{}\"", caret_encoded(text));
        }
        line.push(':');
        line.push_str(value);
        let parameters = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self { name: name.to_owned(), parameters, value: value.to_owned(), line }
    }

    fn read(line: &str) -> Option<Self> {
        let name_end = line.find([';', ':'])?;
        let (name, mut rest) = line.split_at_checked(name_end)?;
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (key, after) = after.split_once('=')?;
            let mut value = String::new();
            let mut quoted = false;
            let mut end = None;
            for (at, c) in after.char_indices() {
                match c {
                    '"' => quoted = !quoted,
                    ';' | ':' if !quoted => {
                        end = Some(at);
                        break;
                    }
                    c => value.push(c),
                }
            }
            rest = after.get(end?..)?;
            parameters.push((key.to_ascii_uppercase(), caret_decoded(&value)));
        }
        let value = rest.strip_prefix(':')?.to_owned();
        (!name.is_empty()).then(|| Self {
            name: name.to_ascii_uppercase(),
            parameters,
            value,
            line: line.to_owned(),
        })
    }

    /// A parameter by its name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The value as text, without escapes.
    pub(crate) fn unescaped(&self) -> String {
        let mut out = String::with_capacity(self.value.len());
        let mut chars = self.value.chars();
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
}

impl Component {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), properties: Vec::new(), parts: Vec::new() }
    }

    /// The first property of this name.
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|p| p.name == name)
    }

    /// Its text without escapes, if there is any.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.property(name).map(Property::unescaped).filter(|text| !text.is_empty())
    }

    /// The components of this kind directly inside.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.parts.iter().filter(move |part| part.name == name)
    }

    /// Put a property in place of all of its name.
    pub(crate) fn set(&mut self, property: Property) {
        self.remove(&property.name);
        self.properties.push(property);
    }

    /// Take all properties of this name away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.properties.retain(|p| p.name != name);
    }

    /// Read one `VCALENDAR`. What is none is no usable answer.
    pub(crate) fn read(text: &str) -> Result<Self, ProviderError> {
        tree(text).ok_or_else(|| {
            log::warn("an answer holds no readable iCalendar object");
            ProviderError::Unavailable(None)
        })
    }

    /// As text, lines folded.
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        fold(out, &format!("BEGIN:{}", self.name));
        for property in &self.properties {
            fold(out, &property.line);
        }
        // As deep as it was read: `DEPTH_MAX`.
        for part in &self.parts {
            part.write_to(out);
        }
        fold(out, &format!("END:{}", self.name));
    }
}

fn tree(text: &str) -> Option<Component> {
    let mut open: Vec<Component> = Vec::new();
    for line in unfolded(text) {
        let Some(property) = Property::read(&line) else { continue };
        match property.name.as_str() {
            "BEGIN" if open.len() < DEPTH_MAX => {
                open.push(Component::new(&property.value.trim().to_ascii_uppercase()));
            }
            "BEGIN" => return None,
            "END" => {
                let done = open.pop()?;
                if !done.name.eq_ignore_ascii_case(property.value.trim()) {
                    return None;
                }
                match open.last_mut() {
                    Some(parent) => parent.parts.push(done),
                    None => return (done.name == "VCALENDAR").then_some(done),
                }
            }
            _ => open.last_mut()?.properties.push(property),
        }
    }
    None
}

/// Lines with their continuations joined.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ if line.is_empty() => {}
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// A line in pieces of at most 75 bytes, never inside a character.
fn fold(out: &mut String, line: &str) {
    let mut used = 0;
    for c in line.chars() {
        if used + c.len_utf8() > LINE_BYTES_MAX {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used += c.len_utf8();
    }
    out.push_str("\r\n");
}

/// Text as a value (RFC 5545 section 3.3.11). Other control characters are not allowed there.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
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
    for c in text.chars() {
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

fn caret_decoded(text: &str) -> String {
    text.replace("^^", "\u{0}").replace("^n", "\n").replace("^'", "\"").replace('\u{0}', "^")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:abc@berth\r\nSUMMARY;LANGUAGE=de:Hej\\, \r\n Ada\\;\\nund\\\\\r\nX-A;CN=\"Nowak; Ada: ^'x^'\";b=c:mailto:a\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn what_is_read_is_written_again() {
        let calendar = Component::read(EVENT).unwrap();
        let event = calendar.all("VEVENT").next().unwrap();
        assert_eq!(event.text("SUMMARY").unwrap(), "Hej, Ada;\nund\\");
        let person = event.property("X-A").unwrap();
        assert_eq!(person.parameter("CN"), Some("Nowak; Ada: \"x\""));
        assert_eq!((person.parameter("B"), person.value.as_str()), (Some("c"), "mailto:a"));
        assert_eq!(event.all("VALARM").count(), 1);
        assert_eq!(Component::read(&calendar.write()).unwrap(), calendar);
        let bare = EVENT.replace("\r\n", "\n").to_lowercase();
        assert_eq!(Component::read(&bare).unwrap().parts.len(), 1, "names have no case");
    }

    #[test]
    fn any_text_survives_and_no_line_is_too_long() {
        for text in ["Zoë, \"Ä\"; c:\\x\nnext", &"é😀 ".repeat(80), "a\r\nb", ""] {
            let mut calendar = Component::new("VCALENDAR");
            calendar.set(Property::text("SUMMARY", text));
            calendar.set(Property::with("X-A", &[("CN", text)], "mailto:a@b"));
            let written = calendar.write();
            assert!(written.split("\r\n").all(|line| line.len() <= LINE_BYTES_MAX), "{written}");
            let read = Component::read(&written).unwrap();
            let plain = text.replace("\r\n", "\n");
            assert_eq!(read.property("SUMMARY").unwrap().unescaped(), plain);
            assert_eq!(read.property("X-A").unwrap().parameter("CN"), Some(text.replace('\r', " ").as_str()));
        }
    }

    #[test]
    fn junk_is_no_usable_answer() {
        let deep = "BEGIN:VCALENDAR\n".repeat(100_000);
        for text in [
            "",
            "{}",
            "BEGIN:VEVENT\nEND:VEVENT",
            "BEGIN:VCALENDAR\nEND:VEVENT",
            "END:VCALENDAR",
            "A:b",
            &deep,
        ] {
            assert_eq!(Component::read(text), Err(ProviderError::Unavailable(None)));
        }
        let odd = "BEGIN:VCALENDAR\nno property\nX;a=\"b:c\n:x\nVERSION:2.0\nEND:VCALENDAR";
        assert_eq!(Component::read(odd).unwrap().properties.len(), 1, "odd lines are passed over");
    }
}
