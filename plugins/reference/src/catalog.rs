//! Three event types: one person, a group, and one that is no longer offered.

use berth_sdk::{
    Catalog, Result,
    types::{EventType, EventTypePage, Money, PageRequest, ProviderError},
};
use serde_json::Value;

use crate::Reference;

const SITE: &str = "https://reference.example/";
/// `resolve-link` of this URL with JSON text behind the `#` counts the entries of its arrays: work for benchmarks.
const COUNT: &str = "https://reference.example/count#";

impl Catalog for Reference {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        self.run("list_event_types", || {
            let start: usize = match &page.token {
                None => 0,
                Some(token) => token.parse().map_err(|_| ProviderError::CursorExpired)?,
            };
            let size = self.settings.page_items(page.limit);
            let every = all();
            let next = (start + size < every.len()).then(|| (start + size).to_string());
            Ok(EventTypePage { items: every.into_iter().skip(start).take(size).collect(), next })
        })
    }

    fn resolve_link(&self, url: String) -> Result<EventType> {
        self.run("resolve_link", || match url.strip_prefix(COUNT) {
            Some(json) => count(json),
            None => find(url.strip_prefix(SITE).ok_or(ProviderError::NotFound)?),
        })
    }
}

/// An event type whose `seats` is the number of array entries, at any depth.
fn count(json: &str) -> Result<EventType> {
    let value: Value =
        serde_json::from_str(json).map_err(|e| ProviderError::invalid("url", e.to_string()))?;
    let entries = u32::try_from(entries(&value)).unwrap_or(u32::MAX);
    Ok(EventType { seats: entries, title: format!("{entries} entries"), ..plain("count", "Count", 30, 1) })
}

fn entries(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() + items.iter().map(entries).sum::<usize>(),
        Value::Object(fields) => fields.values().map(entries).sum(),
        _ => 0,
    }
}

/// The event type with this id.
pub(crate) fn find(id: &str) -> Result<EventType> {
    all().into_iter().find(|e| e.id == id).ok_or(ProviderError::NotFound)
}

/// Its public page.
pub(crate) fn url_of(id: &str) -> String {
    format!("{SITE}{id}")
}

fn all() -> Vec<EventType> {
    vec![
        EventType { length_options_minutes: vec![30, 60], ..plain("consultation", "Consultation", 30, 1) },
        EventType {
            description: Some("For up to four people.".to_owned()),
            price: Some(Money { minor_units: 4_500, currency: "EUR".to_owned() }),
            ..plain("class", "Class", 60, 4)
        },
        EventType { active: false, ..plain("retired", "No longer offered", 30, 1) },
    ]
}

fn plain(id: &str, title: &str, minutes: u32, seats: u32) -> EventType {
    let raw = format!(r#"{{"id":"{id}"}}"#);
    EventType { seats, booking_url: Some(url_of(id)), ..EventType::plain(id, title, minutes, raw) }
}
