//! What the simulated business knows.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::config::{Config, Service};
use crate::{
    front::{Answer, Common},
    spec::{Findings, Mistake},
};

/// Where the description of the contract says less than the contract.
const MISTAKES: &[Mistake] = &[
    Mistake {
        at: "",
        says: "/first_name: null",
        because: "the name of an erased client is null (section b: erase client)",
    },
    Mistake {
        at: "",
        says: "/last_name: null",
        because: "the name of an erased client is null (section b: erase client)",
    },
];

pub(super) const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Pending,
    Confirmed,
    Cancelled,
    Completed,
    NoShow,
}

impl Status {
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
        }
    }
}

/// Why a booking does not take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub reason: String,
    pub by: String,
    pub at: i64,
}

/// A booking; times in microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub id: String,
    pub service: String,
    pub staff: String,
    pub client: String,
    pub start: i64,
    pub end: i64,
    pub status: Status,
    pub notes: String,
    pub source: &'static str,
    pub external_ref: Option<String>,
    pub cancellation: Option<Cancellation>,
    pub version: u32,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A client. What is erased is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub external_ref: Option<String>,
    /// May one know how to reach this client?
    pub contact_info: bool,
    pub erased: bool,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Time that is kept free; of everybody, or of one.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) id: String,
    pub(super) staff: Option<String>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) body: Value,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) request: String,
    pub(super) answer: Answer,
    pub(super) at: i64,
}

/// The tokens that were given, and when each ends.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) given: BTreeMap<String, i64>,
    pub(super) window: Window,
}

/// A subscription.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) secret: String,
    pub(super) active: bool,
    pub(super) created_at: i64,
}

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) webhook: String,
    pub(super) kind: String,
    pub(super) body: Vec<u8>,
    pub(super) due: i64,
    pub(super) tries: usize,
}

/// Subscriptions, and messages on their way.
#[derive(Debug, Default)]
pub(super) struct Post {
    pub(super) webhooks: Vec<Webhook>,
    pub(super) waiting: Vec<Message>,
    /// What was sent, by the name of the delivery.
    pub(super) sent: BTreeMap<String, Message>,
}

/// The service.
pub struct State {
    pub(super) config: Config,
    pub(super) common: Common,
    pub(super) tokens: Tokens,
    pub(super) keys: BTreeMap<String, Kept>,
    pub(super) bookings: Vec<Booking>,
    /// Active bookings by start.
    calendar: BTreeSet<(i64, usize)>,
    /// All bookings by last change.
    pub(super) changes: BTreeSet<(i64, usize)>,
    pub(super) clients: Vec<Client>,
    pub(super) blocks: Vec<Block>,
    pub(super) post: Post,
    /// Requests of the present minute.
    pub(super) window: Window,
    made: u64,
    rng: StdRng,
}

/// A minute in which requests are counted.
#[derive(Debug, Default)]
pub(super) struct Window {
    started: i64,
    used: u32,
}

impl Window {
    /// Count a request: how many are left, and in how many seconds there will be more. The error: there are none left.
    pub(super) fn charge(&mut self, now: i64, limit: u32) -> Result<(u32, i64), i64> {
        if now >= self.started + MINUTE {
            (self.started, self.used) = (now, 0);
        }
        let reset = (self.started + MINUTE - now).div_euclid(1_000_000) + 1;
        if self.used >= limit {
            return Err(reset);
        }
        self.used += 1;
        Ok((limit - self.used, reset))
    }
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        let findings = Findings::with("booksy-contract-v1.yaml", MISTAKES);
        let mut state = Self {
            common: Common::new(config.seed, findings, config.control, config.deliver_webhooks),
            rng: StdRng::seed_from_u64(config.seed ^ 0x5eed),
            config,
            tokens: Tokens::default(),
            keys: BTreeMap::new(),
            bookings: Vec::new(),
            calendar: BTreeSet::new(),
            changes: BTreeSet::new(),
            clients: Vec::new(),
            blocks: Vec::new(),
            post: Post::default(),
            window: Window::default(),
            made: 0,
        };
        // Two who were there before: one of them did not agree to be reached.
        state.add_client("Bea", "Zak", "bea@example.com", true);
        state.add_client("Cyd", "Lis", "cyd@example.com", false);
        state
    }

    fn add_client(&mut self, first: &str, last: &str, email: &str, contact_info: bool) {
        let (id, now) = (self.new_id("cli"), self.now());
        self.clients.push(Client {
            id,
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            email: Some(email.to_owned()),
            phone: None,
            locale: Some("pl".to_owned()),
            external_ref: None,
            contact_info,
            erased: false,
            created_at: now,
            updated_at: now,
        });
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    /// `bk_7`: unique over all kinds.
    pub(super) fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_{}", self.made)
    }

    pub(super) fn new_uuid(&mut self) -> String {
        let n: u128 = self.rng.random();
        let hex = format!("{n:032x}");
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    pub(super) fn service(&self, id: &str) -> Option<Service> {
        self.config.services.iter().find(|s| s.id == id).cloned()
    }

    /// Who does this service and works there.
    pub(super) fn staff_for(&self, service: &Service, only: Option<&str>) -> Vec<String> {
        let works = |id: &&String| self.config.staff.iter().any(|s| s.active && s.id == **id);
        service.staff.iter().filter(works).filter(|id| only.is_none_or(|o| o == *id)).cloned().collect()
    }

    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.bookings.iter().position(|b| b.id == id)
    }

    pub(super) fn add(&mut self, booking: Booking) -> Booking {
        let at = self.bookings.len();
        self.calendar.insert((booking.start, at));
        self.changes.insert((booking.updated_at, at));
        self.bookings.push(booking.clone());
        booking
    }

    /// Change a booking; its version, its last change and its places follow.
    pub(super) fn change(&mut self, at: usize, change: impl FnOnce(&mut Booking)) -> Booking {
        let now = self.now();
        let booking = &mut self.bookings[at];
        self.calendar.remove(&(booking.start, at));
        self.changes.remove(&(booking.updated_at, at));
        change(booking);
        booking.version += 1;
        // Two changes in one millisecond still have an order.
        booking.updated_at = now.max(booking.updated_at + 1_000);
        self.changes.insert((booking.updated_at, at));
        if booking.status.is_active() {
            self.calendar.insert((booking.start, at));
        }
        booking.clone()
    }

    /// Active bookings that may touch this stretch, buffers included.
    pub(super) fn around(&self, start: i64, end: i64) -> impl Iterator<Item = (usize, &Booking)> {
        // Longer than any booking with its buffers.
        let near = self.calendar.range((start - DAY, 0)..(end + DAY, 0));
        near.filter_map(|(_, at)| Some((*at, self.bookings.get(*at)?)))
    }
}
