//! What the simulated service knows.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::{config::Config, logins::Logins};
use crate::{front::Common, spec::Findings};

/// An event; times in microseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    pub calendar: String,
    pub subject: String,
    /// `{"contentType", "content"}`.
    pub content: Value,
    pub start: i64,
    pub end: i64,
    pub all_day: bool,
    /// The zone in which it was entered, by a name of Windows' or IANA's. Days are told as midnights in UTC all the same.
    pub zone: String,
    /// What the account answered: `organizer`, `none`, `accepted`, `tentativelyAccepted`, `declined`.
    pub response: String,
    pub show_as: String,
    pub attendees: Vec<Value>,
    /// Where it is, as people say it.
    pub place: String,
    pub online: bool,
    pub transaction_id: Option<String>,
    /// Extended properties by id.
    pub properties: BTreeMap<String, String>,
    pub created_at: i64,
    pub modified_at: i64,
    /// Number of the last change, over all events.
    pub change: u64,
    /// It is in the deleted items: for the API it is gone.
    pub deleted: bool,
}

/// A subscription to changes of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub resource: String,
    pub change_types: Vec<String>,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub client_state: Option<String>,
    pub expires_at: i64,
}

/// Where a caller stands in a delta query; its token is the name.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) calendar: String,
    pub(super) start: i64,
    pub(super) end: i64,
    /// Changes after this one were not told yet.
    pub(super) after: u64,
    /// The round ends with this change; none where no round is on.
    pub(super) until: Option<u64>,
    /// The first round lists what is there; later ones tell what was deleted as well.
    pub(super) first: bool,
}

/// The service.
pub struct State {
    pub(super) common: Common,
    pub(super) config: Config,
    pub(super) events: Vec<Event>,
    /// Events by id.
    pub(super) by_id: BTreeMap<String, usize>,
    /// Number of the last change.
    pub(super) changes: u64,
    pub(super) subscriptions: Vec<Subscription>,
    /// Delta queries by the token in their links.
    pub(super) rounds: BTreeMap<String, Round>,
    pub(super) logins: Logins,
    pub(super) window: Window,
    rng: StdRng,
}

/// The limit's window.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) started: i64,
    pub(super) used: u32,
}

/// What somebody did to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Created,
    Updated,
    Deleted,
}

impl Change {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        // There is no description of a size that could be compared with.
        let common = Common::new(config.seed, Findings::default(), config.control, config.deliver_webhooks);
        Self {
            common,
            rng: StdRng::seed_from_u64(config.seed ^ 0x0071_00c4),
            config,
            events: Vec::new(),
            by_id: BTreeMap::new(),
            changes: 0,
            subscriptions: Vec::new(),
            rounds: BTreeMap::new(),
            logins: Logins::default(),
            window: Window::default(),
        }
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    /// So many letters and digits.
    pub(super) fn new_text(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.rng.sample(rand::distr::Alphanumeric))).collect()
    }

    pub(super) fn new_uuid(&mut self) -> String {
        let (a, b): (u64, u64) = (self.rng.random(), self.rng.random());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }

    pub(super) fn event(&self, id: &str) -> Option<&Event> {
        self.events.get(*self.by_id.get(id)?).filter(|e| !e.deleted)
    }

    /// Events of a calendar that are there and touch this stretch of time, by their start.
    pub(super) fn within(&self, calendar: &str, start: i64, end: i64) -> Vec<&Event> {
        let touches = |e: &&Event| e.start < end && start < e.end;
        let mut found: Vec<&Event> =
            self.events.iter().filter(|e| !e.deleted && e.calendar == calendar).filter(touches).collect();
        found.sort_by_key(|e| (e.start, e.change));
        found
    }
}
