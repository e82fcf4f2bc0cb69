//! A message that came in: what it is verified with, and how it is kept for the job that works on it.

use berth_model::{
    connections::{connection::ConnectionRecord, secret::Credentials},
    id::{ConnectionId, InboundWebhookId, TenantId},
    inbound::message::WebhookStatus,
    inbound::webhook::{self, Refused},
    jobs::kind::{JobKind, JobQueue},
    limits,
    outbound::provider::{WebhookReply, WebhookRequest},
    plugins::manifest::WebhookSpec,
};
use berth_store::records::{InboundWebhook, NewJob};
use serde_json::json;

use crate::{Outcome, inbound::Inbound};

/// The key of the one job that works on the messages of a connection.
pub(crate) fn webhooks_key(connection: ConnectionId) -> String {
    format!("webhooks:{connection}")
}

pub(super) fn stored_reply() -> WebhookReply {
    WebhookReply { status: 200, content_type: "text/plain".to_owned(), body: Vec::new() }
}

/// Is this a body that is not read between other requests?
pub(super) const fn is_long(body: &[u8]) -> bool {
    body.len() > limits::INLINE_BYTES_MAX
}

/// A message that came in, with what it is verified with.
pub(super) struct Message {
    pub(super) spec: WebhookSpec,
    pub(super) accepted: Vec<Credentials>,
    pub(super) request: WebhookRequest,
}

impl Message {
    pub(super) const fn is_long(&self) -> bool {
        is_long(self.request.body.as_slice())
    }

    /// The reply to a handshake; none if it is none.
    pub(super) fn handshake(&self) -> Option<Result<WebhookReply, Refused>> {
        let of = |c| webhook::handshake(&self.spec, c, &self.request.query, &self.request.body);
        webhook::any(self.accepted.iter().filter_map(of))
    }

    /// The message as it is stored, if it is what its sender signed.
    pub(super) fn verified(
        self,
        id: InboundWebhookId,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<InboundWebhook, Refused> {
        let Self { spec, accepted, request } = self;
        let verdict = |c| webhook::verify(&spec, c, &request.headers, &request.body, request.received_at);
        webhook::any(accepted.iter().map(verdict)).unwrap_or(Err(Refused::Mismatch))?;
        // A message without a body says only "something changed", each time anew: none is the double of another. Nor is one with a
        // token in its body: what is not signed need not differ from the one before, and says "something was lost" again.
        let dedup_key = if request.body.is_empty() || spec.body_field.is_some() {
            webhook::dedup_key(id.uuid().as_bytes())
        } else {
            webhook::dedup_key(&request.body)
        };
        Ok(InboundWebhook {
            id,
            tenant,
            connection,
            dedup_key,
            method: request.method,
            headers: webhook::kept_headers(&spec, request.headers),
            query: request.query,
            body: webhook::kept_body(&spec, request.body),
            received_at: request.received_at,
            status: WebhookStatus::Stored,
            detail: None,
        })
    }
}

impl Inbound {
    /// What messages may be verified with: the credentials as they are, and as they were before a secret was rotated lately.
    pub(super) async fn accepted(&self, connection: &ConnectionRecord) -> Outcome<Vec<Credentials>> {
        let now = self.base.now();
        Ok(self.base.store().webhook_credentials(connection.tenant, connection.id, now).await?)
    }

    /// Store a message with the job that works on it.
    pub(super) async fn keep(&self, connection: &ConnectionRecord, stored: InboundWebhook) -> Outcome<()> {
        let job = self.webhooks_job(connection.tenant, connection.id);
        if self.base.store().store_webhook(stored, job).await? {
            self.queue.wake_workers(JobQueue::Bookings);
        }
        Ok(())
    }

    /// The job that works on what waits. One per connection is open at a time, which keeps the order.
    pub(super) fn webhooks_job(&self, tenant: TenantId, connection: ConnectionId) -> NewJob {
        self.queue.job(
            tenant,
            JobKind::ProcessWebhooks,
            json!({ "connection": connection }),
            webhooks_key(connection),
        )
    }
}
