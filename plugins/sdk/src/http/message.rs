//! A request and its answer.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{Result, log, types::ProviderError};

/// HTTP methods that providers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    /// Properties of a resource (RFC 4918).
    Propfind,
    /// A question to a collection (RFC 3253).
    Report,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Propfind => "PROPFIND",
            Self::Report => "REPORT",
        }
    }
}
impl Method {
    /// Does it change nothing?
    #[must_use]
    pub const fn is_question(self) -> bool {
        matches!(self, Self::Get | Self::Propfind | Self::Report)
    }
}
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request that is ready to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Absolute, with its query.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// None for no body at all.
    pub body: Option<Vec<u8>>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// As received.
    pub headers: Vec<(String, String)>,
    /// At most [`crate::limits::BODY_IN_BYTES_MAX`].
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Was it a success?
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as text. What is not UTF-8 is no usable answer.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).map_err(|e| {
            log::warn(&format!("the answer (status {}) is not UTF-8: {e}", self.status));
            ProviderError::Unavailable(None)
        })
    }

    /// The body as JSON. What cannot be read is no usable answer: `unavailable`, so that Berth looks before it
    /// tries a change again. The log says where it failed, never what the body holds.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| {
            log::warn(&format!("the answer (status {}) is not the JSON expected: {e}", self.status));
            ProviderError::Unavailable(None)
        })
    }
}
