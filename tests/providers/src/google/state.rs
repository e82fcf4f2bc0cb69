//! What the simulated service knows.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::{
    config::{Calendar, Config},
    refusal::{Refusal, not_found},
    sync_tokens::Lists,
    tokens::Tokens,
};
use crate::{
    front::Common,
    spec::{Findings, Mistake},
};

/// Where the published description is wrong about the service.
const MISTAKES: &[Mistake] = &[];

const MINUTE_MICROS: i64 = 60_000_000;

/// An event; times in microseconds since 1970.
#[derive(Debug, Clone)]
pub struct Event {
    /// As it is on the wire.
    pub resource: Value,
    pub start: i64,
    pub end: i64,
    /// The master of a recurring event stands for its instances; each of these names it.
    pub(super) is_master: bool,
    /// An instance that differs from its series.
    pub(super) is_exception: bool,
    /// Number of the last change.
    pub(super) changed: u64,
}

impl Event {
    pub fn id(&self) -> &str {
        self.resource["id"].as_str().unwrap_or_default()
    }

    /// Does it take place?
    pub fn is_active(&self) -> bool {
        self.resource["status"] != "cancelled"
    }

    /// Does it block its time?
    pub(super) fn is_busy(&self) -> bool {
        let declined = |guest: &Value| guest["self"] == true && guest["responseStatus"] == "declined";
        let guests = self.resource["attendees"].as_array();
        self.is_active()
            && !self.is_master
            && self.resource["transparency"] != "transparent"
            && !guests.is_some_and(|guests| guests.iter().any(declined))
    }

    pub(super) fn is_instance(&self) -> bool {
        self.resource["recurringEventId"].is_string()
    }

    pub(super) fn private(&self, name: &str) -> Option<&str> {
        self.resource["extendedProperties"]["private"][name].as_str()
    }
}

/// A channel that is watched.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) token: Option<String>,
    pub(super) calendar: String,
    pub(super) resource_id: String,
    pub(super) expires_at: i64,
    /// Number of the last message.
    pub(super) number: u64,
}

/// The service.
pub struct State {
    pub(super) config: Config,
    pub(super) common: Common,
    /// By calendar and id. Deleted ones stay: their ids are never free again.
    pub(super) events: BTreeMap<(String, String), Event>,
    pub(super) channels: Vec<Channel>,
    pub(super) tokens: Tokens,
    pub(super) lists: Lists,
    /// Changes so far.
    changes: u64,
    /// The minute that is counted, and requests in it.
    minute: (i64, u32),
    pub(super) rng: StdRng,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        Self {
            common: Common::new(
                config.seed,
                Findings::with("google-calendar-v3.json", MISTAKES),
                config.control,
                config.deliver_pushes,
            ),
            rng: StdRng::seed_from_u64(config.seed ^ 0x5eed),
            config,
            events: BTreeMap::new(),
            channels: Vec::new(),
            tokens: Tokens::default(),
            lists: Lists::default(),
            changes: 0,
            minute: (0, 0),
        }
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    /// A word that nobody guesses.
    pub(super) fn word(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.rng.sample(rand::distr::Alphanumeric))).collect()
    }

    pub(super) fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// The calendar with this id; `primary` is the account's own.
    pub(super) fn calendar(&self, id: &str) -> Result<Calendar, Refusal> {
        let is = |c: &&Calendar| c.id == id || (c.primary && id == "primary");
        self.config.calendars.iter().find(is).cloned().ok_or_else(not_found)
    }

    pub(super) fn event(&self, calendar: &Calendar, id: &str) -> Option<&Event> {
        self.events.get(&(calendar.id.clone(), id.to_owned()))
    }

    /// The events of a calendar, by id.
    pub(super) fn events_of<'a>(&'a self, calendar: &'a str) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |((of, _), _)| of == calendar).map(|(_, event)| event)
    }

    /// Count this request; false if there were too many this minute.
    pub(super) fn charge(&mut self) -> bool {
        let minute = self.now().div_euclid(MINUTE_MICROS);
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        self.config.requests_per_minute.is_none_or(|most| self.minute.1 <= most)
    }
}
