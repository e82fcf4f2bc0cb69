//! A component on its way in: it is looked at, compiled and tried after its upload was answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plugin::{Digest, LoadStage};
use crate::{id::InstallationId, time::Instant};

/// How far an installation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallationState {
    /// Looked at from outside.
    Checking,
    /// Waits for the compiler.
    Queued,
    /// Compiled.
    Compiling,
    /// Instantiated, and tried with the conformance suite.
    Trying,
    /// There is a version of it.
    Installed,
    /// Something is wrong with the component.
    Refused,
    /// Something went wrong on the way; the same component may be installed another time.
    Failed,
}

impl InstallationState {
    /// Every state, in the order in which an installation comes to them.
    pub const ALL: [Self; 7] = [
        Self::Checking,
        Self::Queued,
        Self::Compiling,
        Self::Trying,
        Self::Installed,
        Self::Refused,
        Self::Failed,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Queued => "queued",
            Self::Compiling => "compiling",
            Self::Trying => "trying",
            Self::Installed => "installed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Has it ended?
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Installed | Self::Refused | Self::Failed)
    }
}

impl From<LoadStage> for InstallationState {
    fn from(stage: LoadStage) -> Self {
        match stage {
            LoadStage::Checking => Self::Checking,
            LoadStage::Queued => Self::Queued,
            LoadStage::Compiling => Self::Compiling,
            LoadStage::Trying => Self::Trying,
        }
    }
}

/// An installation.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// Its id.
    pub id: InstallationId,
    /// How far it has come.
    pub state: InstallationState,
    /// Size of the component.
    pub bytes: u64,
    /// Content address of the version, once it is installed.
    pub digest: Option<Digest>,
    /// Why it was refused or failed: the members of a problem document.
    pub problem: Option<Value>,
    /// When it was uploaded.
    pub created_at: Instant,
    /// When somebody last worked on it.
    pub seen_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wire() {
        for state in InstallationState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
