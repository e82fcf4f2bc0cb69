//! What is written on a booking, and how it is changed. When and with whom it is, is another matter: it is moved, or given to another member.

use std::collections::{BTreeMap, BTreeSet};

use super::{booking::Booking, occupancy::Occupancy};
use crate::{
    limits,
    outbound::provider::{Attendee, BookingPart},
    validate::Fields,
};

pub use super::contents::{Contents, Undelivered};

impl Contents {
    /// Of this booking, as it is.
    #[must_use]
    pub fn of(booking: &Booking) -> Self {
        Self {
            attendee: booking.attendee.clone(),
            guests: booking.guests.clone(),
            answers: booking.answers.clone(),
            notes: booking.notes.clone(),
            location: booking.location.clone(),
            metadata: booking.metadata.clone(),
        }
    }

    /// Which parts differ, by name.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        [
            ("attendee", self.attendee != other.attendee),
            ("guests", self.guests != other.guests),
            ("answers", self.answers != other.answers),
            ("notes", self.notes != other.notes),
            ("location", self.location != other.location),
            (METADATA, self.metadata != other.metadata),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Is it acceptable, whatever the event type asks?
    pub fn check(&self, fields: &mut Fields) {
        fields.attendee(&self.attendee);
        check_guests(fields, &self.attendee, &self.guests);
        if serde_json::to_string(&self.answers).map_or(0, |text| text.len()) > limits::ANSWERS_BYTES_MAX {
            fields.bad("/answers", format!("at most {} bytes of JSON", limits::ANSWERS_BYTES_MAX));
        }
        if let Some(notes) = &self.notes {
            fields.long_text("/notes", notes, limits::NOTES_CHARS_MAX);
        }
        check_metadata(fields, &self.metadata);
    }
}

/// The one part that no provider is told.
const METADATA: &str = "metadata";

/// Which of these parts a provider would have to be told.
pub fn told<'a>(parts: &'a [&'static str]) -> impl Iterator<Item = &'static str> + 'a {
    parts.iter().copied().filter(|part| *part != METADATA)
}

/// The same as the parts that the contract knows.
fn parts_told(parts: &[&'static str]) -> Vec<BookingPart> {
    BookingPart::ALL.into_iter().filter(|part| parts.contains(&part.as_str())).collect()
}

impl Undelivered {
    /// Of a booking that is about to be changed in these parts, whatever else is still to be delivered.
    pub(super) fn of(booking: &Booking, parts: &[&'static str]) -> Self {
        let known = booking.undelivered.clone();
        let mut undelivered =
            known.unwrap_or_else(|| Self { parts: Vec::new(), before: Contents::of(booking) });
        undelivered.parts.extend(parts_told(parts));
        undelivered.parts.sort_unstable();
        undelivered.parts.dedup();
        undelivered
    }
}

/// Its provider refused the change: the parts are again as both sides had them.
pub(super) fn take_back(booking: &mut Booking) {
    let Some(Undelivered { parts, before }) = booking.undelivered.take() else { return };
    for part in parts {
        match part {
            BookingPart::Attendee => booking.attendee = before.attendee.clone(),
            BookingPart::Guests => booking.guests.clone_from(&before.guests),
            BookingPart::Answers => booking.answers.clone_from(&before.answers),
            BookingPart::Notes => booking.notes.clone_from(&before.notes),
            BookingPart::Location => booking.location.clone_from(&before.location),
        }
    }
}

fn check_guests(fields: &mut Fields, attendee: &Attendee, guests: &[String]) {
    if guests.len() > limits::GUESTS_MAX {
        fields.bad("/guests", format!("at most {}", limits::GUESTS_MAX));
    }
    let folded = |email: &str| email.trim().to_lowercase();
    let mut known: BTreeSet<String> = attendee.email.iter().map(|email| folded(email)).collect();
    for (i, guest) in guests.iter().enumerate() {
        let at = format!("/guests/{i}");
        fields.email(&at, guest);
        if !known.insert(folded(guest)) {
            fields.bad(&at, "takes part already: each address once");
        }
    }
}

fn check_metadata(fields: &mut Fields, metadata: &BTreeMap<String, String>) {
    if metadata.len() > limits::METADATA_KEYS_MAX {
        fields.bad("/metadata", format!("at most {} keys", limits::METADATA_KEYS_MAX));
    }
    for (key, value) in metadata {
        let at = format!("/metadata/{}", key.replace('~', "~0").replace('/', "~1"));
        let is_key = (1..=limits::METADATA_KEY_CHARS_MAX).contains(&key.chars().count())
            && !key.chars().any(char::is_control);
        if !is_key {
            fields.bad(&at, format!("a key has 1 to {} characters", limits::METADATA_KEY_CHARS_MAX));
        }
        if value.chars().count() > limits::METADATA_VALUE_CHARS_MAX || value.contains('\0') {
            fields.bad(&at, format!("at most {} characters", limits::METADATA_VALUE_CHARS_MAX));
        }
    }
}

/// A change of what is written on a booking.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// From now on.
    pub contents: Contents,
    /// Here alone, although its provider has it otherwise.
    pub local_only: bool,
    /// More or fewer seats of the same meeting; none: as many as it has.
    pub seats: Option<SeatsTaken>,
}

/// How many seats of a shared meeting a booking takes from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatsTaken {
    /// So many.
    pub taken: u32,
    /// Of this place.
    pub occupancy: Occupancy,
}

impl SeatsTaken {
    /// The part of a booking that it changes.
    pub const PART: &'static str = "seats_taken";
}

/// Note that parts of a booking differ from what its provider has, where it has a counterpart.
pub(super) fn note_local(booking: &mut Booking, parts: impl Iterator<Item = &'static str>) {
    if booking.external_id.is_none() {
        return;
    }
    for part in parts {
        if !booking.local_changes.iter().any(|known| known == part) {
            booking.local_changes.push(part.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn contents() -> Contents {
        Contents {
            attendee: Attendee {
                name: "Ada".into(),
                email: Some("ada@example.com".into()),
                phone: None,
                time_zone: "UTC".into(),
                language: None,
            },
            guests: vec!["bea@example.com".into()],
            answers: Map::new(),
            notes: None,
            location: None,
            metadata: BTreeMap::from([("order".to_owned(), "17".to_owned())]),
        }
    }

    fn refused(contents: &Contents) -> Vec<String> {
        let mut fields = Fields::default();
        contents.check(&mut fields);
        fields.finish().err().map_or_else(Vec::new, |p| p.errors.into_iter().map(|e| e.field).collect())
    }

    #[test]
    fn contents_have_their_limits() {
        assert_eq!(refused(&contents()), [""; 0]);
        let with = |change: fn(&mut Contents)| {
            let mut contents = contents();
            change(&mut contents);
            refused(&contents)
        };
        assert_eq!(with(|c| c.guests.push("BEA@example.com".into())), ["/guests/1"]);
        assert_eq!(with(|c| c.guests.push("Ada@Example.com ".into())), ["/guests/1", "/guests/1"]);
        assert_eq!(with(|c| c.guests = (0..21).map(|n| format!("g{n}@example.com")).collect()), ["/guests"]);
        assert_eq!(with(|c| c.attendee.name = String::new()), ["/attendee/name"]);
        assert_eq!(with(|c| c.notes = Some("x".repeat(4_001))), ["/notes"]);
        let key = |key: &str, value: &str| {
            let mut contents = contents();
            contents.metadata.insert(key.to_owned(), value.to_owned());
            refused(&contents)
        };
        assert_eq!(key("", "x"), ["/metadata/"]);
        assert_eq!(key("a/b~c", &"x".repeat(501)), ["/metadata/a~1b~0c"]);
        assert_eq!(key(&"k".repeat(41), "x").len(), 1);
        let many = |n: usize| {
            let mut contents = contents();
            contents.metadata = (0..n).map(|n| (format!("k{n}"), "x".repeat(500))).collect();
            refused(&contents)
        };
        assert_eq!((many(50), many(51)), (vec![], vec!["/metadata".to_owned()]));
    }

    #[test]
    fn what_differs_has_a_name() {
        let (old, mut new) = (contents(), contents());
        assert!(old.differing(&new).is_empty());
        new.notes = Some("By the door".into());
        new.metadata.clear();
        let parts = old.differing(&new);
        assert_eq!(parts, ["notes", "metadata"]);
        assert_eq!(told(&parts).collect::<Vec<_>>(), ["notes"]);
    }
}
