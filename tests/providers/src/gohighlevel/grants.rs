//! What consent has handed out.

use std::collections::BTreeMap;

/// Codes and tokens, and until when they are good; in microseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// Codes, with the address that they were sent to.
    pub(super) codes: BTreeMap<String, (String, i64)>,
    pub(super) access: BTreeMap<String, i64>,
    pub(super) refresh: BTreeMap<String, i64>,
}

impl Grants {
    pub(super) fn is_valid(&self, access_token: &str, now: i64) -> bool {
        self.access.get(access_token).is_some_and(|until| *until > now)
    }
}
