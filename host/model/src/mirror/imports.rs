//! What taking over a provider's event types and clients does: for each of them one thing, and the same for the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::event_type::EventTypeRecord, customers::names::folded, id::ConnectionId,
    outbound::provider::ExternalEventType,
};

/// What is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imported {
    /// What can be booked there.
    EventTypes,
    /// Who books there.
    Clients,
}

/// What is done with one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportAction {
    /// It is made here.
    Create,
    /// What is here is tied to it.
    Link,
    /// What is tied to it follows what changed there.
    Update,
    /// Nothing: it is here as it is there.
    Unchanged,
    /// Nothing, for a reason.
    Refused,
}

/// What becomes of an event type of a provider.
#[derive(Debug, Clone, PartialEq)]
pub enum EventTypePlan<'a> {
    /// One is made, with this slug.
    Create(String),
    /// This one is tied to it.
    Link(&'a EventTypeRecord),
    /// This one, which is tied to it, becomes like it.
    Update(&'a EventTypeRecord),
    /// This one is tied to it and like it.
    Unchanged(&'a EventTypeRecord),
    /// Nothing, and why.
    Refused(&'static str),
}

/// Characters of a slug that is made from a title, so that a number has room behind it.
const SLUG_CHARS: usize = 56;
/// Slugs that are tried for one title.
const SLUGS_TRIED: u32 = 1_000;

/// What to do with an event type of a provider, among those of the listing and of others. `taken` has the slugs of the listing that are in use, and
/// gets the one that is chosen.
#[must_use]
pub fn plan_of<'a>(
    external: &ExternalEventType,
    over: ConnectionId,
    of_listing: &[&'a EventTypeRecord],
    all: &'a [EventTypeRecord],
    taken: &mut BTreeSet<String>,
) -> EventTypePlan<'a> {
    let tied: Vec<&EventTypeRecord> =
        all.iter().filter(|e| e.external_over(over) == Some(external.id.as_str())).collect();
    match tied.as_slice() {
        [] => {}
        [only] if is_like(only, external) => return EventTypePlan::Unchanged(only),
        [only] => return EventTypePlan::Update(only),
        _ => return EventTypePlan::Refused("several event types here stand for it already"),
    }
    if !external.active {
        return EventTypePlan::Refused("it cannot be booked at the provider now");
    }
    let same = |e: &&&EventTypeRecord| {
        e.external_over(over).is_none()
            && e.archived_at.is_none()
            && e.length_minutes == external.length_minutes
            && folded(&e.title) == folded(&external.title)
    };
    let alike: Vec<&&EventTypeRecord> = of_listing.iter().filter(same).collect();
    match alike.as_slice() {
        [] => {}
        [only] => return EventTypePlan::Link(only),
        _ => return EventTypePlan::Refused("several event types of the listing have its title and length"),
    }
    match free_slug(&external.title, taken) {
        Some(slug) => EventTypePlan::Create(slug),
        None => EventTypePlan::Refused("no slug is free for its title"),
    }
}

/// Has it what would be taken over?
fn is_like(event_type: &EventTypeRecord, external: &ExternalEventType) -> bool {
    event_type.title == external.title && event_type.length_minutes == external.length_minutes
}

/// A slug for a title that is nobody's, noted as taken.
fn free_slug(title: &str, taken: &mut BTreeSet<String>) -> Option<String> {
    let slug = slug_of(title);
    let numbered = (2..=SLUGS_TRIED).map(|n| format!("{slug}-{n}"));
    let free = std::iter::once(slug.clone()).chain(numbered).find(|slug| !taken.contains(slug))?;
    taken.insert(free.clone());
    Some(free)
}

/// A title as a slug: its letters and digits without accents, in small, with hyphens between words.
#[must_use]
pub fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for c in folded(title).chars() {
        if slug.len() >= SLUG_CHARS {
            break;
        }
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.len() < 2 { "event-type".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::validate::is_slug;

    #[test]
    fn slugs_are_made_from_titles() {
        for (title, slug) in [
            ("First visit", "first-visit"),
            ("  Łódź – Żółw!  ", "lodz-zolw"),
            ("x", "event-type"),
            ("予約", "event-type"),
            ("", "event-type"),
        ] {
            assert_eq!(slug_of(title), slug, "{title}");
        }
        let mut taken = BTreeSet::from(["visit".to_owned(), "visit-2".to_owned()]);
        assert_eq!(free_slug("Visit", &mut taken).as_deref(), Some("visit-3"));
        assert_eq!(free_slug("Visit", &mut taken).as_deref(), Some("visit-4"));
    }

    proptest! {
        /// Whatever a provider calls it, it has a slug, and another one each time.
        #[test]
        fn every_title_has_a_slug(titles in prop::collection::vec(".{0,80}", 1..20)) {
            let mut taken = BTreeSet::new();
            for title in &titles {
                let slug = free_slug(title, &mut taken).unwrap();
                prop_assert!(is_slug(&slug), "{title:?}: {slug}");
            }
            prop_assert_eq!(taken.len(), titles.len());
        }
    }
}
