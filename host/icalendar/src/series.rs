//! Which events of a text are one (RFC 5545 section 3.8.4.7): a UID may come in several versions, and a series with single times of its own.

use std::collections::{BTreeMap, HashMap};

use crate::{Component, Property, event::Version, stamp::Stamp};

/// Everything that a text says of one UID.
#[derive(Debug, Default)]
pub struct Series<'a> {
    /// None of an event that has none, which is alone.
    pub uid: Option<String>,
    /// The event itself. Several of the same version are all meant: some programs write one UID for everything.
    pub mains: Vec<&'a Component>,
    /// Single times of the series that are not as the series has them, each in its newest version.
    pub overrides: Vec<&'a Component>,
    /// What a newer version replaces.
    pub outdated: Vec<&'a Component>,
}

/// A `RECURRENCE-ID` and its zone, as they are written.
type Time = (String, Option<String>);

/// Events that stand for the same: the newest of them, all of one version, and what they replace.
#[derive(Default)]
struct Same<'a> {
    version: Version,
    newest: Vec<&'a Component>,
    outdated: Vec<&'a Component>,
}

impl<'a> Same<'a> {
    fn add(&mut self, event: &'a Component) {
        let version = Version::of(event);
        if !self.newest.is_empty() && version < self.version {
            self.outdated.push(event);
            return;
        }
        if version > self.version {
            self.outdated.append(&mut self.newest);
        }
        self.version = version;
        self.newest.push(event);
    }
}

/// The events of a text by their UID, in the order in which each came first.
pub fn series<'a>(events: impl IntoIterator<Item = &'a Component>) -> Vec<Series<'a>> {
    let mut all: Vec<Series<'a>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    // By series, and by the time that is not as the series has it.
    let mut same: BTreeMap<(usize, Option<Time>), Same<'a>> = BTreeMap::new();
    for event in events {
        let uid = event.text("UID");
        let at = match &uid {
            Some(uid) => *known.entry(uid.clone()).or_insert(all.len()),
            None => all.len(),
        };
        if at == all.len() {
            all.push(Series { uid, ..Series::default() });
        }
        let time = event.property("RECURRENCE-ID").map(|id| (id.value().to_owned(), id.parameter("TZID")));
        same.entry((at, time)).or_default().add(event);
    }
    for ((at, time), events) in same {
        if let Some(series) = all.get_mut(at) {
            let list = if time.is_some() { &mut series.overrides } else { &mut series.mains };
            list.extend(events.newest);
            series.outdated.extend(events.outdated);
        }
    }
    all
}

impl<'a> Series<'a> {
    /// What counts of it.
    pub fn events(&self) -> impl Iterator<Item = &'a Component> {
        self.mains.iter().chain(&self.overrides).copied()
    }
}

/// The times that a property lists (`EXDATE`, `RDATE`); of a period its start. None if one of them cannot be read.
#[must_use]
pub fn listed(property: &Property) -> Option<Vec<Stamp>> {
    let each = property.value().split(',').filter(|text| !text.trim().is_empty());
    each.map(|text| Stamp::read(text.split_once('/').map_or(text, |(start, _)| start))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UID, mains, overrides, outdated.
    type Told = (Option<String>, Vec<String>, Vec<String>, Vec<String>);

    fn told(events: &str) -> Vec<Told> {
        let calendar = Component::read(format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR").as_bytes()).unwrap();
        let names = |list: &[&Component]| list.iter().map(|e| e.text("SUMMARY").unwrap()).collect();
        series(calendar.all("VEVENT"))
            .iter()
            .map(|s| (s.uid.clone(), names(&s.mains), names(&s.overrides), names(&s.outdated)))
            .collect()
    }

    fn event(name: &str, lines: &str) -> String {
        format!("BEGIN:VEVENT\n{lines}\nSUMMARY:{name}\nEND:VEVENT\n")
    }

    #[test]
    fn the_newest_counts_and_times_of_a_series_are_its_own() {
        let all = [
            event("first", "UID:a\nSEQUENCE:0"),
            event("second", "UID:a\nSEQUENCE:1"),
            event("old", "UID:a\nSEQUENCE:0\nLAST-MODIFIED:20260101T000000Z"),
            event("alone", "X-A:b"),
            event("one", "UID:b\nRECURRENCE-ID:20260101"),
            event("all", "UID:b"),
            event("again", "UID:b\nRECURRENCE-ID:20260101\nSEQUENCE:2"),
            event("other", "UID:b\nRECURRENCE-ID:20260102"),
            event("alone too", "UID:"),
            event("same", "UID:c"),
            event("same too", "UID:c"),
        ];
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let some = |uid: &str| Some(uid.to_owned());
        assert_eq!(
            told(&all.concat()),
            [
                (some("a"), names(&["second"]), names(&[]), names(&["first", "old"])),
                (None, names(&["alone"]), names(&[]), names(&[])),
                (some("b"), names(&["all"]), names(&["again", "other"]), names(&["one"])),
                (None, names(&["alone too"]), names(&[]), names(&[])),
                (some("c"), names(&["same", "same too"]), names(&[]), names(&[])),
            ]
        );
    }

    #[test]
    fn lists_of_times() {
        let of = |value: &str| listed(&Property::plain("EXDATE", value)).map(|all| all.len());
        assert_eq!(
            (of("20260101,20260102T090000Z/PT1H, 20260103"), of(""), of("20260101,x")),
            (Some(3), Some(0), None)
        );
    }
}
