//! Refusals, in the service's words.

use serde_json::{Value, json};

/// A refusal: status, message (text, or for 422 a list of texts), and the name of the status.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: Value,
    pub(super) error: &'static str,
}

pub(super) fn refusal(status: u16, error: &'static str, message: impl Into<Value>) -> Refusal {
    Refusal { status, message: message.into(), error }
}

pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
    refusal(400, "Bad Request", message.into())
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    refusal(404, "Not Found", message.into())
}

/// A field is missing or has the wrong form.
pub(super) fn unprocessable(message: impl Into<String>) -> Refusal {
    refusal(422, "Unprocessable Entity", json!([message.into()]))
}

/// A text that must be there.
pub(super) fn required<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| unprocessable(format!("{name} should not be empty")))
}
