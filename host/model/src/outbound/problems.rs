//! What a caller is told about a provider call that failed, or about a connection over which nothing goes because somebody decided so.

use super::provider::{CallError, ExternalFieldProblem, ProviderConflict, ProviderError};
use crate::{
    connections::connection::Stopped,
    plugins::manifest::PluginId,
    problem::{Code, Problem, named},
};

/// What to do where nobody knows where it can be done.
const ELSEWHERE: &str = "If it can be done at all, then on the provider's own pages.";

/// Member of a problem document: the last lines of a component that failed.
const SAID: &str = "said";

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        of_call(&error)
    }
}

impl From<&CallError> for Problem {
    fn from(error: &CallError) -> Self {
        of_call(error)
    }
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        of_stopped(stopped)
    }
}

fn of_call(error: &CallError) -> Problem {
    match error {
        CallError::Provider(error) => of_provider(error),
        CallError::Busy { retry_after_ms } => Problem::new(Code::Busy, "All provider calls are in use.")
            .with_retry_after_seconds(seconds(*retry_after_ms)),
        CallError::BreakerOpen { retry_after_ms } => Problem::new(
            Code::PluginFailed,
            "The provider plugin failed repeatedly; its circuit breaker is open for a moment.",
        )
        .with_retry_after_seconds(seconds(*retry_after_ms)),
        CallError::NotActive(plugin) => {
            Problem::new(Code::ProviderNotActive, format!("The plugin {plugin} has no active version."))
        }
        CallError::Stopped(stopped) => of_stopped(*stopped),
        CallError::HostNotGranted { plugin, host } => {
            Problem::new(Code::HostNotGranted, not_granted(plugin, std::slice::from_ref(host)))
                .with_hint(format!("An operator grants it with: berth plugin grant {plugin} {host}"))
        }
        CallError::NotOffered(interface) => {
            Problem::new(Code::ProviderUnsupported, format!("The provider does not offer {interface}."))
                .with_hint(ELSEWHERE)
        }
        CallError::Trap { .. } | CallError::Exhausted { .. } => {
            let mut problem =
                Problem::new(Code::PluginFailed, "The provider plugin failed inside its sandbox.");
            problem.extra.insert("failure".to_owned(), error.to_string().into());
            if let Some(said) = error.said() {
                problem.extra.insert(SAID.to_owned(), said.into());
            }
            problem
        }
    }
}

/// The sentence for hosts that are not granted, with the line that grants them.
#[must_use]
pub fn not_granted(plugin: &PluginId, hosts: &[String]) -> String {
    let hosts = hosts.join(" ");
    format!(
        "The plugin {plugin} may not reach {hosts}: that is not granted. An operator grants it with: berth plugin grant {plugin} {hosts}"
    )
}

fn of_stopped(stopped: Stopped) -> Problem {
    match stopped {
        Stopped::Paused => Problem::new(Code::ConnectionPaused, "The connection is paused."),
        Stopped::Disconnected => {
            Problem::new(Code::ConnectionDisconnected, "The connection is disconnected.")
        }
        Stopped::Suspended => Problem::new(Code::TenantSuspended, "The tenant is suspended."),
    }
}

fn of_provider(error: &ProviderError) -> Problem {
    match error {
        ProviderError::Unauthorised => {
            Problem::new(Code::ProviderUnauthorised, "The provider refused the credentials.")
        }
        ProviderError::Forbidden(why) => {
            Problem::new(Code::ProviderRefused, format!("The provider forbids it: {why}"))
        }
        ProviderError::NotFound => Problem::new(Code::ProviderRefused, "The provider does not have it."),
        ProviderError::Conflict(ProviderConflict::SlotTaken) => {
            Problem::new(Code::SlotTaken, "The provider does not offer this time any more.")
        }
        ProviderError::Conflict(ProviderConflict::WrongState(why)) => {
            Problem::new(Code::WrongState, format!("The provider says: {why}"))
        }
        ProviderError::Conflict(ProviderConflict::Changed) => {
            Problem::new(Code::WrongState, "It was changed at the provider in between.")
        }
        ProviderError::RateLimited { retry_after_ms } => {
            waiting("The provider is asked too often.", *retry_after_ms)
        }
        ProviderError::Unavailable { retry_after_ms } => {
            waiting("The provider does not answer.", *retry_after_ms)
        }
        ProviderError::Invalid(problems) => Problem::new(
            Code::ProviderRefused,
            format!("The provider refuses the data. {}", listed(problems)),
        ),
        ProviderError::Unsupported { url: Some(url) } => {
            let mut problem =
                Problem::new(Code::ProviderUnsupported, format!("It can only be done at {url}"));
            problem.extra.insert("url".to_owned(), url.as_str().into());
            problem
        }
        ProviderError::Unsupported { url: None } => {
            Problem::new(Code::ProviderUnsupported, "The provider does not offer this by API.")
                .with_hint(ELSEWHERE)
        }
        ProviderError::CursorExpired => waiting("The provider wants a full synchronisation.", None),
        ProviderError::Vendor { status, code, message } => {
            Problem::new(Code::ProviderRefused, format!("The provider answered {status} {code}: {message}"))
        }
    }
}

fn listed(problems: &[ExternalFieldProblem]) -> String {
    let texts: Vec<String> = problems.iter().map(|p| named(&p.field, &p.message)).collect();
    texts.join("; ")
}

fn waiting(detail: &str, retry_after_ms: Option<u64>) -> Problem {
    let problem = Problem::new(Code::ProviderUnavailable, detail);
    match retry_after_ms {
        Some(ms) => problem.with_retry_after_seconds(seconds(ms)),
        None => problem,
    }
}

const fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}
