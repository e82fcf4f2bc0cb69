//! Refusals, in the service's words.

use std::fmt;

use serde_json::{Value, json};

/// A refusal: status, title, message, details.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) title: &'static str,
    pub(super) message: String,
    pub(super) details: Vec<Value>,
}

impl Refusal {
    pub(super) fn body(&self) -> Value {
        json!({ "title": self.title, "message": self.message, "details": self.details })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.status, self.message, json!(self.details))
    }
}

pub(super) fn refused(status: u16, title: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, title, message: message.into(), details: Vec::new() }
}

/// One parameter is wrong.
pub(super) fn invalid(parameter: &str, message: impl Into<String>) -> Refusal {
    let details = vec![json!({ "parameter": parameter, "message": message.into() })];
    Refusal { details, ..refused(400, "Invalid Argument", "The supplied parameters are invalid.") }
}

pub(super) fn not_found() -> Refusal {
    refused(404, "Resource Not Found", "The server could not find the requested resource.")
}

pub(super) fn forbidden(message: &str) -> Refusal {
    refused(403, "Permission Denied", message)
}
