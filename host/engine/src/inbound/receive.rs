//! Inbound webhooks: verified on the raw bytes, stored, acknowledged, then worked on: of each connection one after the other, in the
//! order they came, whatever the number of workers and replicas.

use std::net::IpAddr;

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionState},
    id::{ConnectionId, InboundWebhookId, TenantId},
    inbound::message::WebhookStatus,
    inbound::webhook,
    jobs::kind::JobQueue,
    limits,
    outbound::provider::{CallError, WebhookReply, WebhookRequest},
    plugins::manifest::PluginId,
    problem::{Code, Problem},
};
use berth_store::{
    StoreError,
    records::{InboundWebhook, NewJob, WebhookRefusals},
};

use super::message::{Message, is_long, stored_reply};
use crate::{
    Caller, Outcome, beside,
    fault::Fault,
    inbound::Inbound,
    jobs::queue::{JobLease, is_last},
    networks::is_from,
};

fn no_such() -> Problem {
    Problem::not_found("connection")
}

impl Inbound {
    /// Take a message for a connection. What is acknowledged is stored. `source` is where it came from, if that is known.
    pub async fn receive_webhook(
        &self,
        plugin: &PluginId,
        connection: ConnectionId,
        request: WebhookRequest,
        source: Option<IpAddr>,
        request_id: &str,
    ) -> Outcome<WebhookReply> {
        let connection = match self.base.store().connection_by_id(connection).await {
            // What was disconnected takes nothing any more, like what was never there.
            Ok(connection) if connection.state == ConnectionState::Disconnected => return Err(no_such()),
            Ok(connection) if connection.plugin == *plugin => connection,
            Ok(_) | Err(StoreError::NotFound(_)) => return Err(no_such()),
            Err(error) => return Err(error.into()),
        };
        let manifest = self.connections.active_manifest(plugin)?;
        let spec = manifest.webhook.as_ref().ok_or_else(no_such)?.under(&connection.settings);
        let accepted = self.accepted(&connection).await?;
        let message = Message { spec, accepted, request };
        let (reply, message) = beside(message.is_long(), move || (message.handshake(), message)).await?;
        if let Some(reply) = reply {
            return reply.map_err(|refused| self.refused(&connection, refused.as_str(), request_id));
        }
        self.take(&connection, message, source, request_id).await
    }

    /// Take a message that names no connection: stored for each connection to the account that it names under which it is valid, and refused if
    /// there is none; where it names no account, for each connection whose secret proves it.
    pub async fn receive_account_webhook(
        &self,
        plugin: &PluginId,
        request: WebhookRequest,
        source: Option<IpAddr>,
        request_id: &str,
    ) -> Outcome<WebhookReply> {
        let unknown = || Problem::new(Code::WebhookRefused, "The message is refused.");
        let manifest =
            self.connections.active_manifest(plugin).map_err(|_| Problem::not_found("provider"))?;
        let spec = manifest.webhook.as_ref().ok_or_else(|| Problem::not_found("address"))?;
        let (named, is_long) = (spec.clone(), is_long(&request.body));
        let account = move || (webhook::account(&named, &request.headers, &request.body), request);
        let (account, request) = beside(is_long, account).await?;
        let account = match account {
            Some(account) => account,
            // Only an account tells whose it is, where one key signs for all.
            None if spec.account.is_some() && spec.secret.is_none() => return Err(unknown()),
            None => return self.receive_unaddressed(plugin, spec, request, source, request_id).await,
        };
        let connections = self.base.store().connections_of_account(plugin, &account).await?;
        let mut last = Err(unknown());
        for connection in connections {
            let accepted = self.accepted(&connection).await?;
            let spec = spec.under(&connection.settings);
            let message = Message { spec, accepted, request: request.clone() };
            match self.take(&connection, message, source, request_id).await {
                Ok(reply) => last = Ok(reply),
                Err(problem) if problem.code == Code::WebhookRefused => {}
                // Not stored although it is good: the provider has to send it again.
                Err(problem) => return Err(problem),
            }
        }
        last
    }

    /// The sender may be anybody: the reason is for our log and the tenant's alone.
    fn refused(&self, connection: &ConnectionRecord, reason: &'static str, request_id: &str) -> Problem {
        tracing::warn!(connection = %connection.id, reason, request_id, "webhook refused");
        self.refusals.count(connection.tenant, connection.id, reason);
        Problem::new(Code::WebhookRefused, "The message is refused.")
    }

    async fn take(
        &self,
        connection: &ConnectionRecord,
        message: Message,
        source: Option<IpAddr>,
        request_id: &str,
    ) -> Outcome<WebhookReply> {
        if let Some(allowed) = &connection.webhook_sources
            && !is_from(allowed, source)
        {
            return Err(self.refused(connection, "source_not_allowed", request_id));
        }
        let (id, tenant, of) = (self.base.new_id(), connection.tenant, connection.id);
        let stored = beside(message.is_long(), move || message.verified(id, tenant, of)).await?;
        let stored = stored.map_err(|refused| self.refused(connection, refused.as_str(), request_id))?;
        self.keep(connection, stored).await?;
        Ok(stored_reply())
    }

    /// Work on the messages of a connection that wait, in order. One that cannot be worked on now holds up those behind it: they may
    /// be about the same booking, and its provider does not answer anyway. It is given up when its tries are used up and it has waited
    /// for long: each message that comes makes another try, and a burst uses them up in seconds.
    pub(crate) async fn process_webhooks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        held: JobLease,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let half_a_lease = i64::try_from(limits::JOB_LEASE_MS / 2).unwrap_or(i64::MAX);
        let as_it_was = self.base.store().connection(tenant, connection).await?;
        let (began, waiting) =
            (self.base.now(), self.base.store().waiting_webhooks(tenant, connection).await?);
        let mut more = waiting.len() >= limits::WEBHOOKS_AT_ONCE;
        for stored in waiting {
            let (id, given_up_from) =
                (stored.id, stored.received_at.plus_seconds(limits::WEBHOOK_TRIED_SECONDS));
            if self.base.now() >= began.plus_millis(half_a_lease) {
                more = true;
                break;
            }
            if let Err(fault) = self.process_webhook(stored, request_id).await {
                let error = fault.call()?;
                if !is_last(held) || matches!(error, CallError::Stopped(_)) {
                    return self.queue.postpone(held, &as_it_was, &error).await;
                }
                if self.base.now() < given_up_from {
                    let wait = i64::try_from(limits::JOB_BACKOFF_MS_MAX).unwrap_or(i64::MAX);
                    let again = self.webhooks_job(tenant, connection);
                    let again = NewJob { due_at: self.base.now().plus_millis(wait), ..again };
                    self.base.store().enqueue_job(again).await?;
                    return self.queue.done(held).await;
                }
                // Given up: those behind it get their turn, with tries of their own.
                self.base
                    .store()
                    .end_webhook(tenant, id, WebhookStatus::Failed, Some(Problem::from(&error).detail))
                    .await?;
                more = true;
                break;
            }
        }
        if more {
            self.base.store().enqueue_job(self.webhooks_job(tenant, connection)).await?;
        }
        self.queue.done(held).await?;
        if more {
            self.queue.wake_workers(JobQueue::Bookings);
        }
        Ok(())
    }

    /// Have the component read a stored message, and act on what it means. A call that failed: try again later.
    async fn process_webhook(&self, stored: InboundWebhook, request_id: &str) -> Result<(), Fault> {
        let (tenant, id) = (stored.tenant, stored.id);
        let connection = self.base.store().connection(tenant, stored.connection).await?;
        self.cache.invalidate(connection.id);
        let Ok(context) = self.contexts.background_context(&connection, request_id).await else {
            return Err(CallError::NotActive(connection.plugin).into());
        };
        let request = WebhookRequest {
            method: stored.method,
            headers: stored.headers,
            query: stored.query,
            body: stored.body,
            received_at: stored.received_at,
            subscription: connection.subscription.as_ref().and_then(|s| s.data.clone()),
        };
        let outcome = match self.providers.handle_webhook(&context, request).await {
            Ok(outcome) => outcome,
            Err(error @ (CallError::Provider(_) | CallError::NotOffered(_))) if error.is_definite() => {
                self.base
                    .store()
                    .end_webhook(tenant, id, WebhookStatus::Failed, Some(error.to_string()))
                    .await?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let mut notes = Vec::new();
        let ignored = outcome.events.is_empty();
        for event in outcome.events {
            notes.push(self.apply_event(&connection, &context, event).await?);
        }
        let status = if ignored {
            WebhookStatus::Ignored
        } else if notes.iter().any(|note| note.is_conflict) {
            WebhookStatus::Failed
        } else {
            WebhookStatus::Processed
        };
        let texts: Vec<String> = notes.into_iter().map(|note| note.text).collect();
        let detail = (!texts.is_empty()).then(|| texts.join("; "));
        self.base.store().end_webhook(tenant, id, status, detail).await?;
        Ok(())
    }

    /// Messages of a connection that came before this one, the latest first.
    pub async fn list_webhooks(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        before: Option<InboundWebhookId>,
        limit: u32,
    ) -> Outcome<Vec<InboundWebhook>> {
        self.connections.connection(caller, connection).await?;
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_webhooks(caller.tenant, connection, before, limit).await?)
    }

    /// One message with its body.
    pub async fn webhook(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        id: InboundWebhookId,
    ) -> Outcome<InboundWebhook> {
        let found = self.base.store().webhook(caller.tenant, id).await?;
        if found.connection == connection { Ok(found) } else { Err(Problem::not_found("webhook")) }
    }

    /// Work on a message once more: what was wrong then may be mended by now. Harmless for one that had its effect.
    pub async fn reprocess_webhook(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        id: InboundWebhookId,
    ) -> Outcome<InboundWebhook> {
        self.webhook(caller, connection, id).await?;
        let job = self.webhooks_job(caller.tenant, connection);
        self.base.store().webhook_again(caller.tenant, connection, id, job, self.base.audit(caller)).await?;
        self.queue.wake_workers(JobQueue::Bookings);
        self.webhook(caller, connection, id).await
    }

    /// How many messages of a connection were refused, by reason.
    pub async fn webhook_refusals(
        &self,
        caller: &Caller,
        connection: ConnectionId,
    ) -> Outcome<Vec<WebhookRefusals>> {
        self.connections.connection(caller, connection).await?;
        self.write_refusals().await;
        Ok(self.base.store().webhook_refusals(caller.tenant, connection).await?)
    }
}
