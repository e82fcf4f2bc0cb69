//! Who is logged in, and who may be.

use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) scope: String,
    pub(super) until: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) scope: String,
    pub(super) until: i64,
}

/// Codes and tokens. Times in microseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Logins {
    pub(super) codes: BTreeMap<String, Code>,
    /// Access tokens, and when they end.
    pub(super) access: BTreeMap<String, i64>,
    pub(super) refresh: BTreeMap<String, Refresh>,
}

impl Logins {
    pub(super) fn is_valid(&self, access_token: &str, now: i64) -> bool {
        self.access.get(access_token).is_some_and(|until| *until > now)
    }

    /// The user takes the consent back: no token is good any more.
    pub(super) fn revoke(&mut self) {
        *self = Self::default();
    }
}
