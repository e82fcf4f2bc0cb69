//! Webhook messages from providers.

use berth_model::{
    id::{ConnectionId, InboundWebhookId, TenantId},
    inbound::message::WebhookStatus,
    limits,
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{Audit, InboundWebhook, NewJob, WebhookRefusals},
};

impl Store {
    /// False when the same message was stored before. The job is inserted with it.
    pub async fn store_webhook(&self, webhook: InboundWebhook, job: NewJob) -> Result<bool, StoreError> {
        write_tx!(self, [webhook, job], |q, conn| q::inbound::receive::insert(conn, &webhook, &job))
    }

    /// One message.
    pub async fn webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
    ) -> Result<InboundWebhook, StoreError> {
        read!(self, |q, conn| q::inbound::receive::get(conn, tenant, webhook))
    }

    /// Write what became of a message, and why.
    pub async fn end_webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
        status: WebhookStatus,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        write_tx!(self, [detail], |q, conn| q::inbound::receive::end(
            conn,
            tenant,
            webhook,
            status,
            detail.as_deref()
        ))
    }

    /// Messages of a connection that came before this one, the latest first.
    pub async fn list_webhooks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        before: Option<InboundWebhookId>,
        limit: u32,
    ) -> Result<Vec<InboundWebhook>, StoreError> {
        read!(self, |q, conn| q::inbound::receive::list(conn, tenant, connection, before, limit))
    }

    /// Messages of a connection that wait, in order of arrival (at most `WEBHOOKS_AT_ONCE`).
    pub async fn waiting_webhooks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Vec<InboundWebhook>, StoreError> {
        let limit = i64::try_from(limits::WEBHOOKS_AT_ONCE).unwrap_or(i64::MAX);
        read!(self, |q, conn| q::inbound::receive::waiting(conn, tenant, connection, limit))
    }

    /// Work on a message once more, with the job that does. `WrongState` if it waits already, or is another connection's.
    pub async fn webhook_again(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        webhook: InboundWebhookId,
        job: NewJob,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [job, audit], |q, conn| q::inbound::receive::again(
            conn, tenant, connection, webhook, &job, &audit
        ))
    }

    /// Count messages that were refused for this reason.
    pub async fn count_webhook_refusals(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        reason: &'static str,
        count: i64,
        at: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::inbound::receive::refused(
            conn, tenant, connection, reason, count, at
        ))
    }

    /// How many messages were refused, by reason.
    pub async fn webhook_refusals(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Vec<WebhookRefusals>, StoreError> {
        read!(self, |q, conn| q::inbound::receive::refusals(conn, tenant, connection))
    }
}
