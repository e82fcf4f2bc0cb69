//! A connection is disconnected: first here, so that it works while the provider is broken, then leave is taken there, as far as it answers.
//!
//! What opens the account is gone from the database when the answer is there. For taking leave it lives on in this process alone, for a
//! few seconds. The row stays while anything refers to it; the rest of what it held is removed in the background, some rows at a time.

use std::time::Duration;

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionState, Stopped},
        secret::Credentials,
    },
    id::{BookingId, ConnectionId, TenantId},
    limits,
    outbound::provider::{CallContext, Subscription},
};
use berth_store::{StoreError, records::ConnectionCounts};

use crate::{
    Caller, Outcome,
    connections::{Connections, call_context::CallContexts},
    inbound::message::webhooks_key,
    mirror::sync_key,
    outbound::dispatch::job_key,
};

/// What becomes of something that is deleted.
#[derive(Debug, Clone, PartialEq)]
pub enum Ends<T> {
    /// It is gone: nothing referred to it.
    Removed,
    /// It stays for what refers to it, closed.
    Kept(T),
}

/// What deleting a connection would do now.
#[derive(Debug, Clone)]
pub struct ConnectionDeletion {
    /// Would its row stay?
    pub stays: bool,
    /// What it holds.
    pub counts: ConnectionCounts,
    /// Listings that book over it, by name: they offer nothing until they are routed elsewhere.
    pub listings: Vec<String>,
    /// Is it the tenant's default?
    pub is_default: bool,
}

impl Connections {
    /// What deleting a connection would do.
    pub async fn connection_deletion(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Outcome<ConnectionDeletion> {
        let tenant = caller.tenant;
        self.connection(caller, id).await?;
        let counts = self.base.store().connection_counts(tenant, id, self.base.now()).await?;
        let listings = self.base.store().listings_over(tenant, id).await?;
        let is_default = self.tenants.tenant(tenant).await?.default_connection == Some(id);
        let bookings = counts.upcoming_bookings.saturating_add(counts.past_bookings);
        let stays = bookings > 0 || counts.calendars > 0 || is_default || !listings.is_empty();
        Ok(ConnectionDeletion { stays, counts, listings, is_default })
    }

    /// Disconnect. Gone for good if nothing refers to it; else its row stays, disconnected, and its bookings keep what they know. Deleting
    /// what is disconnected once more removes it if nothing refers to it any more.
    pub async fn delete_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        expected_revision: Option<i64>,
    ) -> Outcome<Ends<ConnectionRecord>> {
        let connection = self.connection_at(caller, id, expected_revision).await?;
        let leave = self.leave_to_take(caller, &connection).await;
        let kept = match self.base.store().delete_connection(caller.tenant, id, self.base.audit(caller)).await
        {
            Ok(()) => false,
            Err(StoreError::InUse(_)) if connection.state == ConnectionState::Disconnected => {
                return Ok(Ends::Kept(connection));
            }
            Err(StoreError::InUse(_)) => {
                let keys = [sync_key(id), webhooks_key(id)];
                self.base
                    .store()
                    .disconnect(&connection, connection.revision, keys, self.base.audit(caller))
                    .await?;
                true
            }
            Err(error) => return Err(error.into()),
        };
        self.cache.invalidate(id);
        if kept && let Err(error) = self.clear_connection(caller.tenant, id).await {
            tracing::warn!(%error, connection = %id, "what is left of a connection is removed later");
        }
        if let Some(leave) = leave {
            let (engine, of) = (self.clone(), connection);
            // A task of its own: a caller who hangs up does not stop it half-way. It has an end of its own.
            let taken = tokio::spawn(async move { engine.take_leave(&of, leave).await });
            if taken.await.is_err() {
                tracing::error!(connection = %id, "taking leave of a provider panicked");
            }
        }
        if kept { self.connection(caller, id).await.map(Ends::Kept) } else { Ok(Ends::Removed) }
    }

    /// What it takes to end a connection at its provider; none if there is nothing to be done there, or no way to.
    async fn leave_to_take(&self, caller: &Caller, connection: &ConnectionRecord) -> Option<Leave> {
        if connection.state == ConnectionState::Disconnected {
            return None;
        }
        let (tenant, id) = (connection.tenant, connection.id);
        let credentials = self.base.store().connection_credentials(tenant, id).await.ok()?;
        let context = self
            .contexts
            .call_context_with(connection, None, &caller.request_id, credentials.clone())
            .await
            .ok()?;
        let mut subscriptions = self.base.store().old_subscriptions(tenant, id).await.unwrap_or_default();
        subscriptions.extend(connection.subscription.clone());
        Some(Leave { context: CallContexts::whatever_state(context), subscriptions, credentials })
    }

    /// End subscriptions and tokens at the provider, as far as it answers in time. What could not be ended is noted for people.
    async fn take_leave(&self, connection: &ConnectionRecord, leave: Leave) {
        let mut left: Vec<String> = leave.subscriptions.iter().map(|s| s.id.clone()).collect();
        let said = async {
            for subscription in leave.subscriptions {
                let id = subscription.id.clone();
                let context = self.contexts.next_call(&leave.context);
                match self.providers.unsubscribe(&context, subscription).await {
                    Ok(()) => left.retain(|other| *other != id),
                    Err(error) => {
                        tracing::warn!(connection = %connection.id, outcome = error.outcome(), "a webhook subscription was not ended");
                    }
                }
            }
            self.end_tokens(connection, &connection.settings, &leave.credentials).await;
        };
        let longest = Duration::from_millis(limits::FAREWELL_MS_MAX);
        if tokio::time::timeout(longest, said).await.is_err() {
            tracing::warn!(connection = %connection.id, "the provider did not answer in time when leave was taken of it");
        }
        if left.is_empty() {
            return;
        }
        let detail = format!(
            "Not ended at the provider: {}. Its messages are refused; remove it there by hand.",
            left.join(", ")
        );
        let detail: String = detail.chars().take(limits::JOB_ERROR_CHARS_MAX).collect();
        if let Err(error) = self.base.store().note_unended(connection.tenant, connection.id, detail).await {
            tracing::warn!(%error, connection = %connection.id, "what is left at a provider was not noted");
        }
    }

    /// Go on removing what is left of disconnected connections. To be called now and then, by any number of replicas.
    pub async fn clear_disconnected(&self) -> Outcome<()> {
        let mut failed = None;
        for (tenant, id, since) in self.base.store().connections_left_over().await? {
            let cleared = async {
                let done = self.clear_connection(tenant, id).await?;
                // What was under way then may have written something after we looked.
                if done && since.plus_seconds(limits::LEFTOVERS_SECONDS) <= self.base.now() {
                    self.base.store().connection_cleared(tenant, id).await?;
                }
                Ok(())
            };
            // One that fails keeps no other waiting.
            if let Err(error) = cleared.await {
                tracing::warn!(%error, connection = %id, "what is left of a connection is not removed yet");
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), |error: StoreError| Err(error.into()))
    }

    /// Settle what was not delivered to the provider, and remove rows, for as long as one turn may take. Is nothing left?
    async fn clear_connection(&self, tenant: TenantId, id: ConnectionId) -> Result<bool, StoreError> {
        for _ in 0..limits::REMOVAL_STEPS_MAX {
            let undelivered = self.base.store().undelivered_bookings(tenant, id).await?;
            // Looked at after them: what is made when it is connected again is told as any other.
            if self.base.store().stopped(tenant, id).await? != Some(Stopped::Disconnected) {
                return Ok(true);
            }
            for booking in &undelivered {
                self.settle_undelivered(tenant, *booking).await?;
            }
            if undelivered.is_empty() && self.base.store().clear_connection(tenant, id).await? == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn settle_undelivered(&self, tenant: TenantId, id: BookingId) -> Result<(), StoreError> {
        let booking = self.base.store().booking(tenant, id).await?;
        if booking.provider_task.is_none() {
            return Ok(());
        }
        let change = self.deliveries.settled_here(&booking).await?;
        let audit = self.base.audit_by("system", "disconnected");
        match self.base.store().change_booking(tenant, id, booking.sequence, change, None, audit).await {
            Ok(_) => self.base.store().end_jobs(tenant, &job_key(id)).await,
            // Somebody changed it in this moment: it is found again.
            Err(StoreError::Stale | StoreError::WrongState) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What it takes to end a connection at its provider. Never printed.
struct Leave {
    context: CallContext,
    subscriptions: Vec<Subscription>,
    credentials: Credentials,
}
