//! From a status to the error that Berth reacts to.

use serde_json::Value;

use super::message::Response;
use crate::{
    limits,
    types::{Conflict, FieldProblem, ProviderError},
};

/// The error that a status stands for. `retry_after_ms` is what the provider asked for, if anything.
#[must_use]
pub fn error_of(response: &Response, retry_after_ms: Option<u64>) -> ProviderError {
    let message = message_of(response);
    match response.status {
        400 | 422 => ProviderError::Invalid(vec![FieldProblem { field: String::new(), message }]),
        401 => ProviderError::Unauthorised,
        403 => ProviderError::Forbidden(message),
        404 | 410 => ProviderError::NotFound,
        409 => ProviderError::Conflict(Conflict::WrongState(message)),
        429 => ProviderError::RateLimited(retry_after_ms),
        408 | 500.. => ProviderError::Unavailable(retry_after_ms),
        status => ProviderError::vendor(status, "", message),
    }
}

/// What the provider says in an error body: the usual places of a JSON body (`error.message`, `message`, `detail`,
/// `error_description`, `title`, `error`), else that it says nothing. Cut at [`limits::MESSAGE_CHARS_MAX`].
#[must_use]
pub fn message_of(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let places = ["/error/message", "/message", "/detail", "/error_description", "/title", "/error"];
    let text = places.iter().find_map(|place| {
        let value = body.pointer(place)?;
        match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Array(many) => {
                let texts: Vec<&str> = many.iter().filter_map(Value::as_str).collect();
                (!texts.is_empty()).then(|| texts.join("; "))
            }
            _ => None,
        }
    });
    let text = text.unwrap_or_else(|| format!("status {} without a message", response.status));
    text.chars().take(limits::MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn each_status_has_its_error() {
        let body = r#"{"error":{"message":"no"}}"#;
        let problem = FieldProblem { field: String::new(), message: "no".to_owned() };
        for (status, expected) in [
            (400, ProviderError::Invalid(vec![problem.clone()])),
            (401, ProviderError::Unauthorised),
            (402, ProviderError::vendor(402, "", "no")),
            (403, ProviderError::Forbidden("no".to_owned())),
            (404, ProviderError::NotFound),
            (408, ProviderError::Unavailable(Some(7))),
            (409, ProviderError::wrong_state("no")),
            (410, ProviderError::NotFound),
            (422, ProviderError::Invalid(vec![problem])),
            (429, ProviderError::RateLimited(Some(7))),
            (500, ProviderError::Unavailable(Some(7))),
            (503, ProviderError::Unavailable(Some(7))),
        ] {
            assert_eq!(error_of(&answer(status, body), Some(7)), expected, "{status}");
        }
    }

    #[test]
    fn messages_are_found_and_cut() {
        for (body, expected) in [
            (r#"{"message":["a","b"]}"#, "a; b"),
            (r#"{"error":"invalid_grant","error_description":"expired"}"#, "expired"),
            (r#"{"error":"plain"}"#, "plain"),
            ("<html>", "status 400 without a message"),
        ] {
            assert_eq!(message_of(&answer(400, body)), expected);
        }
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(10_000));
        assert_eq!(message_of(&answer(400, &long)).chars().count(), limits::MESSAGE_CHARS_MAX);
    }
}
