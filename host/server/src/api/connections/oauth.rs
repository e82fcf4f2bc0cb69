//! Connecting to providers where a person consents, and the clients that operators register for it.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use berth_engine::{NewConnection, NewOAuthClient, OAuthAnswer, OAuthStarted};
use berth_model::{
    connections::{
        given::GivenCredentials,
        oauth::{self, Consent},
        secret::Secret,
    },
    id::{ConnectionId, ListingId},
    plugins::manifest::PluginId,
    problem::{FieldError, Problem},
    time::Instant,
};
use berth_store::records::OAuthClientRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{ConnectionView, tagged};
use crate::http::{
    app::App,
    auth::{AsOperator, AsTenant},
    extract::{Json as Body, Path, Query},
    once::{private, shown_once},
    page::Page,
    problem::{ApiResult, ProblemDocument},
    request_id::RequestId,
};

/// A connection that a person has to consent to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuthStartBody {
    /// Name of the provider, or an alias.
    #[serde(alias = "plugin")]
    #[schema(value_type = String)]
    provider: PluginId,
    /// For people; absent: the provider's.
    #[serde(default)]
    name: Option<String>,
    /// Which credential, where the plugin has several that people consent to.
    credential: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    /// As the provider's settings schema says.
    #[serde(default = "empty")]
    #[schema(value_type = Object)]
    settings: Value,
    /// Further credentials, by the provider's names.
    #[serde(default)]
    #[schema(value_type = Object)]
    credentials: GivenCredentials,
    #[serde(default)]
    granted_hosts: Option<BTreeSet<String>>,
    /// Networks (CIDR) that webhooks may come from; absent: any.
    #[serde(default)]
    webhook_sources: Option<Vec<String>>,
    /// Where the browser goes afterwards, with `connection` or `error` as parameters; one of the client's return addresses.
    return_to: Option<String>,
}

fn empty() -> Value {
    json!({})
}

/// A flow that waits for consent.
#[derive(Serialize, ToSchema)]
pub(crate) struct OAuthStartView {
    /// Send the person's browser here.
    url: String,
    /// The connection that will be there, or be mended, after consent.
    #[schema(value_type = String)]
    #[serde(rename = "connection_id")]
    connection: ConnectionId,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

fn started(flow: &OAuthStarted) -> Response {
    let view = OAuthStartView {
        url: flow.url.to_string(),
        connection: flow.connection,
        expires_at: flow.expires_at,
    };
    shown_once((StatusCode::CREATED, Json(view)), "Begin the consent again, with a new Idempotency-Key.")
}

/// Begin to connect to a provider that wants a person's consent. What is wrong with name, settings or other credentials is said now.
#[utoipa::path(post, path = "/api/booking-providers/oauth/start", operation_id = "provider_consents_start", tag = "booking providers", request_body = OAuthStartBody,
    responses((status = 201, body = OAuthStartView), (status = 422, body = ProblemDocument, description = "Also: the operator has registered no client")))]
pub(crate) async fn start(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<OAuthStartBody>,
) -> ApiResult<Response> {
    let connections = &app.engine().connections;
    let plugin = connections.provider_named(body.provider);
    let given = connections.sort_given(&plugin, body.credentials, body.settings)?;
    if given.mode.is_some() {
        let later = "is set with PUT /api/booking-providers/{id}/sync/rules after consent";
        return Err(Problem::invalid(vec![FieldError::new("/settings/sync_direction", later)]).into());
    }
    let new = NewConnection {
        plugin,
        name: body.name.unwrap_or(given.provider_name),
        listing: body.listing,
        settings: given.settings,
        credentials: given.credentials,
        granted_hosts: body.granted_hosts,
        webhook_sources: body.webhook_sources,
    };
    Ok(started(&connections.start_oauth(&caller, body.credential, new, body.return_to).await?))
}

/// Which consent is renewed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuthRestartBody {
    /// Which credential, where the plugin has several that people consent to.
    credential: Option<String>,
    /// As when it was started.
    return_to: Option<String>,
}

/// Begin to renew the consent of a connection: it is over, or the plugin asks for more scopes by now.
#[utoipa::path(post, path = "/api/booking-providers/{id}/oauth/start", operation_id = "provider_consents_restart", tag = "booking providers", request_body = OAuthRestartBody,
    params(("id" = String, Path)), responses((status = 201, body = OAuthStartView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn restart(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Body(body): Body<OAuthRestartBody>,
) -> ApiResult<Response> {
    Ok(started(&app.engine().connections.restart_oauth(&caller, id, body.credential, body.return_to).await?))
}

/// How a consent stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderConsent {
    /// Name of the credential in the manifest.
    credential: String,
    /// `valid`, `expired` (nothing renews it), `scopes_missing`, `pasted` (an access token that somebody gave).
    state: &'static str,
    /// When the access token ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// What was granted.
    scopes: BTreeSet<String>,
    /// What the plugin asks for by now and was not granted.
    missing_scopes: Vec<String>,
    /// Is it renewed without a person?
    renews: bool,
}

impl From<Consent> for ProviderConsent {
    fn from(of: Consent) -> Self {
        let Consent { credential, state, expires_at, scopes, missing_scopes, renews } = of;
        Self { credential, state, expires_at, scopes, missing_scopes, renews }
    }
}

/// How the consents of a connection stand: `valid`, `scopes_missing` (begin anew to grant them), `expired`, `pasted`.
#[utoipa::path(get, path = "/api/booking-providers/{id}/oauth", operation_id = "provider_consents_list", tag = "booking providers", params(("id" = String, Path)),
    responses((status = 200, body = Page<ProviderConsent>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn consents(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Json<Page<ProviderConsent>>> {
    let found = app.engine().connections.connection_consents(&caller, id).await?;
    Ok(Json(Page { items: found.into_iter().map(ProviderConsent::from).collect(), next: None }))
}

/// Give the consents of a connection back: its tokens are ended at the provider and forgotten here.
#[utoipa::path(delete, path = "/api/booking-providers/{id}/oauth", operation_id = "provider_consents_revoke", tag = "booking providers", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionView, description = "The connection, `unauthorised` from now on"), (status = 409, body = ProblemDocument)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Response> {
    tagged(app.engine(), StatusCode::OK, app.engine().connections.revoke_consents(&caller, id).await?).await
}

/// What a provider sends a browser back with (RFC 6749, section 4.1.2).
#[derive(Deserialize, IntoParams)]
pub(crate) struct CallbackParams {
    /// Which flow.
    state: String,
    code: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    error_description: Option<String>,
}

/// Where browsers come back to after consent. Finishes the flow, then sends the browser to the return address of whoever began it, or
/// shows a page.
#[utoipa::path(get, path = "/api/oauth/callback", operation_id = "provider_consents_receive", tag = "booking providers", security(()), params(CallbackParams),
    responses((status = 303, description = "To the return address, with `connection` or `error`"), (status = 200, description = "A page", body = String, content_type = "text/html"),
        (status = 409, body = ProblemDocument, description = "The flow has expired")))]
pub(crate) async fn callback(
    State(app): State<App>,
    request_id: RequestId,
    Query(params): Query<CallbackParams>,
) -> ApiResult<Response> {
    let answer = OAuthAnswer {
        state: params.state,
        code: params.code,
        error: params.error,
        error_description: params.error_description,
    };
    // A task of its own: a browser that goes away does not stop the flow between the code and the connection.
    let (engine, request) = (app.engine().clone(), request_id.0.clone());
    let ended = tokio::spawn(async move { engine.connections.finish_oauth(answer, &request).await }).await;
    let ended = ended.map_err(|_| {
        berth_model::problem::Problem::new(
            berth_model::problem::Code::Internal,
            "The flow could not be finished.",
        )
    })?;
    let Some(return_to) = ended.return_to else {
        ended.result?;
        let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
            <title>Connected</title><main><h1>Connected</h1><p>You may close this window.</p></main></html>";
        return Ok(private(Html(page).into_response()));
    };
    let url = match &ended.result {
        Ok(connection) => oauth::returned(&return_to, &[("connection", &connection.id.to_string())]),
        Err(problem) => oauth::returned(
            &return_to,
            &[("error", problem.code.as_str()), ("error_description", &problem.detail)],
        ),
    };
    match url {
        Some(url) => Ok(private(Redirect::to(url.as_str()).into_response())),
        None => Ok(private(tagged(app.engine(), StatusCode::OK, ended.result?).await?)),
    }
}

/// A client that an operator registered, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OAuthClientView {
    pub(crate) credential: String,
    pub(crate) client_id: String,
    /// Addresses in place of the manifest's.
    pub(crate) endpoints: BTreeMap<String, String>,
    pub(crate) return_addresses: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Instant,
}

impl From<OAuthClientRecord> for OAuthClientView {
    fn from(client: OAuthClientRecord) -> Self {
        Self {
            credential: client.credential,
            client_id: client.client_id,
            endpoints: client.endpoints,
            return_addresses: client.return_addresses,
            updated_at: client.updated_at,
        }
    }
}

/// A client to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuthClientBody {
    /// The id that the provider gave.
    client_id: String,
    /// Its secret; absent for a public client. Never returned.
    #[schema(value_type = Option<String>)]
    client_secret: Option<Secret>,
    /// `authorize`, `token`, `revoke` in place of the manifest's: a test server, a company's own.
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
    /// Where browsers may be sent after consent, without query.
    #[serde(default)]
    return_addresses: Vec<String>,
}

/// Register the OAuth client for a credential of a plugin, or replace it. Its redirect address at the provider is
/// `{public-url}/api/oauth/callback`.
#[utoipa::path(put, path = "/api/operator/plugins/{name}/oauth-clients/{credential}", operation_id = "oauth_clients_set", tag = "operator", request_body = OAuthClientBody,
    params(("name" = String, Path), ("credential" = String, Path)),
    responses((status = 200, body = OAuthClientView), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn set_client(
    State(app): State<App>,
    operator: AsOperator,
    Path((plugin, credential)): Path<(PluginId, String)>,
    Body(body): Body<OAuthClientBody>,
) -> ApiResult<Json<OAuthClientView>> {
    let new = NewOAuthClient {
        client_id: body.client_id,
        client_secret: body.client_secret,
        endpoints: body.endpoints,
        return_addresses: body.return_addresses,
    };
    let set = app
        .engine()
        .connections
        .set_oauth_client(&operator.actor, &operator.request_id, &plugin, &credential, new)
        .await?;
    Ok(Json(set.into()))
}

/// The OAuth clients of a plugin.
#[utoipa::path(get, path = "/api/operator/plugins/{name}/oauth-clients", operation_id = "oauth_clients_list", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = Page<OAuthClientView>)))]
pub(crate) async fn clients(
    State(app): State<App>,
    _: AsOperator,
    Path(plugin): Path<PluginId>,
) -> ApiResult<Json<Page<OAuthClientView>>> {
    let clients = app.engine().connections.list_oauth_clients(&plugin).await?;
    Ok(Json(Page { items: clients.into_iter().map(Into::into).collect(), next: None }))
}

/// Forget a client. Connections that it made cannot renew their tokens any more.
#[utoipa::path(delete, path = "/api/operator/plugins/{name}/oauth-clients/{credential}", operation_id = "oauth_clients_delete", tag = "operator",
    params(("name" = String, Path), ("credential" = String, Path)), responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn delete_client(
    State(app): State<App>,
    operator: AsOperator,
    Path((plugin, credential)): Path<(PluginId, String)>,
) -> ApiResult<StatusCode> {
    app.engine()
        .connections
        .delete_oauth_client(&operator.actor, &operator.request_id, &plugin, &credential)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
