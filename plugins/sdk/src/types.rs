//! The vocabulary of the contract, flat. Each type is documented in `wit/`.

pub use crate::bindings::{
    availability::exports::berth::provider::availability::{BusyQuery, BusyTime, QuerySpans, SlotQuery},
    blocks::exports::berth::provider::blocks::{Block, BlockLookup, BlockRequest},
    booking_edits::exports::berth::provider::booking_edits::{
        EditedAnswer, MeetingPlace, Part, ReassignRequest, UpdateRequest,
    },
    bookings::exports::berth::provider::bookings::{
        Answer, CancelRequest, ChangePage, CreateRequest, ReferenceLookup, RescheduleRequest,
    },
    catalog::exports::berth::provider::catalog::EventTypePage,
    clients::exports::berth::provider::clients::{Client, ClientPage},
    connection::{
        berth::provider::types::{
            Attendee, Booking, BookingStatus, Conflict, EventType, ExternalId, FieldProblem, Instant,
            Interval, Money, PageRequest, ProviderError, Slot, VendorError,
        },
        exports::berth::provider::connection::Account,
    },
    links::exports::berth::provider::links::{BookingLink, LinkRequest},
    webhooks::exports::berth::provider::webhooks::{
        Rescheduled, SubscribeRequest, Subscription, WebhookEvent, WebhookOutcome, WebhookReply,
        WebhookRequest,
    },
};

/// Shorter ways to make an error.
impl ProviderError {
    /// One field is wrong. `field` as Berth names it (`attendee.email`), `message` says what would be right.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { field: field.to_owned(), message: message.into() }])
    }

    /// A refusal that fits no other case.
    #[must_use]
    pub fn vendor(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::Vendor(VendorError { status, code: code.to_owned(), message: message.into() })
    }

    /// The booking is in a state that does not allow this.
    #[must_use]
    pub fn wrong_state(message: impl Into<String>) -> Self {
        Self::Conflict(Conflict::WrongState(message.into()))
    }

    /// The time is taken or was never offered.
    #[must_use]
    pub const fn slot_taken() -> Self {
        Self::Conflict(Conflict::SlotTaken)
    }
}

impl EventType {
    /// One that says nothing but its id, title and length, to be made up where a provider says more:
    /// `EventType { seats: 4, ..EventType::plain(…) }`. It can be booked.
    #[must_use]
    pub fn plain(id: impl Into<String>, title: impl Into<String>, length_minutes: u32, raw: String) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            description: None,
            length_minutes,
            length_options_minutes: Vec::new(),
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            minimum_notice_minutes: 0,
            seats: 1,
            price: None,
            needs_confirmation: false,
            booking_url: None,
            active: true,
            raw,
        }
    }
}

impl Booking {
    /// What is left of a booking that the provider has no more: its id, and `raw`. Nobody tells when it was to be, so that it is shown
    /// without a length in 1970.
    #[must_use]
    pub fn gone(id: &str, raw: String) -> Self {
        Self {
            id: id.to_owned(),
            reference: None,
            status: BookingStatus::Cancelled,
            when: Interval { start: 0, end: 0 },
            event_type: None,
            title: None,
            attendees: Vec::new(),
            location: None,
            cancellation_reason: None,
            rescheduled_from: None,
            rescheduled_to: None,
            updated_at: None,
            raw,
        }
    }
}

impl UpdateRequest {
    /// Is this part to be written otherwise?
    #[must_use]
    pub fn changes(&self, part: Part) -> bool {
        self.changed.contains(&part)
    }

    /// The first part that is to be written otherwise and is none of these.
    #[must_use]
    pub fn beyond(&self, parts: &[Part]) -> Option<Part> {
        self.changed.iter().copied().find(|part| !parts.contains(part))
    }

    /// The same booking as if it were made anew, for providers that keep several parts in one text: it is written by what writes the text of a
    /// new one.
    #[must_use]
    pub fn made_anew(&self, event_type: &str, when: Interval) -> CreateRequest {
        let answer = |of: &EditedAnswer| Answer { question: of.question.clone(), value: of.value.clone() };
        CreateRequest {
            idempotency_key: self.idempotency_key.clone(),
            reference: self.reference.clone(),
            event_type: event_type.to_owned(),
            when,
            attendee: self.attendee.clone(),
            guests: self.guests.clone(),
            answers: self.answers.iter().map(answer).collect(),
            notes: self.notes.clone(),
            slot_token: None,
        }
    }
}

impl BookingStatus {
    /// Does a booking in this state take its time?
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }
}
