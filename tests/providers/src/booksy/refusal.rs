//! Refusals in the contract's words.

use serde_json::{Value, json};

use crate::front::Answer;

/// Why something is not done.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Fields and what is wrong with them.
    pub(super) details: Vec<(String, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    /// One field is wrong.
    pub(super) fn of_field(field: &str, message: &str) -> Self {
        let details = vec![(field.to_owned(), message.to_owned())];
        Self { details, ..Self::new(400, "invalid_request", format!("{field} {message}")) }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("There is no such {what}."))
    }

    pub(super) fn taken() -> Self {
        Self::new(409, "slot_unavailable", "The time is not available.")
    }

    pub(super) fn answer(self, request_id: &str) -> Answer {
        let details: Vec<Value> = self
            .details
            .into_iter()
            .map(|(field, message)| json!({ "field": field, "message": message }))
            .collect();
        let error = json!({
            "code": self.code, "message": self.message, "details": details, "request_id": request_id,
        });
        Answer::new(self.status, json!({ "error": error }))
    }
}
