//! Refusals: `{"error": {"code", "message", "details": [{"field", "message"}], "request_id"}}`.

use berth_sdk::{
    http::{Response, message_of},
    limits, log,
    types::{Conflict, FieldProblem, Instant, ProviderError},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    field: String,
    #[serde(default)]
    message: String,
}

/// Problems of one refusal that are passed on: more than a form has fields.
const PROBLEMS_MAX: usize = 20;

/// What the contract's codes mean; none for those that their status says.
pub(crate) fn error_hint(response: &Response) -> Option<ProviderError> {
    let Body { error } = serde_json::from_slice(&response.body).ok()?;
    match (response.status, error.code.as_str()) {
        (409, "slot_unavailable") => Some(ProviderError::slot_taken()),
        (409, "idempotency_mismatch") => {
            // An earlier try had another body (the component was upgraded in between), and nobody knows what became of it.
            log::warn("the idempotency key was used for another request");
            Some(ProviderError::Unavailable(None))
        }
        (412, "version_conflict") => Some(ProviderError::Conflict(Conflict::Changed)),
        (422, "not_reschedulable" | "already_cancelled") => {
            Some(ProviderError::wrong_state(message_of(response)))
        }
        (400 | 422, _) if !error.details.is_empty() => {
            Some(ProviderError::Invalid(error.details.iter().take(PROBLEMS_MAX).map(problem).collect()))
        }
        _ => None,
    }
}

/// `X-RateLimit-Reset`: seconds. It is on every answer, but only after a 429 it says how long to wait.
pub(crate) fn wait_hint(response: &Response, _now: Instant) -> Option<u64> {
    let reset = response.header("x-ratelimit-reset").filter(|_| response.status == 429)?;
    let seconds: u64 = reset.trim().parse().ok()?;
    Some(seconds.saturating_mul(1_000).min(limits::RETRY_AFTER_MS_MAX))
}

/// A problem, by Berth's name of the field.
fn problem(detail: &Detail) -> FieldProblem {
    let field = match detail.field.as_str() {
        "service_id" => "event-type",
        "start" => "when.start",
        "end" => "when.end",
        "client.email" => "attendee.email",
        "client.phone" => "attendee.phone",
        "client" | "client.first_name" | "client.last_name" => "attendee.name",
        other => other,
    };
    let message = detail.message.chars().take(limits::MESSAGE_CHARS_MAX).collect();
    FieldProblem { field: field.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str, details: &str) -> Response {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"no","details":{details}}}}}"#);
        let headers = vec![("X-RateLimit-Reset".to_owned(), "17".to_owned())];
        Response { status, headers, body: body.into_bytes() }
    }

    #[test]
    fn codes_and_what_they_mean() {
        for (status, code, expected) in [
            (409, "slot_unavailable", Some(ProviderError::slot_taken())),
            (409, "idempotency_mismatch", Some(ProviderError::Unavailable(None))),
            (412, "version_conflict", Some(ProviderError::Conflict(Conflict::Changed))),
            (422, "not_reschedulable", Some(ProviderError::wrong_state("no"))),
            (422, "already_cancelled", Some(ProviderError::wrong_state("no"))),
            (400, "invalid_request", None),
            (404, "not_found", None),
            (500, "slot_unavailable", None),
        ] {
            assert_eq!(error_hint(&answer(status, code, "[]")), expected, "{status} {code}");
        }
        assert_eq!(error_hint(&Response { status: 409, headers: Vec::new(), body: b"junk".to_vec() }), None);
    }

    #[test]
    fn fields_have_berths_names() {
        let details = r#"[{"field":"client.email","message":"must be one"},{"field":"notes"}]"#;
        let problems = vec![
            FieldProblem { field: "attendee.email".to_owned(), message: "must be one".to_owned() },
            FieldProblem { field: "notes".to_owned(), message: String::new() },
        ];
        let found = error_hint(&answer(400, "invalid_request", details));
        assert_eq!(found, Some(ProviderError::Invalid(problems)));
    }

    #[test]
    fn only_a_429_says_how_long_to_wait() {
        assert_eq!(wait_hint(&answer(429, "rate_limited", "[]"), 0), Some(17_000));
        assert_eq!(wait_hint(&answer(500, "internal", "[]"), 0), None);
    }
}
