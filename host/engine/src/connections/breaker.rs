//! A circuit breaker before each connection: when its provider gives no usable answer many times in a row, nobody asks for a while
//! (`berth_model::breaker`). A refusal is an answer; a call that asked nobody says nothing.
//!
//! When a breaker closes again, the jobs that it stopped are woken (`recovery`). The breakers of plugins are the runtime's; here is only
//! noticed that they are closed again.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use berth_model::{
    connections::breaker::{BreakerPolicy, BreakerState, Breakers, Change, Ended, Permit},
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::{CallContext, CallError, ProviderError},
    plugins::manifest::PluginId,
    time::Instant,
};
use berth_store::records::Recovered;

use super::recovery::Recovery;
use crate::connections::Connections;

/// The breakers of all connections of this process.
pub(crate) struct ConnectionBreakers {
    breakers: Mutex<Breakers<ConnectionId>>,
    /// Whose plugins' breakers refused a call, and no call has passed since.
    plugins: Mutex<BTreeSet<(PluginId, TenantId)>>,
    recovery: Arc<Recovery>,
}

/// A call that was let through. Dropped without a word (who waited for it went away), it counts as nothing.
pub(crate) struct Passage<'a> {
    of: &'a ConnectionBreakers,
    connection: ConnectionId,
    permit: Option<Permit>,
    began: Instant,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.of.breakers().ended(&self.connection, permit, Ended::Unknown, self.began);
        }
    }
}

impl ConnectionBreakers {
    pub(crate) fn new(recovery: Arc<Recovery>) -> Self {
        let breakers = Breakers::new(BreakerPolicy::CONNECTION, limits::BREAKERS_KEPT_MAX);
        Self { breakers: Mutex::new(breakers), plugins: Mutex::default(), recovery }
    }

    /// How this connection's breaker stands.
    pub(crate) fn state(&self, connection: ConnectionId, now: Instant) -> BreakerState {
        self.breakers().state(&connection, now)
    }

    /// May a call pass? If not, nothing was asked.
    pub(crate) fn try_acquire(
        &self,
        connection: ConnectionId,
        now: Instant,
    ) -> Result<Passage<'_>, CallError> {
        match self.breakers().try_acquire(&connection, now) {
            Ok(permit) => Ok(Passage { of: self, connection, permit: Some(permit), began: now }),
            Err(retry_after_ms) => {
                Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: Some(retry_after_ms) }))
            }
        }
    }

    /// How a call went.
    pub(crate) async fn ended(
        &self,
        mut passage: Passage<'_>,
        cx: &CallContext,
        error: Option<&CallError>,
        now: Instant,
    ) {
        let change = passage.permit.take().and_then(|permit| {
            self.breakers().ended(&cx.connection, permit, how(error, cx.asked.is_noted()), now)
        });
        match change {
            Some(Change::Opened { for_ms }) => {
                metrics::counter!("berth_breaker_changes_total", "of" => "connection", "to" => "open")
                    .increment(1);
                tracing::warn!(connection = %cx.connection, plugin = %cx.plugin, for_ms, "the connection's circuit breaker opened");
            }
            Some(Change::Closed) => {
                metrics::counter!("berth_breaker_changes_total", "of" => "connection", "to" => "closed")
                    .increment(1);
                tracing::info!(connection = %cx.connection, plugin = %cx.plugin, "the connection's circuit breaker closed");
                self.recovery.wake_waiting(Recovered::Connection(cx.tenant, cx.connection)).await;
            }
            None => {}
        }
        if self.plugin_answers_again(cx, error) {
            let (plugin, tenant) = (cx.plugin.clone(), Some(cx.tenant));
            self.recovery.wake_waiting(Recovered::Plugin { plugin, tenant }).await;
        }
    }

    /// Notes that the plugin's breaker refused this tenant, or that it does not any more: then once true.
    fn plugin_answers_again(&self, cx: &CallContext, error: Option<&CallError>) -> bool {
        let mut refused = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(CallError::BreakerOpen { .. }) => {
                if refused.len() < limits::BREAKERS_KEPT_MAX {
                    refused.insert((cx.plugin.clone(), cx.tenant));
                }
                false
            }
            None | Some(CallError::Provider(_)) if !refused.is_empty() => {
                refused.remove(&(cx.plugin.clone(), cx.tenant))
            }
            _ => false,
        }
    }

    fn breakers(&self) -> MutexGuard<'_, Breakers<ConnectionId>> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// How the circuit breaker of a connection stands in this process.
    #[must_use]
    pub fn connection_breaker(&self, id: ConnectionId) -> BreakerState {
        self.breakers.state(id, self.base.now())
    }
}

/// What the end of a call says about the provider.
fn how(error: Option<&CallError>, asked: bool) -> Ended {
    match error {
        _ if !asked => Ended::Unknown,
        // Kept waiting until its time was up, a call has no answer either.
        Some(
            CallError::Provider(ProviderError::Unavailable { .. })
            | CallError::Exhausted { limit: CallError::WALL_TIME, .. },
        ) => Ended::Failed,
        None | Some(CallError::Provider(_)) => Ended::Succeeded,
        // What is ours or the component's to blame says nothing of the provider.
        Some(
            CallError::Busy { .. }
            | CallError::NotActive(_)
            | CallError::Stopped(_)
            | CallError::NotOffered(_)
            | CallError::HostNotGranted { .. }
            | CallError::BreakerOpen { .. }
            | CallError::Trap { .. }
            | CallError::Exhausted { .. },
        ) => Ended::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_provider_was_asked_counts() {
        let lost = CallError::Provider(ProviderError::Unavailable { retry_after_ms: None });
        let slow = CallError::Exhausted { limit: CallError::WALL_TIME, log_tail: String::new() };
        let busy = CallError::Exhausted { limit: "cpu", log_tail: String::new() };
        let refused = CallError::Provider(ProviderError::NotFound);
        for (error, asked, counts) in [
            (None, true, Ended::Succeeded),
            (None, false, Ended::Unknown),
            (Some(&lost), true, Ended::Failed),
            (Some(&lost), false, Ended::Unknown),
            (Some(&slow), true, Ended::Failed),
            (Some(&busy), true, Ended::Unknown),
            (Some(&refused), true, Ended::Succeeded),
            (Some(&CallError::Busy { retry_after_ms: 1 }), true, Ended::Unknown),
        ] {
            assert_eq!(how(error, asked), counts, "{error:?} {asked}");
        }
    }
}
