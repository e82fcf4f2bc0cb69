//! The tree of components (RFC 5545 section 3.6): what is in an alarm is not in its event.

use crate::{DEPTH_MAX, LINES_MAX, Property, property::fold, unfold::unfolded};

/// A component: `VCALENDAR`, `VEVENT`, … with what is in it, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// In upper case.
    pub name: String,
    /// The line that it begins at, counted from 1; 0 of one that was not read.
    pub line: usize,
    /// Has it an `END` of its own? Without it nobody knows what of it is missing.
    pub closed: bool,
    /// Its own properties.
    pub properties: Vec<Property>,
    /// The components in it.
    pub parts: Vec<Self>,
}

/// Why a text is no iCalendar object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Refused {
    /// Counted from 1, as in the text.
    pub line: usize,
    /// What is wrong and what is allowed.
    pub message: String,
}

fn refused<T>(line: usize, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { line, message: message.into() })
}

impl Component {
    /// An empty one; its name in upper case.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), line: 0, closed: true, properties: Vec::new(), parts: Vec::new() }
    }

    /// The first property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|p| p.is(name))
    }

    /// All properties of this name.
    pub fn properties<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |p| p.is(name))
    }

    /// The text of a property without escapes, if there is any.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.property(name).map(Property::unescaped).filter(|text| !text.is_empty())
    }

    /// Has it a property of this name with this keyword?
    #[must_use]
    pub fn says(&self, name: &str, keyword: &str) -> bool {
        self.property(name).is_some_and(|p| p.says(keyword))
    }

    /// The components of this kind directly inside; the name in upper case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.parts.iter().filter(move |part| part.name == name)
    }

    /// Put a property in place of all of its name.
    pub fn set(&mut self, property: Property) {
        self.remove(property.name());
        self.properties.push(property);
    }

    /// Take all properties of this name away.
    pub fn remove(&mut self, name: &str) {
        self.properties.retain(|p| !p.is(name));
    }

    /// Read the first `VCALENDAR` of a text; what follows it is not looked at.
    ///
    /// # Errors
    /// It is none, with the line. A line that is no property is passed over.
    pub fn read(octets: &[u8]) -> Result<Self, Refused> {
        let mut reader = Reader::default();
        for (number, line) in unfolded(octets) {
            reader.line(number, line)?;
            if let Some(calendar) = reader.done.pop() {
                return Ok(calendar);
            }
        }
        reader.finish().and_then(|_| refused(1, "must begin with BEGIN:VCALENDAR"))
    }

    /// Read every `VCALENDAR` of a text: a file may hold several (section 3.4).
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_all(octets: &[u8]) -> Result<Vec<Self>, Refused> {
        let mut reader = Reader::default();
        for (number, line) in unfolded(octets) {
            reader.line(number, line)?;
        }
        let all = reader.finish()?;
        if all.is_empty() { refused(1, "must begin with BEGIN:VCALENDAR") } else { Ok(all) }
    }

    /// As text, lines folded.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        fold(out, &format!("BEGIN:{}", self.name));
        for property in &self.properties {
            property.write(out);
        }
        // As deep as it was read: `DEPTH_MAX`.
        for part in &self.parts {
            part.write_to(out);
        }
        fold(out, &format!("END:{}", self.name));
    }
}

/// Components that lie directly in a calendar (section 3.6).
const OUTER: &[&str] = &["VEVENT", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"];

/// What was read so far.
#[derive(Default)]
struct Reader {
    open: Vec<Component>,
    done: Vec<Component>,
    lines: usize,
    last: usize,
}

impl Reader {
    fn line(&mut self, number: usize, line: String) -> Result<(), Refused> {
        self.last = number;
        self.lines = self.lines.saturating_add(1);
        if self.lines > LINES_MAX {
            return refused(number, format!("has more than {LINES_MAX} lines"));
        }
        let Some(property) = Property::read(line) else { return Ok(()) };
        if property.is("BEGIN") {
            return self.begin(number, &property.value().to_ascii_uppercase());
        }
        if property.is("END") {
            return self.end(number, property.value());
        }
        if let Some(open) = self.open.last_mut() {
            open.properties.push(property);
        }
        Ok(())
    }

    fn begin(&mut self, number: usize, name: &str) -> Result<(), Refused> {
        if self.open.is_empty() && name != "VCALENDAR" {
            return refused(number, "must be inside of BEGIN:VCALENDAR");
        }
        if self.open.len() >= DEPTH_MAX {
            return refused(number, format!("is nested deeper than {DEPTH_MAX}"));
        }
        // These lie directly in a calendar: the one before has lost its END.
        if OUTER.contains(&name) {
            self.close_to(1);
        }
        self.open.push(Component { line: number, ..Component::new(name) });
        Ok(())
    }

    /// Close what has no `END`, until so many are open.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth
            && let Some(part) = self.open.pop()
            && let Some(parent) = self.open.last_mut()
        {
            parent.parts.push(Component { closed: false, ..part });
        }
    }

    fn end(&mut self, number: usize, name: &str) -> Result<(), Refused> {
        let Some(found) = self.open.iter().rposition(|part| part.name.eq_ignore_ascii_case(name)) else {
            return refused(number, format!("ends {name:?}, which is not open"));
        };
        self.close_to(found.saturating_add(1));
        if let Some(part) = self.open.pop() {
            self.open.last_mut().map_or(&mut self.done, |parent| &mut parent.parts).push(part);
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Component>, Refused> {
        match self.open.last() {
            Some(part) => {
                refused(self.last, format!("the text ends, but {} of line {} is open", part.name, part.line))
            }
            None => Ok(self.done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:abc@berth\r\nSUMMARY;LANGUAGE=de:Hej\\, \r\n Ada\\;\\nund\\\\\r\nX-A;CN=\"Nowak; Ada: ^'x^'\";b=c:mailto:a\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nSUMMARY:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn what_is_read_is_written_again() {
        let calendar = Component::read(EVENT.as_bytes()).unwrap();
        let event = calendar.all("VEVENT").next().unwrap();
        assert_eq!(event.text("SUMMARY").unwrap(), "Hej, Ada;\nund\\");
        assert_eq!((event.line, event.all("VALARM").count()), (3, 1));
        assert_eq!(calendar.write(), EVENT.replace("\\, \r\n Ada", "\\, Ada"));
        let bare = EVENT.replace("\r\n", "\n").to_lowercase();
        assert_eq!(Component::read(bare.as_bytes()).unwrap().parts.len(), 1, "names have no case");
        let two = Component::read_all(EVENT.repeat(2).as_bytes()).unwrap();
        assert_eq!((two.len(), two[1].parts[0].line), (2, 16));
    }

    #[test]
    fn what_is_none_is_refused_with_its_line() {
        let deep = "BEGIN:VCALENDAR\n".repeat(100_000);
        let long = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", "A:b\n".repeat(LINES_MAX));
        for (text, line) in [
            ("", 1),
            ("{}", 1),
            ("A:b", 1),
            ("BEGIN:VEVENT\nEND:VEVENT", 1),
            ("BEGIN:VCALENDAR\nEND:VEVENT", 2),
            ("\nEND:VCALENDAR", 2),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nA:b", 3),
            (&deep, 9),
            (&long, LINES_MAX + 1),
        ] {
            assert_eq!(Component::read(text.as_bytes()).unwrap_err().line, line, "{text:.40}");
            assert_eq!(Component::read_all(text.as_bytes()).unwrap_err().line, line, "{text:.40}");
        }
        let lost = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR";
        let calendar = Component::read(lost).unwrap();
        let events: Vec<_> = calendar.all("VEVENT").map(|event| (event.line, event.closed)).collect();
        assert_eq!(events, [(2, false), (4, true)], "an END that is missing is its own event's trouble");
        let odd = b"BEGIN:VCALENDAR\nno property\nX;a=\"b:c\n:x\nVERSION:2.0\nEND:VCALENDAR";
        assert_eq!(Component::read(odd).unwrap().properties.len(), 1, "odd lines are passed over");
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Component::read_all(&octets);
        }

        #[test]
        fn a_damaged_text_is_read_or_refused_and_what_was_read_is_written_alike(
            at in 0..EVENT.len(), octet in any::<u8>(), cut in 0..EVENT.len(),
        ) {
            let mut octets = EVENT.as_bytes().to_vec();
            octets[at] = octet;
            octets.truncate(EVENT.len() - cut);
            if let Ok(all) = Component::read_all(&octets) {
                for calendar in all {
                    let written = calendar.write();
                    let again = Component::read(written.as_bytes()).unwrap();
                    prop_assert_eq!(again.write(), written);
                    prop_assert!(again.parts.len() == calendar.parts.len());
                }
            }
        }
    }
}
