//! Refusals, in the service's words, and what else comes of a request.

use serde_json::Value;

use crate::front::Answer;

/// A refusal: status, code, message.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// What comes of a request.
pub(super) type Outcome = Result<Answer, Refusal>;

pub(super) fn refusal(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
    refusal(400, "ErrorInvalidRequest", message)
}

pub(super) fn item_not_found() -> Refusal {
    refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

pub(super) fn ok(body: Value) -> Outcome {
    Ok(Answer::new(200, body))
}
