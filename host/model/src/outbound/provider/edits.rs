//! What providers are told of bookings whose time stays: what is written on them, and whom they are with.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Attendee, ExternalId};

/// `berth:provider/booking-edits.part`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/booking-edits.wit")]
pub enum BookingPart {
    Attendee,
    Guests,
    Answers,
    Notes,
    Location,
}

impl BookingPart {
    /// All parts.
    pub const ALL: [Self; 5] = [Self::Attendee, Self::Guests, Self::Answers, Self::Notes, Self::Location];

    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attendee => "attendee",
            Self::Guests => "guests",
            Self::Answers => "answers",
            Self::Notes => "notes",
            Self::Location => "location",
        }
    }
}

/// `berth:provider/booking-edits.meeting-place`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/booking-edits.wit")]
pub enum MeetingPlace {
    Address(String),
    Phone(Option<String>),
    Link(String),
    Conferencing,
}

/// `berth:provider/booking-edits.update-request`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/booking-edits.wit")]
pub struct UpdateRequest {
    pub idempotency_key: String,
    pub id: ExternalId,
    pub reference: String,
    pub changed: Vec<BookingPart>,
    pub attendee: Attendee,
    pub guests: Vec<String>,
    /// Question name and JSON value.
    pub answers: Vec<(String, Value)>,
    pub notes: Option<String>,
    pub location: Option<MeetingPlace>,
}

/// `berth:provider/booking-edits.reassign-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/booking-edits.wit")]
pub struct ReassignRequest {
    pub idempotency_key: String,
    pub id: ExternalId,
    pub reference: String,
    pub host: ExternalId,
}
