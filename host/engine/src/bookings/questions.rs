//! Answers to an event type's questions, and the choice of one of its locations, before a booking is made.

use berth_model::{
    bookings::{
        location::{Location, chosen},
        questions::check_answers,
    },
    catalog::event_type::EventTypeRecord,
    problem::Problem,
};
use serde_json::{Map, Value};

use crate::Outcome;

/// The answers as they are stored, if they are acceptable.
pub(crate) fn checked(
    event_type: &EventTypeRecord,
    answers: &Map<String, Value>,
) -> Outcome<Map<String, Value>> {
    check_answers(&event_type.policy.questions, answers).map_err(|errors| {
        Problem::invalid(errors).with_hint(
            "Answer the questions of the event type; GET /api/booking/event-types/{id} shows them.",
        )
    })
}

/// The location of this key, if the event type offers it; none: the only one.
pub(crate) fn location(event_type: &EventTypeRecord, key: Option<&str>) -> Outcome<Option<Location>> {
    chosen(&event_type.policy.locations, key).map_err(|error| {
        Problem::invalid(vec![error]).with_hint(
            "Choose one of `policy.locations` of the event type; GET /api/booking/event-types/{id} shows them.",
        )
    })
}
