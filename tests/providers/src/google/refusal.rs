//! Refusals, in the service's words.

use serde_json::json;

use crate::front::Answer;

/// A refusal: status, domain, reason, message, and the place that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    domain: &'static str,
    pub(super) reason: &'static str,
    message: String,
    /// `locationType` and `location`.
    place: Option<(&'static str, String)>,
}

/// What comes of a request.
pub(super) type Outcome = Result<Answer, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, domain: "global", reason, message: message.into(), place: None }
    }

    fn at(mut self, kind: &'static str, place: &str) -> Self {
        self.place = Some((kind, place.to_owned()));
        self
    }

    fn of(mut self, domain: &'static str) -> Self {
        self.domain = domain;
        self
    }

    pub(super) fn answer(&self) -> Answer {
        let mut error = json!({ "domain": self.domain, "reason": self.reason, "message": self.message });
        if let Some((kind, place)) = &self.place {
            error["locationType"] = json!(kind);
            error["location"] = json!(place);
        }
        let body = json!({ "error": { "errors": [error], "code": self.status, "message": self.message } });
        Answer::new(self.status, body)
    }
}

/// A parameter that cannot be.
pub(super) fn bad_parameter(name: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid", message).at("parameter", name)
}

/// A field of the body that cannot be.
pub(super) fn bad_field(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid", message)
}

pub(super) fn missing(message: &str) -> Refusal {
    Refusal::new(400, "required", message)
}

pub(super) fn not_found() -> Refusal {
    Refusal::new(404, "notFound", "Not Found")
}

pub(super) fn empty_range() -> Refusal {
    Refusal::new(400, "timeRangeEmpty", "The specified time range is empty.")
        .of("calendar")
        .at("parameter", "timeMax")
}

pub(super) fn duplicate() -> Refusal {
    Refusal::new(409, "duplicate", "The requested identifier already exists.")
}

pub(super) fn deleted() -> Refusal {
    Refusal::new(410, "deleted", "Resource has been deleted")
}

pub(super) fn full_sync_required() -> Refusal {
    let message = "Sync token is no longer valid, a full sync is required.";
    Refusal::new(410, "fullSyncRequired", message).of("calendar").at("parameter", "syncToken")
}

pub(super) fn condition_not_met() -> Refusal {
    Refusal::new(412, "conditionNotMet", "Precondition Failed").at("header", "If-Match")
}

pub(super) fn unauthorised() -> Refusal {
    Refusal::new(401, "authError", "Invalid Credentials").at("header", "Authorization")
}

pub(super) fn insufficient_scopes() -> Refusal {
    Refusal::new(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
}

pub(super) fn needs_writer() -> Refusal {
    let message = "You need to have writer access to this calendar.";
    Refusal::new(403, "requiredAccessLevel", message).of("calendar")
}

pub(super) fn too_many(status: u16) -> Refusal {
    if status == 429 {
        return Refusal::new(429, "rateLimitExceeded", "Rate Limit Exceeded").of("usageLimits");
    }
    Refusal::new(403, "userRateLimitExceeded", "User Rate Limit Exceeded").of("usageLimits")
}

pub(super) fn backend_error() -> Refusal {
    Refusal::new(503, "backendError", "Backend Error")
}
