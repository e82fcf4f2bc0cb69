//! How a request travels.

use super::message::{Request, Response};
use crate::types::Instant;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// Berth refused to send it; the provider never saw it. Text for people.
    Denied(String),
    /// It may or may not have arrived.
    Failed(String),
    /// It arrived, and the answer is longer than Berth takes ([`crate::limits::BODY_IN_BYTES_MAX`]).
    TooLarge,
}

/// How requests travel: [`super::Live`], or [`crate::testing::Scripted`] itself in tests.
pub trait Transport {
    /// Send and wait for the whole answer, whatever its status. Redirects are not followed.
    fn send(&self, request: &Request) -> std::result::Result<Response, SendError>;
    /// The clock that goes with it, for headers that name a time.
    fn now(&self) -> Instant;
}
