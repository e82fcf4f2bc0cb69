//! Where a holiday comes from.

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// The event of a calendar that a rule was made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Its UID.
    pub uid: String,
    /// Its `SEQUENCE`.
    pub sequence: i64,
    /// Its `LAST-MODIFIED`.
    pub modified: Option<Instant>,
}

impl Origin {
    /// Which version it is; later ones are greater.
    pub(super) const fn version(&self) -> (i64, Option<Instant>) {
        (self.sequence, self.modified)
    }
}
