//! Google's refusals: the first `reason` of the body says more than the status.

use berth_sdk::{
    http::{Response, message_of, retry_after_ms},
    time,
    types::{Conflict, ProviderError},
};
use serde_json::Value;

/// Code of the error for an id that an event has or had.
pub(crate) const DUPLICATE: &str = "duplicate";
/// Code of the error for an id that another channel has.
pub(crate) const CHANNEL_TAKEN: &str = "channelIdNotUnique";

/// The error that an answer stands for, where its status alone would mislead.
pub(crate) fn of(response: &Response) -> Option<ProviderError> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| {
        body.pointer(&format!("/error/errors/0/{name}")).and_then(Value::as_str).unwrap_or_default()
    };
    let reason = text("reason");
    match (response.status, reason) {
        (
            403,
            "rateLimitExceeded"
            | "userRateLimitExceeded"
            | "quotaExceeded"
            | "dailyLimitExceeded"
            | "calendarUsageLimitsExceeded",
        ) => Some(ProviderError::RateLimited(retry_after_ms(response, time::now()))),
        (400, CHANNEL_TAKEN) | (409, DUPLICATE) => {
            Some(ProviderError::vendor(response.status, reason, message_of(response)))
        }
        // Tokens of lists are ours to give back: one that is refused is too old.
        (400, _) if matches!(text("location"), "syncToken" | "pageToken") => {
            Some(ProviderError::CursorExpired)
        }
        (410, "fullSyncRequired" | "updatedMinTooLongAgo") => Some(ProviderError::CursorExpired),
        (412, _) => Some(ProviderError::Conflict(Conflict::Changed)),
        _ => None,
    }
}

/// The same for a list that goes on from a token: one that is gone is too old, whatever the reason is called.
pub(crate) fn of_changes(response: &Response) -> Option<ProviderError> {
    if response.status == 410 { Some(ProviderError::CursorExpired) } else { of(response) }
}

/// Is it a refusal with this code?
pub(crate) fn is(error: &ProviderError, code: &str) -> bool {
    matches!(error, ProviderError::Vendor(vendor) if vendor.code == code)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, reason: &str, location: &str) -> Response {
        let body = json!({ "error": { "code": status, "message": "no", "errors": [
            { "domain": "calendar", "reason": reason, "message": "no", "location": location }] } });
        let headers = vec![("Retry-After".to_owned(), "9".to_owned())];
        Response { status, headers, body: body.to_string().into_bytes() }
    }

    #[test]
    fn reasons_say_more_than_statuses() {
        for (status, reason, location, expected) in [
            (403, "userRateLimitExceeded", "", Some(ProviderError::RateLimited(Some(9_000)))),
            (403, "calendarUsageLimitsExceeded", "", Some(ProviderError::RateLimited(Some(9_000)))),
            (403, "forbiddenForNonOrganizer", "", None),
            (403, "insufficientPermissions", "", None),
            (409, "duplicate", "", Some(ProviderError::vendor(409, "duplicate", "no"))),
            (409, "conflict", "", None),
            (400, "channelIdNotUnique", "", Some(ProviderError::vendor(400, "channelIdNotUnique", "no"))),
            (400, "timeRangeEmpty", "", None),
            (400, "invalid", "syncToken", Some(ProviderError::CursorExpired)),
            (400, "invalid", "start.dateTime", None),
            (410, "fullSyncRequired", "", Some(ProviderError::CursorExpired)),
            (410, "updatedMinTooLongAgo", "", Some(ProviderError::CursorExpired)),
            (410, "deleted", "", None),
            (412, "conditionNotMet", "", Some(ProviderError::Conflict(Conflict::Changed))),
            (503, "backendError", "", None),
        ] {
            assert_eq!(of(&answer(status, reason, location)), expected, "{status} {reason} {location}");
        }
    }

    #[test]
    fn bodies_of_any_shape() {
        for body in ["", "[]", r#"{"error":"invalid_token"}"#, r#"{"error":{"errors":[]}}"#] {
            let answer = Response { status: 403, headers: Vec::new(), body: body.as_bytes().to_vec() };
            assert_eq!(of(&answer), None, "{body}");
        }
    }
}
