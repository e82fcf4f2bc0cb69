//! What the simulated service knows.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;
use serde_json::Value;

use super::config::{Config, EventType};
use crate::{
    front::Common,
    spec::{Findings, Mistake},
};

/// Where the published descriptions are wrong about the service.
const MISTAKES: &[Mistake] = &[Mistake {
    at: "",
    says: "/events/",
    because: "the description of 2024 does not know the messages about no-shows, which exist since",
}];

/// A booking as tests look at it: one invitee of one event; times in microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Booking {
    /// `event/invitee`.
    pub id: String,
    pub active: bool,
    pub start: i64,
    pub end: i64,
    pub event_type: String,
    pub email: String,
    /// `utm_content`.
    pub reference: Option<String>,
    pub rescheduled_from: Option<String>,
    pub rescheduled_to: Option<String>,
}

/// An event with its invitees.
#[derive(Debug, Clone)]
pub(super) struct Meeting {
    pub(super) id: String,
    pub(super) event_type: String,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) location: Value,
    pub(super) guests: Vec<Value>,
    pub(super) invitees: Vec<Invitee>,
    pub(super) cancellation: Option<Value>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Invitee {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) time_zone: String,
    pub(super) phone: Option<String>,
    pub(super) answers: Vec<Value>,
    /// All six keys.
    pub(super) tracking: Value,
    pub(super) cancellation: Option<Value>,
    /// `event/invitee` of the ones before and after a move.
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) no_show: Option<Value>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

impl Invitee {
    pub(super) fn active(&self) -> bool {
        self.cancellation.is_none()
    }

    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.event, self.id)
    }
}

impl Meeting {
    pub(super) fn active(&self) -> bool {
        self.cancellation.is_none()
    }

    pub(super) fn active_invitees(&self) -> usize {
        self.invitees.iter().filter(|i| i.active()).count()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) scope: String,
    pub(super) signing_key: Option<String>,
    pub(super) active: bool,
    pub(super) created_at: i64,
}

/// A single-use link.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) event_type: String,
    pub(super) used: bool,
}

/// The service.
pub struct State {
    pub(super) config: Config,
    pub(super) common: Common,
    pub(super) meetings: Vec<Meeting>,
    by_id: BTreeMap<String, usize>,
    pub(super) links: BTreeMap<String, Link>,
    pub(super) subscriptions: Vec<Subscription>,
    /// When the minute of the rate limit began, and how often was asked since.
    pub(super) window: (i64, u32),
    rng: StdRng,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        let findings = Findings::with("calendly-supplement.yaml", MISTAKES).and("calendly-v2.yaml");
        Self {
            common: Common::new(config.seed, findings, config.control, config.deliver_webhooks),
            rng: StdRng::seed_from_u64(config.seed ^ 0x5eed),
            config,
            meetings: Vec::new(),
            by_id: BTreeMap::new(),
            links: BTreeMap::new(),
            subscriptions: Vec::new(),
            window: (0, 0),
        }
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    pub(super) fn new_id(&mut self) -> String {
        (0..16).map(|_| char::from(self.rng.sample(rand::distr::Alphanumeric)).to_ascii_uppercase()).collect()
    }

    pub(super) fn event_type(&self, id: &str) -> Option<EventType> {
        self.config.event_types.iter().find(|e| e.id == id).cloned()
    }

    pub(super) fn meeting(&self, id: &str) -> Option<&Meeting> {
        self.meetings.get(*self.by_id.get(id)?)
    }

    pub(super) fn meeting_mut(&mut self, id: &str) -> Option<&mut Meeting> {
        self.meetings.get_mut(*self.by_id.get(id)?)
    }

    /// An invitee by `event/invitee`.
    pub(super) fn invitee(&self, id: &str) -> Option<(&Meeting, &Invitee)> {
        let (event, invitee) = id.split_once('/')?;
        let meeting = self.meeting(event)?;
        Some((meeting, meeting.invitees.iter().find(|i| i.id == invitee)?))
    }

    pub(super) fn invitee_mut(&mut self, id: &str) -> Option<&mut Invitee> {
        let (event, invitee) = id.split_once('/')?;
        self.meeting_mut(event)?.invitees.iter_mut().find(|i| i.id == invitee)
    }

    pub(super) fn add(&mut self, meeting: Meeting) {
        self.by_id.insert(meeting.id.clone(), self.meetings.len());
        self.meetings.push(meeting);
    }

    /// The group's event at this start, if there is one.
    pub(super) fn session(&self, event_type: &str, start: i64) -> Option<&Meeting> {
        self.meetings.iter().find(|m| m.active() && m.event_type == event_type && m.start == start)
    }

    /// Places left at this start of an event type; 0 if the host has something else.
    pub(super) fn places(&self, event_type: &EventType, start: i64) -> usize {
        if let Some(session) = self.session(&event_type.id, start) {
            return event_type.seats.saturating_sub(session.active_invitees());
        }
        let end = start + i64::from(event_type.length_minutes) * 60_000_000;
        let taken = self.meetings.iter().any(|m| m.active() && m.start < end && start < m.end);
        if taken { 0 } else { event_type.seats }
    }

    pub(super) fn bookings(&self) -> Vec<Booking> {
        let each = |m: &Meeting, i: &Invitee| Booking {
            id: i.id(),
            active: m.active() && i.active(),
            start: m.start,
            end: m.end,
            event_type: m.event_type.clone(),
            email: i.email.clone(),
            reference: i.tracking["utm_content"].as_str().map(str::to_owned),
            rescheduled_from: i.old.clone(),
            rescheduled_to: i.new.clone(),
        };
        self.meetings.iter().flat_map(|m| m.invitees.iter().map(move |i| each(m, i))).collect()
    }
}
