//! What goes wrong with a call: the provider's answer, or the host's own finding.

use serde::{Deserialize, Serialize};

use crate::{connections::connection::Stopped, plugins::manifest::PluginId};

/// `berth:provider/types.field-problem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ExternalFieldProblem {
    pub field: String,
    pub message: String,
}

/// `berth:provider/types.conflict`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub enum ProviderConflict {
    SlotTaken,
    WrongState(String),
    Changed,
}

/// `berth:provider/types.provider-error`: what the provider (or its component) answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub enum ProviderError {
    #[error("the provider refused the credential")]
    Unauthorised,
    #[error("the credential may not do this: {0}")]
    Forbidden(String),
    #[error("the provider does not have it")]
    NotFound,
    #[error("the provider reports a conflict: {0:?}")]
    Conflict(ProviderConflict),
    #[error("asked too often")]
    RateLimited { retry_after_ms: Option<u64> },
    #[error("the provider refused the data")]
    Invalid(Vec<ExternalFieldProblem>),
    #[error("the provider cannot do this by API")]
    Unsupported { url: Option<String> },
    #[error("the cursor is too old")]
    CursorExpired,
    #[error("the provider gave no usable answer")]
    Unavailable { retry_after_ms: Option<u64> },
    #[error("the provider answered {status} {code}: {message}")]
    Vendor { status: u16, code: String, message: String },
}

/// Why a call into a component gave no answer of the provider's. Except for [`CallError::Provider`] these are the
/// host's findings, and none of them says whether a change happened: see [`CallError::is_definite`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The provider answered, or the component did in its name.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// All call permits are in use. Nothing was done.
    #[error("all provider calls are busy; try again in {retry_after_ms} ms")]
    Busy {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// No active version of this plugin. Nothing was done.
    #[error("provider plugin {0} is not active")]
    NotActive(PluginId),
    /// Somebody decided that nothing goes over this connection. Nothing was done.
    #[error("{0}")]
    Stopped(Stopped),
    /// The component does not export the interface. Nothing was done.
    #[error("the provider does not offer {0}")]
    NotOffered(&'static str),
    /// The component asked for a host that nobody granted, and could not do without it.
    #[error("the plugin {plugin} may not reach {host}, which is not granted")]
    HostNotGranted {
        /// Which plugin.
        plugin: PluginId,
        /// Which host, with its port if that is not the scheme's own.
        host: String,
    },
    /// The plugin's circuit breaker is open after repeated traps. Nothing was done.
    #[error("the provider plugin failed repeatedly; its circuit breaker is open for {retry_after_ms} ms")]
    BreakerOpen {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The component trapped, or returned something that the contract does not allow.
    #[error("the provider plugin failed: {message}")]
    Trap {
        /// What happened, with the guest's function names.
        message: String,
        /// The guest's last log lines.
        log_tail: String,
    },
    /// A budget of the sandbox ran out.
    #[error("the provider plugin used up its {limit}")]
    Exhausted {
        /// Which one: `cpu`, `memory`, `wall time`, `host calls`, `result size`, `call stack`.
        limit: &'static str,
        /// The guest's last log lines.
        log_tail: String,
    },
}

impl CallError {
    /// The budget of [`Self::Exhausted`] that a call uses up by waiting, mostly for the provider.
    pub const WALL_TIME: &'static str = "wall time";

    /// Is it certain that the provider changed nothing, and that trying the same again is useless? A definite refusal
    /// releases the slot; everything else stays pending.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Provider(error) => match error {
                ProviderError::Forbidden(_)
                | ProviderError::NotFound
                | ProviderError::Conflict(_)
                | ProviderError::Invalid(_)
                | ProviderError::Unsupported { .. } => true,
                ProviderError::Vendor { status, .. } => (400..500).contains(status),
                ProviderError::Unauthorised
                | ProviderError::RateLimited { .. }
                | ProviderError::CursorExpired
                | ProviderError::Unavailable { .. } => false,
            },
            Self::NotOffered(_) => true,
            _ => false,
        }
    }

    /// May the same call succeed once its connection or its plugin works again: after consent, with other credentials, hosts or code, or
    /// when the provider answers again? What is only asked too often is over by itself.
    #[must_use]
    pub const fn is_mended_by_recovery(&self) -> bool {
        match self {
            Self::Provider(error) => {
                matches!(error, ProviderError::Unauthorised | ProviderError::Unavailable { .. })
            }
            Self::NotActive(_)
            | Self::Stopped(_)
            | Self::HostNotGranted { .. }
            | Self::BreakerOpen { .. }
            | Self::Trap { .. }
            | Self::Exhausted { .. } => true,
            Self::Busy { .. } | Self::NotOffered(_) => false,
        }
    }

    /// How long to wait before trying again, where somebody said so.
    #[must_use]
    pub const fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Provider(
                ProviderError::RateLimited { retry_after_ms } | ProviderError::Unavailable { retry_after_ms },
            ) => *retry_after_ms,
            Self::Busy { retry_after_ms } | Self::BreakerOpen { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        }
    }

    /// The last lines that the component said before it failed inside its sandbox, if it said anything.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Trap { log_tail, .. } | Self::Exhausted { log_tail, .. } => {
                Some(log_tail.as_str()).filter(|said| !said.is_empty())
            }
            _ => None,
        }
    }

    /// Constant name for metrics, logs and audit rows.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Provider(error) => match error {
                ProviderError::Unauthorised => "unauthorised",
                ProviderError::Forbidden(_) => "forbidden",
                ProviderError::NotFound => "not_found",
                ProviderError::Conflict(_) => "conflict",
                ProviderError::RateLimited { .. } => "rate_limited",
                ProviderError::Invalid(_) => "invalid",
                ProviderError::Unsupported { .. } => "unsupported",
                ProviderError::CursorExpired => "cursor_expired",
                ProviderError::Unavailable { .. } => "unavailable",
                ProviderError::Vendor { .. } => "vendor",
            },
            Self::Busy { .. } => "busy",
            Self::NotActive(_) => "not_active",
            Self::Stopped(stopped) => stopped.as_str(),
            Self::NotOffered(_) => "not_offered",
            Self::HostNotGranted { .. } => "host_not_granted",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Trap { .. } => "trap",
            Self::Exhausted { .. } => "exhausted",
        }
    }
}
