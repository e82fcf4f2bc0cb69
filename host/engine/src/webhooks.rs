//! Inbound webhooks: verified on the raw bytes, stored, acknowledged, then processed.

use berth_model::{
    id::{ConnectionId, InboundWebhookId, TenantId},
    manifest::PluginId,
    problem::{Code, Problem},
    provider::{CallError, WebhookReply, WebhookRequest},
    webhook,
};
use berth_store::{
    StoreError,
    records::{InboundWebhook, NewJob},
};
use serde_json::json;

use crate::{
    Engine, Outcome,
    jobs::PROCESS_WEBHOOK,
    problems::{of_call, of_store},
    webhook_events::CONFLICT,
};

/// Webhooks run before what nobody waits for.
const PRIORITY: i64 = 20;

impl Engine {
    /// Take a message. What is acknowledged is stored.
    pub async fn receive_webhook(
        &self,
        plugin: &PluginId,
        connection: ConnectionId,
        request: WebhookRequest,
        request_id: &str,
    ) -> Outcome<WebhookReply> {
        let no_such = || Problem::not_found("connection");
        let connection = match self.store().connection_by_id(connection).await {
            Ok(connection) if connection.plugin == *plugin => connection,
            Ok(_) | Err(StoreError::NotFound(_)) => return Err(no_such()),
            Err(error) => return Err(of_store(error)),
        };
        let manifest = self
            .providers()
            .manifest(plugin)
            .ok_or_else(|| of_call(&CallError::NotActive(plugin.clone())))?;
        let spec = manifest.webhook.as_ref().ok_or_else(no_such)?.under(&connection.settings);
        let credentials =
            self.store().connection_credentials(connection.tenant, connection.id).await.map_err(of_store)?;
        let refused = |refused: webhook::Refused| {
            tracing::warn!(connection = %connection.id, reason = refused.as_str(), request_id, "webhook refused");
            // The sender may be anybody: the reason is for our log alone.
            Problem::new(Code::WebhookRefused, "The message is refused.")
        };
        if let Some(reply) = webhook::handshake(&spec, &credentials, &request.query, &request.body) {
            return reply.map_err(refused);
        }
        webhook::verify(&spec, &credentials, &request.headers, &request.body, request.received_at)
            .map_err(refused)?;
        let id: InboundWebhookId = self.new_id();
        // A message without a body says only "something changed", each time anew: none is the double of another.
        let dedup_key = if request.body.is_empty() {
            webhook::dedup_key(id.uuid().as_bytes())
        } else {
            webhook::dedup_key(&request.body)
        };
        let stored = InboundWebhook {
            id,
            tenant: connection.tenant,
            connection: connection.id,
            dedup_key,
            method: request.method,
            headers: request.headers,
            query: request.query,
            body: request.body,
            received_at: request.received_at,
            status: "stored".to_owned(),
            detail: None,
        };
        let job = NewJob {
            id: self.new_id(),
            tenant: connection.tenant,
            kind: PROCESS_WEBHOOK.to_owned(),
            payload: json!({ "webhook": id }),
            priority: PRIORITY,
            due_at: self.now(),
            dedup_key: format!("webhook:{id}"),
            leased_until: None,
        };
        if self.store().store_webhook(stored, job).await.map_err(of_store)? {
            self.ring();
        }
        Ok(WebhookReply { status: 200, content_type: "text/plain".to_owned(), body: Vec::new() })
    }

    /// Have the component read a stored message, and act on what it means. The inner error: try again later.
    pub(crate) async fn process_webhook(
        &self,
        tenant: TenantId,
        id: InboundWebhookId,
        request_id: &str,
    ) -> Result<Result<(), CallError>, StoreError> {
        let stored = self.store().webhook(tenant, id).await?;
        if stored.status != "stored" {
            return Ok(Ok(()));
        }
        let connection = self.store().connection(tenant, stored.connection).await?;
        self.forget_availability(connection.id);
        let Ok(context) = self.call_context(&connection, None, request_id).await else {
            return Ok(Err(CallError::NotActive(connection.plugin)));
        };
        let request = WebhookRequest {
            method: stored.method,
            headers: stored.headers,
            query: stored.query,
            body: stored.body,
            received_at: stored.received_at,
            subscription: connection.subscription.as_ref().and_then(|s| s.data.clone()),
        };
        let outcome = match self.providers().handle_webhook(&context, request).await {
            Ok(outcome) => outcome,
            Err(error @ (CallError::Provider(_) | CallError::NotOffered(_))) if error.is_definite() => {
                self.store().end_webhook(tenant, id, "failed", Some(error.to_string())).await?;
                return Ok(Ok(()));
            }
            Err(error) => return Ok(Err(error)),
        };
        let mut notes = Vec::new();
        let ignored = outcome.events.is_empty();
        for event in outcome.events {
            match self.apply_event(&connection, &context, event).await? {
                Ok(note) => notes.push(note),
                Err(error) => return Ok(Err(error)),
            }
        }
        let failed = notes.iter().any(|n| n.starts_with(CONFLICT));
        let status = if ignored {
            "ignored"
        } else if failed {
            "failed"
        } else {
            "processed"
        };
        let detail = (!notes.is_empty()).then(|| notes.join("; "));
        self.store().end_webhook(tenant, id, status, detail).await?;
        Ok(Ok(()))
    }
}
