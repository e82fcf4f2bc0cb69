//! Whose the account is, and whose events are looked at.

use serde::{Deserialize, Serialize};

/// Whose events, event types and webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    User,
    Organization,
}

impl Scope {
    /// As requests name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Organization => "organization",
        }
    }
}

/// Whose the account is: the addresses that most lists ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) user: String,
    pub(crate) organization: String,
}

impl Owner {
    /// The address that goes with the scope.
    pub(crate) fn of(&self, scope: Scope) -> &str {
        match scope {
            Scope::User => &self.user,
            Scope::Organization => &self.organization,
        }
    }
}
