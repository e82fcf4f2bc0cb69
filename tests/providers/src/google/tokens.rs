//! What consent has given out.

use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) scope: String,
    pub(super) expires_at: i64,
}

#[derive(Debug)]
pub(super) struct Code {
    pub(super) scope: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) expires_at: i64,
    /// Does a refresh token come with it?
    pub(super) offline: bool,
}

/// Codes and tokens. A code that was used is gone.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) access: BTreeMap<String, Grant>,
    /// Refresh tokens with their scopes.
    pub(super) refresh: BTreeMap<String, String>,
    pub(super) has_consented: bool,
}

impl Tokens {
    /// The person takes the consent back: no token works any more.
    pub(super) fn revoke_all(&mut self) {
        self.access.clear();
        self.refresh.clear();
        self.has_consented = false;
    }

    pub(super) fn expire_access(&mut self) {
        self.access.clear();
    }
}
