//! What the simulated service knows.

use chrono::{DateTime, SecondsFormat};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::{
    config::{Calendar, Config},
    grants::Grants,
    keys::Keys,
};
use crate::{
    front::{Call, Common},
    spec::{Exchange, Findings, Mistake},
};

/// Where the published descriptions are wrong about the service.
const MISTAKES: &[Mistake] = &[
    Mistake {
        at: "GET /calendars/events",
        says: "is not of type \"object\"",
        because: "times are text, as their own examples have them; the schema calls them objects",
    },
    Mistake {
        at: "POST /calendars/events/block-slots",
        says: "is not of type \"object\"",
        because: "the same",
    },
    Mistake { at: "GET /calendars/blocked-slots", says: "is not of type \"object\"", because: "the same" },
    Mistake {
        at: "GET /calendars/",
        says: "/free-slots answers /traceId",
        because: "real answers have a traceId beside the days of free slots",
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    New,
    Confirmed,
    Cancelled,
    Showed,
    NoShow,
    Invalid,
}

impl Status {
    pub const ALL: [Self; 6] =
        [Self::New, Self::Confirmed, Self::Cancelled, Self::Showed, Self::NoShow, Self::Invalid];

    pub fn is_active(self) -> bool {
        matches!(self, Self::New | Self::Confirmed)
    }
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::Showed => "showed",
            Self::NoShow => "noshow",
            Self::Invalid => "invalid",
        }
    }
}

/// An appointment; times in microseconds since 1970.
#[derive(Debug, Clone)]
pub struct Appointment {
    pub id: String,
    pub calendar: String,
    pub contact: String,
    pub status: Status,
    pub start: i64,
    pub end: i64,
    pub title: String,
    pub description: Option<String>,
    pub address: String,
    /// Who has it.
    pub assigned: String,
    pub added_at: i64,
    pub updated_at: i64,
}

#[derive(Debug, Clone)]
pub struct Contact {
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub time_zone: Option<String>,
    pub source: Option<String>,
    pub added_at: i64,
    pub updated_at: i64,
}

/// Time that nobody can book; of one calendar, or of the person at work.
#[derive(Debug, Clone)]
pub struct Block {
    pub id: String,
    pub calendar: Option<String>,
    pub title: String,
    pub start: i64,
    pub end: i64,
}

impl Block {
    /// Does it close this calendar? All of them, if none is named.
    pub(super) fn concerns(&self, calendar: Option<&str>) -> bool {
        self.calendar.is_none() || calendar.is_none() || self.calendar.as_deref() == calendar
    }
}

/// The service.
pub struct State {
    pub(super) config: Config,
    pub(super) common: Common,
    /// What does not fit the description of the contacts' part.
    pub(super) about_contacts: Findings,
    /// What does not fit the description of the tokens' part.
    pub(super) about_tokens: Findings,
    pub(super) keys: Keys,
    pub(super) grants: Grants,
    pub(super) appointments: Vec<Appointment>,
    pub(super) contacts: Vec<Contact>,
    pub(super) blocks: Vec<Block>,
    /// Start and number of requests of the stretch in which they are counted.
    pub(super) counted: (i64, u32),
    rng: StdRng,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        let findings = Findings::with("gohighlevel-calendars.json", MISTAKES);
        Self {
            common: Common::new(config.seed, findings, config.control, config.deliver_webhooks),
            about_contacts: Findings::with("gohighlevel-contacts.json", &[]),
            about_tokens: Findings::with("gohighlevel-oauth.json", &[]),
            keys: Keys::made_up(),
            grants: Grants::default(),
            rng: StdRng::seed_from_u64(config.seed ^ 0x5eed),
            config,
            appointments: Vec::new(),
            contacts: Vec::new(),
            blocks: Vec::new(),
            counted: (0, 0),
        }
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    pub(super) fn new_id(&mut self) -> String {
        (0..20).map(|_| char::from(self.rng.sample(rand::distr::Alphanumeric))).collect()
    }

    /// As the service writes times: in the sub-account's zone, without a fraction.
    pub(super) fn local(&self, micros: i64) -> String {
        let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
        time.with_timezone(&self.config.hours.time_zone).to_rfc3339_opts(SecondsFormat::Secs, false)
    }

    pub(super) fn calendar(&self, id: &str) -> Option<Calendar> {
        self.config.calendars.iter().find(|c| c.id == id).cloned()
    }

    pub(super) fn contact(&self, id: &str) -> Option<&Contact> {
        self.contacts.iter().find(|c| c.id == id)
    }

    pub(super) fn appointment(&self, id: &str) -> Option<&Appointment> {
        self.appointments.iter().find(|a| a.id == id)
    }

    pub(super) fn appointment_mut(&mut self, id: &str) -> Option<&mut Appointment> {
        self.appointments.iter_mut().find(|a| a.id == id)
    }

    /// The one person at work has this stretch free for this calendar, but for this appointment.
    pub(super) fn is_free(&self, calendar: &str, start: i64, end: i64, but_for: Option<&str>) -> bool {
        let booked = self.appointments.iter().any(|a| {
            a.status.is_active() && Some(a.id.as_str()) != but_for && a.start < end && start < a.end
        });
        !booked && !self.blocks.iter().any(|b| b.concerns(Some(calendar)) && b.start < end && start < b.end)
    }

    /// Compare an exchange with the description of its part, where the common one does not have it.
    pub(super) fn look(&mut self, call: Call<'_>, status: u16, response: &Value) {
        let findings = match call.path {
            path if path.starts_with("/contacts/") => &mut self.about_contacts,
            path if path.starts_with("/oauth/") => &mut self.about_tokens,
            _ => return,
        };
        findings.look(Exchange {
            method: call.method,
            path: call.path,
            query: call.query,
            request: call.body,
            status,
            response,
        });
    }
}
