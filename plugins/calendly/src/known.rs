//! What is kept between calls, so that most calls need one request less: whose the account is, event types for a few minutes, and
//! where public links led. All of it can be asked again, so a store that fails is only slower.

use std::collections::BTreeMap;

use berth_sdk::{
    Result, log, state,
    time::MINUTE,
    types::{Instant, ProviderError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Calendly, map, owner::Owner};

const OWNER: &str = "owner";
const LINKS: &str = "links";
/// Links that are remembered: the entry stays below 8 KiB.
const LINKS_MAX: usize = 40;
/// How long an event type is taken as it was: its length and questions seldom change, and Calendly refuses what no longer fits.
const EVENT_TYPE_AGE_MAX: i64 = 10 * MINUTE;

#[derive(Serialize, Deserialize)]
struct Aged {
    read_at: Instant,
    resource: Value,
}

/// Write an entry, or go on without it.
fn keep<T: Serialize>(key: &str, value: &T) {
    if state::set_json(key, value).is_err() {
        log::debug(&format!("not kept: {key}"));
    }
}

fn event_type_key(id: &str) -> String {
    format!("event-type/{id}")
}

pub(crate) fn remember_owner(owner: &Owner) {
    keep(OWNER, owner);
}

/// The links whose event types are known.
pub(crate) fn links() -> BTreeMap<String, String> {
    state::get_json(LINKS).ok().flatten().unwrap_or_default()
}

pub(crate) fn remember_link(link: &str, event_type: &str) {
    let mut links = links();
    if links.len() >= LINKS_MAX {
        links.pop_first();
    }
    links.insert(link.to_owned(), event_type.to_owned());
    keep(LINKS, &links);
}

pub(crate) fn forget_link(link: &str) {
    let mut links = links();
    links.remove(link);
    keep(LINKS, &links);
}

impl Calendly {
    /// Whose the account is.
    pub(crate) fn owner(&self) -> Result<Owner> {
        if let Ok(Some(owner)) = state::get_json(OWNER) {
            return Ok(owner);
        }
        let owner = map::owner(&self.api.me()?)?;
        remember_owner(&owner);
        Ok(owner)
    }

    /// An event type as it is, or was a few minutes ago.
    pub(crate) fn event_type(&self, id: &str) -> Result<Value> {
        let key = event_type_key(id);
        let now = self.api.now();
        if let Ok(Some(known)) = state::get_json::<Aged>(&key)
            && (0..EVENT_TYPE_AGE_MAX).contains(&now.saturating_sub(known.read_at))
        {
            return Ok(known.resource);
        }
        self.event_type_now(id)
    }

    /// An event type as it is.
    pub(crate) fn event_type_now(&self, id: &str) -> Result<Value> {
        let key = event_type_key(id);
        match self.api.event_type(id) {
            Ok(resource) => {
                // Only what can be read is worth keeping.
                map::event_type(&resource)?;
                let aged = Aged { read_at: self.api.now(), resource };
                keep(&key, &aged);
                Ok(aged.resource)
            }
            Err(ProviderError::NotFound) => {
                let _ = state::delete(&key);
                Err(ProviderError::NotFound)
            }
            Err(other) => Err(other),
        }
    }
}
