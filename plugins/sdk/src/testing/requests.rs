//! What tests ask of a provider.

use crate::types::{Attendee, CreateRequest, Interval};

/// What Ada Nowak books, with an e-mail address and nothing that need not be there. Change what the test is about.
#[must_use]
pub fn create_request(key: &str, reference: &str, event_type: &str, when: Interval) -> CreateRequest {
    CreateRequest {
        idempotency_key: key.to_owned(),
        reference: reference.to_owned(),
        event_type: event_type.to_owned(),
        when,
        attendee: Attendee {
            name: "Ada Nowak".to_owned(),
            email: Some("ada@example.com".to_owned()),
            phone: None,
            time_zone: "Europe/Warsaw".to_owned(),
            language: None,
        },
        guests: Vec::new(),
        answers: Vec::new(),
        notes: None,
        slot_token: None,
    }
}
