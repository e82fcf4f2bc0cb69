//! What the simulated service knows.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;
use serde_json::{Map, Value};

use super::config::{Config, EventType};
use crate::{
    front::Common,
    spec::{Findings, Mistake},
};

/// Where the published description of API v2 is wrong about the service.
const MISTAKES: &[Mistake] = &[
    Mistake {
        at: "GET /v2/slots answers",
        says: "",
        because: "the schema describes the map of days alone; its own example has it under data",
    },
    Mistake {
        at: "GET /v2/calendars/busy-times",
        says: "calendarsToLoad",
        because: "calendars are named by literal brackets",
    },
    Mistake {
        at: "GET /v2/calendars/busy-times",
        says: "misses the query parameter",
        because: "credentialId and externalId are members of calendarsToLoad",
    },
    Mistake {
        at: "GET /v2/calendars answers",
        says: "5 is not of type \"object\"",
        because: "ids are numbers",
    },
    Mistake { at: "", says: "is not of type \"number\"", because: "ids of webhooks are UUIDs" },
    Mistake { at: "", says: "/payloadTemplate: null", because: "a webhook without a template has none" },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Accepted,
    Pending,
    Cancelled,
    Rejected,
}

impl Status {
    pub fn is_active(self) -> bool {
        matches!(self, Self::Accepted | Self::Pending)
    }
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }
}

/// A booking; times in microseconds since 1970.
#[derive(Debug, Clone)]
pub struct Booking {
    pub id: u64,
    pub uid: String,
    pub status: Status,
    pub start: i64,
    pub end: i64,
    pub event_type: u64,
    pub attendee: Value,
    pub guests: Vec<Value>,
    /// Where it is; none: its own conferencing.
    pub location: Option<String>,
    pub metadata: Map<String, Value>,
    pub responses: Map<String, Value>,
    pub created_at: i64,
    pub updated_at: i64,
    pub rescheduled_from: Option<String>,
    pub rescheduled_to: Option<String>,
    pub cancellation_reason: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) triggers: Vec<String>,
    pub(super) secret: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Reservation {
    pub(super) uid: String,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) until: i64,
}

/// The service.
pub struct State {
    pub(super) config: Config,
    pub(super) common: Common,
    pub(super) bookings: Vec<Booking>,
    pub(super) by_uid: BTreeMap<String, usize>,
    /// Active bookings by start: one host, so they never overlap.
    pub(super) calendar: BTreeMap<i64, usize>,
    pub(super) reservations: Vec<Reservation>,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) window: Window,
    rng: StdRng,
}

/// The rate limit's window, as the service keeps it: a block follows once it is exceeded.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) started: i64,
    pub(super) used: u32,
    pub(super) blocked_until: i64,
}

pub(super) const LIMIT: u32 = 120;
pub(super) const WINDOW_MICROS: i64 = 60_000_000;

impl State {
    pub(super) fn new(config: Config) -> Self {
        Self {
            common: Common::new(
                config.seed,
                Findings::with("calcom-v2.json", MISTAKES),
                config.control,
                config.deliver_webhooks,
            ),
            rng: StdRng::seed_from_u64(config.seed ^ 0x5eed),
            config,
            bookings: Vec::new(),
            by_uid: BTreeMap::new(),
            calendar: BTreeMap::new(),
            reservations: Vec::new(),
            webhooks: Vec::new(),
            window: Window::default(),
        }
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    pub(super) fn new_uid(&mut self) -> String {
        (0..22).map(|_| char::from(self.rng.sample(rand::distr::Alphanumeric))).collect()
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

    pub(super) fn booking(&self, uid: &str) -> Option<&Booking> {
        self.bookings.get(*self.by_uid.get(uid)?)
    }

    pub(super) fn booking_mut(&mut self, uid: &str) -> Option<&mut Booking> {
        self.bookings.get_mut(*self.by_uid.get(uid)?)
    }

    pub(super) fn event_type(&self, id: u64) -> Option<EventType> {
        self.config.event_types.iter().find(|e| e.id == id).cloned()
    }

    /// Is this stretch free of active bookings (but for one) and of reservations?
    pub(super) fn is_free(&self, start: i64, end: i64, but_for: Option<&str>) -> bool {
        let but_for = but_for.and_then(|uid| self.by_uid.get(uid));
        let taken = |(_, at): (&i64, &usize)| Some(at) != but_for && self.bookings[*at].end > start;
        // A day back is longer than any booking.
        let booked = self.calendar.range(start - 86_400_000_000..end).any(taken);
        let now = self.now();
        let reserved = self.reservations.iter().any(|r| r.until > now && r.start < end && start < r.end);
        !booked && !reserved
    }

    pub(super) fn add(&mut self, booking: Booking) {
        let at = self.bookings.len();
        self.by_uid.insert(booking.uid.clone(), at);
        if booking.status.is_active() {
            self.calendar.insert(booking.start, at);
        }
        self.bookings.push(booking);
    }

    pub(super) fn set_status(&mut self, uid: &str, status: Status) {
        let now = self.now();
        let Some(booking) = self.booking_mut(uid) else { return };
        booking.status = status;
        // Two changes in one microsecond still have an order.
        booking.updated_at = now.max(booking.updated_at + 1_000);
        let start = booking.start;
        if !status.is_active() {
            self.calendar.remove(&start);
        }
    }
}
