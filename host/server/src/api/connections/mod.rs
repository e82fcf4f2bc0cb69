//! Connections to providers. Credentials go in and never come out.

mod available;
pub(crate) mod calls;
mod change;
pub(crate) mod choice;
mod event_types;
pub(crate) mod links;
pub(crate) mod oauth;

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{Ends, Engine, NewConnection, SameAccount};
use berth_model::{
    connections::{
        breaker::BreakerState,
        connection::{ConnectionRecord, ConnectionState, ConnectionStatus},
        given::GivenCredentials,
    },
    id::{ConnectionId, ListingId},
    plugins::manifest::PluginId,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::described::{Described, routes};
use crate::{
    api::nullable,
    http::{
        app::App,
        auth::AsTenant,
        etag,
        extract::{IfMatch, Json as Body, Path, Query},
        page::{self, Page, PageParams},
        problem::{ApiResult, ProblemDocument},
    },
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(create: ProvidersWrite, list: ProvidersRead))
        .routes(routes!(available::available: ProvidersRead))
        .routes(routes!(get: ProvidersRead, update: ProvidersWrite, replace: ProvidersWrite, delete: ProvidersWrite))
        .routes(routes!(rotate_webhook_secret: ProvidersWrite))
        .routes(routes!(health: ProvidersRead))
        .routes(routes!(event_types::event_types: ProvidersRead))
        .routes(routes!(links::resolve: ProvidersRead))
        .routes(routes!(calls::calls: ProvidersRead))
        .routes(routes!(oauth::start: ProvidersWrite))
        .routes(routes!(oauth::restart: ProvidersWrite))
        .routes(routes!(oauth::consents: ProvidersRead, oauth::revoke: ProvidersWrite))
        .routes(routes!(oauth::clients: Operator))
        .routes(routes!(oauth::set_client: Operator, oauth::delete_client: Operator))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new().routes(routes!(oauth::callback))
}

/// A connection, without its credentials.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionView {
    #[schema(value_type = String)]
    id: ConnectionId,
    /// Name of the provider: its plugin's.
    #[schema(value_type = String)]
    provider: PluginId,
    /// The same, as it was called before.
    #[schema(value_type = String)]
    plugin: PluginId,
    name: String,
    /// Only for this listing; null for all.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    #[schema(value_type = Object)]
    settings: Value,
    /// Names of the credentials that are stored.
    credentials: Vec<String>,
    /// Hosts this tenant grants; null: all that the operator grants.
    granted_hosts: Option<BTreeSet<String>>,
    /// `active`; `paused`: nothing is read, told or offered through it until it is resumed; `disconnected`: it is over, and stays for its
    /// bookings, which keep what they know.
    #[schema(value_type = String)]
    state: ConnectionState,
    /// `healthy`, `unauthorised`, `unavailable`.
    #[schema(value_type = String)]
    status: ConnectionStatus,
    /// What keeps it from working.
    status_detail: Option<String>,
    /// The account at the provider.
    #[schema(value_type = Object)]
    account: Value,
    /// Does the provider send webhooks?
    webhooks: WebhooksView,
    /// What may not be meant. Shown for one connection, not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningView>,
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// Something that is allowed and may not be meant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarningView {
    /// `same_account`: there are other connections to this account at the provider.
    code: &'static str,
    /// In words, with why it may be right.
    detail: String,
    /// The tenant's other connections that it is about.
    #[schema(value_type = Vec<String>)]
    #[serde(rename = "connection_ids")]
    connections: Vec<ConnectionId>,
}

/// How webhooks stand. Subscriptions look after themselves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhooksView {
    subscribed: bool,
    /// Where the provider shall send messages: to be entered there by hand while there is no subscription. Null with one.
    address: Option<String>,
    /// When the provider ends the subscription, unless it is renewed before.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// Why there is none, or why it was not renewed.
    detail: Option<String>,
    /// Networks that messages may come from; null: any.
    sources: Option<Vec<String>>,
}

impl ConnectionView {
    /// As it stands now, which may be worse than its last call says.
    async fn of(engine: &Engine, connection: ConnectionRecord) -> ApiResult<Self> {
        let c = engine.plugins.as_it_stands(connection).await?;
        Ok(Self {
            webhooks: WebhooksView {
                subscribed: c.subscription.is_some(),
                address: engine.connections.webhook_address_to_enter(&c),
                expires_at: c.subscription.and_then(|s| s.expires_at),
                detail: c.subscription_detail,
                sources: c.webhook_sources,
            },
            id: c.id,
            provider: c.plugin.clone(),
            plugin: c.plugin,
            name: c.name,
            listing: c.listing,
            settings: c.settings,
            credentials: c.credential_names,
            granted_hosts: c.granted_hosts,
            state: c.state,
            status: c.status,
            status_detail: c.status_detail,
            warnings: Vec::new(),
            account: c.account,
            revision: c.revision,
            created_at: c.created_at,
            updated_at: c.updated_at,
        })
    }
}

pub(crate) async fn tagged(
    engine: &Engine,
    status: StatusCode,
    connection: ConnectionRecord,
) -> ApiResult<Response> {
    let revision = connection.revision;
    let same = engine.connections.same_account(&connection).await?;
    let mut view = ConnectionView::of(engine, connection).await?;
    if let Some(detail) = same.detail() {
        let connections = same.own.into_iter().map(|(id, _)| id).collect();
        view.warnings.push(WarningView { code: SameAccount::CODE, detail, connections });
    }
    Ok(etag::tagged(status, revision, view))
}

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnectionBody {
    /// Name of the provider, or an alias: see `/api/booking-providers/available`.
    #[serde(alias = "plugin")]
    #[schema(value_type = String)]
    provider: PluginId,
    /// For people; absent: the provider's.
    #[serde(default)]
    name: Option<String>,
    /// Only for this listing; absent: for all.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    /// As the provider's settings schema says. `sync_direction` (`off`, `import`, `export`, `bidirectional`), where the provider has no setting of that
    /// name, is the mode of the connection's synchronisation.
    #[serde(default = "empty")]
    #[schema(value_type = Object)]
    settings: Value,
    /// By the provider's names, in any spelling (`apiKey` for `api-key`); those in parts by their parts, or as an object of them. What it declares a
    /// setting is taken as one. Tried at the provider before they are saved; never returned.
    #[serde(default)]
    #[schema(value_type = Object)]
    credentials: GivenCredentials,
    #[serde(default)]
    granted_hosts: Option<BTreeSet<String>>,
    /// Networks (CIDR) that webhooks may come from; absent: any.
    #[serde(default)]
    webhook_sources: Option<Vec<String>>,
}

fn empty() -> Value {
    json!({})
}

/// Connect to a provider. The credentials are tried there first; what it refuses is not saved.
#[utoipa::path(post, path = "/api/booking-providers", operation_id = "connections_create", tag = "booking providers", request_body = NewConnectionBody,
    responses((status = 201, body = ConnectionView), (status = 422, body = ProblemDocument), (status = 502, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<NewConnectionBody>,
) -> ApiResult<Response> {
    let connections = &app.engine().connections;
    let plugin = connections.provider_named(new.provider);
    let given = connections.sort_given(&plugin, new.credentials, new.settings)?;
    let sync_mode = given.mode.unwrap_or_default();
    let new = NewConnection {
        plugin,
        name: new.name.unwrap_or(given.provider_name),
        listing: new.listing,
        settings: given.settings,
        credentials: given.credentials,
        granted_hosts: new.granted_hosts,
        webhook_sources: new.webhook_sources,
    };
    let made = connections.create_connection_in(&caller, new, sync_mode).await?;
    tagged(app.engine(), StatusCode::CREATED, made).await
}

/// All connections, by age.
#[utoipa::path(get, path = "/api/booking-providers", operation_id = "connections_list", tag = "booking providers", params(PageParams), responses((status = 200, body = Page<ConnectionView>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<ConnectionView>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let rows = app.engine().connections.list_connections(&caller, after, limit.saturating_add(1)).await?;
    let page = page::page(rows, limit, |c| c.id, |c| c);
    let mut items = Vec::with_capacity(page.items.len());
    for connection in page.items {
        items.push(ConnectionView::of(app.engine(), connection).await?);
    }
    Ok(Json(Page { items, next: page.next }))
}

/// A connection.
#[utoipa::path(get, path = "/api/booking-providers/{id}", operation_id = "connections_get", tag = "booking providers", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Response> {
    tagged(app.engine(), StatusCode::OK, app.engine().connections.connection(&caller, id).await?).await
}

/// Changes. What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
pub(crate) struct PatchConnection {
    /// The provider that it is to, which does not change; it may be named.
    #[serde(default, alias = "plugin")]
    #[schema(value_type = Option<String>)]
    provider: Option<PluginId>,
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<Option<ListingId>>,
    /// In place of those before; `sync_direction` as when it was made.
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// Replaces the named ones; the others stay. What the provider declares a setting is taken as one.
    #[schema(value_type = Option<Object>)]
    credentials: Option<GivenCredentials>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    granted_hosts: Option<Option<BTreeSet<String>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    webhook_sources: Option<Option<Vec<String>>>,
}

/// Change a connection. One that is disconnected is connected again with credentials of the same account: its bookings are told of again,
/// and everything is read anew. New settings or credentials are tried at the provider first; if it refuses them, the ones before stay. Messages
/// signed with a webhook secret that is replaced are accepted for another day.
#[utoipa::path(patch, path = "/api/booking-providers/{id}", operation_id = "connections_update", tag = "booking providers", request_body = PatchConnection, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = ConnectionView), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    IfMatch(revision): IfMatch,
    Body(patch): Body<PatchConnection>,
) -> ApiResult<Response> {
    change::change(app.engine(), &caller, id, revision, patch).await
}

/// Change a connection, as with PATCH: what is absent stays, since credentials are never shown and cannot be sent back.
#[utoipa::path(put, path = "/api/booking-providers/{id}", operation_id = "connections_replace", tag = "booking providers", request_body = PatchConnection, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = ConnectionView), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn replace(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    IfMatch(revision): IfMatch,
    Body(patch): Body<PatchConnection>,
) -> ApiResult<Response> {
    change::change(app.engine(), &caller, id, revision, patch).await
}

/// How a webhook secret is rotated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct RotateSecretBody {
    /// How long messages signed with the secret before are accepted, in seconds: at most a day, which is also what happens if nothing is
    /// said. 0 for a secret that others know: it ends now, and so do those before it.
    overlap_seconds: Option<i64>,
}

/// Make up another webhook secret. The provider is given it with a new subscription, then the one before is ended; what cannot be done
/// now is done in the background (see `webhooks`). A secret that the provider gives is rotated with PATCH, in the same way.
#[utoipa::path(post, path = "/api/booking-providers/{id}/webhook-secret/rotate", operation_id = "webhook_secrets_rotate", tag = "booking providers", request_body = RotateSecretBody,
    params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)), responses((status = 200, body = ConnectionView), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "The provider gives the secret, or too many are accepted still"), (status = 412, body = ProblemDocument)))]
pub(crate) async fn rotate_webhook_secret(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    IfMatch(revision): IfMatch,
    Body(body): Body<RotateSecretBody>,
) -> ApiResult<Response> {
    let rotated =
        app.engine().connections.rotate_webhook_secret(&caller, id, body.overlap_seconds, revision).await?;
    tagged(app.engine(), StatusCode::OK, rotated).await
}

/// Disconnect, also while the provider is broken. Credentials, tokens and webhook secrets are erased, subscriptions and tokens are ended at
/// the provider as far as it answers, and nothing is read any more. A connection that nothing refers to is gone (204). Another stays,
/// `disconnected` (200): its bookings keep what they know, and later changes of them are made here alone. See `deletion` for what goes.
#[utoipa::path(delete, path = "/api/booking-providers/{id}", operation_id = "connections_delete", tag = "booking providers",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = ConnectionView, description = "Disconnected; it stays for what refers to it"), (status = 204, description = "Gone"),
        (status = 404, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    IfMatch(revision): IfMatch,
) -> ApiResult<Response> {
    match app.engine().connections.delete_connection(&caller, id, revision).await? {
        Ends::Removed => Ok(StatusCode::NO_CONTENT.into_response()),
        Ends::Kept(connection) => tagged(app.engine(), StatusCode::OK, connection).await,
    }
}

/// Does the connection work, asked now?
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `healthy`, `unauthorised`, `unavailable`.
    #[schema(value_type = String)]
    status: ConnectionStatus,
    /// Why not.
    detail: Option<String>,
    /// `closed`: its provider is asked; `open`: it is not, since it gave no usable answer many times in a row; `half_open`: the next call
    /// finds out.
    #[schema(value_type = String)]
    breaker: BreakerState,
}

/// Ask the provider now whether the connection works.
#[utoipa::path(get, path = "/api/booking-providers/{id}/health", operation_id = "connection_health_get", tag = "booking providers", params(("id" = String, Path)),
    responses((status = 200, body = Health), (status = 404, body = ProblemDocument)))]
pub(crate) async fn health(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Json<Health>> {
    let (connection, problem) = app.engine().connections.connection_health(&caller, id).await?;
    Ok(Json(Health {
        status: connection.status,
        detail: connection.status_detail.or_else(|| problem.map(|p| p.detail)),
        breaker: app.engine().connections.connection_breaker(id),
    }))
}
