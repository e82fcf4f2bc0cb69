//! Webhook messages from providers.

use berth_model::id::{ConnectionId, InboundWebhookId, TenantId};

use crate::{
    Store, StoreError,
    records::{InboundWebhook, NewJob},
};

impl Store {
    /// False when the same message was stored before. The job is inserted with it.
    pub async fn store_webhook(&self, webhook: InboundWebhook, job: NewJob) -> Result<bool, StoreError> {
        change!(self, [webhook, job], |q, conn| q::webhooks::insert(conn, &webhook, &job))
    }

    /// One message.
    pub async fn webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
    ) -> Result<InboundWebhook, StoreError> {
        ask!(self, |q, conn| q::webhooks::get(conn, tenant, webhook))
    }

    /// Write what became of a message: `processed`, `ignored` or `failed`, and why.
    pub async fn end_webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
        status: &str,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let status = status.to_owned();
        change!(self, [status, detail], |q, conn| q::webhooks::end(
            conn,
            tenant,
            webhook,
            &status,
            detail.as_deref()
        ))
    }

    /// Messages of a connection, the latest first.
    pub async fn list_webhooks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        limit: u32,
    ) -> Result<Vec<InboundWebhook>, StoreError> {
        ask!(self, |q, conn| q::webhooks::list(conn, tenant, connection, limit))
    }
}
