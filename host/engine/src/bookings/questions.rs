//! Answers to an event type's questions, before a booking is made.

use berth_model::{
    bookings::questions::check_answers, catalog::event_type::EventTypeRecord, problem::Problem,
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
