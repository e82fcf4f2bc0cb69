//! What is written on a booking, as values alone. How it is changed is in `edit`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::location::Location;
use crate::outbound::provider::{Attendee, BookingPart};

/// What is written on a booking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// The customer.
    pub attendee: Attendee,
    /// E-mail addresses of further guests.
    pub guests: Vec<String>,
    /// Answers to the event type's questions by name.
    pub answers: Map<String, Value>,
    /// Free text from the customer.
    pub notes: Option<String>,
    /// Where it takes place.
    pub location: Option<Location>,
    /// What other programs keep with it: names and texts of theirs. Nobody else reads it.
    pub metadata: BTreeMap<String, String>,
}

/// What is to be written on a counterpart, and what stood here before, should its provider refuse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undelivered {
    /// Each once.
    pub parts: Vec<BookingPart>,
    /// As both sides had it.
    pub before: Contents,
}

impl Undelivered {
    /// Names of the parts.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.parts.iter().map(|part| part.as_str())
    }
}
