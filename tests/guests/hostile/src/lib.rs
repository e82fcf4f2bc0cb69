//! A component that misbehaves on purpose, for tests of the sandbox. `plugin.toml` lists the ways. What a mode finds out is
//! reported in the account's `raw`, so that a test can see what the host let through.

mod misdeeds;
mod network;
mod texts;

use std::collections::BTreeMap;

use berth_sdk::{
    Availability, Catalog, Connection, Result,
    types::{
        Account, BusyQuery, BusyTime, EventType, EventTypePage, Interval, PageRequest, ProviderError,
        QuerySpans, Slot, SlotQuery,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The settings; see `plugin.toml`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only the component makes requests"))]
pub struct Hostile {
    mode: String,
    count: u64,
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Connection for Hostile {
    fn open() -> Result<Self> {
        berth_sdk::settings::get()
    }

    fn validate(&self) -> Result<Account> {
        let raw = match self.mode.as_str() {
            "nothing" | "giant_result" | "inverted_interval" => json!({}).to_string(),
            "invalid_raw" => "{\"open\": ".to_owned(),
            "control_text" => {
                let name = format!("\u{1b}[31m\0{}", "n".repeat(100_000));
                return Ok(account(name, json!({}).to_string()));
            }
            "texts" => return Ok(texts::account(self.count)),
            "link" => return Err(ProviderError::Unsupported(Some(self.url.clone()))),
            mode => match misdeeds::commit(self, mode).or_else(|| network::commit(self, mode)) {
                Some(found) => found?.to_string(),
                None => {
                    return Err(ProviderError::invalid("settings.mode", format!("there is no mode {mode}")));
                }
            },
        };
        Ok(account("Hostile".to_owned(), raw))
    }
}

fn account(name: String, raw: String) -> Account {
    Account { id: "hostile".to_owned(), name, email: None, time_zone: None, raw }
}

impl Catalog for Hostile {
    fn list_event_types(&self, _page: PageRequest) -> Result<EventTypePage> {
        let count = if self.mode == "giant_result" { self.count } else { 1 };
        let event_type = EventType::plain("x", "x".repeat(1_024), 30, "{}".to_owned());
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let event_type = if self.mode == "texts" { texts::event_type(event_type) } else { event_type };
        // The same token for ever: a host that pages until there is none never ends.
        Ok(EventTypePage { items: vec![event_type; count], next: Some("again".to_owned()) })
    }
}

impl Availability for Hostile {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: u32::MAX, busy_days: u32::MAX }
    }
    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        Ok(vec![Slot { when: self.interval(query.within), token: None, seats_left: None }])
    }
    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        Ok(vec![BusyTime { when: self.interval(query.within), source: None }])
    }
}

impl Hostile {
    fn interval(&self, within: Interval) -> Interval {
        if self.mode == "inverted_interval" {
            Interval { start: within.end, end: within.start }
        } else {
            within
        }
    }
}

/// What a mode found out.
type Found = Result<Value>;

berth_sdk::export!(Hostile: catalog, availability; manifest = "plugin.toml");

#[cfg(test)]
mod tests {
    use berth_model::plugins::manifest::Manifest;
    use berth_sdk::testing;

    use super::*;

    #[test]
    fn the_manifest_is_valid_and_an_unknown_mode_says_so() {
        let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
        let settings = berth_settings::check(&manifest, &json!({ "mode": "kind" })).unwrap();
        testing::set_settings(&settings.to_string());
        let refused = Hostile::open().unwrap().validate();
        assert!(matches!(refused, Err(ProviderError::Invalid(p)) if p[0].message.contains("kind")));
    }
}
