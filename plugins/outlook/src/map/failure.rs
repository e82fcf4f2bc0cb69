//! Refusals that only Graph's error code tells apart.

use berth_sdk::{
    http::{Response, message_of},
    types::{Conflict, ProviderError},
};
use serde_json::Value;

/// What is particular to Graph; none where the status says enough.
pub(crate) fn failure(response: &Response) -> Option<ProviderError> {
    let code = code_of(response);
    match (response.status, code.as_str()) {
        // An id that was never one.
        (400, "ErrorInvalidIdMalformed" | "ErrorInvalidId") => Some(ProviderError::NotFound),
        // The account is there, but has no calendar in the cloud: no wrong id.
        (404, "MailboxNotEnabledForRESTAPI" | "MailboxNotSupportedForRESTAPI") => {
            Some(ProviderError::Forbidden(message_of(response)))
        }
        (409, "ErrorIrresolvableConflict") | (412, _) => Some(ProviderError::Conflict(Conflict::Changed)),
        (400 | 401 | 403 | 404 | 408..=410 | 422 | 429 | 500.., _) => None,
        (status, _) => Some(ProviderError::vendor(status, &code, message_of(response))),
    }
}

/// The same for a delta query, whose state may be too old.
pub(crate) fn delta_failure(response: &Response) -> Option<ProviderError> {
    let code = code_of(response).to_ascii_lowercase();
    let is_old =
        ["syncstatenotfound", "syncstateinvalid", "resyncrequired"].iter().any(|known| code == *known);
    if response.status == 410 || is_old { Some(ProviderError::CursorExpired) } else { failure(response) }
}

fn code_of(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, code: &str) -> Response {
        let body = json!({"error": {"code": code, "message": "no", "innerError": {"request-id": "r"}}});
        Response { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    #[test]
    fn codes_that_mean_more_than_their_status() {
        for (status, code, expected) in [
            (400, "ErrorInvalidIdMalformed", Some(ProviderError::NotFound)),
            (400, "ErrorInvalidRequest", None),
            (404, "ErrorItemNotFound", None),
            (404, "MailboxNotEnabledForRESTAPI", Some(ProviderError::Forbidden("no".to_owned()))),
            (409, "ErrorIrresolvableConflict", Some(ProviderError::Conflict(Conflict::Changed))),
            (412, "ErrorIrresolvableConflict", Some(ProviderError::Conflict(Conflict::Changed))),
            (429, "ApplicationThrottled", None),
            (503, "serviceNotAvailable", None),
            (405, "Request_BadRequest", Some(ProviderError::vendor(405, "Request_BadRequest", "no"))),
        ] {
            assert_eq!(failure(&answer(status, code)), expected, "{status} {code}");
        }
        let html = Response { status: 502, headers: Vec::new(), body: b"<html>".to_vec() };
        assert_eq!(failure(&html), None);
    }

    #[test]
    fn a_sync_that_is_too_old() {
        for (status, code) in
            [(410, "SyncStateNotFound"), (410, "resyncRequired"), (400, "syncStateInvalid"), (410, "")]
        {
            assert_eq!(
                delta_failure(&answer(status, code)),
                Some(ProviderError::CursorExpired),
                "{status} {code}"
            );
        }
        assert_eq!(delta_failure(&answer(404, "ErrorItemNotFound")), None);
    }
}
