//! Refusals: the precondition that the body names says more than the status (RFC 4918 section 16, 4791, 6578).

use berth_sdk::{
    http::Response,
    types::{Conflict, ProviderError},
};

use crate::map::xml;

/// Code of the error for an event whose UID another one has.
pub(crate) const UID_TAKEN: &str = "no-uid-conflict";

/// The error that an answer stands for, where its status alone would mislead.
pub(crate) fn of(response: &Response) -> Option<ProviderError> {
    let condition = xml::condition(&response.body);
    match (response.status, condition.as_deref()) {
        (_, Some("valid-sync-token")) => Some(ProviderError::CursorExpired),
        (_, Some(UID_TAKEN)) => {
            Some(vendor(response.status, UID_TAKEN, "Another event of the calendar has this UID."))
        }
        (412, _) => Some(ProviderError::Conflict(Conflict::Changed)),
        (403, Some("need-privileges")) => Some(ProviderError::Forbidden(
            "The account may not do this in the calendar; its owner can grant it.".to_owned(),
        )),
        (403, None) => Some(ProviderError::Forbidden(
            "The server does not let the account do this; the owner of the calendar can grant it.".to_owned(),
        )),
        // Of an event that is written (RFC 4918 section 9.7.1).
        (409, None) => {
            Some(vendor(409, "no-calendar", "The calendar is not there any more; choose another one."))
        }
        (403 | 409 | 415 | 507, Some(condition)) => Some(vendor(
            response.status,
            condition,
            format!("The server refuses it: the condition {condition} is not met."),
        )),
        (405 | 501, _) => Some(not_supported(response.status)),
        (507, None) => {
            Some(vendor(507, "insufficient-storage", "The server has no room left for the account."))
        }
        _ => None,
    }
}

/// Code of the error by which the SDK tells of an answer that is larger than Berth takes.
const LARGER: &str = "answer-too-large";

/// Would a smaller question be answered?
pub(crate) fn is_too_much(error: &ProviderError) -> bool {
    [LARGER, "number-of-matches-within-limits", "max-resource-size", "insufficient-storage"]
        .iter()
        .any(|code| is(error, code))
        || matches!(error, ProviderError::Vendor(vendor) if vendor.status == 413)
}

/// What does not speak `CalDAV`.
pub(crate) fn not_supported(status: u16) -> ProviderError {
    let message = "The server does not know this request; is the address that of a CalDAV server?";
    vendor(status, "not-supported", message)
}

fn vendor(status: u16, code: &str, message: impl Into<String>) -> ProviderError {
    ProviderError::vendor(status, code, message)
}

/// Is it a refusal with this code?
pub(crate) fn is(error: &ProviderError, code: &str) -> bool {
    matches!(error, ProviderError::Vendor(vendor) if vendor.code == code)
}

/// Is there nothing of this kind at the address?
pub(crate) fn is_nothing_there(error: &ProviderError) -> bool {
    *error == ProviderError::NotFound || is(error, "not-supported")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, condition: &str) -> Response {
        let body =
            format!(r#"<error xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{condition}</error>"#);
        Response { status, headers: Vec::new(), body: body.into_bytes() }
    }

    #[test]
    fn conditions_say_more_than_statuses() {
        for status in [403, 409, 412] {
            assert_eq!(of(&answer(status, "<valid-sync-token/>")), Some(ProviderError::CursorExpired));
            assert!(is(&of(&answer(status, "<C:no-uid-conflict/>")).unwrap(), UID_TAKEN));
        }
        assert_eq!(of(&answer(412, "")), Some(ProviderError::Conflict(Conflict::Changed)));
        assert!(matches!(of(&answer(403, "<need-privileges/>")), Some(ProviderError::Forbidden(_))));
        assert!(is(&of(&answer(403, "<C:max-resource-size/>")).unwrap(), "max-resource-size"));
        assert!(is_nothing_there(&of(&answer(405, "")).unwrap()));
        assert!(is_nothing_there(&of(&answer(501, "")).unwrap()));
        assert!(is(&of(&answer(507, "")).unwrap(), "insufficient-storage"));
        assert!(
            matches!(of(&answer(403, "")), Some(ProviderError::Forbidden(text)) if text.contains("grant"))
        );
        assert!(is(&of(&answer(409, "")).unwrap(), "no-calendar"));
        for status in [400, 401, 404, 429, 500, 503] {
            assert_eq!(of(&answer(status, "")), None, "{status}");
        }
    }
}
