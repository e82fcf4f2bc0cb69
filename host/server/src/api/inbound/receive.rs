//! Messages from providers. They carry no key: their signature is checked instead.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use berth_model::{
    id::ConnectionId,
    limits,
    outbound::provider::{WebhookReply, WebhookRequest},
    plugins::manifest::PluginId,
};

use crate::http::{
    app::App,
    body,
    extract::Path,
    problem::{ApiResult, ProblemDocument},
    request_id::RequestId,
    rules::AsItIs,
    source::Source,
};

/// A message from a provider. Acknowledged means stored.
#[utoipa::path(post, path = "/api/webhooks/{provider}/{connection}", operation_id = "webhooks_receive", tag = "webhooks", security(()),
    params(("provider" = String, Path, description = "Plugin id"), ("connection" = String, Path, description = "Connection id")),
    request_body(content = Vec<u8>, description = "As the provider sends it"),
    responses((status = 200, description = "Stored", body = String, content_type = "*/*"), (status = 401, body = ProblemDocument, description = "The signature is not valid")))]
pub(crate) async fn receive(
    State(app): State<App>,
    Path((provider, connection)): Path<(PluginId, ConnectionId)>,
    request_id: RequestId,
    source: Source,
    request: Request,
) -> ApiResult<Response> {
    let provider = app.engine().connections.provider_named(provider);
    let message = message(&app, request).await?;
    let reply =
        app.engine().inbound.receive_webhook(&provider, connection, message, source.0, &request_id.0).await?;
    Ok(response(reply))
}

/// The same for providers that send a GET, and the handshake of those that ask first whether anybody is there: the manifest's
/// `[webhook.handshake]` says what is repeated to them.
#[utoipa::path(get, path = "/api/webhooks/{provider}/{connection}", operation_id = "webhooks_verify", tag = "webhooks", security(()),
    params(("provider" = String, Path, description = "Plugin id"), ("connection" = String, Path, description = "Connection id")),
    responses((status = 200, description = "Stored, or the challenge repeated", body = String, content_type = "*/*"), (status = 401, body = ProblemDocument)))]
pub(crate) async fn receive_get(
    state: State<App>,
    path: Path<(PluginId, ConnectionId)>,
    request_id: RequestId,
    source: Source,
    request: Request,
) -> ApiResult<Response> {
    receive(state, path, request_id, source, request).await
}

/// A message that names no connection. It is for the account that it names, where the manifest's `[webhook.account]` says where that stands: providers
/// send all messages of an app to one address. Otherwise it is tried against at most 50 secrets of connections to this provider, those without a
/// subscription of their own first; each connection whose secret proves it gets it. Prefer the address of the connection.
#[utoipa::path(post, path = "/api/webhooks/{provider}", operation_id = "webhooks_receive_for_account", tag = "webhooks", security(()),
    params(("provider" = String, Path, description = "Plugin id")),
    request_body(content = Vec<u8>, description = "As the provider sends it"),
    responses((status = 200, description = "Stored for every connection that it is for", body = String, content_type = "*/*"), (status = 401, body = ProblemDocument),
        (status = 404, body = ProblemDocument, description = "No secret that was tried proves it: send it to the address of the connection"),
        (status = 429, body = ProblemDocument, description = "Too many messages of this sender were for nobody"),
        (status = 503, body = ProblemDocument, description = "As many as may be are being tried")))]
pub(crate) async fn receive_for_account(
    State(app): State<App>,
    Path(provider): Path<PluginId>,
    request_id: RequestId,
    source: Source,
    request: Request,
) -> ApiResult<Response> {
    let provider = app.engine().connections.provider_named(provider);
    let message = message(&app, request).await?;
    let reply =
        app.engine().inbound.receive_account_webhook(&provider, message, source.0, &request_id.0).await?;
    Ok(response(reply))
}

async fn message(app: &App, request: Request) -> ApiResult<WebhookRequest> {
    let received_at = app.engine().now();
    let (parts, body) = request.into_parts();
    let body = body::read(body, limits::WEBHOOK_BODY_BYTES_MAX).await?;
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(WebhookRequest {
        method: parts.method.as_str().to_owned(),
        headers: headers.collect(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.to_vec(),
        received_at,
        subscription: None,
    })
}

fn response(reply: WebhookReply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    response.extensions_mut().insert(AsItIs);
    let headers = response.headers_mut();
    if let Ok(value) = reply.content_type.parse() {
        headers.insert(header::CONTENT_TYPE, value);
    }
    // A handshake repeats what its sender said: nobody shall take it for a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
