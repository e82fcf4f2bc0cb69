//! What providers sent, what became of it, and what was refused.

use axum::{Json, extract::State};
use berth_model::{
    id::{ConnectionId, InboundWebhookId},
    time::Instant,
};
use berth_store::records::{InboundWebhook, WebhookRefusals};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    contacts::{Message, Words},
    extract::{Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// A message that came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookView {
    #[schema(value_type = String)]
    id: InboundWebhookId,
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    /// `stored` (waits), `processed`, `ignored` (says nothing that matters), `failed`.
    status: String,
    /// What came of it, or why it failed.
    #[schema(value_type = Option<String>)]
    detail: Option<Words>,
    /// Bytes of the body.
    bytes: usize,
}

impl From<InboundWebhook> for WebhookView {
    fn from(w: InboundWebhook) -> Self {
        Self {
            id: w.id,
            received_at: w.received_at,
            status: w.status.as_str().to_owned(),
            detail: w.detail.map(Words),
            bytes: w.body.len(),
        }
    }
}

/// A message with all that it said. Its query is not shown, since some providers put a token there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookDetail {
    #[serde(flatten)]
    message: WebhookView,
    method: String,
    /// Names and values; what proves who sent it is left out.
    #[schema(value_type = Vec<(String, String)>)]
    headers: Vec<(String, Words)>,
    /// Without the scope `customers:read`: without the addresses and numbers in it if it is JSON, and else `***`.
    #[schema(value_type = String)]
    body: Message,
}

/// Headers that may hold a secret: what proves who sent the message.
fn is_secret(name: &str) -> bool {
    ["authorization", "cookie", "token", "secret", "signature", "key"].iter().any(|part| name.contains(part))
}

/// What providers sent over this connection, the latest first.
#[utoipa::path(get, path = "/api/booking-providers/{id}/webhooks", operation_id = "webhook_messages_list", tag = "booking providers", params(("id" = String, Path), PageParams),
    responses((status = 200, body = Page<WebhookView>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<WebhookView>>> {
    let limit = page::items(params.limit)?;
    let before = page::position(params.cursor.as_ref())?;
    let rows = app.engine().inbound.list_webhooks(&caller, id, before, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |w| w.id, WebhookView::from)))
}

/// A message with its headers (but for those that prove who sent it) and its body.
#[utoipa::path(get, path = "/api/booking-providers/{id}/webhooks/{webhook}", operation_id = "webhook_messages_get", tag = "booking providers",
    params(("id" = String, Path), ("webhook" = String, Path)),
    responses((status = 200, body = WebhookDetail), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path((id, webhook)): Path<(ConnectionId, InboundWebhookId)>,
) -> ApiResult<Json<WebhookDetail>> {
    let found = app.engine().inbound.webhook(&caller, id, webhook).await?;
    let headers: Vec<(String, Words)> = found
        .headers
        .iter()
        .map(|(name, value)| {
            (name.clone(), Words(if is_secret(name) { "…".to_owned() } else { value.clone() }))
        })
        .collect();
    Ok(Json(WebhookDetail {
        method: found.method.clone(),
        headers,
        body: Message(String::from_utf8_lossy(&found.body).into_owned()),
        message: found.into(),
    }))
}

/// Work on a message once more: what was wrong then may be mended by now. Harmless for one that had its effect.
#[utoipa::path(post, path = "/api/booking-providers/{id}/webhooks/{webhook}/reprocess", operation_id = "webhook_messages_reprocess", tag = "booking providers",
    params(("id" = String, Path), ("webhook" = String, Path)),
    responses((status = 200, body = WebhookView), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It waits already")))]
pub(crate) async fn reprocess(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path((id, webhook)): Path<(ConnectionId, InboundWebhookId)>,
) -> ApiResult<Json<WebhookView>> {
    Ok(Json(app.engine().inbound.reprocess_webhook(&caller, id, webhook).await?.into()))
}

/// Messages that were refused for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusalCount {
    /// Name of the rule.
    reason: String,
    refused: i64,
    /// The last one.
    #[schema(value_type = String, format = DateTime)]
    last_at: Instant,
}

impl From<WebhookRefusals> for RefusalCount {
    fn from(of: WebhookRefusals) -> Self {
        Self { reason: of.reason, refused: of.refused, last_at: of.last_at }
    }
}

/// How many messages were refused, by reason. Their bodies are strangers' and are not kept.
#[utoipa::path(get, path = "/api/booking-providers/{id}/webhook-refusals", operation_id = "webhook_refusals_list", tag = "booking providers", params(("id" = String, Path)),
    responses((status = 200, body = Page<RefusalCount>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn refusals(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Json<Page<RefusalCount>>> {
    let found = app.engine().inbound.webhook_refusals(&caller, id).await?;
    Ok(Json(Page { items: found.into_iter().map(RefusalCount::from).collect(), next: None }))
}
