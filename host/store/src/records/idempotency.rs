//! What an Idempotency-Key was used for.

use berth_model::id::{ApiKeyId, TenantId};

/// An Idempotency-Key within the API key that sent it: two API keys never see one another's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Whose API key it is; none if it is an operator's.
    pub tenant: Option<TenantId>,
    /// The API key.
    pub holder: ApiKeyId,
    /// As it was sent.
    pub key: String,
}

/// What an Idempotency-Key stands for when a request comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// New: now reserved for this request, until it is completed or released.
    New,
    /// Completed: whoever still has these rights may be told.
    Done {
        /// Scopes that the first request was asked for.
        rights: Vec<String>,
        /// What it was answered.
        answer: KeptAnswer,
    },
    /// Another request with it is under way.
    InFlight,
    /// It was used for another request.
    Mismatch,
}

/// The answer of a completed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptAnswer {
    /// To be sent again.
    Whole {
        /// HTTP status.
        status: u16,
        /// Content type.
        content_type: String,
        /// Location header, if it had one.
        location: Option<String>,
        /// Body.
        body: Vec<u8>,
    },
    /// The request was carried out, and its answer is not kept: it held a secret, or is too large.
    Gone {
        /// HTTP status.
        status: u16,
        /// The id of what was made.
        made: Option<String>,
        /// How to go on without the answer.
        instead: String,
    },
}
